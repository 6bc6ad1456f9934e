"""What others are granted on a pipeline, and the rules for its events: one made here, and one imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from pipeline_stacks import REQUIRED, Synthesised, new_stack
from test_pipeline_permissions import allowed

from amazon_estimators.pipeline.event_names import LINEAGE_SOURCE
from amazon_estimators.pipeline.lineage import run_event
from amazon_estimators.pipeline.metrics import COUNTS, metric_line
from amazon_estimators.pipeline.step_metrics import step_lines
from amazon_estimators.sources import Source
from cdk_amazon_estimators import Registration, TrainingPipeline, TrainingPipelineBase

REGION, ACCOUNT = "eu-west-1", "111122223333"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Digits"
CHANNELS = {"train": Source(prefix="churn/input/train/"), "test": Source(prefix="elsewhere/test/")}


def made(stack: Stack) -> TrainingPipelineBase:
    data, models = (s3.Bucket.from_bucket_name(stack, name, name) for name in ("data", "models"))
    return TrainingPipeline(
        stack,
        "Digits",
        **REQUIRED,
        prefix="churn/",
        channels=CHANNELS,
        data_bucket=data,
        model_bucket=models,
        triggers=[],
    )


def imported(stack: Stack) -> TrainingPipelineBase:
    data, models = (s3.Bucket.from_bucket_name(stack, name, name) for name in ("data", "models"))
    return TrainingPipeline.from_attributes(
        stack,
        "Digits",
        state_machine_arn=MACHINE,
        data_bucket=data,
        model_bucket=models,
        prefix="churn/",
        input_key_prefixes=["churn/input/train/", "elsewhere/test/"],
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of a principal that was granted something."""

    action: str
    resource: str
    prefix: str = ""
    allowed: bool = True


GRANTS: dict[str, tuple[Callable[[TrainingPipelineBase, iam.IGrantable], Any], list[Asked]]] = {
    "grant_start_execution": (
        TrainingPipelineBase.grant_start_execution,
        [
            Asked(action="states:StartExecution", resource="<machine>"),
            Asked(action="states:RedriveExecution", resource="<execution>", allowed=False),
        ],
    ),
    "grant_redrive": (
        TrainingPipelineBase.grant_redrive,
        [
            Asked(action="states:RedriveExecution", resource="<execution>"),
            Asked(action="states:StartExecution", resource="<machine>", allowed=False),
        ],
    ),
    "grant_read_status": (
        TrainingPipelineBase.grant_read_status,
        [
            Asked(action="states:ListExecutions", resource="<machine>"),
            Asked(action="states:DescribeExecution", resource="<execution>"),
            Asked(action="states:GetExecutionHistory", resource="<execution>"),
            Asked(action="s3:GetObject", resource="data/churn/datasets/last_trained.json"),
            Asked(action="s3:GetObject", resource="data/churn/datasets/current_model.json"),
            # current_model() lists first: for a record that is missing, S3 answers others with 403.
            Asked(action="s3:ListBucket", resource="data", prefix="churn/datasets/current_model.json"),
            Asked(action="s3:ListBucket", resource="data", prefix="churn/input/", allowed=False),
            Asked(action="s3:GetObject", resource="data/churn/input/train/a.csv", allowed=False),
            Asked(action="states:StopExecution", resource="<execution>", allowed=False),
        ],
    ),
    "grant_read_models": (
        TrainingPipelineBase.grant_read_models,
        [
            Asked(action="s3:ListBucket", resource="models", prefix="churn/models/"),
            Asked(action="s3:ListBucket", resource="models", prefix="", allowed=False),
            Asked(action="s3:GetObject", resource="models/churn/models/job/output/model.tar.gz"),
            Asked(action="s3:GetObject", resource="models/models/job/output/model.tar.gz", allowed=False),
            Asked(action="s3:PutObject", resource="models/churn/models/job/a", allowed=False),
        ],
    ),
    "grant_write_input": (
        TrainingPipelineBase.grant_write_input,
        [
            Asked(action="s3:PutObject", resource="data/churn/input/train/a.csv"),
            Asked(action="s3:PutObject", resource="data/elsewhere/test/a.csv"),
            Asked(action="s3:AbortMultipartUpload", resource="data/elsewhere/test/a.csv"),
            Asked(action="s3:PutObject", resource="data/churn/datasets/last_trained.json", allowed=False),
            Asked(action="s3:GetObject", resource="data/churn/input/train/a.csv", allowed=False),
            Asked(action="s3:DeleteObject", resource="data/churn/input/train/a.csv", allowed=False),
        ],
    ),
}


