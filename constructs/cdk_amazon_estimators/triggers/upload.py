"""Train when data has arrived: on a marker, or after a quiet period."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known, known_seconds
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.triggers.listener import Listener


@dataclass(frozen=True, kw_only=True)
class UploadTrigger:
    """Starts one training for a batch of uploads, however many. Set either ``marker`` or ``quiet_period``.

    Attributes:
        marker: Name of the object that is written last, such as ``"_SUCCESS"``; the batch is the input at
            that time. Default: None.
        quiet_period: Train this long after the last upload, at least 1 second. Default: None.
        prefix: Key prefix of the uploads that count, in the data bucket; markers may also be in folders below
            it. Default: the prefixes of all channels.
    """

    marker: str | None = None
    quiet_period: Duration | None = None
    prefix: str | None = None

    def prefixes(self, layout: PipelineLayout) -> list[str]:
        """Return the prefixes of the uploads that count."""
        return layout.inputs if self.prefix is None else [self.prefix]

    def check(self, problems: Problems, outputs: Sequence[str]) -> None:
        check_types(problems, UploadTrigger.__init__, vars(self), of="UploadTrigger.")
        marker, prefix = known("marker", self.marker), known("prefix", self.prefix)
        quiet = known_seconds("quiet_period", self.quiet_period)
        problems.unless(
            (self.marker is None) != (self.quiet_period is None),
            f"UploadTrigger has {'neither' if self.marker is None else 'both'}; allowed: one of marker and "
            "quiet_period. For both give two triggers.",
        )
        problems.unless(
            marker is None or (marker[:1] in ("_", ".") and not {"/", "*"} & {*marker}),
            f"UploadTrigger(marker={marker!r}); allowed: names without '/' and '*' that begin with '_' "
            "or '.', such as '_SUCCESS', because other objects are data",
        )
        problems.unless(
            quiet is None or 1 <= quiet <= 86_400,
            f"UploadTrigger.quiet_period is {quiet} seconds; allowed: a quiet_period of 1 second to 1 day",
        )
        for output in outputs:
            problems.unless(
                prefix is None or not (prefix.startswith(output) or output.startswith(prefix)),
                f"UploadTrigger(prefix={prefix!r}) would react to what the pipeline itself writes to "
                f"{output!r}, and start it endlessly. Use a prefix outside it.",
            )

    def bind(self, starter: Listener, construct_id: str) -> None:
        if self.marker is not None:
            keys = [
                key
                for prefix in self.prefixes(starter.layout)
                for key in (f"{prefix}{self.marker}", {"wildcard": f"{prefix}*/{self.marker}"})
            ]
            message: dict[str, Any] = {"trigger": "marker", "event": events.EventField.event_id}
            listens: dict[str, Any] = {"marker": self.marker}
        else:
            assert self.quiet_period is not None
            # Without the event's ID: the queue keeps one message for all uploads of a second.
            keys = [{"prefix": prefix} for prefix in self.prefixes(starter.layout)]
            message = {
                "trigger": "upload",
                "name": hashlib.sha256(construct_id.encode()).hexdigest()[:12],
                "quiet_seconds": self.quiet_period.to_seconds(),
            }
            listens = {"name": message["name"], "quiet_seconds": message["quiet_seconds"]}
        pattern = events.EventPattern(
            source=["aws.s3"],
            detail_type=["Object Created"],
            detail={"bucket": {"name": [starter.layout.data_bucket.bucket_name]}, "object": {"key": keys}},
        )
        starter.on_event(
            construct_id,
            pattern,
            {**message, "time": events.EventField.time},
            description="Tells the starter of uploads",
        )
        # A new bucket sends no events for some minutes, so the starter checks after the deployment.
        stack = f"arn:{Aws.PARTITION}:cloudformation:{Aws.REGION}:{Aws.ACCOUNT_ID}:stack/{Aws.STACK_NAME}"
        deployed = events.EventPattern(
            source=["aws.cloudformation"],
            detail_type=["CloudFormation Stack Status Change"],
            detail={
                "stack-id": [Aws.STACK_ID, stack],
                "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
            },
        )
        starter.on_event(
            f"{construct_id}Deployed",
            deployed,
            {
                "trigger": "deployed",
                "listener": construct_id,
                "prefixes": self.prefixes(starter.layout),
                **listens,
                "event": events.EventField.event_id,
            },
            description="Tells the starter that its stack is deployed",
        )
