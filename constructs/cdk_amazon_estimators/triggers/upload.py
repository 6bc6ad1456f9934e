"""Trains when data has arrived: on a marker that says so, or when nothing more arrives for a while."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Token
from aws_cdk import aws_events as events

from cdk_amazon_estimators.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.problems import Problems

if TYPE_CHECKING:
    from cdk_amazon_estimators.triggers.starter import TrainingStarter


@dataclass(frozen=True, kw_only=True)
class UploadTrigger:
    """One training for a batch of uploads, however many. Give one of ``marker`` and ``quiet_period``.

    marker: name of the object that is written last, such as ``"_SUCCESS"``; the batch is what lay
        there when it was written. Default: None.
    quiet_period: train this long after the last upload, at least 1 second. Default: None.
    prefix: the uploads that count: a key prefix in the data bucket, markers in folders below it included.
        Default: the prefixes of all channels.
    """

    marker: str | None = None
    quiet_period: Duration | None = None
    prefix: str | None = None

    def prefixes(self, layout: PipelineLayout) -> list[str]:
        """The prefixes that are listened to."""
        return layout.inputs if self.prefix is None else [self.prefix]

    def check(self, problems: Problems, outputs: Sequence[str]) -> None:
        period = self.quiet_period and self.quiet_period.to_human_string()
        given = f"marker={self.marker!r}, quiet_period={period}"
        problems.unless(
            (self.marker is None) != (self.quiet_period is None),
            f"UploadTrigger({given}); allowed: one of marker and quiet_period. For both give two triggers.",
        )
        hidden = self.marker is None or Token.is_unresolved(self.marker) or self.marker[:1] in ("_", ".")
        problems.unless(
            hidden and not {"/", "*"} & {*(self.marker or "")},
            f"UploadTrigger(marker={self.marker!r}); allowed: names without '/' and '*' that begin with '_' "
            "or '.', such as '_SUCCESS', because other objects are data",
        )
        problems.unless(
            self.quiet_period is None
            or self.quiet_period.is_unresolved()
            or 1 <= self.quiet_period.to_seconds() <= 86_400,
            f"UploadTrigger({given}); allowed: a quiet_period of 1 second to 1 day",
        )
        prefix = self.prefix
        for output in outputs if prefix is not None and not Token.is_unresolved(prefix) else ():
            problems.unless(
                not (str(prefix).startswith(output) or output.startswith(str(prefix))),
                f"UploadTrigger(prefix={prefix!r}) would hear what the pipeline itself writes to {output!r}, "
                "and start it without end. Give a prefix apart from it.",
            )

    def bind(self, starter: TrainingStarter, construct_id: str) -> None:
        if self.marker is not None:
            keys = [
                key
                for prefix in self.prefixes(starter.layout)
                for key in (f"{prefix}{self.marker}", {"wildcard": f"{prefix}*/{self.marker}"})
            ]
            message: dict[str, Any] = {"trigger": "marker"}
        else:
            assert self.quiet_period is not None
            keys = [{"prefix": prefix} for prefix in self.prefixes(starter.layout)]
            message = {
                "trigger": "upload",
                "name": hashlib.sha256(construct_id.encode()).hexdigest()[:12],
                "quiet_seconds": self.quiet_period.to_seconds(),
            }
        pattern = events.EventPattern(
            source=["aws.s3"],
            detail_type=["Object Created"],
            detail={"bucket": {"name": [starter.layout.data_bucket.bucket_name]}, "object": {"key": keys}},
        )
        starter.on_event(
            construct_id,
            pattern,
            {**message, "time": events.EventField.time, "event": events.EventField.event_id},
            description="Tells the starter of uploads",
        )
