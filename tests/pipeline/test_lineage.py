"""Lineage: events as OpenLineage's client has them, and the way back from a model to versions of objects."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from openlineage_events import problems

from amazon_estimators.pipeline import announce as announcement
from amazon_estimators.pipeline.announce import announce
from amazon_estimators.pipeline.event_names import LINEAGE_SOURCE
from amazon_estimators.pipeline.explain import explain
from amazon_estimators.pipeline.lineage import CORE, OWN_FACET, PRODUCER
from faulty_s3 import FaultyS3

ARN = "arn:aws:states:eu-west-1:111122223333:stateMachine:Digits"
DATA_SET = "0123456789abcdef01234567"
STATE: dict[str, Any] = {
    "pipeline": {
        "pipeline": "Stack/Digits",
        "algorithm": "KMeans",
        "prefix": "digits/",
        "data_bucket": "data",
        "channels": {"train": {"prefix": "raw/digits/"}, "test": {"prefix": None}},
    },
    "execution": {
        "name": "run",
        "start_time": "2026-03-01T12:00:00.123Z",
        "state_machine": ARN,
        "redrive": 0,
    },
    "input": {"reason": "drift"},
    "plan": {
        "bucket": "data",
        "prefix": "digits/recordsets/f00d/",
        "fingerprint": "f00d",
        "data_set": DATA_SET,
        "complete": False,
    },
}


def channel(name: str) -> dict[str, Any]:
    uri = f"s3://data/digits/recordsets/f00d/{name}/.amazon.manifest"
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3Uri": uri}}}


JOB: dict[str, Any] = {
    "TrainingJobName": "digits-1",
    "InputDataConfig": [channel("train"), channel("test")],
    "ModelArtifacts": {"S3ModelArtifacts": "s3://models/digits/models/digits-1/output/model.tar.gz"},
    "FinalMetricDataList": [{"MetricName": "test:msd", "Value": float("nan")}],
    "HyperParameters": {"k": "10"},
}


class Bus:
    """EventBridge, which refuses events of ``refused`` sources."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.entries: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        (entry,) = Entries
        if entry["Source"] in self.refused:
            raise PermissionError("AccessDenied")
        self.entries.append(entry)
        return {"FailedEntryCount": 0}


def ended(state: dict[str, Any], **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Announce an end; return the lineage on the bus and the object on S3."""
    bus, s3 = Bus(), FaultyS3()
    announce(partial(announcement.tell, bus), s3, {**state, **more})
    (entry,) = [one for one in bus.entries if one["Source"] == LINEAGE_SOURCE]
    (key,) = [key for key in s3.objects if key.startswith("digits/lineage/")]
    return json.loads(entry["Detail"]), json.loads(s3.objects[key][0][1])


def failed(error: dict[str, str], **more: Any) -> dict[str, Any]:
    return ended(STATE, explained=explain(None, error, {}), error=error, **more)[0]


def names(datasets: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["namespace"], one["name"], one["facets"]["version"]["datasetVersion"]) for one in datasets]


def check(event: dict[str, Any]) -> None:
    """Check an event and each of its facets by OpenLineage's client."""
    assert problems(event) == []
    json.dumps(event, allow_nan=False)


CAUSES: list[dict[str, Any]] = [
    {
        "Error": "States.TaskFailed",
        "Cause": json.dumps({**JOB, "FailureReason": "no", "ModelArtifacts": None}),
    },
    {
        "Error": "InputError",
        "Cause": json.dumps({"errorType": "InputError", "errorMessage": "row 7\nMend it."}),
    },
    {"Error": "States.Timeout", "Cause": ""},
]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause["Error"])
@pytest.mark.parametrize("plan", [STATE["plan"], {}], ids=["planned", "unplanned"])
def test_a_failure_is_a_valid_event(cause: dict[str, Any], plan: dict[str, Any]) -> None:
    event = failed(cause, plan=plan)
    check(event)
    assert event["eventType"] == "FAIL"
    assert event["run"]["facets"]["errorMessage"]["message"].strip()
    assert [one for one in event["outputs"] if "model" in one["name"]] == []
    assert bool(event["inputs"]) == bool(plan)


@pytest.mark.parametrize("verdict", [None, {"good": False, "because": "it is worse", "value": "nan"}])
def test_a_training_leads_from_the_data_set_version_to_the_model(verdict: Any) -> None:
    event, stored = ended(STATE, job=JOB, verdict=verdict)
    check(event)
    assert stored == event
    assert event["eventType"] == "COMPLETE"
    assert event["job"] | {"facets": None} == {
        "namespace": "arn:aws:states:eu-west-1:111122223333",
        "name": "Digits",
        "facets": None,
    }
    record_sets = [("s3://data", f"digits/recordsets/f00d/{name}", "f00d") for name in ("train", "test")]
    inputs = [("s3://data", "digits/input/test", DATA_SET), ("s3://data", "raw/digits", DATA_SET)]
    assert names(event["inputs"]) == [*inputs, *record_sets]
    model = ("s3://models", "digits/models/digits-1/output/model.tar.gz", "digits-1")
    assert names(event["outputs"]) == [*record_sets, model]
    own = event["run"]["facets"][OWN_FACET]
    assert (own["job"], own["data_set"], own["reason"]) == ("digits-1", DATA_SET, "drift")


