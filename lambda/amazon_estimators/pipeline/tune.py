"""Build the part of a tuning job's request that depends on the data, and report its trainings."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.algorithms.tuning_ranges import declared_name
from amazon_estimators.errors import HyperparameterError, TuningJobError
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.storage.documents import fields_of, get_document, put_document
from amazon_estimators.storage.faults import naming
from amazon_estimators.storage.s3 import is_there, put_text

SCHEMA = "last_tuned/1"
REMEDY = "Delete the object: the next tuning job then starts without a parent."
IDENTICAL, TRANSFER = "IdenticalDataAndAlgorithm", "TransferLearning"
MOST_CHANGED = 10
"""Static hyperparameters that may differ from the parent's.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html
"""
BEST_SHOWN = 3
"""Trainings of the leaderboard in the event; the CSV file has all of them."""


def prepare(
    s3: Any,
    settings: Settings,
    tuning: Mapping[str, Any],
    *,
    plan: Mapping[str, Any],
    request: Mapping[str, Any],
    overrides: Mapping[str, Any],
    execution: Mapping[str, Any],
) -> dict[str, Any]:
    """Return ``{"job_name", "static_hyperparameters", "warm_start", "because"}`` of the tuning job.

    ``warm_start`` is a WarmStartConfig, or null with the reason in ``because``.

    Args:
        s3: A client.
        settings: The pipeline.
        tuning: ``searched`` names, ``objective``, ``image``, ``job_name_prefix`` and ``warm_start``.
        plan: Plan's result.
        request: Seal's result.
        overrides: Hyperparameters of the execution's input.
        execution: Its ``name`` and ``start_time``.

    Raises:
        HyperparameterError: The execution's input fixes a hyperparameter that is searched.
    """
    algorithm = algorithm_named(settings.algorithm)
    fixed = sorted(set(tuning["searched"]) & {declared_name(algorithm, name) for name in overrides})
    if fixed:
        raise HyperparameterError(
            f"the execution input sets {', '.join(fixed)}, which the tuning job searches",
            remedy="Start an execution without them, or give Tuning ranges without them.",
        )
    statics = {
        name: value for name, value in request["hyperparameters"].items() if name not in tuning["searched"]
    }
    run = hashlib.sha256(f"{execution['name']}\n{execution['start_time']}".encode()).hexdigest()[:10]
    parent, because = None, "it was not requested"
    if tuning["warm_start"]:
        parent, because = _parent(s3, settings, tuning, plan, statics)
    return {
        "job_name": f"{tuning['job_name_prefix']}-{run}",
        "static_hyperparameters": statics,
        "warm_start": parent,
        "because": because,
    }


def conclude(
    s3: Any,
    sagemaker: Any,
    settings: Settings,
    tuning: Mapping[str, Any],
    *,
    plan: Mapping[str, Any],
    prepared: Mapping[str, Any],
    job_name: str,
) -> dict[str, Any]:
    """Write the leaderboard and return ``{"job_name", "best", "objective", "leaderboard", …}``.

    Args:
        s3, sagemaker: Clients.
        settings: The pipeline.
        tuning: As for :func:`prepare`, with ``model_bucket``.
        plan: Plan's result.
        prepared: The result of :func:`prepare`.
        job_name: The completed tuning job.

    Raises:
        TuningJobError: No training reported the objective.
        ServiceError: A call failed; the text names it.
    """
    with naming("DescribeHyperParameterTuningJob", job_name):
        described = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job_name)
    trainings = leaderboard(_trainings(sagemaker, job_name), minimize=tuning["direction"] == "Minimize")
    key = keys.leaderboard_key(settings.prefix, job_name)
    put_text(s3, tuning["model_bucket"], key, _csv(trainings), "text/csv")
    best = described.get("BestTrainingJob") or {}
    if "TrainingJobName" not in best:
        counts = described.get("TrainingJobStatusCounters", {})
        raise TuningJobError(
            f"Tuning job {job_name} has no best training: none of {sum(counts.values())} reported "
            f"{tuning['objective']}",
            remedy=f"See its trainings in s3://{tuning['model_bucket']}/{key} and at the log of one.",
        )
    record = {
        "job_name": job_name,
        "fingerprint": plan["fingerprint"],
        "objective": tuning["objective"],
        "image": tuning["image"],
        "searched": sorted(tuning["searched"]),
        "static_hyperparameters": prepared["static_hyperparameters"],
    }
    last = keys.last_tuned_key(settings.prefix)
    put_document(s3, settings.data_bucket, last, SCHEMA, record)
    return {
        "job_name": job_name,
        "best": best["TrainingJobName"],
        "objective": tuning["objective"],
        "value": best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"],
        "tuned": best["TunedHyperParameters"],
        "leaderboard": f"s3://{tuning['model_bucket']}/{key}",
        "trainings": len(trainings),
        "seconds": _total_seconds(trainings),
        "first": [
            {name: one[name] for name in ("job", "objective", "tuned")} for one in trainings[:BEST_SHOWN]
        ],
        "warm_start": prepared["warm_start"] and prepared["warm_start"]["WarmStartType"],
        "because": prepared["because"],
    }


def leaderboard(summaries: Sequence[Mapping[str, Any]], *, minimize: bool) -> list[dict[str, Any]]:
    """Return a row per training, best first; those without an objective last."""
    rows = [
        {
            "job": one["TrainingJobName"],
            "status": one["TrainingJobStatus"],
            "objective": one.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
            "began": "TrainingStartTime" in one,
            "seconds": _seconds(one),
            "tuned": dict(one["TunedHyperParameters"]),
        }
        for one in summaries
    ]
    sign = 1 if minimize else -1
    return sorted(
        rows, key=lambda row: (row["objective"] is None, sign * (row["objective"] or 0.0), row["job"])
    )


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    names = sorted({name for row in rows for name in row["tuned"]})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rank", "training_job", "status", "objective", "seconds", *names])
    for rank, row in enumerate(rows, start=1):
        facts = [row["job"], row["status"], row["objective"], row["seconds"]]
        writer.writerow([rank, *facts, *(row["tuned"].get(name) for name in names)])
    return text.getvalue()


def _trainings(sagemaker: Any, job_name: str) -> list[Mapping[str, Any]]:
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=job_name
    )
    with naming("ListTrainingJobsForHyperParameterTuningJob", job_name):
        return [summary for page in pages for summary in page["TrainingJobSummaries"]]


def _seconds(summary: Mapping[str, Any]) -> int | None:
    begin, end = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    return round((end - begin).total_seconds()) if begin and end else None


def _total_seconds(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the seconds of all trainings that began; None if one of them does not tell its end."""
    began = [row["seconds"] for row in rows if row["began"]]
    return None if None in began else sum(began)


