"""The page "Monitoring" holds: its programs synthesise, its table names every alarm and every switch."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cdk_amazon_estimators import Monitoring
from cdk_amazon_estimators.endpoints import endpoint_watch
from cdk_amazon_estimators.monitoring import alarms, training
from cdk_amazon_estimators.monitoring.dashboard import MOST_METRICS, MOST_METRICS_OF_WIDGET, MOST_WIDGETS

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "monitoring.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TABLE = [row.split(" | ") for row in re.findall(r"^\| (.*) \|$", PAGE, re.MULTILINE)[1:]]


@pytest.mark.parametrize("number", range(2))
def test_a_program_of_the_page_synthesises(number: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAMS[number]],
        env={
            **os.environ,
            "CDK_OUTDIR": str(tmp_path),
            "CDK_CONTEXT_JSON": '{"aws:cdk:bundling-stacks": []}',
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / root) for root in ("constructs", "lambda")),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    templates = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.template.json")]
    assert sum(text.count('"AWS::CloudWatch::Dashboard"') for text in templates) == 1


def test_there_are_no_other_programs() -> None:
    assert len(PROGRAMS) == 2


def test_the_table_names_every_alarm_that_the_code_makes() -> None:
    sources = "".join(inspect.getsource(module) for module in (alarms, training, endpoint_watch))
    made = set(re.findall(r'alarms\.(?:add|on_messages)\(\s*"(\w+)"', sources)) | {"Failed", "TimedOut"}
    assert {name for row in TABLE for name in re.findall(r"`(\w+)`", row[0])} == made
    assert len(made) == 8


def test_the_table_names_every_switch_with_the_value_that_turns_it_off() -> None:
    switches = {one.name for one in fields(Monitoring)} - {"alarm_topic", "dashboard"}
    told = dict(row[4].strip("`").split("=") for row in TABLE)
    assert set(told) == switches
    for name, value in told.items():
        off: dict[str, Any] = {name: {"False": False, "None": None}[value]}
        monitoring = Monitoring(**off)
        assert not getattr(monitoring, name)


def test_the_limits_are_those_of_the_code() -> None:
    for number, what in (
        (MOST_WIDGETS, "widgets"),
        (MOST_METRICS, "metrics"),
        (MOST_METRICS_OF_WIDGET, "per"),
    ):
        assert f"{number:,} {what}" in PAGE