@pytest.mark.parametrize("pipeline_of", [made, imported])
@pytest.mark.parametrize("name", GRANTS)
def test_a_grant_allows_what_it_says_and_no_more(
    pipeline_of: Callable[[Stack], TrainingPipelineBase], name: str
) -> None:
    grant, requests = GRANTS[name]
    stack = new_stack(region=REGION)
    pipeline = pipeline_of(stack)
    grantee = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    grant(pipeline, grantee)
    synthesised = Synthesised(stack)
    machine = _machine(synthesised, pipeline_of)
    # The readable view of a template shows the seventh part of an ARN that is not known yet as [6].
    name_of_machine = "Digits" if machine == MACHINE else f"{machine}[6]"
    states = {
        "<machine>": machine,
        "<execution>": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{name_of_machine}:one",
    }
    for asked in requests:
        resource = states.get(asked.resource, f"arn:aws:s3:::{asked.resource}")
        context = {"s3:prefix": asked.prefix} if asked.action == "s3:ListBucket" else {}
        assert allowed(synthesised, "Reader", asked.action, resource, context) is asked.allowed, asked


def test_who_reads_the_status_finds_the_model_in_use_in_the_registry() -> None:
    stack = new_stack(region=REGION)
    group = "digits-models"
    pipeline = TrainingPipeline(
        stack, "Digits", **REQUIRED, registration=Registration(model_package_group=group), triggers=[]
    )
    pipeline.grant_read_status(iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal()))
    synthesised = Synthesised(stack)
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
    for action, resource, expected in (
        ("sagemaker:ListModelPackages", f"{arn}:model-package-group/{group}", True),
        ("sagemaker:DescribeModelPackage", f"{arn}:model-package/{group}/3", True),
        ("sagemaker:DescribeModelPackage", f"{arn}:model-package/others/3", False),
        ("sagemaker:UpdateModelPackage", f"{arn}:model-package/{group}/3", False),
    ):
        assert allowed(synthesised, "Reader", action, resource, {}) is expected, action


def _machine(synthesised: Synthesised, pipeline_of: Callable[[Stack], TrainingPipelineBase]) -> str:
    if pipeline_of is imported:
        return MACHINE
    (name,) = synthesised.of_type("AWS::StepFunctions::StateMachine")
    return f"<{name}>"


RULES = {
    "Model Trained": TrainingPipelineBase.on_model_trained,
    "Model Rejected": TrainingPipelineBase.on_model_rejected,
    "Training Failed": TrainingPipelineBase.on_training_failed,
    "Training Skipped": TrainingPipelineBase.on_training_skipped,
    "Training Waiting": TrainingPipelineBase.on_training_waiting,
}


@pytest.mark.parametrize("pipeline_of", [made, imported])
def test_a_rule_matches_one_kind_of_event_of_one_pipeline(
    pipeline_of: Callable[[Stack], TrainingPipelineBase],
) -> None:
    stack = new_stack(region=REGION)
    pipeline = pipeline_of(stack)
    queue = sqs.Queue(stack, "Queue")
    for told, rule in RULES.items():
        rule(pipeline, told.replace(" ", ""), target=targets.SqsQueue(queue))
    synthesised = Synthesised(stack)
    rules = synthesised.of_type("AWS::Events::Rule")
    machine = _machine(synthesised, pipeline_of)
    patterns = [rule["EventPattern"] for rule in rules.values()]
    assert sorted(pattern["detail-type"][0] for pattern in patterns) == sorted(RULES)
    for pattern in patterns:
        assert pattern["source"] == ["amazon-estimators"]
        assert pattern["detail"] == {"state_machine": [machine]}
        assert len(pattern["detail-type"]) == 1
    assert all(rule["Targets"] for rule in rules.values())


@pytest.mark.parametrize("pipeline_of", [made, imported])
def test_a_rule_matches_the_lineage_of_one_pipeline(
    pipeline_of: Callable[[Stack], TrainingPipelineBase],
) -> None:
    stack = new_stack(region=REGION)
    pipeline = pipeline_of(stack)
    pipeline.on_lineage("Lineage", target=targets.SqsQueue(sqs.Queue(stack, "Queue")))
    synthesised = Synthesised(stack)
    machine = _machine(synthesised, pipeline_of)
    (rule,) = synthesised.of_type("AWS::Events::Rule").values()
    state = {
        "pipeline": {"pipeline": "Stack/Digits", "prefix": "", "data_bucket": "data"},
        "execution": {"name": "run", "state_machine": machine},
    }
    detail = {"pipeline": "Stack/Digits", "state_machine": machine}
    event = run_event(state, detail, event_type="ABORT", event_time="2026-03-01T12:00:00Z")
    pattern, part = rule["EventPattern"]["detail"], event
    while isinstance(pattern, dict):
        ((name, pattern),) = pattern.items()
        part = part[name]
    assert pattern == [part]
    assert rule["EventPattern"]["source"] == [LINEAGE_SOURCE]
    assert rule["Targets"]


