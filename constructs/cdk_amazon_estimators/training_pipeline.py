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
from amazon_estimators.pipeline.channels import channels_of
from amazon_estimators.sources import Source
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.notifications import TrainingNotifications
from cdk_amazon_estimators.pipeline_checks import (
    check_algorithm,
    check_echoes,
    check_encoder,
    check_encoding,
    check_expiration,
    check_neighbours,
    check_patterns,
    check_prefix,
    check_removal,
    check_triggers,
    required_channels,
)
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known
from cdk_amazon_estimators.state_machine import pipeline_state_machine, workflow, workflow_statements
from cdk_amazon_estimators.storage.data_buckets import expire_record_sets, new_data_bucket, new_model_bucket
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout, outputs_of, with_prefixes
from cdk_amazon_estimators.training.image import TrainingImage
from cdk_amazon_estimators.training.job import JobSettings, training_job, training_job_statements
from cdk_amazon_estimators.training.role import grant_training, new_training_role
from cdk_amazon_estimators.triggers import TrainingStarter, Trigger, UploadTrigger


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
    keep_alive: keep the instances as a warm pool for the next job this long, 1 hour at most. Default: None.
    max_retry_attempts: how often SageMaker starts a job again after a fault of its own. Default: 2.
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
        job = JobSettings(
            instance_type=instance_type,
            instance_count=instance_count,
            volume_size=volume_size or Size.gibibytes(30),
            max_runtime=max_runtime or Duration.days(1),
            spot_max_wait=spot_max_wait,
            keep_alive=keep_alive,
            max_retry_attempts=max_retry_attempts,
            encryption_key=encryption_key,
            vpc=vpc,
            subnets=subnets,
            security_groups=security_groups,
            encrypt_inter_container_traffic=encrypt_inter_container_traffic,
            enable_network_isolation=enable_network_isolation,
        )
        problems = Problems(self)
        check_types(problems, TrainingPipeline.__init__, props)
        check_algorithm(problems, algorithm)
        shard_size = target_shard_size or Size.mebibytes(256)
        chosen = known("channels", channels)
        sources = with_prefixes(
            dict.fromkeys(required_channels(algorithm), Source()) if chosen is None else chosen, prefix
        )

        with problems.collected():
            if known("instance_type", instance_type) and known("instance_count", instance_count) is not None:
                algorithm.check_instances(instance_type, instance_count)
        with problems.collected():
            hyperparameters = algorithm.hyperparameters()
        with problems.collected():
            image = TrainingImage(self, algorithm)
        job.check(problems)
        with problems.collected():
            channels_of(
                type(algorithm),
                sources,
                known("distributions", distributions) or {},
                instance_count=instance_count,
                prefix=prefix,
            )
        check_prefix(problems, prefix)
        check_patterns(problems, prefix, sources)
        outputs = outputs_of(prefix, known("data_bucket", data_bucket), known("model_bucket", model_bucket))
        check_echoes(problems, sources, outputs)
        check_neighbours(problems, sources, outputs, self._neighbours(known("data_bucket", data_bucket)))
        check_encoding(problems, max_concurrency, shard_size)
        check_expiration(problems, record_set_expiration, job.max_runtime, known("data_bucket", data_bucket))
        check_removal(problems, (data_bucket, model_bucket), removal_policy, auto_delete_objects)
        chosen_triggers = known("triggers", triggers)
        if chosen_triggers is None:
            chosen_triggers = [UploadTrigger(quiet_period=Duration.minutes(5))]
        check_triggers(problems, chosen_triggers, outputs, max_concurrent_trainings)
        check_encoder(problems, self, known("encoder", encoder))
        problems.raise_any()

        removal: dict[str, Any] = {
            "encryption_key": encryption_key,
            "removal_policy": removal_policy or RemovalPolicy.RETAIN,
            "auto_delete_objects": auto_delete_objects,
        }
        self.data_bucket: s3.IBucket = data_bucket or new_data_bucket(self, "DataBucket", **removal)
        self.model_bucket: s3.IBucket = model_bucket or new_model_bucket(self, "ModelBucket", **removal)
        self.encoder = encoder or RecordSetEncoder.of(self)
        self.training_role: iam.IRole = training_role or new_training_role(self, "TrainingRole")
        self.input_prefixes = {name: source.prefix or "" for name, source in sources.items()}
        self.job_name_prefix = _job_name_prefix(self)

        self.layout = layout = PipelineLayout(
            data_bucket=self.data_bucket,
            model_bucket=self.model_bucket,
            prefix=prefix,
            channels=sources,
            encryption_key=encryption_key,
        )
        if record_set_expiration is not None and isinstance(self.data_bucket, s3.Bucket):
            expire_record_sets(self.data_bucket, layout.recordsets, record_set_expiration)
        self.encoder.serve(layout)
        grant_training(
            self.training_role, layout, scope=self, image=image, job_name_prefix=self.job_name_prefix
        )
        train = training_job(
            self,
            "Train",
            image=image.uri,
            role=self.training_role,
            output_path=self.model_bucket.s3_url_for_object(layout.models.rstrip("/")),
            settings=job,
        )
        self.state_machine = pipeline_state_machine(
            self,
            "StateMachine",
            definition=workflow(
                self,
                encoder=self.encoder,
                settings={
                    "pipeline": self.node.path,
                    "algorithm": type(algorithm).__name__,
                    "hyperparameters": hyperparameters,
                    "instance_type": instance_type,
                    "instance_count": instance_count,
                    "job_name_prefix": self.job_name_prefix,
                    "data_bucket": self.data_bucket.bucket_name,
                    "prefix": prefix,
                    "target_shard_bytes": shard_size.to_bytes(),
                    "channels": {name: source.to_dict() for name, source in sources.items()},
                    "distributions": dict(distributions or {}),
                },
                train=train,
                max_concurrency=max_concurrency,
            ),
            layout=layout,
            statements=[
                *workflow_statements(self.encoder),
                *training_job_statements(self, role=self.training_role, job_name_prefix=self.job_name_prefix),
            ],
            log_retention=log_retention,
        )
        self.starter = self._starter(layout, chosen_triggers, max_concurrent_trainings)
        if notification_topic is not None:
            TrainingNotifications(self, "Notifications", pipeline=self.node.path, topic=notification_topic)

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start an execution, with the input this class documents."""
        return self.state_machine.grant_start_execution(grantee)

    def grant_request(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` ask the starter for a training; see :meth:`TrainingStarter.grant_request`.

        Raises PipelineError if the pipeline has no triggers, and so no starter.
        """
        problems = Problems(self)
        problems.unless(
            self.starter is not None,
            "grant_request needs a starter, and triggers=[] makes none: give the pipeline a trigger, or use "
            "grant_start_execution",
        )
        problems.raise_any()
        assert self.starter is not None
        return self.starter.grant_request(grantee)

    def _neighbours(self, data_bucket: s3.IBucket | None) -> dict[str, PipelineLayout]:
        """The app's other pipelines of this bucket, by path."""
        if data_bucket is None:
            return {}
        pipelines = [one for one in self.node.root.node.find_all() if isinstance(one, TrainingPipeline)]
        return {
            one.node.path: one.layout
            for one in pipelines
            if one is not self
            and hasattr(one, "layout")
            and one.data_bucket.bucket_name == data_bucket.bucket_name
        }

    def _starter(
        self, layout: PipelineLayout, triggers: Sequence[Trigger], max_concurrent: int
    ) -> TrainingStarter | None:
        if not triggers:
            return None
        starter = TrainingStarter(
            self,
            "Starter",
            state_machine=self.state_machine,
            pipeline=self.node.path,
            layout=layout,
            encoder=self.encoder,
            max_concurrent=max_concurrent,
        )
        for number, trigger in enumerate(triggers):
            starter.add(f"{type(trigger).__name__}{number or ''}", trigger)
        return starter


def _job_name_prefix(pipeline: Construct) -> str:
    """At most 30 characters, another for every pipeline: the construct's id and a hash of stack and path.

    Lower case: SageMaker writes the ARN of a job in lower case, and IAM compares resources case by case.
    """
    stack = Stack.of(pipeline)
    name = "" if Token.is_unresolved(stack.stack_name) else stack.stack_name
    digest = hashlib.sha256(f"{name}\n{pipeline.node.path}".encode()).hexdigest()[:8]
    readable = re.sub(r"[^a-z0-9]+", "-", pipeline.node.id.lower())[:21].strip("-") or "pipeline"
    return f"{readable}-{digest}"
