"""The methods of a pipeline that other parts of an app use, whether this app or another one creates it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.event_names import (
    FAILED,
    LINEAGE,
    LINEAGE_SOURCE,
    REJECTED,
    SKIPPED,
    TRAINED,
    WAITING,
)
from amazon_estimators.pipeline.lineage import OWN_FACET
from amazon_estimators.pipeline.metrics import (
    BILLABLE_SECONDS,
    CAPACITY_WAIT_SECONDS,
    COST,
    COUNTS,
    ERROR,
    EXECUTION_SECONDS,
    MODEL_AGE_SECONDS,
    TRAINING_SECONDS,
)
from amazon_estimators.pipeline.step_metrics import (
    INPUT_BYTES,
    INPUT_OBJECTS,
    RECORD_BYTES,
    RECORDS,
    ROWS_DROPPED,
    SHARDS_ENCODED,
    SHARDS_REUSED,
    STEP,
    STEP_SECONDS,
)
from cdk_amazon_estimators.access.registry import registry_statements
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.errors import PipelineError
from cdk_amazon_estimators.state_machine_events import StateMachineEvents


class TrainingPipelineBase(StateMachineEvents):
    """Grants on a pipeline, rules for its events, and its metrics.

    A TrainingPipeline is one, and so is what :meth:`TrainingPipeline.from_attributes` returns.

    Attributes:
        state_machine: The state machine.
        data_bucket: The bucket of input and RecordSets.
        model_bucket: The bucket of models.
        prefix: The prefix of every key of the pipeline, empty or ending with ``/``.
        encryption_key: KMS key of the objects, if it is not the buckets' own.
        input_key_prefixes: The prefixes that input is read from.
        model_package_group: The group in which models are registered; None without one, or if unknown.
    """

    teller = "a training pipeline"
    data_bucket: s3.IBucket
    model_bucket: s3.IBucket
    prefix: str
    encryption_key: kms.IKey | None
    input_key_prefixes: Sequence[str]
    model_package_group: str | None = None

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start an execution, with the input that TrainingPipeline documents."""
        return self.state_machine.grant_start_execution(grantee)

    def grant_redrive(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` redrive executions that failed, once their cause is fixed.

        For the dead letters of triggers, use ``pipeline.starter.grant_redrive``.
        """
        return self.state_machine.grant_redrive_execution(grantee)

    def grant_read_status(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` list and describe executions, and read which data set and model are the latest."""
        latest = (keys.last_trained_key(self.prefix), keys.current_model_key(self.prefix))
        access = self._access(self.data_bucket, grantee)
        # A reader asks for a record that may not exist yet: S3 tells that only to those who may list.
        access.list(latest)
        access.read(latest)
        if self.model_package_group is not None:
            for statement in registry_statements(self, self.model_package_group):
                grantee.grant_principal.add_to_principal_policy(statement)
        return self.state_machine.grant_read(grantee)

    def grant_read_models(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` list and read the pipeline's models, their metrics and leaderboards."""
        models = keys.models_prefix(self.prefix)
        access = self._access(self.model_bucket, grantee)
        access.list([models])
        access.read([f"{models}{keys.ANY}"])

    def grant_write_input(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` upload input, also in parts. It can neither read nor delete existing input."""
        access = self._access(self.data_bucket, grantee)
        access.write([f"{prefix}{keys.ANY}" for prefix in self.input_key_prefixes], multipart=True)

    def write_parameter(self, construct_id: str, parameter_name: str) -> ssm.StringParameter:
        """Write where the pipeline is into a parameter of Systems Manager, for :meth:`from_parameter`.

        Its value is JSON: ``state_machine``, ``data_bucket``, ``model_bucket``, ``prefix``,
        ``input_prefixes``, ``encryption_key`` (the ARN, or empty) and ``current_model``, the S3 URI of the
        record of the model in use.

        Args:
            construct_id: The id of the parameter, below the pipeline.
            parameter_name: Its name, such as ``"/ml/churn"``.

        Example:
            ``pipeline.write_parameter("Parameter", "/ml/churn").grant_read(role)``
        """
        current = keys.current_model_key(self.prefix)
        told = {
            "state_machine": self.state_machine.state_machine_arn,
            "data_bucket": self.data_bucket.bucket_name,
            "model_bucket": self.model_bucket.bucket_name,
            "prefix": self.prefix,
            "input_prefixes": list(self.input_key_prefixes),
            "encryption_key": self.encryption_key.key_arn if self.encryption_key else "",
            "current_model": self.data_bucket.s3_url_for_object(current),
        }
        return ssm.StringParameter(
            self,
            construct_id,
            parameter_name=parameter_name,
            string_value=Stack.of(self).to_json_string(told),
            description="Where a training pipeline is",
        )

    @staticmethod
    def from_attributes(
        scope: Construct,
        construct_id: str,
        *,
        state_machine_arn: str,
        data_bucket: s3.IBucket,
        model_bucket: s3.IBucket,
        prefix: str = "",
        encryption_key: kms.IKey | None = None,
        input_key_prefixes: Sequence[str] | None = None,
    ) -> TrainingPipelineBase:
        """Refer to a pipeline that another stack, app or account deployed.

        Args:
            scope: The construct that refers to it.
            construct_id: The ID of the reference.
            state_machine_arn: The ARN of its state machine.
            data_bucket: The bucket of its input, such as ``s3.Bucket.from_bucket_name(…)``.
            model_bucket: The bucket of its models.
            prefix: Its ``prefix``. Default: ``""``.
            encryption_key: Its ``encryption_key``. Default: that of the buckets.
            input_key_prefixes: The prefixes of its input. Default: ``<prefix>input/``.

        Returns:
            A reference with the pipeline's grants, event rules and metrics.
        """
        return ImportedPipeline(
            scope,
            construct_id,
            state_machine_arn=state_machine_arn,
            data_bucket=data_bucket,
            model_bucket=model_bucket,
            prefix=prefix,
            encryption_key=encryption_key,
            input_key_prefixes=input_key_prefixes,
        )

    @staticmethod
    def from_parameter(scope: Construct, construct_id: str, parameter_name: str) -> TrainingPipelineBase:
        """Refer to a pipeline by the parameter that its :meth:`write_parameter` made.

        ``cdk synth`` looks the parameter up in the stack's account and region and keeps its value in
        ``cdk.context.json``: the stack needs an explicit ``env``. Run ``cdk context --reset`` after the
        pipeline has moved.

        Args:
            scope: The construct that refers to it.
            construct_id: The id of the reference.
            parameter_name: The parameter's name.

        Raises:
            PipelineError: The parameter holds something else.
        """
        text = ssm.StringParameter.value_from_lookup(scope, parameter_name)
        told = _read(text, parameter_name)
        reference = Construct(scope, f"{construct_id}Parts")
        key = told["encryption_key"]
        return ImportedPipeline(
            scope,
            construct_id,
            state_machine_arn=told["state_machine"],
            data_bucket=s3.Bucket.from_bucket_name(reference, "Data", told["data_bucket"]),
            model_bucket=s3.Bucket.from_bucket_name(reference, "Models", told["model_bucket"]),
            prefix=told["prefix"],
            encryption_key=kms.Key.from_key_arn(reference, "Key", key) if key else None,
            input_key_prefixes=told["input_prefixes"],
        )

    def on_model_trained(self, construct_id: str, *, target: events.IRuleTarget | None = None) -> events.Rule:
        """Create a rule for each ``Model Trained`` of the pipeline; docs/triggers.md lists its detail.

        Args:
            construct_id: The ID of the rule, below the pipeline.
            target: Where events go. Default: none; add targets to the rule.

        Example:
            ``pipeline.on_model_trained("Tell", target=targets.LambdaFunction(function))``
        """
        return self._rule(construct_id, TRAINED, target)

    def on_model_rejected(
        self, construct_id: str, *, target: events.IRuleTarget | None = None
    ) -> events.Rule:
        """Create a rule for each ``Model Rejected``: the model did not pass the gate."""
        return self._rule(construct_id, REJECTED, target)

    def on_training_failed(
        self, construct_id: str, *, target: events.IRuleTarget | None = None
    ) -> events.Rule:
        """Create a rule for each ``Training Failed``, with its error, cause and remedy."""
        return self._rule(construct_id, FAILED, target)

    def on_training_skipped(
        self, construct_id: str, *, target: events.IRuleTarget | None = None
    ) -> events.Rule:
        """Create a rule for each ``Training Skipped``: a trigger fired, but there was nothing to train."""
        return self._rule(construct_id, SKIPPED, target)

    def on_training_waiting(
        self, construct_id: str, *, target: events.IRuleTarget | None = None
    ) -> events.Rule:
        """Create a rule for each ``Training Waiting``: no instances are free."""
        return self._rule(construct_id, WAITING, target)

    def on_lineage(self, construct_id: str, *, target: events.IRuleTarget | None = None) -> events.Rule:
        """Create a rule for each OpenLineage run event: the detail is the event, as docs/lineage.md shows it.

        Args:
            construct_id: The ID of the rule, below the pipeline.
            target: Where events go, such as an API destination. Default: none; add targets to the rule.
        """
        ours = {"state_machine": [self.state_machine.state_machine_arn]}
        return events.Rule(
            self,
            construct_id,
            description=f"{LINEAGE} of {self.teller}",
            event_pattern=events.EventPattern(
                source=[LINEAGE_SOURCE],
                detail_type=[LINEAGE],
                detail={"run": {"facets": {OWN_FACET: ours}}},
            ),
            targets=[] if target is None else [target],
        )

    def metric_models_trained(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of models trained and used, as a sum. ``period`` is 5 minutes by default."""
        return self._metric(COUNTS[TRAINED], period)

    def metric_models_rejected(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of models that did not pass the gate, as a sum."""
        return self._metric(COUNTS[REJECTED], period)

    def metric_trainings_failed(
        self, *, error: str | None = None, period: Duration | None = None
    ) -> cloudwatch.Metric:
        """Return the number of executions that failed, as a sum.

        Args:
            error: Only those with this error, such as ``"InputError"``. Default: all.
            period: The period of a sum. Default: 5 minutes.
        """
        return self._metric(COUNTS[FAILED], period, **({ERROR: error} if error else {}))

    def metric_trainings_skipped(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of requests that had nothing to train, as a sum."""
        return self._metric(COUNTS[SKIPPED], period)

    def metric_trainings_waiting(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of announced waits for instances, as a sum."""
        return self._metric(COUNTS[WAITING], period)

    def metric_billable_seconds(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the billed seconds of trainings, per instance, as a sum."""
        return self._metric(BILLABLE_SECONDS, period)

    def metric_cost(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return what trainings cost, as a sum in the currency of the prices, without those of unknown cost.

        Failed trainings and models that the gate rejects are in it. See docs/cost.md.
        """
        return self._metric(COST, period)

    def metric_execution_seconds(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the time that executions took until they announced their end, as a maximum."""
        return self._metric(EXECUTION_SECONDS, period, "Maximum")

    def metric_training_seconds(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the time that training jobs took, as a maximum. On spot capacity fewer are billed."""
        return self._metric(TRAINING_SECONDS, period, "Maximum")

    def metric_capacity_wait_seconds(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the time that trainings waited for instances before they began, as a maximum."""
        return self._metric(CAPACITY_WAIT_SECONDS, period, "Maximum")

    def metric_model_age_seconds(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return how old the newest good model was when an execution ended, as a maximum."""
        return self._metric(MODEL_AGE_SECONDS, period, "Maximum")

    def metric_step_seconds(self, step: str, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the time that a step took, as a maximum.

        Args:
            step: ``"Plan"``, ``"Encode"`` (all shards together), ``"Seal"``, ``"Tune"``, ``"Judge"`` or
                ``"Register"``.
            period: The period of a value. Default: 5 minutes.
        """
        return self._metric(STEP_SECONDS, period, "Maximum", **{STEP: step})

    def metric_input_objects(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the input objects of each data set that was encoded, as an average."""
        return self._metric(INPUT_OBJECTS, period, "Average")

    def metric_input_bytes(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the bytes of the input of each data set that was encoded, as an average."""
        return self._metric(INPUT_BYTES, period, "Average")

    def metric_records(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the records of each RecordSet that was encoded, as an average."""
        return self._metric(RECORDS, period, "Average")

    def metric_record_bytes(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the bytes of each RecordSet that was encoded, as an average."""
        return self._metric(RECORD_BYTES, period, "Average")

    def metric_rows_dropped(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the rows that were left out because a value was missing, as an average per RecordSet."""
        return self._metric(ROWS_DROPPED, period, "Average")

    def metric_shards_encoded(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of shards that were encoded, as a sum."""
        return self._metric(SHARDS_ENCODED, period)

    def metric_shards_reused(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Return the number of shards that an earlier execution had encoded, as a sum."""
        return self._metric(SHARDS_REUSED, period)

    def metric_algorithm(
        self, name: str, *, statistic: str = "Average", period: Duration | None = None
    ) -> cloudwatch.Metric:
        """Return a metric of the algorithm, such as ``"test:msd"``: one value per model.

        Args:
            name: The metric's name, as docs/algorithms.md lists it for the algorithm.
            statistic: The CloudWatch statistic. Default: ``"Average"``.
            period: The period of a value. Default: 5 minutes.
        """
        return self._metric(name, period, statistic)

    def _access(self, bucket: s3.IBucket, grantee: iam.IGrantable) -> S3Access:
        return S3Access(grantee, bucket, self.encryption_key)


class ImportedPipeline(TrainingPipelineBase):
    """A pipeline that another stack, app or account deployed, as TrainingPipeline.from_attributes returns
    it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        state_machine_arn: str,
        data_bucket: s3.IBucket,
        model_bucket: s3.IBucket,
        prefix: str,
        encryption_key: kms.IKey | None,
        input_key_prefixes: Sequence[str] | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.state_machine = sfn.StateMachine.from_state_machine_arn(self, "StateMachine", state_machine_arn)
        self.data_bucket, self.model_bucket = data_bucket, model_bucket
        self.prefix, self.encryption_key = prefix, encryption_key
        self.input_key_prefixes = input_key_prefixes or [keys.input_prefix(prefix)]


def _read(text: str, parameter_name: str) -> dict[str, Any]:
    """Return what a parameter tells. Before CDK has looked it up, a first synth gets a placeholder."""
    if text == f"dummy-value-for-{parameter_name}":
        return _NOT_LOOKED_UP
    try:
        told = json.loads(text)
        missing = sorted({*_NOT_LOOKED_UP} - {*told})
    except (ValueError, TypeError):
        missing = ["any JSON object"]
    if missing:
        raise PipelineError(
            f"parameter {parameter_name} does not tell where a training pipeline is: it lacks "
            f"{', '.join(missing)}. Write it with write_parameter of the pipeline."
        )
    return dict(told)


_NOT_LOOKED_UP: dict[str, Any] = {
    "state_machine": "arn:aws:states:us-east-1:111111111111:stateMachine:NotLookedUpYet",
    "data_bucket": "not-looked-up-yet",
    "model_bucket": "not-looked-up-yet",
    "prefix": "",
    "input_prefixes": [keys.input_prefix("")],
    "encryption_key": "",
}