def _parent(
    s3: Any,
    settings: Settings,
    tuning: Mapping[str, Any],
    plan: Mapping[str, Any],
    statics: Mapping[str, str],
) -> tuple[dict[str, Any] | None, str]:
    """Return the WarmStartConfig, or None with the reason."""
    key = keys.last_tuned_key(settings.prefix)
    if not is_there(s3, settings.data_bucket, key):
        return None, "there is no tuning job before it"
    last = get_document(s3, settings.data_bucket, key, SCHEMA, remedy=REMEDY)
    with fields_of(f"s3://{settings.data_bucket}/{key}", remedy=REMEDY):
        before, parent, objective = dict(last["static_hyperparameters"]), last["job_name"], last["objective"]
        searched, made_with = last["searched"], (last["fingerprint"], last["image"])
    changed = sorted(name for name in statics if before.get(name) != statics[name])
    if objective != tuning["objective"]:
        return None, f"{parent} had another objective, {objective}"
    if sorted(tuning["searched"]) != searched or set(before) != set(statics):
        return None, f"{parent} had other hyperparameters"
    if len(changed) > MOST_CHANGED:
        return None, f"{len(changed)} values are not those of {parent}; allowed: {MOST_CHANGED}"
    identical = made_with == (plan["fingerprint"], tuning["image"])
    kind = IDENTICAL if identical and not changed else TRANSFER
    parents = [{"HyperParameterTuningJobName": parent}]
    return {"WarmStartType": kind, "ParentHyperParameterTuningJobs": parents}, f"it continues {parent}"
