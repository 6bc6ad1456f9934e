"""The construct that serves a pipeline's model in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from amazon_estimators.pipeline.event_names import TRAINED
from cdk_amazon_estimators.access.key_policies import allow_events, allow_through
from cdk_amazon_estimators.compliance import acknowledge_findings
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.endpoints.endpoint_checks import check_endpoint
from cdk_amazon_estimators.endpoints.endpoint_events import EndpointEvents
from cdk_amazon_estimators.endpoints.endpoint_watch import EndpointWatch
from cdk_amazon_estimators.endpoints.execution_role import (
    grant_rollback,
    grant_serving,
    new_execution_role,
)
from cdk_amazon_estimators.endpoints.functions import Functions, grant_functions
from cdk_amazon_estimators.endpoints.rollback import deployment_config
from cdk_amazon_estimators.endpoints.scaling import Scaling
from cdk_amazon_estimators.endpoints.serving import DataCapture, Serverless, hourly_cost
from cdk_amazon_estimators.endpoints.states import deployment
from cdk_amazon_estimators.endpoints.traffic import AllAtOnce, Traffic
from cdk_amazon_estimators.function_task import invoke_statement
from cdk_amazon_estimators.logged_state_machine import logged_state_machine
from cdk_amazon_estimators.monitoring import Monitoring
from cdk_amazon_estimators.notifications import events_of
from cdk_amazon_estimators.training.cost import tell_cost
from cdk_amazon_estimators.training.instance_preferences import LOCAL_STORAGE
from cdk_amazon_estimators.training.instance_types import warn_of_unknown
from cdk_amazon_estimators.training.job_names import job_name_prefix
from cdk_amazon_estimators.training.network import training_network
from cdk_amazon_estimators.training.tags import resource_tags
from cdk_amazon_estimators.training_pipeline import TrainingPipeline

STATE_MACHINE_ID = "StateMachine"
LONGEST_TIMEOUT = Duration.hours(8)


class ModelEndpoint(EndpointEvents):
    """Serves a pipeline's model in use at a SageMaker endpoint, and follows it from then on.

    The endpoint appears with the first model. A small state machine deploys each further one, sends it a
    request made of a record that it was trained on, goes back to the model before if it does not answer, and
    puts ``Endpoint Updated``, ``Endpoint Rolled Back`` or ``Endpoint Failed`` on the event bus. The last
    three models and configurations stay; older ones are deleted.

    Which model is in use is the pipeline's matter: the newest that is good enough, or with ``registration``
    the newest approved version.

    Args:
        model: The TrainingPipeline whose model is served.
        instance_type: The type of the instances, such as ``"ml.m5.large"``. Give this or ``serverless``.
            Default: None.
        instance_count: The number of instances. Default: 1.
        serverless: Serve with capacity that is billed per request, such as
            ``Serverless(memory=Size.gibibytes(2))``. Default: None.
        multi_model: Serve every model of the pipeline: a request names its model in ``TargetModel``, as each
            ``Endpoint Updated`` tells it. KNN, LinearLearner and RandomCutForest, on CPU. Default: False.
        endpoint_name: The endpoint's name. Default: a new one, of the construct's id and a hash of its path.
        traffic: How traffic moves to a new model: AllAtOnce, Canary or Linear. Default: ``AllAtOnce()``.
        alarms: Up to 10 alarms, each of which moves traffic back if it goes off meanwhile. Default: none;
            :meth:`roll_back_on` adds those on the endpoint's own metrics.
        scaling: Let the number of instances follow the requests, from ``instance_count`` on, such as
            ``Scaling(most=4, invocations=1000)``. Default: None, a fixed number.
        data_capture: Keep requests and answers in the model bucket. Default: None.
        removal_policy: What becomes of the endpoint, its models and configurations when the stack is deleted:
            DESTROY or RETAIN. Default: DESTROY, because instances are billed by the hour.
        encryption_key: KMS key of the instances' volumes and of captured requests. Default: the pipeline's.
        vpc: The network of the instances. Default: SageMaker's.
        subnets: Subnets of ``vpc``. Default: the private ones.
        security_groups: Security groups of the instances. Default: a new one, with ``vpc``.
        enable_network_isolation: Give the container no network. Default: False.
        execution_role: The role of the models. It is granted what they need; if it cannot be, synth warns.
            Default: a new one.
        timeout: The most time a deployment may take, 10 minutes to 8 hours. Default: 1 hour more than
            ``traffic`` waits in all.
        service_encryption_key: KMS key of the state machine, its log and a queue. An imported key must allow
            CloudWatch Logs and EventBridge. Default: keys of the services.
        monitoring: Alarms, and a section of a dashboard, such as ``Monitoring(alarm_topic=topic)``. Default:
            None.
        tags: Tags of the endpoint, its models and its configurations. They have all tags that CDK gives to
            the state machine and its stack. Default: none.
        log_retention: How long the state machine's log is kept. Default: three months.

    Attributes:
        endpoint_name: The endpoint's name.
        state_machine: The state machine that deploys.
        execution_role: The role of the models.
        pipeline: The pipeline it follows.
        settings: Its settings, which the functions read.
        undelivered: The queue of events that EventBridge could not deliver for a day. A lost one delays a
            model until the next event or deployment of the stack.
        capture_key: The KMS key of captured requests; None for that of the bucket.
        watch: Its alarms and its section of the dashboard; None without ``monitoring``.

    Raises:
        PipelineError: Props that make no endpoint. One error tells all problems, each with its source.

    Example:
        ``ModelEndpoint(self, "Online", model=pipeline, serverless=Serverless(memory=Size.gibibytes(2)))``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        model: TrainingPipeline,
        instance_type: str | None = None,
        instance_count: int = 1,
        serverless: Serverless | None = None,
        multi_model: bool = False,
        endpoint_name: str | None = None,
        traffic: Traffic | None = None,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
        scaling: Scaling | None = None,
        data_capture: DataCapture | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
        encryption_key: kms.IKey | None = None,
        vpc: ec2.IVpc | None = None,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        enable_network_isolation: bool = False,
        execution_role: iam.IRole | None = None,
        timeout: Duration | None = None,
        service_encryption_key: kms.IKey | None = None,
        monitoring: Monitoring | None = None,
        tags: dict[str, str] | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        props = dict(locals())  # as long as there are no other local variables
        super().__init__(scope, construct_id)
        self.pipeline = check_endpoint(self, ModelEndpoint.__init__, props)
        self.endpoint_name = endpoint_name or job_name_prefix(self)
        most = instance_count if scaling is None else scaling.most
        tell_cost(self, "an hour", hourly_cost(self, model.prices, instance_type, most, serverless))
        self.execution_role: iam.IRole = execution_role or new_execution_role(self, "ExecutionRole")
        self._alarms = list(alarms or ())
        key = encryption_key or model.encryption_key
        volume_key = None if instance_type is None or LOCAL_STORAGE.match(instance_type) else key
        moving: Traffic = traffic or AllAtOnce()
        timeout = timeout or _default_timeout(moving)
        self.capture_key = key
        self.settings: dict[str, Any] = {
            "name": self.endpoint_name,
            "algorithm": type(model.algorithm).__name__,
            "data_bucket": model.data_bucket.bucket_name,
            "prefix": model.prefix,
            "image": model.training_image.uri,
            "role": self.execution_role.role_arn,
            "seconds": timeout.to_seconds(),
            "group": model.model_package_group,
            "models": model.model_bucket.s3_url_for_object(model.layout.models) if multi_model else None,
            "model": self._network(vpc, subnets, security_groups, isolated=enable_network_isolation),
            "variant": self._variant(instance_type, instance_count, serverless),
            "config": self._config(volume_key, data_capture, key),
            "deployment": deployment_config(moving, timeout, self._alarms),
            "scaling": scaling.settings() if scaling else None,
            "tags": resource_tags(self, STATE_MACHINE_ID),
        }
        grant_serving(
            self.execution_role,
            model,
            scope=self,
            endpoint_name=self.endpoint_name,
            volume_key=volume_key,
            captures=model.layout.captures if data_capture else None,
            capture_key=key,
            multi_model=multi_model,
        )
        for alarm in self._alarms:
            grant_rollback(self.execution_role, alarm)
        functions = self._make_state_machine(volume_key, timeout, log_retention, service_encryption_key)
        self._follow(service_encryption_key)
        self._live_with_the_stack(functions.lifecycle, removal_policy)
        self.watch: EndpointWatch | None = None
        if monitoring is not None:
            self.watch = EndpointWatch(
                self,
                monitoring,
                about=f"Serves the model in use of {model.node.path} at `{self.endpoint_name}`",
                has_instances=serverless is None,
                undelivered=self.undelivered,
                tell=functions.tell,
            )
        for name, value in (tags or {}).items():
            Tags.of(self).add(name, value)
        acknowledge_findings(self)

    def roll_back_on(self, alarm: cloudwatch.IAlarm) -> None:
        """Move traffic back to the model before if ``alarm`` goes off during a deployment.

        Example:
            ``endpoint.roll_back_on(endpoint.metric("Invocation5XXErrors").create_alarm(…))``
        """
        self._alarms.append(alarm)
        grant_rollback(self.execution_role, alarm)

    def _network(
        self,
        vpc: ec2.IVpc | None,
        subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
        *,
        isolated: bool,
    ) -> dict[str, Any]:
        """Return the members of CreateModel that say which network the container has."""
        request: dict[str, Any] = {"EnableNetworkIsolation": True} if isolated else {}
        if vpc is None:
            return request
        network = training_network(
            self, vpc, subnets=subnets, security_groups=security_groups, instances="Serving"
        )
        for statement in network.statements(self):
            self.execution_role.add_to_principal_policy(statement)
        config = {"SecurityGroupIds": network.security_group_ids, "Subnets": network.subnet_ids}
        return {**request, "VpcConfig": config}

    def _variant(
        self, instance_type: str | None, instance_count: int, serverless: Serverless | None
    ) -> dict[str, Any]:
        """Return the members of the production variant that say what serves the model."""
        if serverless is not None:
            return serverless.variant()
        assert instance_type is not None
        warn_of_unknown(self, instance_type, "serving")
        return {"InstanceType": instance_type, "InitialInstanceCount": instance_count}

    def _config(
        self, volume_key: kms.IKey | None, data_capture: DataCapture | None, capture_key: kms.IKey | None
    ) -> dict[str, Any]:
        """Return the other members of the endpoint configuration."""
        config: dict[str, Any] = {"KmsKeyId": volume_key.key_arn} if volume_key else {}
        if data_capture is None:
            return config
        layout = self.pipeline.layout
        destination = layout.model_bucket.s3_url_for_object(layout.captures.rstrip("/"))
        key = capture_key or layout.model_bucket.encryption_key
        capture = data_capture.config(destination, key.key_arn if key else None)
        return {**config, "DataCaptureConfig": capture}

    def _make_state_machine(
        self,
        volume_key: kms.IKey | None,
        timeout: Duration,
        log_retention: logs.RetentionDays,
        service_key: kms.IKey | None,
    ) -> Functions:
        same_stack = Stack.of(self.pipeline) is Stack.of(self)
        encoder = self.pipeline.encoder if same_stack else RecordSetEncoder.of(self)
        functions = Functions.of(encoder, scales=self.settings["scaling"] is not None)
        grant_functions(
            self,
            functions,
            self.pipeline,
            endpoint_name=self.endpoint_name,
            execution_role=self.execution_role,
            volume_key=volume_key,
        )
        self.state_machine = logged_state_machine(
            self,
            STATE_MACHINE_ID,
            definition=deployment(self, encoder=encoder, functions=functions, settings=self.settings),
            description="Deploys the models of one pipeline",
            statements=[
                invoke_statement(function) for function in (*functions.steps, encoder.explain, encoder.fail)
            ],
            # Forth, back, and forth again if a newer model comes meanwhile.
            timeout=Duration.seconds(3 * timeout.to_seconds() + 3_600),
            log_retention=log_retention,
            encryption_key=service_key,
        )
        return functions

    def _live_with_the_stack(self, function: lambda_.Function, removal_policy: RemovalPolicy) -> None:
        """Deploy when the stack has been deployed, with a model or settings that are new; delete with it."""
        granted = self.state_machine.grant_start_execution(function)
        resource = CustomResource(
            self,
            "Lifecycle",
            service_token=function.function_arn,
            resource_type="Custom::ModelEndpoint",
            properties={
                "name": self.endpoint_name,
                "state_machine": self.state_machine.state_machine_arn,
                "retain": str(removal_policy != RemovalPolicy.DESTROY).lower(),
                "settings": Stack.of(self).to_json_string(self.settings),
            },
        )
        granted.apply_before(resource)
        assert function.role is not None
        resource.node.add_dependency(self.execution_role, function.role)

    def _follow(self, service_key: kms.IKey | None) -> None:
        """Deploy when another model may be in use: trained, approved or rejected."""
        if service_key is not None:
            allow_events(service_key)
        self.undelivered = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.KMS if service_key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=service_key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        group = self.pipeline.model_package_group
        pattern = (
            events_of(self.pipeline.state_machine, TRAINED)
            if group is None
            # https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
            else events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                detail={
                    "ModelPackageGroupName": [group],
                    "ModelApprovalStatus": ["Approved", "Rejected"],
                },
            )
        )
        target = targets.SfnStateMachine(
            self.state_machine,
            input=events.RuleTargetInput.from_object({"reason": "model"}),
            dead_letter_queue=self.undelivered,
        )
        events.Rule(
            self,
            "ModelInUse",
            description="Deploys when another model of a pipeline may be in use",
            event_pattern=pattern,
            targets=[target],
        )
        if service_key is not None:
            # Who starts an encrypted state machine needs its key: the role that CDK made for the target too.
            role = self.state_machine.node.find_child("EventsRole")
            assert isinstance(role, iam.Role)
            allow_through(service_key, role, "kms:Decrypt", "kms:GenerateDataKey", service="states")


def _default_timeout(traffic: Traffic) -> Duration:
    return Duration.seconds(min(LONGEST_TIMEOUT.to_seconds(), 3_600 + traffic.seconds()))
