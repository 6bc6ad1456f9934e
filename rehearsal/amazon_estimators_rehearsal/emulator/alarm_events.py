"""Put CloudWatch's events on the event bus: the emulator changes an alarm's state and tells only its actions.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import functools
import json
from typing import Any

from ministack.services import cloudwatch, eventbridge


def add_alarm_events() -> None:
    """Tell each change of an alarm's state as ``CloudWatch Alarm State Change``."""
    dispatch = cloudwatch._dispatch_alarm_actions

    @functools.wraps(dispatch)
    def told(alarm: dict[str, Any], before: str, after: str, reason: str) -> Any:
        detail = {
            "alarmName": alarm["AlarmName"],
            "state": {"value": after, "reason": reason},
            "previousState": {"value": before},
        }
        entry = {
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Detail": json.dumps(detail),
            "Resources": [alarm["AlarmArn"]],
        }
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
        return dispatch(alarm, before, after, reason)

    cloudwatch._dispatch_alarm_actions = told
