"""Start a pipeline's executions from the messages of its queue."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

from amazon_estimators.logs import logged, note
from amazon_estimators.pipeline import announce as announcement
from amazon_estimators.storage import s3
from amazon_estimators.triggers.attempts import Attempts
from amazon_estimators.triggers.executions import Executions
from amazon_estimators.triggers.inbox import work_on
from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.starter import Starter
from amazon_estimators.triggers.wakeups import Wakeups


@logged("Starter")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = StarterSettings.from_dict(json.loads(os.environ["STARTER"]))
    bucket, events = s3.client(), boto3.client("events")
    wakeups = Wakeups(
        boto3.client("scheduler"),
        group=settings.schedule_group,
        role=settings.schedule_role,
        queue=settings.queue,
        undelivered=settings.undelivered,
    )
    starter = Starter(
        settings,
        s3=bucket,
        executions=Executions(boto3.client("stepfunctions"), settings.state_machine),
        wakeups=wakeups,
        tell=lambda told, detail: announcement.tell(events, settings.tells.get(told, told), detail),
    )
    (record,) = event["Records"]  # the event source delivers one at a time
    attempts = Attempts(bucket, settings.data_bucket, settings.prefix)
    done = work_on(record, starter, boto3.client("sqs"), attempts, settings)
    note(pipeline=settings.pipeline, message_id=record["messageId"], done=done)
    return {"batchItemFailures": [] if done else [{"itemIdentifier": record["messageId"]}]}
