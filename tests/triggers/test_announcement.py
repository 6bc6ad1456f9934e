"""Events: what they hold, that a success is on record before it is told, and that it is told in any case."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from amazon_estimators.errors import ServiceError
from amazon_estimators.pipeline import announce as announcement
from amazon_estimators.pipeline.announce import REMEDY, announce, failure
from amazon_estimators.pipeline.current_model import read_current_model
from amazon_estimators.pipeline.event_names import LINEAGE
from amazon_estimators.pipeline.explain import explain
from amazon_estimators.pipeline.keys import trainings_key
from amazon_estimators.pipeline.trainings import SCHEMA
from amazon_estimators.storage.documents import put_document
from faulty_s3 import FaultyS3


class Bus:
    """EventBridge, which refuses the first ``refusals`` events."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.entries: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.refusals:
            self.refusals -= 1
            refused = [{"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}]
            return {"FailedEntryCount": 1, "Entries": refused}
        # tests/pipeline/test_lineage.py looks at lineage.
        self.entries += [entry for entry in Entries if entry["DetailType"] != LINEAGE]
        return {"FailedEntryCount": 0}

    @property
    def tell(self) -> Any:
        return partial(announcement.tell, self)


class Objects:
    """S3, which refuses everything if ``denied``."""

    def __init__(self, *, denied: bool = False) -> None:
        self.denied = denied
        self.written: dict[str, Any] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:
        if self.denied:
            raise PermissionError("AccessDenied")
        if "/lineage/" not in Key and not Key.endswith("/trainings.json"):
            self.written[f"{Bucket}/{Key}"] = json.loads(Body)

    def list_objects_v2(self, **_: Any) -> dict[str, Any]:
        return {}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcement.time, "sleep", lambda seconds: None)


STATE: dict[str, Any] = {
    "pipeline": {
        "pipeline": "Stack/Digits",
        "algorithm": "KMeans",
        "prefix": "digits/",
        "data_bucket": "data",
    },
    "execution": {
        "name": "run",
        "start_time": "2026-03-01T12:00:00.123Z",
        "state_machine": "arn:aws:states:eu-west-1:1:stateMachine:Digits",
    },
    "input": {"reason": "drift"},
    "plan": {"bucket": "data", "prefix": "digits/recordsets/f/", "data_set": "0123456789abcdef01234567"},
}
JOB: dict[str, Any] = {
    "TrainingJobName": "digits-1",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://models/model.tar.gz"},
    "FinalMetricDataList": [{"MetricName": "train:msd", "Value": 1.5}],
    "AlgorithmSpecification": {"TrainingImage": "registry/kmeans:1", "TrainingInputMode": "File"},
    "HyperParameters": {"k": "10"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 30},
    "TrainingTimeInSeconds": 75,
    "BillableTimeInSeconds": 60,
}


def test_a_success_holds_all_that_leads_from_it_to_the_data() -> None:
    bus, objects = Bus(), Objects()
    report = {"uri": "s3://models/models/digits-1/report.html"}
    detail = announce(bus.tell, objects, {**STATE, "job": JOB, "report": report})
    (entry,) = bus.entries
    assert (entry["Source"], entry["DetailType"]) == ("amazon-estimators", "Model Trained")
    assert json.loads(entry["Detail"]) == detail
    assert detail.pop("seconds") != 0
    assert detail == {
        "pipeline": "Stack/Digits",
        "state_machine": "arn:aws:states:eu-west-1:1:stateMachine:Digits",
        "algorithm": "KMeans",
        "execution": "run",
        "data_set": "0123456789abcdef01234567",
        "reason": "drift",
        "record_set": "s3://data/digits/recordsets/f/",
        "job": "digits-1",
        "model": "s3://models/model.tar.gz",
        "metrics": {"train:msd": 1.5},
        "image": "registry/kmeans:1",
        "hyperparameters": {"k": "10"},
        "instance_type": "ml.m5.large",
        "instance_count": 2,
        "training_seconds": 75,
        "waited_seconds": None,
        "model_age_seconds": None,
        "billable_seconds": 60,
        "report": "s3://models/models/digits-1/report.html",
        "cost": {
            "amount": None,
            "currency": None,
            "basis": "",
            "because": detail["cost"]["because"],
        },
        "verdict": None,
        "model_package": None,
        "tuning": None,
        "warnings": [],
    }
    assert set(objects.written) == {
        "data/digits/datasets/last_trained.json",
        "data/digits/datasets/current_model.json",
    }
    for document in objects.written.values():
        assert document["data_set"] == "0123456789abcdef01234567"
        assert document["job"] == "digits-1"


def test_of_several_instance_types_the_one_that_was_taken_is_told() -> None:
    chosen = {"SelectedInstanceType": "ml.m4.large", "SelectedInstanceCount": 1}
    detail = announce(Bus().tell, Objects(), {**STATE, "job": {**JOB, "ResourceConfig": chosen}})
    assert (detail["instance_type"], detail["instance_count"]) == ("ml.m4.large", 1)


PRICES = [
    {
        "region": "eu-west-1",
        "currency": "USD",
        "date": "2026-11-01",
        "source": "our contract",
        "prices": {"training": {"ml.m5.large": 0.12}},
    }
]
PRICED = {**STATE, "pipeline": {**STATE["pipeline"], "prices": PRICES}}


def announced_cost(**state: Any) -> Any:
    """The cost in the event, and in the metric that is written with it."""
    bus = Bus()
    detail = announce(bus.tell, Objects(), {**PRICED, "job": JOB, **state})
    assert json.loads(bus.entries[0]["Detail"])["cost"] == detail["cost"]
    return detail["cost"]


def test_a_training_tells_what_it_did_cost(capsys: pytest.CaptureFixture[str]) -> None:
    """60 s x 2 x 0.12 / 3,600."""
    assert announced_cost() == {
        "amount": 0.004,
        "currency": "USD",
        "basis": "60 s x 2 x 0.12 USD/h",
        "because": None,
    }
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["Cost"] == 0.004


def test_a_cost_that_is_unknown_is_null_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    cost = announced_cost(pipeline=STATE["pipeline"])
    assert (cost["amount"], cost["currency"]) == (None, None)
    assert cost["because"].startswith("no price of ml.m5.large for training in eu-west-1 is known")
    (line,) = capsys.readouterr().out.splitlines()
    assert "Cost" not in json.loads(line)


def test_a_search_costs_all_its_trainings() -> None:
    """3,000 s x 2 x 0.12 / 3,600."""
    assert announced_cost(tuned={"seconds": 3_000})["amount"] == 0.2
    on_spot = announced_cost(tuned={"seconds": 3_000}, job={**JOB, "EnableManagedSpotTraining": True})
    assert on_spot["amount"] is None and "on spot" in on_spot["because"]
    assert announced_cost(tuned={})["amount"] is None


def test_a_training_on_spot_costs_what_is_billed() -> None:
    assert announced_cost(job={**JOB, "EnableManagedSpotTraining": True})["amount"] == 0.004


def test_a_training_that_failed_did_cost_too(capsys: pytest.CaptureFixture[str]) -> None:
    cause = json.dumps({**JOB, "FailureReason": "x"})
    detail = failed({"Error": "States.TaskFailed", "Cause": cause}, pipeline=PRICED["pipeline"])
    assert detail["cost"]["amount"] == 0.004
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["Cost"] == 0.004
    assert failed(function_failure("InputError", "row 7"))["cost"] is None


@pytest.mark.parametrize("seconds", ["60", None, [60], {}])
def test_a_failure_told_in_another_way_is_announced_without_its_cost(seconds: Any) -> None:
    """A cause may be any text."""
    cause = json.dumps({**JOB, "BillableTimeInSeconds": seconds})
    detail = failed({"Error": "States.TaskFailed", "Cause": cause}, pipeline=PRICED["pipeline"])
    assert detail["cost"]["amount"] is None


VERDICT = {"good": False, "because": "it is worse", "metric": "test:msd", "value": 2.0, "current": None}


def test_a_rejected_model_is_told_and_not_in_use() -> None:
    bus, objects = Bus(), Objects()
    detail = announce(bus.tell, objects, {**STATE, "job": JOB, "verdict": VERDICT})
    (entry,) = bus.entries
    assert entry["DetailType"] == "Model Rejected"
    assert detail["verdict"] == VERDICT
    assert set(objects.written) == {"data/digits/datasets/last_trained.json"}


def test_of_a_registered_model_the_registry_decides() -> None:
    bus, objects = Bus(), Objects()
    arn = "arn:aws:sagemaker:eu-west-1:1:model-package/digits/3"
    state = {**STATE, "job": JOB, "package": {"ModelPackageArn": arn}, "verdict": {**VERDICT, "good": True}}
    assert announce(bus.tell, objects, state)["model_package"] == arn
    (entry,) = bus.entries
    assert entry["DetailType"] == "Model Trained"
    assert set(objects.written) == {"data/digits/datasets/last_trained.json"}


def test_a_success_without_metrics_is_told_too() -> None:
    job = {name: JOB[name] for name in ("TrainingJobName", "ModelArtifacts")}
    assert announce(Bus().tell, Objects(), {**STATE, "job": job})["metrics"] == {}


def failed(error: dict[str, str], **state: Any) -> dict[str, Any]:
    """The event of an execution that failed like this, explained as it is there."""
    bus, objects = Bus(), Objects()
    explained = explain(None, error, {})
    detail = announce(bus.tell, objects, {**STATE, "explained": explained, "error": error, **state})
    (entry,) = bus.entries
    assert entry["DetailType"] == "Training Failed"
    assert json.loads(entry["Detail"]) == detail
    assert len(entry["Detail"]) < 250_000
    assert objects.written == {}
    return detail


def function_failure(kind: str, message: str) -> dict[str, str]:
    return {"Error": kind, "Cause": json.dumps({"errorType": kind, "errorMessage": message})}


def test_a_failure_holds_the_typed_error_and_its_remedy() -> None:
    error = function_failure("NoInputError", "channel train: no object\nUpload at least one file.")
    detail = failed(error, plan={})
    assert (detail["error"], detail["cause"]) == ("NoInputError", "channel train: no object")
    assert detail["remedy"] == "Upload at least one file."
    assert (detail["data_set"], detail["job"]) == (None, None)


def test_a_failure_of_several_shards_holds_the_remedy_of_the_first() -> None:
    explained = {
        "error": "InputError",
        "cause": "row 7\nOne more shard failed.\nMend it.",
        "remedy": "Mend it.",
        "redrive": 0,
    }
    detail = failed({"Error": "States.ExceedToleratedFailureThreshold"}, explained=explained)
    assert (detail["cause"], detail["remedy"]) == ("row 7\nOne more shard failed.", "Mend it.")


def test_a_failed_training_job_is_named_and_the_place_of_its_log_is_no_remedy() -> None:
    cause = json.dumps({"TrainingJobName": "digits-1", "FailureReason": "x"})
    detail = failed({"Error": "States.TaskFailed", "Cause": cause})
    assert (detail["job"], detail["data_set"]) == ("digits-1", "0123456789abcdef01234567")
    assert "/aws/sagemaker/TrainingJobs, streams digits-1/" in detail["cause"]
    assert "same data_set" in detail["remedy"]


@pytest.mark.parametrize("given", [[1], "x", 5, 1.5, True, False, None, [], ""])
def test_an_execution_that_was_given_no_object_is_told_of(given: Any) -> None:
    detail = failed(function_failure("RequestError", "execution input is …\nGive {}."), input=given, plan={})
    assert (detail["reason"], detail["data_set"], detail["remedy"]) == (None, None, "Give {}.")


@pytest.mark.parametrize("value", ["ä" * 200_000, [1] * 100_000, {"a": 1}, 7])
def test_texts_that_plan_refused_do_not_make_the_event_too_large(value: Any) -> None:
    detail = failed(
        function_failure("RequestError", "ä" * 16_000), input={"reason": value, "data_set": value}, plan={}
    )
    for name in ("reason", "data_set"):
        assert detail[name] == (value[:1000] if isinstance(value, str) else None)


@pytest.mark.parametrize("cause", ["[" * 32_000, '"\\ud800"', '{"errorMessage": "\\ud800"}', "\ud800"])
def test_a_cause_that_is_hard_to_read_is_told_of(cause: str) -> None:
    assert failed({"Error": "States.TaskFailed", "Cause": cause})["job"] is None


@pytest.mark.parametrize(
    "unexplained", [{"Error": "States.Runtime", "Cause": "a\nb"}, {"Error": "E", "Cause": ""}]
)
def test_a_failure_without_a_remedy_of_its_own_has_a_general_one(unexplained: dict[str, str]) -> None:
    """Explained, or as the state after an Explain that did not run hands it on."""
    as_it_is = {"error": unexplained["Error"], "cause": unexplained["Cause"], "redrive": 0}
    for detail in (failed(unexplained), failed(unexplained, explained=as_it_is)):
        assert detail["cause"] == unexplained["Cause"]
        assert "same data_set" in detail["remedy"]


def test_a_failure_nobody_explained_has_a_general_remedy() -> None:
    assert failure({"pipeline": "p"}, "Execution.ABORTED", "The execution was aborted.") == {
        "pipeline": "p",
        "error": "Execution.ABORTED",
        "cause": "The execution was aborted.",
        "remedy": REMEDY,
    }


def test_an_event_that_is_refused_for_a_moment_is_told() -> None:
    bus = Bus(announcement.TELL_ATTEMPTS - 1)
    announce(bus.tell, Objects(), {**STATE, "job": JOB})
    assert len(bus.entries) == 1


def test_an_event_that_is_refused_for_good_is_no_success() -> None:
    with pytest.raises(ServiceError, match="InternalFailure"):
        announce(Bus(announcement.TELL_ATTEMPTS).tell, Objects(), {**STATE, "job": JOB})


def test_a_model_is_told_though_its_record_cannot_be_written() -> None:
    bus = Bus()
    announce(bus.tell, Objects(denied=True), {**STATE, "job": JOB})
    (entry,) = bus.entries
    detail = json.loads(entry["Detail"])
    assert detail["model"] == "s3://models/model.tar.gz"
    assert detail["unrecorded"] == (
        "s3://data/digits/datasets/last_trained.json: AccessDenied; "
        "s3://data/digits/datasets/current_model.json: AccessDenied; "
        "s3://data/digits/datasets/trainings.json: AccessDenied"
    )


ENDED = "2026-03-01T13:00:00.000+00:00"
RECORDS = ("datasets/last_trained.json", "datasets/current_model.json")


def late(job: str, ended: str = ENDED) -> dict[str, Any]:
    """Return the event of an execution that Announce could not tell of, as the starter has it."""
    execution = {**STATE["execution"], "name": f"of {job}", "stop_time": ended}
    return {**STATE, "execution": execution, "job": {**JOB, "TrainingJobName": job}}


def recorded(s3: FaultyS3) -> list[str]:
    return [json.loads(s3.objects[f"digits/{name}"][0][1])["job"] for name in RECORDS]


def test_a_model_that_is_told_late_replaces_the_record_of_none_that_ended_after_it() -> None:
    bus, s3 = Bus(), FaultyS3()
    announce(bus.tell, s3, late("older"))
    assert recorded(s3) == ["older", "older"]
    announce(bus.tell, s3, {**STATE, "job": {**JOB, "TrainingJobName": "newer"}})
    detail = announce(bus.tell, s3, late("older"))
    assert recorded(s3) == ["newer", "newer"]
    assert "unrecorded" not in detail
    assert [json.loads(entry["Detail"])["job"] for entry in bus.entries] == ["older", "newer", "older"]
    announce(bus.tell, s3, late("newest", "2999-01-01T00:00:00.000+00:00"))
    assert recorded(s3) == ["newest", "newest"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"schema": "last-trained/1"}', b"[" * 5_000])
def test_a_record_that_was_damaged_is_replaced(body: bytes) -> None:
    s3 = FaultyS3()
    for name in RECORDS:
        s3.put(f"digits/{name}", body)
    announce(Bus().tell, s3, late("a"))
    assert recorded(s3) == ["a", "a"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "NaN", 1.5])