def test_a_record_set_that_was_there_is_no_output() -> None:
    event, _ = ended(STATE, job=JOB, plan={**STATE["plan"], "complete": True})
    assert len(event["outputs"]) == 1
    assert len(event["inputs"]) == 4


def test_an_attempt_has_one_run_and_each_redrive_another() -> None:
    runs = [
        ended(STATE, job=JOB, execution={**STATE["execution"], "redrive": redrive})[0]["run"]["runId"]
        for redrive in (0, 0, 1)
    ]
    assert runs[0] == runs[1] != runs[2]
    assert failed(CAUSES[1])["run"]["runId"] == runs[0]


@pytest.mark.parametrize("where", ["S3", "bus", "state"])
def test_lineage_that_cannot_be_told_fails_nothing(where: str, caplog: pytest.LogCaptureFixture) -> None:
    bus, s3 = Bus(*([LINEAGE_SOURCE] if where == "bus" else [])), FaultyS3()
    job = {**JOB, "InputDataConfig": [{**channel("train"), "DataSource": {"S3DataSource": {"S3Uri": "?"}}}]}
    if where == "S3":
        put = s3.put_object

        def refuse(**request: Any) -> Any:
            if "lineage/" in request["Key"]:
                raise PermissionError("AccessDenied")
            return put(**request)

        s3.put_object = refuse  # type: ignore[method-assign]
    announce(partial(announcement.tell, bus), s3, {**STATE, "job": job if where == "state" else JOB})
    assert bus.entries[0]["DetailType"] == "Model Trained"
    assert len(bus.entries) == (2 if where == "S3" else 1)
    assert any(record.levelname == "ERROR" for record in caplog.records)


ABSENT = object()
RUN, JOB_FACETS, MODEL = ("run", "facets"), ("job", "facets"), ("outputs", -1, "facets")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("eventType",), "DONE"),
        (("eventTime",), "yesterday"),
        (("eventTime",), "2026-03-01"),
        (("eventTime",), "2026-03-01T12:00:00"),
        (("eventTime",), ABSENT),
        (("producer",), "us"),
        (("producer",), ABSENT),
        (("run", "runId"), "run-1"),
        (("run", "runId"), ABSENT),
        (("job", "name"), None),
        (("job", "name"), ABSENT),
        (("job", "owner"), "us"),
        (("inputs",), {}),
        (("inputs", 0, "namespace"), ABSENT),
        (("outputs",), None),
        (("schemaURL",), "no"),
        (("schemaURL",), ABSENT),
        (("unheard",), 1),
        ((*RUN, "nominalTime"), {}),
        ((*RUN, "nominalTime", "nominalStartTime"), "noon"),
        ((*RUN, "nominalTime", "nominalStartTime"), "2026-03-01T12:00:00"),
        ((*RUN, "nominalTime", "nominalEndTime"), None),
        ((*RUN, OWN_FACET, "_producer"), ABSENT),
        ((*RUN, OWN_FACET, "_schemaURL"), f"{CORE}/JobFacet"),
        ((*RUN, "unheard"), {"_producer": PRODUCER, "_schemaURL": f"{CORE}/RunFacet"}),
        ((*JOB_FACETS, "jobType", "processingType"), ABSENT),
        ((*JOB_FACETS, "jobType", "unheard"), "x"),
        ((*JOB_FACETS, "jobType", "integration"), 7),
        ((*JOB_FACETS, "documentation", "description"), ABSENT),
        ((*JOB_FACETS, "documentation", "_producer"), ABSENT),
        ((*MODEL, "version", "datasetVersion"), ABSENT),
        ((*MODEL, "version", "_schemaURL"), f"{CORE}/DatasetFacet"),
        ((*MODEL, "datasetType", "datasetType"), ABSENT),
        ((*MODEL, "jobType"), {"_producer": PRODUCER, "_schemaURL": f"{CORE}/DatasetFacet"}),
    ],
)
def test_the_client_refuses_what_is_wrong(path: tuple[str | int, ...], value: Any) -> None:
    event, _ = ended(STATE, job=JOB)
    check(event)
    place: Any = event
    for name in path[:-1]:
        place = place[name]
    if value is ABSENT:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert problems(event) != []


@pytest.mark.parametrize("member", ["message", "programmingLanguage", "_producer", "_schemaURL"])
def test_the_client_refuses_a_failure_without_a_member(member: str) -> None:
    event = failed(CAUSES[1])
    del event["run"]["facets"]["errorMessage"][member]
    assert problems(event) != []
