"""The Lambda functions that turn input into RecordSets. All pipelines of a stack share one set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from amazon_estimators.pipeline import allocator, keys
from amazon_estimators.record_sets.keys import manifest_key, profile_key, record_set_key, shard_patterns
from cdk_amazon_estimators.access.function_statements import (
    account_statement,
    interfaces_statement,
    tell_statement,
)
from cdk_amazon_estimators.access.key_policies import allow_logs, allow_through
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.assets.lambda_bundle import LambdaBundle
from cdk_amazon_estimators.assets.table_reader_layer import table_reader_layer
from cdk_amazon_estimators.compliance import acknowledge_findings
from cdk_amazon_estimators.props.function_props import check_concurrency, check_memory, check_timeout
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types
from cdk_amazon_estimators.routes_to_s3 import check_routes, select_subnets
from cdk_amazon_estimators.storage.encryption_headers import encryption_variables
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout

SHARED_ID = "RecordSetEncoder"


class RecordSetEncoder(Construct):
    """The functions of Plan, Shards, Seal, Explain, Announce and Failed, each with its own role.

    They have no permissions until :meth:`serve` names a pipeline. ``plan`` and ``encode`` share a layer that
    holds the table reader.

    Args:
        bundle: Python version and platform of their code; a local platform (docs/rehearsal.md) replaces both
            with those of its machine. Default: Python 3.12 on x86_64.
        encode_memory: Memory of one Encode, 512 MiB to 10 GiB. CPU grows with it. Default: 1,769 MiB, one
            whole CPU.
        encode_timeout: The time one shard may take, 1 second to 15 minutes. Default: 15 minutes.
        plan_memory: Memory of Plan, which lists all input, 512 MiB to 10 GiB. Default: 1,769 MiB.
        reserved_concurrency: Reserved concurrent executions by function, which also limit the function, such
            as ``{"Encode": 50, "Starter": 1}``. Lambda keeps 100 unreserved; in a new account, all. Default:
            none; Plan then leaves two of the account's executions to other functions.
        vpc: The network of the functions, from which S3, CloudWatch Logs, EventBridge and, for the starter,
            Step Functions, SQS and EventBridge Scheduler must be reached. Default: Lambda's.
        subnets: Subnets of ``vpc``. Default: the private ones.
        security_groups: Security groups of the functions. Default: a new one, with ``vpc``.
        encryption_key: KMS key of their logs and environment variables. An imported key must allow CloudWatch
            Logs. Default: keys of the services.
        tracing: Send traces of the functions to X-Ray. Default: False.
        log_level: The level of their logs, such as ``ApplicationLogLevel.DEBUG``. Default: INFO.
        log_retention: How long their logs are kept. Default: three months.

    Attributes:
        plan, encode, seal, explain, announce, fail: The functions.

    Raises:
        PipelineError: Invalid props. One error has all problems, each with the construct's path.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bundle: LambdaBundle | None = None,
        encode_memory: Size | None = None,
        encode_timeout: Duration | None = None,
        plan_memory: Size | None = None,
        reserved_concurrency: Mapping[str, int] | None = None,
        vpc: ec2.IVpc | None = None,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        encryption_key: kms.IKey | None = None,
        tracing: bool = False,
        log_level: lambda_.ApplicationLogLevel | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        props = dict(locals())  # while there are no other local variables
        super().__init__(scope, construct_id)
        problems = Problems(self)
        check_types(problems, RecordSetEncoder.__init__, props)
        check_memory(problems, "encode_memory", encode_memory, "Encode holds up to 350 MB")
        check_memory(problems, "plan_memory", plan_memory, "Plan lists all input")
        check_timeout(problems, encode_timeout)
        check_concurrency(problems, reserved_concurrency)
        network = [name for name in ("subnets", "security_groups") if props[name] is not None and vpc is None]
        problems.unless(not network, f"{' and '.join(network)} without vpc; allowed: with vpc. Give vpc too.")
        problems.raise_any()
        self._bundle = (bundle or LambdaBundle()).at(self)
        self._code = self._bundle.code()
        self._layouts: list[PipelineLayout] = []
        self._steps: list[lambda_.Function] = []
        self._concurrency = reserved_concurrency or {}
        self._vpc = vpc
        self._subnets = subnets
        self._security_groups = self._groups(vpc, security_groups)
        if vpc is not None:
            chosen = select_subnets(vpc, subnets)
            how = "They read and write S3, and call EventBridge, Step Functions, SQS and Scheduler: they fail"
            check_routes(self, vpc, chosen.subnets, who="the functions", how=how)
        self._encryption_key = encryption_key
        if encryption_key is not None:
            allow_logs(encryption_key, self)
        self._tracing = tracing
        self._log_level = log_level
        self._log_retention = log_retention
        minutes = Duration.minutes
        self.plan = self.function(
            self,
            "Plan",
            "Plan a RecordSet",
            timeout=minutes(15),
            memory=plan_memory or Size.mebibytes(1769),
        )
        if "Encode" not in self._concurrency:
            self.plan.add_to_role_policy(account_statement())
        self.encode = self.function(
            self,
            "Encode",
            "Encode one shard of a RecordSet",
            timeout=encode_timeout or minutes(15),
            memory=encode_memory or Size.mebibytes(1769),
            environment=allocator.ENVIRONMENT,
        )
        # Of these only two read input. The others start faster without the reader.
        self.table_reader = table_reader_layer(self, "TableReader", self._bundle)
        self.plan.add_layers(self.table_reader)
        self.encode.add_layers(self.table_reader)
        self.seal = self.function(
            self, "Seal", "Verify and seal a RecordSet", timeout=minutes(15), memory=Size.mebibytes(1769)
        )
        self.explain = self.function(
            self, "Explain", "Say why an execution failed", timeout=minutes(1), memory=Size.mebibytes(512)
        )

        self.announce = self.function(
            self, "Announce", "Tell how an execution ended", timeout=minutes(1), memory=Size.mebibytes(512)
        )
        self.announce.add_to_role_policy(tell_statement(self))
        self.fail = self.function(
            self,
            "Fail",
            "End an execution with its error, or let it go on when redriven",
            timeout=minutes(1),
            memory=Size.mebibytes(256),
        )

        acknowledge_findings(self)

    @classmethod
    def of(cls, scope: Construct) -> RecordSetEncoder:
        """Return the encoder that the stack's pipelines share. The first call creates it, with all
        defaults."""
        stack = Stack.of(scope)
        found = stack.node.try_find_child(SHARED_ID)
        return found if isinstance(found, cls) else cls(stack, SHARED_ID)

    @property
    def functions(self) -> list[lambda_.Function]:
        """Return all functions."""
        return [self.plan, self.encode, self.seal, self.explain, self.announce, self.fail]

    def concurrency(self, most: int) -> dict[str, int]:
        """Return the settings with which Plan decides how many shards are encoded at a time; ``most`` is the
        prop."""
        reserved = self._concurrency.get("Encode")
        return {"most": most} if reserved is None else {"most": most, "reserved": reserved}

    def step(
        self,
        name: str,
        description: str,
        *,
        timeout: Duration,
        memory: Size,
        layers: Sequence[lambda_.ILayerVersion] = (),
    ) -> lambda_.Function:
        """Return the function of a step that not every pipeline has. The first call creates it."""
        found = self.node.try_find_child(name)
        if isinstance(found, lambda_.Function):
            return found
        function = self.function(self, name, description, timeout=timeout, memory=memory)
        function.add_layers(*layers)
        self._steps.append(function)
        for variable, value in encryption_variables(self, self._layouts).items():
            function.add_environment(variable, value)
        return function

    def serve(self, layout: PipelineLayout) -> None:
        """Allow each function to read and write only the keys of its step, for one pipeline."""
        self.encode_for(layout)
        latest = [keys.last_trained_key(layout.prefix), keys.current_model_key(layout.prefix)]
        lineage, trainings = keys.lineage_key(layout.prefix, keys.ANY), keys.trainings_key(layout.prefix)
        announce = S3Access(self.announce, layout.data_bucket, layout.encryption_key)
        announce.write([*latest, lineage, trainings])
        announce.read([trainings])
        announce.list([layout.datasets])

    def encode_for(self, layout: PipelineLayout) -> None:
        """Allow the same as :meth:`serve`, except for the records of trained models."""
        inputs = [f"{prefix}*" for prefix in layout.inputs]
        record_set = layout.record_set(keys.ANY)
        channel = keys.channel_root(record_set, keys.ANY)
        data_sets = keys.data_set_key(layout.prefix, keys.ANY)
        plain_data_sets = keys.plain_data_set_key(layout.prefix, keys.ANY)
        known_plans = keys.known_plan_key(layout.prefix, keys.ANY)
        plan_key, pieces_key = keys.plan_key(record_set), keys.pieces_key(record_set)

        def data(function: lambda_.Function) -> S3Access:
            return S3Access(function, layout.data_bucket, layout.encryption_key)

        plan = data(self.plan)
        plan.list(layout.inputs, versions=True)
        plan.list([layout.recordsets, layout.datasets])
        plan.read(inputs, versions=True)
        plan.read([record_set_key(channel), manifest_key(channel)])
        # Data sets and pieces are also read, to find what is there if the answer to their upload was lost.
        plan.read([data_sets, plain_data_sets, known_plans, plan_key, pieces_key])
        plan.write([data_sets, pieces_key], multipart=True)
        plan.write([plan_key, known_plans, keys.items_key(record_set, keys.ANY)])

        # Shards, files and receipts, but nothing that Seal writes: so Encode cannot write a manifest.
        encode = data(self.encode)
        encode.read(inputs, versions=True)
        encode.read([plan_key, pieces_key])
        encode.write(shard_patterns(channel), multipart=True)
        encode.read(shard_patterns(channel))  # to find what is there if the answer to an upload was lost
        receipts = keys.receipts_prefix(record_set, keys.ANY)
        profiles = keys.shard_profiles_prefix(record_set, keys.ANY)
        group_profiles = f"{keys.group_profiles_prefix(record_set, keys.ANY)}*"
        encode.write([f"{receipts}*", f"{profiles}*", group_profiles])
        # Whoever writes the last receipt of a group of shards adds up the group's profiles.
        encode.list([receipts, profiles])
        encode.read([f"{profiles}*"])

        seal = data(self.seal)
        seal.list([layout.recordsets])
        seal.read([plan_key, f"{profiles}*", group_profiles])
        seal.write([profile_key(channel), record_set_key(channel), manifest_key(channel)])

        explain = data(self.explain)
        explain.list([layout.recordsets])
        failures = [f"{keys.failures_prefix(record_set, keys.ANY)}*"]
        explain.read(failures)
        explain.write(failures)

        self._layouts.append(layout)
        for name, value in encryption_variables(self, self._layouts).items():
            for function in (*self.functions, *self._steps):
                function.add_environment(name, value)

    def function(
        self,
        scope: Construct,
        name: str,
        description: str,
        *,
        timeout: Duration,
        memory: Size,
        environment: Mapping[str, str] | None = None,
    ) -> lambda_.Function:
        """Create a function that runs ``amazon_estimators.handlers.<name>``, with its own log and role."""
        log_group = logs.LogGroup(
            scope,
            f"{name}Logs",
            retention=self._log_retention,
            encryption_key=self._encryption_key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            scope,
            f"{name}Role",
            description=description,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        # Not AWSLambdaBasicExecutionRole, which may write to every log group of the account.
        iam.Grant.add_to_principal(
            grantee=role,
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resource_arns=[log_group.log_group_arn],
        )
        if self._vpc is not None:
            role.add_to_policy(interfaces_statement())
        if self._encryption_key is not None:
            allow_through(self._encryption_key, role, "kms:Decrypt", service="lambda")
        return lambda_.Function(
            scope,
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
            application_log_level_v2=self._log_level,
            environment=environment,
            environment_encryption=self._encryption_key,
            reserved_concurrent_executions=self._concurrency.get(name),
            tracing=lambda_.Tracing.ACTIVE if self._tracing else None,
            vpc=self._vpc,
            vpc_subnets=self._subnets,
            security_groups=self._security_groups,
        )

    def _groups(
        self, vpc: ec2.IVpc | None, groups: Sequence[ec2.ISecurityGroup] | None
    ) -> Sequence[ec2.ISecurityGroup] | None:
        """Return the security groups that you pass or, with a VPC, a new one that only calls services."""
        if vpc is None or groups:
            return groups
        own = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="Functions of pipelines", allow_all_outbound=False
        )
        own.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS services")
        return [own]
