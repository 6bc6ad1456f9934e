"""Test stacks of your own on the local platform: deploy them, train them, ask what their roles may do.

::

    def test_churn_is_predicted(rehearsed):                        # the fixture of pytest_plugin
        stack = Churn(App(context=ON_THIS_MACHINE), "Churn")
        trained = rehearsed(stack).assert_trains("Pipeline", "tests/customers.csv")
        assert trained["metrics"]["test:binary_classification_accuracy"] > 0.8
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from amazon_estimators.client.find_pipelines import pipelines_of_stack
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.errors import RequestError
from amazon_estimators.local_platform import ON_THIS_MACHINE
from amazon_estimators.pipeline.event_names import FAILED, REJECTED, SOURCE, TRAINED
from amazon_estimators_rehearsal.app_data import sample_of
from amazon_estimators_rehearsal.follow import Ended, executions, follow
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.samples import Sample, own
from amazon_estimators_rehearsal.training import start, upload

__all__ = ["ON_THIS_MACHINE", "Permissions", "RehearsedStack", "Training", "rehearsed"]

EVENT_SECONDS = 30.0

Data = str | Path | Mapping[str, str | Path] | None
"""A file, a directory, a file or directory for each channel, or None for the sample of the algorithm."""


@dataclass(frozen=True)
class Training:
    """The result of one training.

    Attributes:
        told: ``"Model Trained"``, ``"Model Rejected"`` or ``"Training Failed"``.
        detail: The detail of that event, as docs/triggers.md lists it.
        execution: The ARN of the execution.
    """

    told: str
    detail: Mapping[str, Any]
    execution: str


class Permissions:
    """The permissions of one role in the local account."""

    def __init__(self, iam: Any, role_arn: str) -> None:
        self._iam, self.role_arn = iam, role_arn

    def allow(self, action: str, resource: str = "*", **context: str) -> bool:
        """Return True if the role's policies allow an action on a resource.

        Args:
            action: The action, such as ``"s3:GetObject"``.
            resource: The ARN of the resource. Default: ``"*"``.
            context: Condition keys with ``_`` for ``:``, such as ``s3_prefix="input/"``.
        """
        entries = [
            {
                "ContextKeyName": name.replace("_", ":", 1),
                "ContextKeyValues": [value],
                "ContextKeyType": "string",
            }
            for name, value in context.items()
        ]
        answer = self._iam.simulate_principal_policy(
            PolicySourceArn=self.role_arn,
            ActionNames=[action],
            ResourceArns=[resource],
            ContextEntries=entries,
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


class RehearsedStack:
    """A stack on the local platform. :func:`rehearsed` makes it.

    Attributes:
        stack: The stack.
        platform: The local account, with its ``client(service)`` and ``session``.
    """

    def __init__(self, stack: Any, platform: Platform) -> None:
        self.stack, self.platform = stack, platform
        self._name: str = stack.stack_name
        self._queue = _queue_of_events(platform)

    def physical_id(self, construct: Any) -> str:
        """Return the name or ARN, as CloudFormation's Ref does, of what a construct was deployed as."""
        resource = construct.node.default_child or construct
        answer = self.platform.client("cloudformation").describe_stack_resource(
            StackName=resource.stack.stack_name, LogicalResourceId=self.stack.resolve(resource.logical_id)
        )
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def pipeline(self, pipeline: Any = None) -> PipelineEstimator:
        """Return a deployed pipeline of the stack.

        Args:
            pipeline: The construct, its id or its path. Default: the only one.

        Raises:
            RequestError: The stack has no such pipeline, or several would do.
        """
        path = str(pipeline.node.path if hasattr(pipeline, "node") else pipeline or "")
        found = pipelines_of_stack(self._name, self.platform.session)
        fitting = [one for one in found if not path or f"/{one.name}".endswith(f"/{path}")]
        if len(fitting) != 1:
            raise RequestError(
                f"{len(fitting)} pipelines of stack {self._name} fit {path!r}; it has "
                f"{', '.join(one.name for one in found) or 'none'}",
                remedy="Name one by its construct or its path.",
            )
        return fitting[0]

    def train(self, pipeline: Any = None, data: Data = None, *, timeout: float = 300.0) -> Training:
        """Upload data, start a training as the pipeline's triggers would, and wait for its event.

        Args:
            pipeline: The construct, its id or its path. Default: the only one of the stack.
            data: A file; a directory, which may have a folder for each channel; or a path for each channel.
                Default: the sample of the pipeline's algorithm.
            timeout: Seconds until the execution must have ended. Default: 300.

        Returns:
            What the pipeline told of it.

        Raises:
            NoExecutionError: No execution started, or it did not end in time.
            RequestError: The data does not fit the pipeline's channels.
        """
        deployed = self.pipeline(pipeline)
        states = self.platform.client("stepfunctions")
        known = executions(states, deployed.state_machine_arn)
        upload(self.platform.client("s3"), deployed, self._sample(deployed, data))
        start(self.platform, deployed)
        *_, ended = follow(states, deployed.state_machine_arn, known=known, timeout=timeout)
        assert isinstance(ended, Ended)
        (arn,) = executions(states, deployed.state_machine_arn) - known
        return self._told_of(arn, ended)

    def assert_trains(
        self, pipeline: Any = None, data: Data = None, *, timeout: float = 300.0
    ) -> Mapping[str, Any]:
        """Train like :meth:`train`, and return the detail of ``Model Trained``.

        Raises:
            AssertionError: The execution failed, or the gate rejected the model. The text has the error, its
                cause and every permission that was refused.
        """
        refused = len(self.platform.denials())
        training = self.train(pipeline, data, timeout=timeout)
        if training.told != TRAINED:
            facts = {name: training.detail.get(name) for name in ("error", "cause", "remedy", "verdict")}
            lines = [f"{name}: {value}" for name, value in facts.items() if value]
            raise AssertionError("\n".join([training.told, *lines, *self.platform.denials()[refused:]]))
        return training.detail

    def permissions_of(self, role: Any) -> Permissions:
        """Return what a role may do.

        Args:
            role: The construct of a role in this stack, or the name or ARN of any role of the account.
        """
        iam = self.platform.client("iam")
        name = role if isinstance(role, str) else self.physical_id(role)
        return Permissions(iam, iam.get_role(RoleName=name.rpartition("/")[2])["Role"]["Arn"])

    def _sample(self, pipeline: PipelineEstimator, data: Data) -> Sample:
        if data is None:
            return sample_of(pipeline, self.platform.directory)
        algorithm = type(pipeline.algorithm)
        if not isinstance(data, Mapping):
            return own(Path(data), algorithm)
        parts = {channel: own(Path(path), algorithm) for channel, path in data.items()}
        return Sample(
            ", ".join(map(str, data.values())),
            {channel: part.files["train"] for channel, part in parts.items()},
            roots={channel: part.roots["train"] for channel, part in parts.items()},
        )

    def _told_of(self, execution: str, ended: Ended) -> Training:
        """Return the event of an execution that has ended."""
        sqs, name = self.platform.client("sqs"), execution.rpartition(":")[2]
        deadline = time.monotonic() + EVENT_SECONDS
        while time.monotonic() < deadline:
            answer = sqs.receive_message(QueueUrl=self._queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
            for message in answer.get("Messages", ()):
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                if event["detail"].get("execution") == name:
                    return Training(event["detail-type"], event["detail"], execution)
        problems = "\n".join(self.platform.problems())
        raise AssertionError(
            f"Execution {name} {ended.status} and put no event on the bus: {ended.error} {ended.cause}\n"
            f"{problems}"
        )


def rehearsed(stack: Any, platform: Platform) -> RehearsedStack:
    """Deploy the app of a stack to the local platform, or update it there.

    Args:
        stack: A stack of an ``App(context=ON_THIS_MACHINE)``.
        platform: The local account.

    Raises:
        RequestError: The app's functions are built for another machine, or a stack is bound to another
            account or region.
        CommandError: The CDK CLI failed; the text holds its output.
    """
    platform.deploy_assembly(Path(stack.node.root.synth().directory))
    return RehearsedStack(stack, platform)


def _queue_of_events(platform: Platform) -> str:
    """Return the URL of a new queue that hears how trainings of the account end."""
    name, sqs, events = f"rehearsed-{uuid4().hex[:12]}", platform.client("sqs"), platform.client("events")
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pattern = {"source": [SOURCE], "detail-type": [TRAINED, REJECTED, FAILED]}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url