Metrics = dict[str, Callable[[TrainingPipelineBase], cloudwatch.Metric]]
METRICS: Metrics = {
    "ModelsTrained": TrainingPipelineBase.metric_models_trained,
    "ModelsRejected": TrainingPipelineBase.metric_models_rejected,
    "TrainingsFailed": TrainingPipelineBase.metric_trainings_failed,
    "TrainingsSkipped": TrainingPipelineBase.metric_trainings_skipped,
    "TrainingsWaiting": TrainingPipelineBase.metric_trainings_waiting,
    "BillableSeconds": TrainingPipelineBase.metric_billable_seconds,
    "Cost": TrainingPipelineBase.metric_cost,
    "ExecutionSeconds": TrainingPipelineBase.metric_execution_seconds,
    "CapacityWaitSeconds": TrainingPipelineBase.metric_capacity_wait_seconds,
    "TrainingSeconds": TrainingPipelineBase.metric_training_seconds,
    "StepSeconds": lambda pipeline: pipeline.metric_step_seconds("Plan"),
    "InputObjects": TrainingPipelineBase.metric_input_objects,
    "InputBytes": TrainingPipelineBase.metric_input_bytes,
    "Records": TrainingPipelineBase.metric_records,
    "RecordBytes": TrainingPipelineBase.metric_record_bytes,
    "RowsDropped": TrainingPipelineBase.metric_rows_dropped,
    "ShardsEncoded": TrainingPipelineBase.metric_shards_encoded,
    "ShardsReused": TrainingPipelineBase.metric_shards_reused,
    "test:msd": lambda pipeline: pipeline.metric_algorithm("test:msd"),
}
DETAIL = {
    "state_machine": MACHINE,
    "seconds": 61,
    "training_seconds": 44,
    "waited_seconds": 300,
    "billable_seconds": 42,
    "cost": {"amount": 0.0013, "currency": "USD"},
    "metrics": {"test:msd": 0.5},
    "error": "InputError",
}
NOTED: dict[str, dict[str, int]] = {
    "Plan": {"objects": 2, "bytes": 3, "shards": 5, "shards_to_encode": 4},
    "Seal": {"records": 6, "bytes": 7, "dropped": 1},
}
"""What the steps note for their logs; tests/pipeline/test_step_metrics.py takes it from the steps."""


def test_every_metric_of_a_pipeline_is_one_that_a_function_writes() -> None:
    stack = new_stack(region=REGION)
    pipeline = imported(stack)
    written = set()
    event = {"execution": {"name": "one", "state_machine": MACHINE}}
    steps = [
        line for step, facts in NOTED.items() for line in step_lines(step, event, facts, seconds=1.0, now=0)
    ]
    for line in (*(metric_line(told, DETAIL, now=0) for told in COUNTS), *steps):
        assert line is not None
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]:
            values = frozenset((name, line[name]) for name in dimensions)
            written |= {(directive["Namespace"], one["Name"], values) for one in directive["Metrics"]}
    by_error = pipeline.metric_trainings_failed(error="InputError")
    found = {name: metric(pipeline) for name, metric in METRICS.items()}
    assert {name for name, metric in found.items() if metric.metric_name != name} == set()
    for metric in (*found.values(), by_error):
        dimensions = frozenset((metric.dimensions or {}).items())
        assert (metric.namespace, metric.metric_name, dimensions) in written
    assert {name for _, name, _ in written} == set(METRICS)


def test_an_imported_pipeline_makes_no_resource() -> None:
    stack = new_stack(region=REGION)
    imported(stack)
    sqs.Queue(stack, "Queue")  # a template without resources is refused
    assert [resource["Type"] for resource in Synthesised(stack).resources.values()] == ["AWS::SQS::Queue"]


def test_the_input_of_an_imported_pipeline_lies_below_its_prefix_by_default() -> None:
    stack = new_stack(region=REGION)
    pipeline = TrainingPipeline.from_attributes(
        stack,
        "Digits",
        state_machine_arn=MACHINE,
        data_bucket=s3.Bucket.from_bucket_name(stack, "data", "data"),
        model_bucket=s3.Bucket.from_bucket_name(stack, "models", "models"),
        prefix="churn/",
    )
    assert pipeline.input_key_prefixes == ["churn/input/"]
