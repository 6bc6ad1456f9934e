"""Plan a scoring: rows are read as the model's training data were, and those that differ are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from amazon_estimators.pipeline.plan import plan_record_sets
from amazon_estimators.pipeline.training_request import job_tags
from amazon_estimators.scoring.keys import CHANNEL, answers_root, predictions_root
from amazon_estimators.scoring.schema import check_features, rows_channel, trained_on
from amazon_estimators.scoring.settings import ScoringSettings
from amazon_estimators.sources.gaps import every_row_stays


def plan_scoring(
    s3: Any,
    settings: ScoringSettings,
    model: Mapping[str, Any],
    execution_input: Mapping[str, Any],
    execution: Mapping[str, Any],
) -> dict[str, Any]:
    """Plan the RecordSet of the rows, and list the shards still to encode.

    Args:
        s3: A client.
        settings: The pipeline.
        model: What :func:`find_model` found.
        execution_input: The execution's input, which :func:`check_input` has seen.
        execution: ``name``, ``start_time`` and ``redrive`` of the execution.

    Raises:
        SchemaError: The rows do not have the features of the model, or two objects disagree.
        InputError, NoInputError: There are no rows, or some cannot be read.
    """
    trained = trained_on(s3, model["record_set"])
    channel = rows_channel(settings, trained)
    with every_row_stays():
        planned = plan_record_sets(
            s3, settings, {CHANNEL: channel}, execution_input.get("data_set"), execution
        )
    check_features(trained, planned.plan.channels[CHANNEL])
    if settings.keep:
        from amazon_estimators.scoring.kept import check_kept  # noqa: PLC0415 - loads the table reader

        check_kept(s3, planned.plan, settings.keep)
    run = hashlib.sha256(f"{execution['name']}\n{execution['start_time']}".encode()).hexdigest()[:10]
    attempt = f"{planned.state['attempt']}-{run}"
    name = f"{settings.job_name_prefix}-{planned.plan.fingerprint[:8]}-{run}"
    return {
        **planned.state,
        "output": predictions_root(settings.prefix, attempt),
        "answers": answers_root(settings.prefix, attempt),
        "job_name": name,
        # A model is of one attempt alone: its end deletes it, and no other attempt's.
        "model_name": f"{name}-{execution['redrive']}",
        "tags": job_tags(
            settings.tags,
            {
                "pipeline": settings.pipeline,
                "execution": execution["name"],
                "record-set": planned.plan.fingerprint,
                "data-set": planned.plan.data_set,
            },
        ),
    }
