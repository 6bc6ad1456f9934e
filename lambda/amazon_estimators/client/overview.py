"""The state of deployed pipelines at a glance: what ran last, the model in use, what waits, what failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.client.spending import month_of, spent
from amazon_estimators.client.starter import starters
from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import Cost
from amazon_estimators.errors import DamagedFileError
from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.storage.sessions import client_of

RUNNING = "RUNNING"


@dataclass(frozen=True, kw_only=True)
class Overview:
    """One pipeline.

    Attributes:
        pipeline: Its path.
        algorithm: Its algorithm.
        state_machine: The ARN of its state machine.
        running: How many executions run.
        last_status: How the newest execution stands or ended; None before there is one.
        last_started: When that was started.
        current: The model in use; None before there is one.
        waiting: Messages in the starter's queue; None without triggers.
        dead_letters: Messages that the starter could not handle; None without triggers.
        month: What its trainings cost since the beginning of the month.
        damaged: Why the record of the model in use cannot be read; None if it can.
    """

    pipeline: str
    algorithm: str
    state_machine: str
    running: int
    last_status: str | None
    last_started: datetime | None
    current: CurrentModel | None
    waiting: int | None
    dead_letters: int | None
    month: Cost
    damaged: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            **vars(self),
            "last_started": self.last_started and self.last_started.isoformat(),
            "current": self.current and vars(self.current),
            "month": self.month.to_dict(),
        }


def overviews(pipelines: Iterable[PipelineEstimator], *, session: Any = None) -> Iterator[Overview]:
    """Yield the overview of each pipeline. The functions of the account are listed once for all."""
    by_machine = {settings["state_machine"]: settings for settings in starters(session=session)}
    states, sqs = client_of(session, "stepfunctions"), client_of(session, "sqs")
    for pipeline in pipelines:
        machine = pipeline.state_machine_arn
        newest = states.list_executions(stateMachineArn=machine, maxResults=1)["executions"]
        starter = by_machine.get(machine)
        current, damaged = _model_in_use(pipeline)
        table = PriceTable.of_settings(pipeline.settings)
        yield Overview(
            pipeline=pipeline.name,
            algorithm=pipeline.settings["algorithm"],
            state_machine=machine,
            running=len(states.list_executions(stateMachineArn=machine, statusFilter=RUNNING)["executions"]),
            last_status=newest[0]["status"] if newest else None,
            last_started=newest[0]["startDate"] if newest else None,
            current=current,
            waiting=None if starter is None else _messages(sqs, starter["queue_url"]),
            dead_letters=None if starter is None else _messages(sqs, starter["dead_letters"]),
            month=spent(pipeline, table, month_of(datetime.now(UTC))),
            damaged=damaged,
        )


def _model_in_use(pipeline: PipelineEstimator) -> tuple[CurrentModel | None, str | None]:
    """Return the model in use, or why its record cannot be read: other pipelines are shown all the same."""
    try:
        return pipeline.model_in_use(), None
    except DamagedFileError as error:
        return None, str(error)


def _messages(sqs: Any, queue_url: str) -> int:
    """Return the messages of a queue that are visible or will be."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "Delayed", "NotVisible")]
    answer: Mapping[str, Any] = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return sum(int(count) for count in answer["Attributes"].values())
