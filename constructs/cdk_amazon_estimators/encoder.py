"""The Lambda functions that turn input into RecordSets. One set of them serves all pipelines of a stack."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_amazon_estimators.lambda_bundle import LambdaBundle
from cdk_amazon_estimators.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.s3_access import S3Access

SHARED_ID = "RecordSetEncoder"


class RecordSetEncoder(Construct):
    """The functions behind the states Plan, Shards, Seal and Explain, each with a role of its own.

    bundle: Python version and platform of their code. Default: Python 3.12 on x86_64.
    encode_memory: memory of one Encode; CPU grows with it. Default: 1,769 MiB, one whole CPU.
    encode_timeout: time one shard may take. Default: 15 minutes, Lambda's limit.
    log_retention: how long their logs are kept. Default: three months.

    Attributes: ``plan``, ``encode``, ``seal``, ``explain``. They may do nothing until :meth:`serve` names a
    pipeline.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bundle: LambdaBundle | None = None,
        encode_memory: Size | None = None,
        encode_timeout: Duration | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        super().__init__(scope, construct_id)
        self._bundle = bundle or LambdaBundle()
        self._code = self._bundle.code()
        self._log_retention = log_retention
        minutes = Duration.minutes
        self.plan = self._function(
            "Plan", "Plan a RecordSet", timeout=minutes(15), memory=Size.mebibytes(1769)
        )
        self.encode = self._function(
            "Encode",
            "Encode one shard of a RecordSet",
            timeout=encode_timeout or minutes(15),
            memory=encode_memory or Size.mebibytes(1769),
        )
        self.seal = self._function(
            "Seal", "Verify and seal a RecordSet", timeout=minutes(15), memory=Size.mebibytes(1769)
        )
        self.explain = self._function(
            "Explain", "Say why an execution failed", timeout=minutes(1), memory=Size.mebibytes(512)
        )

    @classmethod
    def of(cls, scope: Construct) -> RecordSetEncoder:
        """The stack's shared encoder, made with all defaults if there is none yet."""
        stack = Stack.of(scope)
        found = stack.node.try_find_child(SHARED_ID)
        return found if isinstance(found, cls) else cls(stack, SHARED_ID)

    @property
    def functions(self) -> list[lambda_.Function]:
        """All of them."""
        return [self.plan, self.encode, self.seal, self.explain]

    def serve(self, layout: PipelineLayout) -> None:
        """Let the functions work for one pipeline: each on the keys its step reads and writes, no others."""
        inputs = [f"{prefix}*" for prefix in layout.inputs]
        record_set = f"{layout.recordsets}*/"

        def data(function: lambda_.Function) -> S3Access:
            return S3Access(function, layout.data_bucket, layout.encryption_key)

        plan = data(self.plan)
        plan.list(layout.inputs, versions=True)
        plan.list([layout.recordsets])
        plan.read(inputs, versions=True)
        plan.read([f"{record_set}record_set.json"])
        plan.list([layout.datasets])
        plan.read([f"{layout.datasets}*.jsonl"])
        plan.write([f"{layout.datasets}*.jsonl"])
        plan.write([f"{record_set}{name}" for name in ("plan.json", "pieces.jsonl", "shards.jsonl")])

        # Shards, receipts and failures: nothing that Plan or Seal writes, so no Encode can make a manifest.
        encode = data(self.encode)
        encode.read(inputs, versions=True)
        encode.read([f"{record_set}{name}" for name in ("plan.json", "pieces.jsonl")])
        encode.write([f"{record_set}{name}" for name in ("matrix_*", "part_*")], multipart=True)
        encode.write([f"{record_set}{name}/*" for name in ("receipts", "failures")])

        seal = data(self.seal)
        seal.list([layout.recordsets])
        seal.read([f"{record_set}plan.json"])
        seal.write([f"{record_set}{name}" for name in ("record_set.json", ".amazon.manifest")])

        explain = data(self.explain)
        explain.list([layout.recordsets])
        explain.read([f"{record_set}failures/*"])

    def _function(self, name: str, description: str, *, timeout: Duration, memory: Size) -> lambda_.Function:
        log_group = logs.LogGroup(
            self, f"{name}Logs", retention=self._log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        role = iam.Role(
            self,
            f"{name}Role",
            description=description,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        # Instead of AWSLambdaBasicExecutionRole, which may write to every log group of the account.
        iam.Grant.add_to_principal(
            grantee=role,
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resource_arns=[log_group.log_group_arn],
        )
        return lambda_.Function(
            self,
            name,
            description=description,
            code=self._code,
            handler=f"amazon_estimators.handlers.{name.lower()}.handler",
            runtime=self._bundle.runtime,
            architecture=self._bundle.architecture,
            memory_size=memory.to_mebibytes(),
            timeout=timeout,
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
        )
