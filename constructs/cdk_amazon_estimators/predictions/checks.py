"""The props of a prediction pipeline, checked together: one error with all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from aws_cdk import Duration
from constructs import Construct

from amazon_estimators.pipeline import keys
from amazon_estimators.scoring.engines import engine_findings
from amazon_estimators.scoring.keys import CHANNEL, answers_prefix, predictions_prefix
from amazon_estimators.scoring.model import TRAINED_ON
from amazon_estimators.scoring.settings import ENGINES, FORMATS, NUMPY
from amazon_estimators.sources import Source
from cdk_amazon_estimators.after_training.step import note_findings
from cdk_amazon_estimators.followed_model import check_model
from cdk_amazon_estimators.pipeline_checks import (
    check_echoes,
    check_encoder,
    check_encoding,
    check_neighbours,
    check_patterns,
    check_prefix,
    check_regions,
    check_trigger_prefixes,
    check_triggers,
)
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known, known_seconds
from cdk_amazon_estimators.training.capacity import check_capacity_wait
from cdk_amazon_estimators.training.job import JobSettings
from cdk_amazon_estimators.training_pipeline import TrainingPipeline
from cdk_amazon_estimators.triggers import Trigger, UploadTrigger

LONGEST_TIMEOUT = 365 * 86_400


@dataclass(frozen=True)
class CheckedProps:
    """The props of a prediction pipeline after all checks.

    Attributes:
        source: How the rows are read, with their prefix.
        job: The instances of transform jobs; None to predict in the functions.
        triggers: What starts executions.
    """

    source: Source
    job: JobSettings | None
    triggers: Sequence[Trigger]


def check_props(scope: Construct, init: Any, props: Mapping[str, Any]) -> CheckedProps:
    """Check ``props`` and return what they choose.

    Raises:
        PipelineError: Props that make no pipeline; one error tells all problems.
    """
    problems = Problems(scope)
    check_types(problems, init, props)
    model = props["model"]
    check_model(problems, model)
    if not isinstance(model, TrainingPipeline):
        problems.raise_any()
    engine, prefix = props["engine"], props["prefix"]
    problems.unless(engine in ENGINES, f"engine is {engine!r}; allowed: {' or '.join(map(repr, ENGINES))}")
    findings = [*engine_findings(type(model.algorithm), engine)]
    note_findings(problems, "engine", findings)
    problems.unless(
        engine != NUMPY or props["instance_type"] is None,
        f"instance_type is {props['instance_type']!r}, and engine='numpy' runs none. Leave it out.",
    )
    problems.unless(
        engine == NUMPY or props["instance_type"] is not None,
        "instance_type is left out, and a transform job needs one, such as 'ml.m5.large'; engine='numpy' "
        "runs none",
    )
    problems.unless(
        props["instance_type"] is None or isinstance(props["instance_type"], str),
        f"instance_type is {props['instance_type']!r}; allowed: one type, such as 'ml.m5.large': a "
        "transform job takes no others in reserve",
    )
    problems.unless(
        props["output_format"] in FORMATS,
        f"output_format is {props['output_format']!r}; allowed: {' or '.join(map(repr, FORMATS))}",
    )
    fields_of = [one.name for one in type(model.algorithm).inference.fields]
    for column in known("keep", props["keep"]) or ():
        problems.unless(
            column not in fields_of,
            f"keep holds {column!r}, which the predictions of {type(model.algorithm).__name__} have too; "
            "allowed: other columns. Rename it in the rows.",
        )
    source: Source = known("source", props["source"]) or model.layout.channels[TRAINED_ON]
    own = props["source"]
    problems.unless(
        own is None or not own.drop_incomplete,
        "source has drop_incomplete=True, and every row gets a prediction: a row that is left out would be "
        "missing from the output. Fill gaps (fill=…), or take such rows out of the input.",
    )
    source = replace(source, prefix=own.prefix if own and own.prefix else keys.input_prefix(prefix))
    check_prefix(problems, prefix)
    check_patterns(problems, prefix, {CHANNEL: source})
    outputs = outputs_of(prefix)
    check_echoes(problems, {CHANNEL: source}, outputs)
    check_neighbours(problems, scope, model.data_bucket, {CHANNEL: source}, outputs)
    triggers = known("triggers", props["triggers"])
    if triggers is None:
        triggers = [UploadTrigger(quiet_period=Duration.minutes(5))]
    check_triggers(problems, triggers, outputs, 1)
    most = known("max_concurrent", props["max_concurrent"])
    problems.unless(most is None or most >= 1, f"max_concurrent is {most}; allowed: 1 or more")
    check_trigger_prefixes(problems, scope, triggers, {CHANNEL: source}, prefix)
    check_regions(problems, scope, {"data_bucket": model.data_bucket}, triggers, {})
    check_encoding(problems, props["max_concurrency"], props["target_shard_size"])
    check_encoder(problems, scope, known("encoder", props["encoder"]))
    check_capacity_wait(problems, props["capacity_wait"])
    if (monitoring := known("monitoring", props["monitoring"])) is not None:
        monitoring.check(problems, scope)
    timeout = known_seconds("timeout", props["timeout"])
    problems.unless(
        timeout is None or 0 < timeout <= LONGEST_TIMEOUT,
        f"timeout is {timeout} seconds; allowed: up to a year",
    )
    job = None
    if engine != NUMPY and isinstance(props["instance_type"], str):
        given = {**dict.fromkeys(one.name for one in fields(JobSettings)), **props}
        job = JobSettings.of(given | {"encryption_key": model.layout.encryption_key})
        job.check(problems)
        count = known("instance_count", job.instance_count)
        problems.unless(count is None or count >= 1, f"instance_count is {count}; allowed: 1 or more")
    problems.raise_any()
    return CheckedProps(source, job, triggers)


def outputs_of(prefix: str) -> list[str]:
    """Return the prefixes of the data bucket that a prediction pipeline writes to."""
    written = (
        keys.data_sets_prefix,
        keys.record_sets_prefix,
        keys.triggers_prefix,
        answers_prefix,
        predictions_prefix,
    )
    return [each(prefix) for each in written]
