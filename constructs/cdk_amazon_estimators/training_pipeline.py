"""The construct users instantiate: a bucket of data in, trained models out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Size, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.sources import Source
from cdk_amazon_estimators.checked_props import CheckedProps, checked
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.notifications import TrainingNotifications
from cdk_amazon_estimators.props.prop_types import known
from cdk_amazon_estimators.state_machine import pipeline_state_machine, workflow, workflow_statements
from cdk_amazon_estimators.storage.data_buckets import expire_record_sets, new_data_bucket, new_model_bucket
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.image import TrainingImage
from cdk_amazon_estimators.training.job import training_job, training_job_statements
from cdk_amazon_estimators.training.role import grant_training, new_training_role
from cdk_amazon_estimators.triggers import TrainingStarter, Trigger


class TrainingPipeline(Construct):
    """Objects that arrive in a bucket become RecordSets, and RecordSets a trained model.

    ``triggers`` start executions of ``state_machine``; so does anyone who may
    (:meth:`grant_start_execution`). Execution input, all of it optional
    (``amazon_estimators/execution_input.schema.json``)::

        {"hyperparameters": {"k": "12"}, "data_set": "<24 hexadecimal digits>", "reason": "why"}

    ``data_set`` is a version to train on, as ``record_set.json`` and the job's tags name it; by default the
    input as it is when the execution starts.

    Execution output, after ``Plan``, ``Seal`` and ``Train``::

        {"input": {…},
         "plan": {"bucket", "prefix", "fingerprint", "complete", "shards", "hyperparameters", …},
         "request": {"job_name", "hyperparameters", "input_data_config", "tags"},
         "job": {"TrainingJobName", "ModelArtifacts": {"S3ModelArtifacts": "s3://…/model.tar.gz"}, …}}

    ``plan.complete`` is true if the RecordSet was there already, ``job`` is what DescribeTrainingJob answers.
    A failed execution's ``error`` is a class name of ``amazon_estimators.errors`` (``HyperparameterError``,
    ``RequestError``, ``NoInputError``, ``InputError``, ``SchemaError``, ``ObjectChangedError``,
    ``RecordSetError``, ``TrainingJobError``, ``FunctionError``) or Step Functions' own (``States.…``,
    ``SageMaker.…``); its ``cause``, a function's error in JSON, says what is wrong and what to do in
    ``errorMessage``. Redriven, it goes on with what is missing.

    What to train:

    algorithm: the algorithm with its hyperparameters, such as ``KMeans(k=10)``.
    instance_type: of the training instances, such as ``"ml.m5.large"``. The synth warns of one that the
        installed botocore does not know.
    instance_count: training instances. Default: 1.
    channels: where each channel's input lies and how to read it. Default: the channels the algorithm
        requires, each at ``<prefix>input/<channel>/``.
    distributions: ``"ShardedByS3Key"`` or ``"FullyReplicated"`` by channel. Default: what the algorithm
        documents for each.

    Where things lie:

    prefix: in front of every key of this pipeline, empty or ending with ``/``. Default: ``""``.
    data_bucket: for input and RecordSets; yours must send its events to EventBridge. Default: a new one.
    model_bucket: for models. Default: a new one.
    encryption_key: KMS key for new buckets, models and training volumes. Default: keys of the services.
    removal_policy: of new buckets. Default: RETAIN.
    auto_delete_objects: with ``removal_policy=RemovalPolicy.DESTROY``, empty new buckets when the stack is
        deleted. Default: False.

    How it is encoded:

    encoder: the Lambda functions. Default: one RecordSetEncoder that all pipelines of the stack share.
    target_shard_size: most bytes of one shard. Default: 256 MiB.
    max_concurrency: most shards encoded at a time. Default: 100.
    record_set_expiration: delete what was encoded this long ago, whole days and more than ``max_runtime``;
        data that is trained on again is then encoded again. Default: keep it.

    How it is trained:

    training_role: execution role of the training jobs; it is granted what they need, or the synth warns that
        it cannot be (docs/pipeline.md lists it). Default: a new one.
    volume_size: disk of each training instance. Default: 30 GiB.
    max_runtime: after which a training job is stopped. Default: 1 day.
    spot_max_wait: train on spot capacity, waiting and training up to this long, 1 hour at most.
        Default: None, on-demand capacity.
    keep_alive: keep the instances as a warm pool for the next job this long, 6 hours at most. Default: None.
    max_retry_attempts: how often SageMaker starts a job again after a fault of its own. Default: 2.
    capacity_wait: how long a training waits for instances while the account's quota is in use or SageMaker
        has no capacity of the type, up to 3 days; it is tried again every 5 minutes. Default: 1 hour.
    timeout: the most time an execution may take; then it ends as TIMED_OUT, and the next may start. Default:
        a day more than ``max_runtime`` and ``capacity_wait``.
    vpc: network of the training instances. Default: SageMaker's.
    subnets: of ``vpc``. Default: the private ones.
    security_groups: of the training instances. Default: a new one, with ``vpc``.
    encrypt_inter_container_traffic: encrypt what instances send one another. Default: False.
    enable_network_isolation: no network for the training container. Default: False.

    When it is trained, and who is told (docs/triggers.md):

    triggers: UploadTrigger, ScheduleTrigger, AlarmTrigger or yours; empty for none. Default: an UploadTrigger
        with a quiet period of 5 minutes.
    max_concurrent_trainings: executions that triggers let run at a time. Default: 1.
    notification_topic: is sent every Model Trained and Training Failed. Default: none.

    log_retention: how long the state machine's log is kept. Default: three months.

    Attributes: ``data_bucket``, ``model_bucket``, ``encoder``, ``training_role``, ``state_machine``,
    ``starter`` (None without triggers), ``layout``, ``input_prefixes`` (by channel), ``job_name_prefix``
    (every job's name begins with it).

    Raises InstanceError, RegionError or HyperparameterError, and PipelineError for other props or several
    problems at once; all problems are in one error, each with the construct's path.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        algorithm: Algorithm,
        instance_type: str,
        instance_count: int = 1,
        channels: Mapping[str, Source] | None = None,
        distributions: Mapping[str, str] | None = None,
        prefix: str = "",
        data_bucket: s3.IBucket | None = None,
        model_bucket: s3.IBucket | None = None,
        encryption_key: kms.IKey | None = None,
        removal_policy: RemovalPolicy | None = None,
        auto_delete_objects: bool = False,
        encoder: RecordSetEncoder | None = None,
        target_shard_size: Size | None = None,
        max_concurrency: int = 100,
        record_set_expiration: Duration | None = None,
        training_role: iam.IRole | None = None,
        volume_size: Size | None = None,
        max_runtime: Duration | None = None,
        spot_max_wait: Duration | None = None,
        keep_alive: Duration | None = None,
        max_retry_attempts: int = 2,
        capacity_wait: Duration | None = None,
        timeout: Duration | None = None,
        vpc: ec2.IVpc | None = None,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        encrypt_inter_container_traffic: bool = False,
        enable_network_isolation: bool = False,
        triggers: Sequence[Trigger] | None = None,
        max_concurrent_trainings: int = 1,
        notification_topic: sns.ITopic | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        props = dict(locals())  # as long as there are no other local variables
        super().__init__(scope, construct_id)
        chosen = checked(self, TrainingPipeline.__init__, props, self._neighbours(data_bucket))

        self._make_buckets(data_bucket, model_bucket, encryption_key, removal_policy, auto_delete_objects)
        self._lay_out(chosen.sources, prefix, encryption_key, record_set_expiration)
        self._connect_encoder(encoder)
        self._make_training_role(training_role, chosen.image)
        self._make_state_machine(
            chosen, self._settings(algorithm, chosen, distributions), max_concurrency, log_retention
        )
        self._make_starter(chosen.triggers, max_concurrent_trainings)
        self._notify(notification_topic)

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start an execution, with the input this class documents."""
        return self.state_machine.grant_start_execution(grantee)

    def _make_buckets(
        self,
        data_bucket: s3.IBucket | None,
        model_bucket: s3.IBucket | None,
        encryption_key: kms.IKey | None,
        removal_policy: RemovalPolicy | None,
        auto_delete_objects: bool,
    ) -> None:
        new: dict[str, Any] = {
            "encryption_key": encryption_key,
            "removal_policy": removal_policy or RemovalPolicy.RETAIN,
            "auto_delete_objects": auto_delete_objects,
        }
        self.data_bucket: s3.IBucket = data_bucket or new_data_bucket(self, "DataBucket", **new)
        self.model_bucket: s3.IBucket = model_bucket or new_model_bucket(self, "ModelBucket", **new)

    def _lay_out(
        self,
        sources: Mapping[str, Source],
        prefix: str,
        encryption_key: kms.IKey | None,
        record_set_expiration: Duration | None,
    ) -> None:
        self.input_prefixes = {name: source.prefix or "" for name, source in sources.items()}
        self.layout = PipelineLayout(
            data_bucket=self.data_bucket,
            model_bucket=self.model_bucket,
            prefix=prefix,
            channels=sources,
            encryption_key=encryption_key,
        )
        if record_set_expiration is not None and isinstance(self.data_bucket, s3.Bucket):
            expire_record_sets(self.data_bucket, self.layout.recordsets, record_set_expiration)

    def _connect_encoder(self, encoder: RecordSetEncoder | None) -> None:
        self.encoder = encoder or RecordSetEncoder.of(self)
        self.encoder.serve(self.layout)

    def _make_training_role(self, training_role: iam.IRole | None, image: TrainingImage) -> None:
        self.job_name_prefix = _job_name_prefix(self)
        self.training_role: iam.IRole = training_role or new_training_role(self, "TrainingRole")
        grant_training(
            self.training_role, self.layout, scope=self, image=image, job_name_prefix=self.job_name_prefix
        )

    def _settings(
        self, algorithm: Algorithm, chosen: CheckedProps, distributions: Mapping[str, str] | None
    ) -> dict[str, Any]:
        """Return the settings that the Lambda functions read: ``amazon_estimators.pipeline.settings``."""
        return {
            "pipeline": self.node.path,
            "algorithm": type(algorithm).__name__,
            "hyperparameters": chosen.hyperparameters,
            "instance_type": chosen.job.instance_type,
            "instance_count": chosen.job.instance_count,
            "job_name_prefix": self.job_name_prefix,
            "data_bucket": self.data_bucket.bucket_name,
            "prefix": self.layout.prefix,
            "target_shard_bytes": chosen.target_shard_size.to_bytes(),
            "channels": {name: source.to_dict() for name, source in chosen.sources.items()},
            "distributions": dict(distributions or {}),
            "volume_gib": chosen.job.disk_gib,
        }

    def _make_state_machine(
        self,
        chosen: CheckedProps,
        settings: Mapping[str, Any],
        max_concurrency: int,
        log_retention: logs.RetentionDays,
    ) -> None:
        train = training_job(
            self,
            "Train",
            image=chosen.image.uri,
            role=self.training_role,
            output_path=self.model_bucket.s3_url_for_object(self.layout.models.rstrip("/")),
            settings=chosen.job,
        )
        self.state_machine = pipeline_state_machine(
            self,
            "StateMachine",
            definition=workflow(
                self,
                encoder=self.encoder,
                settings=settings,
                train=train,
                max_concurrency=max_concurrency,
                capacity_wait=chosen.waits.capacity,
            ),
            timeout=chosen.waits.execution,
            layout=self.layout,
            statements=[
                *workflow_statements(self.encoder),
                *training_job_statements(self, role=self.training_role, job_name_prefix=self.job_name_prefix),
            ],
            log_retention=log_retention,
        )

    def _make_starter(self, triggers: Sequence[Trigger], max_concurrent: int) -> None:
        self.starter: TrainingStarter | None = None
        if not triggers:
            return
        self.starter = TrainingStarter(
            self,
            "Starter",
            state_machine=self.state_machine,
            pipeline=self.node.path,
            layout=self.layout,
            encoder=self.encoder,
            max_concurrent=max_concurrent,
        )
        for number, trigger in enumerate(triggers):
            self.starter.add(f"{type(trigger).__name__}{number or ''}", trigger)

    def _notify(self, topic: sns.ITopic | None) -> None:
        if topic is not None:
            TrainingNotifications(self, "Notifications", pipeline=self.node.path, topic=topic)

    def _neighbours(self, data_bucket: s3.IBucket | None) -> dict[str, PipelineLayout]:
        """Return the layouts of the app's other pipelines of this bucket, by path."""
        if known("data_bucket", data_bucket) is None or data_bucket is None:
            return {}
        pipelines = [node for node in self.node.root.node.find_all() if isinstance(node, TrainingPipeline)]
        return {
            pipeline.node.path: pipeline.layout
            for pipeline in pipelines
            if pipeline is not self
            and hasattr(pipeline, "layout")
            and pipeline.data_bucket.bucket_name == data_bucket.bucket_name
        }


def _job_name_prefix(pipeline: Construct) -> str:
    """At most 30 characters, another for every pipeline: the construct's id and a hash of stack and path.

    Lower case: SageMaker writes the ARN of a job in lower case, and IAM compares resources case by case.
    """
    stack = Stack.of(pipeline)
    name = "" if Token.is_unresolved(stack.stack_name) else stack.stack_name
    digest = hashlib.sha256(f"{name}\n{pipeline.node.path}".encode()).hexdigest()[:8]
    readable = re.sub(r"[^a-z0-9]+", "-", pipeline.node.id.lower())[:21].strip("-") or "pipeline"
    return f"{readable}-{digest}"
