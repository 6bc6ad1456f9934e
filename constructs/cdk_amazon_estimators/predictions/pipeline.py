"""The construct that scores: a prefix of data in, predictions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from amazon_estimators.costs.reckoning import Cost, most_of_transform, unknown
from amazon_estimators.pipeline.event_names import OF_PREDICTIONS, PREDICTION_ENDS
from amazon_estimators.pipeline.keys import ANY
from amazon_estimators.scoring.keys import CHANNEL, answers_prefix, parts_key
from amazon_estimators.scoring.settings import TRANSFORM
from amazon_estimators.sources import Source
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.assets.column_lists import channel_settings
from cdk_amazon_estimators.compliance import acknowledge_findings
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.monitoring import Monitoring
from cdk_amazon_estimators.notifications import notify
from cdk_amazon_estimators.predictions.access import grant_model, grant_score, grant_scoring
from cdk_amazon_estimators.predictions.checks import CheckedProps, check_props
from cdk_amazon_estimators.predictions.prediction_events import PredictionEvents
from cdk_amazon_estimators.predictions.prediction_watch import watch_predictions
from cdk_amazon_estimators.predictions.states import Functions, scoring_workflow
from cdk_amazon_estimators.predictions.transform import Transform
from cdk_amazon_estimators.predictions.transform_role import new_transform_role
from cdk_amazon_estimators.props.prop_types import known, known_seconds
from cdk_amazon_estimators.props.stack_quotas import check_quotas
from cdk_amazon_estimators.state_machine import STATE_MACHINE_ID, pipeline_state_machine
from cdk_amazon_estimators.storage.data_buckets import STALE_VERSION, expire_record_sets, expire_replaced
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.capacity import Waits
from cdk_amazon_estimators.training.cost import known_region, tell_cost
from cdk_amazon_estimators.training.instance_types import warn_of_unknown
from cdk_amazon_estimators.training.job import JobSettings
from cdk_amazon_estimators.training.job_names import job_name_prefix
from cdk_amazon_estimators.training.network import training_network
from cdk_amazon_estimators.training.tags import resource_tags, tag
from cdk_amazon_estimators.training_pipeline import TrainingPipeline
from cdk_amazon_estimators.triggers import Trigger
from cdk_amazon_estimators.triggers.starter_for import starter_for

TIMEOUT = Duration.days(2)
ANSWERS_KEPT = Duration.days(15)
"""What a transform job wrote stays as long as an execution can be redriven, which is 14 days."""


class PredictionPipeline(PredictionEvents):
    """Scores what lies under a prefix, with the model that a training pipeline has in use.

    The rows are read as the training data were: the features by their names, in training's order. Input that
    differs is an error before anything is paid for.

    The execution input is optional in all its parts::

        {"model": "s3://…/model.tar.gz, or the ARN of a model package", "data_set": "…", "reason": "why"}

    Args:
        model: The training pipeline whose models score. The one in use is taken when an execution starts.
        instance_type: The type of the instances of a transform job, such as ``"ml.m5.large"``. Default: None,
            for ``engine="numpy"``.
        instance_count: The number of those instances; a shard goes to one of them. Default: 1.
        engine: ``"transform"``, a transform job; or ``"numpy"``, in the functions, without any instance, for
            KMeans, PCA, LinearLearner and FactorizationMachines. Default: ``"transform"``.
        source: How the rows are read, and their prefix. Default: as the training channel's, without the
            label; at ``<prefix>input/``.
        prefix: The beginning of every key of this pipeline, in the training pipeline's data bucket.
            Default: ``"scores/"``.
        keep: The columns of the input that stand beside the predictions, by name or position. Default: none.
        output_format: ``"csv"``, ``"jsonlines"`` or ``"parquet"``. Default: ``"csv"``.
        encoder: The Lambda functions. Default: the RecordSetEncoder that all pipelines of the stack share.
        target_shard_size: The most bytes of one shard. Default: 64 MiB.
        max_concurrency: The most shards that are encoded, or scored, at a time, as of a TrainingPipeline.
            Default: 100.
        capacity_wait: How long a transform job waits for instances, up to 3 days. Default: 1 hour.
        timeout: The most time an execution may take, its transform job included. Default: 2 days.
        vpc: The network of the instances. Default: SageMaker's.
        subnets: Subnets of ``vpc``. Default: the private ones.
        security_groups: Security groups of the instances. Default: a new one, with ``vpc``.
        enable_network_isolation: Give the container no network. Default: False.
        triggers: UploadTrigger, ScheduleTrigger, AlarmTrigger or your own; empty for none. Default: an
            UploadTrigger with a quiet period of 5 minutes.
        max_concurrent: The most executions that triggers let run at a time. Default: 1.
        notification_topic: The topic that each Predictions Ready and Predictions Failed is sent to. Default:
            none.
        monitoring: Alarms, and a section of a dashboard, such as ``Monitoring(alarm_topic=topic)``. Default:
            None.
        service_encryption_key: KMS key of the state machine, its log and the starter's queues. Default: keys
            of the services.
        tags: Tags of the pipeline's own resources and of its models and transform jobs. Default: none.
        log_retention: How long the state machine's log is kept. Default: three months.

    Attributes:
        state_machine: The state machine.
        layout: The prefixes of this pipeline's data.
        encoder: The Lambda functions.
        job_name_prefix: The beginning of the names of its models and transform jobs.
        starter: What triggers send to; None without triggers.
        transform_role: The execution role of those; None with ``engine="numpy"``.

    Raises:
        PipelineError: Props that make no pipeline. One error tells all problems, each with the construct's
            path.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        model: TrainingPipeline,
        instance_type: str | None = None,
        instance_count: int = 1,
        engine: str = TRANSFORM,
        source: Source | None = None,
        prefix: str = "scores/",
        keep: Sequence[int | str] = (),
        output_format: str = "csv",
        encoder: RecordSetEncoder | None = None,
        target_shard_size: Size | None = None,
        max_concurrency: int = 100,
        capacity_wait: Duration | None = None,
        timeout: Duration | None = None,
        vpc: ec2.IVpc | None = None,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        enable_network_isolation: bool = False,
        triggers: Sequence[Trigger] | None = None,
        max_concurrent: int = 1,
        notification_topic: sns.ITopic | None = None,
        monitoring: Monitoring | None = None,
        service_encryption_key: kms.IKey | None = None,
        tags: Mapping[str, str] | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        target_shard_size = target_shard_size or Size.mebibytes(64)
        props = dict(locals())  # as long as there are no other local variables
        super().__init__(scope, construct_id)
        chosen = check_props(self, PredictionPipeline.__init__, props)
        rows = chosen.source
        self.job_name_prefix = job_name_prefix(self)
        self.layout = PipelineLayout(
            data_bucket=model.data_bucket,
            model_bucket=model.model_bucket,
            prefix=prefix,
            channels={CHANNEL: rows},
            encryption_key=model.layout.encryption_key,
            encryption_headers=model.layout.encryption_headers,
        )
        self.encoder = encoder or RecordSetEncoder.of(self)
        self.encoder.encode_for(self.layout)
        functions = self._functions(model, keeps=bool(keep))
        channels, columns = channel_settings(self, "Columns", {CHANNEL: rows})
        if columns is not None:
            S3Access(self.encoder.plan, columns.bucket).read([columns.s3_object_key])
        settings: dict[str, Any] = {
            "pipeline": self.node.path,
            "algorithm": type(model.algorithm).__name__,
            "engine": engine,
            "data_bucket": self.layout.data_bucket.bucket_name,
            "prefix": prefix,
            "target_shard_bytes": target_shard_size.to_bytes(),
            "channels": channels,
            "columns": columns and {"bucket": columns.s3_bucket_name, "key": columns.s3_object_key},
            "has_own_source": source is not None,
            "keep": [*keep],
            "format": output_format,
            "trained": {
                "data_bucket": model.data_bucket.bucket_name,
                "prefix": model.layout.prefix,
                "models": model.model_bucket.s3_url_for_object(model.layout.models),
                "group": model.model_package_group,
            },
            "job_name_prefix": self.job_name_prefix,
            "tags": resource_tags(self, STATE_MACHINE_ID),
        }
        check_quotas(self, settings)
        waits = Waits(capacity_wait or Duration.hours(1), timeout or TIMEOUT)
        definition, statements = scoring_workflow(
            self,
            encoder=self.encoder,
            functions=functions,
            settings=settings,
            transform=self._transform(chosen, model, waits),
            max_concurrency=max_concurrency,
        )
        self.state_machine = pipeline_state_machine(
            self,
            STATE_MACHINE_ID,
            definition=definition,
            layout=self.layout,
            statements=statements,
            timeout=waits.execution,
            log_retention=log_retention,
            encryption_key=service_encryption_key,
            lists=[parts_key(self.layout.record_set(ANY), ANY)],
        )
        self._expire()
        self.starter = starter_for(
            self,
            chosen.triggers,
            state_machine=self.state_machine,
            layout=self.layout,
            encoder=self.encoder,
            max_concurrent=max_concurrent,
            encryption_key=service_encryption_key,
            ends=PREDICTION_ENDS,
            tells=OF_PREDICTIONS,
        )
        undelivered = self.starter.undelivered if self.starter else None
        notify(self, notification_topic, self.state_machine, undelivered, PREDICTION_ENDS)
        if monitoring is not None:
            rows_at = self.layout.data_bucket.s3_url_for_object(rows.prefix or "")
            watch_predictions(
                self,
                monitoring,
                about=f"Scores `{rows_at}` with the model of {model.node.path}, by `{engine}`",
                starter=self.starter,
                announce=self.encoder.announce,
            )
        tag(self, tags or {})
        acknowledge_findings(self)

    def _expire(self) -> None:
        """Let S3 delete what grows, in a bucket of this app."""
        bucket = self.layout.data_bucket
        if isinstance(bucket, s3.Bucket):
            expire_replaced(bucket, [self.layout.datasets, self.layout.triggers], STALE_VERSION)
            expire_record_sets(bucket, answers_prefix(self.layout.prefix), ANSWERS_KEPT)

    def _functions(self, model: TrainingPipeline, *, keeps: bool) -> Functions:
        """Make the functions that not every pipeline has, and allow what they need."""
        find = self.encoder.step(
            "Model", "Find the model that scores", timeout=Duration.minutes(1), memory=Size.mebibytes(512)
        )
        score = self.encoder.step(
            "Score",
            "Predict the rows of one shard",
            timeout=Duration.minutes(15),
            memory=Size.mebibytes(3008),
            layers=[self.encoder.table_reader],
        )
        grant_scoring(self.encoder, self.layout, model)
        grant_model(find, model)
        grant_score(score, self.layout, model, keeps=keeps)
        return Functions(model=find, score=score)

    def _transform(self, chosen: CheckedProps, model: TrainingPipeline, waits: Waits) -> Transform | None:
        """Make the role of transform jobs and return their settings; None without such jobs."""
        self.transform_role: iam.Role | None = None
        if chosen.job is None:
            return None
        job = chosen.job
        warn_of_unknown(self, str(job.instance_type), "transform")
        tell_cost(self, "one scoring", self._cost(job, model, waits.execution))
        role = new_transform_role(self, self.layout, model, name_prefix=self.job_name_prefix)
        self.transform_role = role
        network = job.vpc and training_network(
            self,
            job.vpc,
            subnets=job.subnets,
            security_groups=job.security_groups,
            instances="Transform",
        )
        for statement in network.statements(self) if network else ():
            role.add_to_policy(statement)
        output_key = self.layout.encryption_key or self.layout.data_bucket.encryption_key
        return Transform(
            algorithm=type(model.algorithm),
            job=job,
            role=role,
            network={"SecurityGroupIds": network.security_group_ids, "Subnets": network.subnet_ids}
            if network
            else None,
            bucket=self.layout.data_bucket.bucket_name,
            output_key=output_key.key_arn if output_key else None,
            waits=waits,
            name_prefix=self.job_name_prefix,
        )

    def _cost(self, job: JobSettings, model: TrainingPipeline, timeout: Duration) -> Cost:
        """Return the most that a transform job can cost: it is stopped when its execution times out."""
        types, count = known("instance_type", job.instance_type), known("instance_count", job.instance_count)
        if not isinstance(types, str) or count is None:
            return unknown("the instances are not known yet")
        longest = known_seconds("timeout", timeout)
        return most_of_transform(model.prices, known_region(self), types, count=count, longest=longest)
