"""Write the page about a training that has just ended, beside its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.costs.reckoning import cost_of_training
from amazon_estimators.logs import note
from amazon_estimators.pipeline.keys import report_key
from amazon_estimators.pipeline.trainings import trainings
from amazon_estimators.reports.gather import region_of_job, training_facts
from amazon_estimators.reports.page import page
from amazon_estimators.storage.s3 import put_text
from amazon_estimators.storage.s3_uri import Place

CONTENT_TYPE = "text/html; charset=utf-8"


def write_report(s3: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Write the page of an execution; ``state`` is the Report step's event. Returns ``{"uri"}``.

    Called again, it replaces the page.
    """
    settings, plan, job = state["pipeline"], state["plan"], state["job"]
    asked = state["input"] if isinstance(state.get("input"), Mapping) else {}
    execution = state["execution"]
    facts = training_facts(
        s3,
        job,
        title=str(settings["pipeline"]),
        about={
            "execution": execution["name"],
            "reason": asked.get("reason"),
            "data set version": plan.get("data_set"),
            "RecordSet": f"s3://{plan['bucket']}/{plan['prefix']}",
            "encoded": "no: the RecordSet was there already" if plan.get("complete") else "by this execution",
            "model package": (state.get("package") or {}).get("ModelPackageArn"),
            "tuning job": (state.get("tuned") or {}).get("job_name"),
        },
        algorithm=algorithm_named(settings["algorithm"]),
        cost=cost_of_training(settings, region_of_job(job), job, state.get("tuned")),
        warnings=state.get("warnings") or [],
        verdict=state.get("verdict"),
        trainings=trainings(s3, plan["bucket"], settings["prefix"]),
        began=execution.get("start_time"),
        ended=execution.get("entered"),
    )
    text = page(facts)
    models = Place.of(job["ModelArtifacts"]["S3ModelArtifacts"], what="model")
    place = Place(models.bucket, report_key(settings["prefix"], job["TrainingJobName"]))
    put_text(s3, place.bucket, place.key, text, CONTENT_TYPE)
    note(report=place.uri, bytes=len(text.encode()))
    return {"uri": place.uri}
