"""The starter of one pipeline: messages from its queue become executions."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

from amazon_estimators.logs import logged, note
from amazon_estimators.pipeline import announce as announcement
from amazon_estimators.storage import s3
from amazon_estimators.triggers.executions import Executions
from amazon_estimators.triggers.inbox import work_through
from amazon_estimators.triggers.quiet import QuietPeriods
from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.starter import Starter


@logged("Starter")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = StarterSettings.from_dict(json.loads(os.environ["STARTER"]))
    events = boto3.client("events")
    starter = Starter(
        settings,
        s3=s3.client(),
        executions=Executions(boto3.client("stepfunctions"), settings.state_machine),
        quiet=QuietPeriods(
            boto3.client("scheduler"),
            group=settings.schedule_group,
            role=settings.schedule_role,
            queue=settings.queue,
        ),
        tell=lambda kind, detail: announcement.tell(events, kind, detail),
    )
    failures = work_through(event["Records"], starter, boto3.client("sqs"), settings)
    note(pipeline=settings.pipeline, messages=len(event["Records"]), failures=len(failures))
    return {"batchItemFailures": failures}