def test_an_event_and_a_record_are_json_whatever_a_training_reports(value: Any) -> None:
    """EventBridge refuses NaN, and the next model is compared with the record."""
    bus, s3 = Bus(), FaultyS3()
    job = {**JOB, "FinalMetricDataList": [{"MetricName": "test:mse", "Value": value}]}
    announce(bus.tell, s3, {**STATE, "job": job})
    (entry,) = bus.entries
    for text in (entry["Detail"], s3.objects["digits/datasets/current_model.json"][0][1]):
        json.loads(text, parse_constant=pytest.fail)
    model = read_current_model(s3, "data", "digits/")
    assert model is not None
    assert model.metrics == ({"test:mse": 1.5} if value == 1.5 else {})


def test_every_end_tells_the_age_of_the_newest_good_model() -> None:
    """That of the model that was in use until then, whatever became of this training."""
    bus, s3 = Bus(), FaultyS3()
    failed = {"error": {"Error": "States.Timeout", "Cause": ""}, "explained": {"error": "a", "cause": "b"}}
    ends = {
        "2026-03-01T12:00:00.000+00:00": {"job": {**JOB, "TrainingJobName": "first"}},
        "2026-03-01T13:00:00.000+00:00": {
            "job": {**JOB, "TrainingJobName": "worse"},
            "verdict": {"good": False},
        },
        "2026-03-01T14:00:00.000+00:00": failed,
        "2026-03-01T15:00:00.000+00:00": {"job": {**JOB, "TrainingJobName": "better"}},
        "2026-03-01T15:00:10.000+00:00": failed,
    }
    ages = []
    for at, end in ends.items():
        execution = {**STATE["execution"], "stop_time": at}
        ages.append(announce(bus.tell, s3, {**STATE, "execution": execution, **end})["model_age_seconds"])
    assert ages == [None, 3_600, 7_200, 10_800, 10]


@pytest.mark.parametrize("at", ["yesterday", "2026-03-01T12:00:00", None])
def test_an_age_that_cannot_be_reckoned_fails_no_announcement(at: Any) -> None:
    bus, s3 = Bus(), FaultyS3()
    listed = {"trainings": [{"job": "edited", "at": at, "good": True}]}
    put_document(s3, "data", trainings_key("digits/"), SCHEMA, listed)
    detail = announce(bus.tell, s3, {**STATE, "job": JOB})
    assert detail["model_age_seconds"] is None
    assert "unrecorded" not in detail
