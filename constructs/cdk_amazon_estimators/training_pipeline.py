"""Define TrainingPipeline, the construct that users instantiate: a bucket of data in, trained models out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.sources import Source
from cdk_amazon_estimators.after_training import Gate, Registration, Tuning
from cdk_amazon_estimators.after_training.step import Context
from cdk_amazon_estimators.checked_props import checked
from cdk_amazon_estimators.compliance import acknowledge_findings
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.function_settings import function_settings
from cdk_amazon_estimators.monitoring import Monitoring
from cdk_amazon_estimators.monitoring.training import watch_training
from cdk_amazon_estimators.notifications import notify
from cdk_amazon_estimators.pipeline_base import TrainingPipelineBase
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.stack_quotas import check_quotas
from cdk_amazon_estimators.storage.data_buckets import data_and_model_buckets
from cdk_amazon_estimators.storage.expiration import expire_objects
from cdk_amazon_estimators.storage.given_buckets import warn_of_given_buckets
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.cost import tell_cost
from cdk_amazon_estimators.training.job_names import job_name_prefix, tuning_name_prefix
from cdk_amazon_estimators.training.role import grant_training, new_training_role
from cdk_amazon_estimators.training.tags import tag
from cdk_amazon_estimators.training_state_machine import training_state_machine
from cdk_amazon_estimators.triggers import Trigger
from cdk_amazon_estimators.triggers.starter_for import starter_for


class TrainingPipeline(TrainingPipelineBase):
    """Trains an algorithm on the objects of a bucket: turns input into RecordSets, and RecordSets into a
    model.

    ``triggers`` start executions of ``state_machine``, and so can anyone with :meth:`grant_start_execution`.
    The execution input is optional in all its parts (``amazon_estimators/execution_input.schema.json``)::

        {"hyperparameters": {"k": "12"}, "data_set": "<24 hexadecimal digits>", "reason": "why"}

    ``data_set`` is the version to train on, as ``record_set.json`` and the job's tags name it. The default is
    the current input when the execution starts.

    The execution output, after ``Plan``, ``Seal`` and ``Train``::

        {"input": {…},
         "plan": {"bucket", "prefix", "fingerprint", "complete", "shards", "hyperparameters", …},
         "request": {"job_name", "hyperparameters", "input_data_config", "tags"},
         "job": {"TrainingJobName", "ModelArtifacts": {"S3ModelArtifacts": "s3://…/model.tar.gz"}, …}}

    ``plan.complete`` is true if the RecordSet existed already. ``job`` is the answer of DescribeTrainingJob.

    The ``error`` of a failed execution is a class of ``amazon_estimators.errors`` (``HyperparameterError``,
    ``RequestError``, ``NoInputError``, ``InputError``, ``SchemaError``, ``ObjectChangedError``,
    ``RecordSetError``, ``TrainingJobError``, ``FunctionError``) or one of Step Functions' own (``States.…``,
    ``SageMaker.…``). Its ``cause`` is a function's error in JSON, whose ``errorMessage`` says what is wrong
    and what to do. A redriven execution continues with what is missing.

    Args:
        algorithm: The algorithm with its hyperparameters, such as ``KMeans(k=10)``.
        instance_type: The type of the training instances, such as ``"ml.m5.large"``, or a list of 1 to 5
            types: each job runs on the first that has capacity. The account's quota must hold
            ``instance_count`` of every type. Not with ``spot_max_wait`` or ``tuning``. Synth warns of a type
            that the installed botocore does not know.
        instance_count: The number of training instances. Default: 1.
        channels: The input of each channel: its prefix and how to read it. Default: the channels the
            algorithm requires, each at ``<prefix>input/<channel>/``.
        distributions: ``"ShardedByS3Key"`` or ``"FullyReplicated"`` by channel. Default: as the algorithm
            documents for each.
        prefix: The beginning of every key of this pipeline, empty or ending with ``/``. Default: ``""``.
        data_bucket: The bucket of input and RecordSets. The pipeline makes a bucket of this app send its
            events to EventBridge; for an imported one, the synth warns that it must. Default: a new one.
        model_bucket: The bucket of models. Default: a new one.
        encryption_key: KMS key of new buckets, models and training volumes. Default: keys of the services.
        removal_policy: What happens to new buckets when the stack is deleted. Default: RETAIN.
        auto_delete_objects: Empty new buckets when the stack is deleted, which also needs
            ``removal_policy=RemovalPolicy.DESTROY``. Default: False.
        encoder: The Lambda functions. Default: one RecordSetEncoder that all pipelines of the stack share.
        target_shard_size: The most bytes of one shard. Default: 256 MiB.
        max_concurrency: The most shards that are encoded at a time. Plan takes fewer if the account's Lambda
            concurrency would leave less than two to other functions. Default: 100.
        record_set_expiration: Delete RecordSets this long after they were encoded: whole days, more than
            ``max_runtime``. Data that is trained on again is encoded again. Default: keep them.
        input_version_expiration: Delete versions of input this long after they were replaced or deleted, in
            whole days. Data sets that hold them cannot be trained on again. Default: keep them.
        training_role: The execution role of the training jobs. It gets the permissions they need; if CDK
            cannot grant them, the synth warns (docs/pipeline.md lists them). Default: a new one.
        training_image: The training image, for regions that the library does not know, mirrors and
            pull-through caches: an image in Amazon ECR with its tag or digest. Default: Amazon's.
        volume_size: The disk of each training instance. Default: 30 GiB.
        max_runtime: The time after which a training job is stopped. Default: 1 day.
        spot_max_wait: Train on spot capacity, and wait and train for at most this time, up to 1 hour.
            Default: None, on-demand capacity.
        keep_alive: Keep the instances as a warm pool for the next job this long, at most 6 hours. Default:
            None.
        max_retry_attempts: How often SageMaker restarts a job after a fault of its own, 0 to 30. Default: 2.
        capacity_wait: How long a training waits for instances, up to 3 days, while the account's quota is in
            use or SageMaker has no capacity of the type. The job is retried every 5 minutes. Default: 1 hour.
        timeout: The most time an execution may take. Then it ends as TIMED_OUT, and the next may start.
            Default: a day more than ``max_runtime`` and ``capacity_wait``.
        vpc: The network of the training instances. Default: SageMaker's.
        subnets: Subnets of ``vpc``. Default: the private ones.
        security_groups: Security groups of the training instances. Default: a new one, with ``vpc``.
        encrypt_inter_container_traffic: Encrypt the traffic between instances. Default: False.
        enable_network_isolation: Give the training container no network. Default: False.
        tuning: Search hyperparameters, and continue with the best training. Default: None, one training.
        gate: Judge each model, and use it only if it is good enough. Default: None, every model is used.
        registration: Register each model in the SageMaker Model Registry. Default: None.
        triggers: UploadTrigger, ScheduleTrigger, AlarmTrigger or your own; empty for none. Default: an
            UploadTrigger with a quiet period of 5 minutes.
        max_concurrent_trainings: The most concurrent executions that triggers start. Default: 1.
        notification_topic: The topic that receives each Model Trained, Model Rejected and Training Failed.
            Default: none.
        monitoring: Alarms, and a section of a dashboard, such as ``Monitoring(alarm_topic=topic)``. Default:
            None.
        service_encryption_key: KMS key of the state machine, its log and the starter's queues. Whoever starts
            executions or sends to the queue needs it too. An imported key must allow CloudWatch Logs and
            EventBridge. Default: keys of the services.
        encryption_headers: Name the encryption in every PUT of the functions, for bucket policies that deny a
            PUT without it. Default: False.
        max_cost_per_training: Refuse at synth if one training could cost more: ``max_runtime``
            times ``instance_count`` times the price of an hour, with ``tuning`` of all its trainings. In the
            currency of the prices. Default: None, no limit.
        prices: A file of prices, as ``amazon-estimators prices --update`` writes it. They count before those
            of the package. Default: the file that the context ``cdk-amazon-estimators:prices`` names, or
            none.
        tags: Tags of the pipeline's own resources and of the training jobs. Jobs have all tags that CDK gives
            to the state machine and its stack. Default: none.
        log_retention: How long the state machine's log is kept. Default: three months.

    Attributes:
        data_bucket: The bucket of input and RecordSets.
        model_bucket: The bucket of models.
        encoder: The Lambda functions.
        training_role: The execution role of the training jobs.
        state_machine: The state machine.
        starter: The receiver of triggers' messages; None without triggers.
        layout: The prefixes of this pipeline's data.
        input_prefixes: The prefix of each channel's input.
        job_name_prefix: The prefix of every training job's name.
        model_package_group: The group in which its models are registered; None without ``registration``.
        algorithm: The algorithm.
        training_image: The image that trains, and that serves its models.
        prices: The prices by which costs are told.

    Raises:
        PipelineError: Invalid props, or problems of several kinds. One error has all problems, each with the
            construct's path.
        InstanceError: If this is the only problem: instances that the algorithm does not run on.
        RegionError: Likewise, a region without an image of the algorithm.
        HyperparameterError: Likewise, hyperparameters that the algorithm does not accept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        algorithm: Algorithm,
        instance_type: str | Sequence[str],
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
        input_version_expiration: Duration | None = None,
        training_role: iam.IRole | None = None,
        training_image: str | None = None,
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
        tuning: Tuning | None = None,
        gate: Gate | None = None,
        registration: Registration | None = None,
        triggers: Sequence[Trigger] | None = None,
        max_concurrent_trainings: int = 1,
        notification_topic: sns.ITopic | None = None,
        monitoring: Monitoring | None = None,
        service_encryption_key: kms.IKey | None = None,
        encryption_headers: bool = False,
        max_cost_per_training: float | None = None,
        prices: str | None = None,
        tags: Mapping[str, str] | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        props = dict(locals())  # while there are no other local variables
        super().__init__(scope, construct_id)
        chosen = checked(self, TrainingPipeline.__init__, props)
        self.algorithm, self.training_image, self.prices = algorithm, chosen.image, chosen.prices
        tell_cost(self, "one training", chosen.cost)
        self.prefix, self.encryption_key = prefix, encryption_key
        warn_of_given_buckets(
            self, {"data_bucket": data_bucket, "model_bucket": model_bucket}, encryption_key
        )
        self.data_bucket, self.model_bucket = data_and_model_buckets(
            self,
            data_bucket,
            model_bucket,
            encryption_key=encryption_key,
            removal_policy=removal_policy or RemovalPolicy.RETAIN,
            auto_delete_objects=auto_delete_objects,
        )
        self.layout = PipelineLayout(
            data_bucket=self.data_bucket,
            model_bucket=self.model_bucket,
            prefix=prefix,
            channels=chosen.sources,
            encryption_key=encryption_key,
            encryption_headers=encryption_headers,
        )
        self.input_prefixes = {name: source.prefix or "" for name, source in chosen.sources.items()}
        self.input_key_prefixes = self.layout.inputs
        expire_objects(self.layout, record_set_expiration, input_version_expiration)
        self.encoder = encoder or RecordSetEncoder.of(self)
        self.encoder.serve(self.layout)
        self.job_name_prefix = job_name_prefix(self)
        self.training_role: iam.IRole = training_role or new_training_role(self, "TrainingRole")
        grant_training(
            self.training_role,
            self.layout,
            scope=self,
            image=chosen.image,
            job_name_prefix=self.job_name_prefix,
            tuning_name_prefix=tuning_name_prefix(self.job_name_prefix) if tuning else None,
        )
        settings = function_settings(
            self,
            chosen,
            algorithm=algorithm,
            layout=self.layout,
            encoder=self.encoder,
            job_name_prefix=self.job_name_prefix,
            distributions=distributions,
        )
        check_quotas(self, settings)
        self.model_package_group = registration.group_of(self, self.job_name_prefix) if registration else None
        context = Context(
            scope=self,
            algorithm=algorithm,
            encoder=self.encoder,
            settings=settings,
            layout=self.layout,
            model_package_group=self.model_package_group,
            has_gate=gate is not None,
        )
        self.state_machine = training_state_machine(
            context,
            chosen,
            role=self.training_role,
            job_name_prefix=self.job_name_prefix,
            tuning=tuning,
            after=[step for step in (gate, registration) if step is not None],
            max_concurrency=max_concurrency,
            log_retention=log_retention,
            encryption_key=service_encryption_key,
        )
        self.starter = starter_for(
            self,
            chosen.triggers,
            state_machine=self.state_machine,
            layout=self.layout,
            encoder=self.encoder,
            max_concurrent=max_concurrent_trainings,
            encryption_key=service_encryption_key,
        )
        undelivered = self.starter.undelivered if self.starter else None
        notify(self, notification_topic, self.state_machine, undelivered)
        if monitoring is not None:
            watch_training(
                self,
                monitoring,
                algorithm=algorithm,
                channels=chosen.sources,
                judged_by=[*([gate.metric] if gate else []), *([tuning.objective] if tuning else [])],
                starter=self.starter,
                announce=self.encoder.announce,
            )
        tag(self, tags or {})
        acknowledge_findings(self)

    def grant_request(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` request a training from the starter; see :meth:`TrainingStarter.grant_request`.

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
