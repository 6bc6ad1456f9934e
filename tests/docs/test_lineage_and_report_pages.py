"""What docs/lineage.md and docs/report.md show is what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack, assertions
from aws_cdk import aws_lambda as lambda_

from amazon_estimators.algorithms import KMeans
from amazon_estimators.pipeline.event_names import LINEAGE, LINEAGE_SOURCE
from amazon_estimators.pipeline.lineage import FACETS, OWN_FACET
from amazon_estimators.reports.facts import ReportFacts
from amazon_estimators.reports.page import page
from amazon_estimators_rehearsal.testing import ON_THIS_MACHINE
from cdk_amazon_estimators import TrainingPipeline

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "lineage.md").read_text(encoding="utf-8")


def test_the_rule_of_the_page_is_made() -> None:
    stack = Stack(App(context=ON_THIS_MACHINE), "Docs")
    pipeline = TrainingPipeline(stack, "Churn", algorithm=KMeans(k=2), instance_type="ml.m5.large")
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:catalog"
    given: dict[str, Any] = {
        "pipeline": pipeline,
        "catalog": lambda_.Function.from_function_arn(stack, "Catalog", arn),
    }
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(snippet, "docs/lineage.md", "exec"), given)
    pattern = {"source": [LINEAGE_SOURCE], "detail-type": [LINEAGE]}
    template = assertions.Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Events::Rule", {"EventPattern": pattern, "Targets": [{"Arn": arn, "Id": "Target0"}]}
    )


def test_names_of_the_page_are_those_of_the_event() -> None:
    for name in (LINEAGE_SOURCE, LINEAGE, OWN_FACET, "nominalTime", "errorMessage"):
        assert f"`{name}`" in PAGE
    assert {"nominalTime", "errorMessage"} <= set(FACETS)


def test_the_parts_of_a_report_are_those_of_the_page() -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    table = text.partition("| part | shows |")[2].partition("\n\n")[0]
    parts = re.findall(r"^\| ([\w ]+) \|", table, re.MULTILINE)
    source = (Path(__file__).parents[2] / "lambda/amazon_estimators/reports/page.py").read_text("utf-8")
    assert parts[0] == "warnings"
    assert all(f'"{part}"' in source for part in parts[1:])
    assert page(ReportFacts(title="t", made="now"))


def test_the_picture_is_small() -> None:
    assert (DOCS / "images" / "report.png").stat().st_size <= 300_000
