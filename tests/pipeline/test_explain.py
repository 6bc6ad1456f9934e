"""Every failure of a state becomes a typed error and a cause that a reader can act on."""

from __future__ import annotations

import json

import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import FunctionError, InputError
from amazon_estimators.pipeline.explain import CAUSE_LIMIT, as_exception, explain, note_failure
from amazon_estimators.pipeline.remedies import REMEDIES


def lambda_failure(error_type: str, message: str) -> str:
    return json.dumps({"errorMessage": message, "errorType": error_type, "requestId": "1", "stackTrace": []})


JOB = {"TrainingJobName": "digits-1", "TrainingJobStatus": "Failed", "SecondaryStatus": "Failed"}

CASES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "a user's error": (
        "HyperparameterError",
        lambda_failure("HyperparameterError", "k is 0\nGive more."),
        "HyperparameterError",
        ("k is 0\nGive more.",),
    ),
    "a failed job": (
        "States.TaskFailed",
        json.dumps({**JOB, "FailureReason": "ClientError: no data"}),
        "TrainingJobError",
        ("digits-1 ended as Failed: ClientError: no data", "/aws/sagemaker/TrainingJobs"),
    ),
    "a stopped job": (
        "States.TaskFailed",
        json.dumps({**JOB, "TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"}),
        "TrainingJobError",
        ("Stopped, MaxRuntimeExceeded", "no reason"),
    ),
    "no quota": (
        "SageMaker.AmazonSageMakerException",
        "The account-level limit 'ml.p3.2xlarge' is 0 (AmazonSageMaker; ResourceLimitExceeded)",
        "SageMaker.AmazonSageMakerException",
        ("is 0", "higher quota"),
    ),
    "out of time": (
        "Sandbox.Timedout",
        lambda_failure("Sandbox.Timedout", "RequestId: 1 Error: Task timed out after 900.00 seconds"),
        "Sandbox.Timedout",
        ("900.00 seconds", "target_shard_size"),
    ),
    "out of memory": (
        "Runtime.ExitError",
        lambda_failure("Runtime.ExitError", "Runtime exited with error: signal: killed"),
        "Runtime.ExitError",
        ("signal: killed", "memory"),
    ),
    "throttled": (
        "Lambda.TooManyRequestsException",
        "Rate Exceeded.",
        "FunctionError",
        ("Lambda.TooManyRequestsException: Rate Exceeded.", "max_concurrency"),
    ),
    "a fault of Lambda": (
        "Lambda.AWSLambdaException",
        "",
        "FunctionError",
        ("Lambda.AWSLambdaException: ", FunctionError.remedy),
    ),
    "no permission": (
        "ClientError",
        lambda_failure(
            "ClientError", "An error occurred (AccessDenied) when calling the GetObject operation"
        ),
        "ClientError",
        ("GetObject", "A role lacks a permission"),
    ),
    "no JSON": ("States.Runtime", "The path $.x is not there", "States.Runtime", ("The path $.x",)),
    "JSON of no kind we know": ("States.TaskFailed", "[1]", "States.TaskFailed", ("[1]",)),
    "nothing": ("States.Timeout", "", "States.Timeout", ("",)),
}


@pytest.mark.parametrize("case", CASES)
def test_explained(case: str) -> None:
    name, cause, error, parts = CASES[case]
    answer = explain(None, {"Error": name, "Cause": cause}, {})
    assert answer["error"] == error
    for part in parts:
        assert part in answer["cause"]


REMEDY_CASES: dict[str, tuple[str, str, str]] = {
    "of the error": ("InputError", "row 7\nit is NaN\nFill it in.", "Fill it in."),
    "of the error, whatever its text is about": (
        "InputError",
        "S3 answers AccessDenied\nLet the role read it.",
        "Let the role read it.",
    ),
    "none of its own": ("InputError", "row 7", ""),
    "by a word of the text": ("ClientError", "one\nAccessDenied\ntwo", REMEDIES["AccessDenied"]),
    "by the error's name": ("Sandbox.Timedout", "timed out", REMEDIES["Sandbox.Timedout"]),
    "of no error of ours": ("KeyError", "one\ntwo", ""),
}


@pytest.mark.parametrize("case", REMEDY_CASES)
def test_the_remedy_is_a_field_of_its_own_and_the_last_line_of_the_cause(case: str) -> None:
    name, text, remedy = REMEDY_CASES[case]
    answer = explain(None, {"Error": name, "Cause": lambda_failure(name, text)}, {})
    assert answer["remedy"] == remedy
    assert answer["cause"] == (text if not remedy or text.endswith(remedy) else f"{text}\n{remedy}")


@pytest.mark.parametrize(
    ("reason", "remedy"), [("x", ""), ("ResourceLimitExceeded", REMEDIES["ResourceLimitExceeded"])]
)
def test_where_a_job_s_log_lies_is_no_remedy(reason: str, remedy: str) -> None:
    cause = json.dumps({**JOB, "FailureReason": reason})
    answer = explain(None, {"Error": "States.TaskFailed", "Cause": cause}, {})
    assert answer["remedy"] == remedy
    assert "/aws/sagemaker/TrainingJobs" in answer["cause"]


def test_the_remedy_of_a_long_message_is_kept() -> None:
    cause = lambda_failure("InputError", "x" * 40_000 + "\nFill it in.")
    answer = explain(None, {"Error": "InputError", "Cause": cause}, {})
    assert len(answer["cause"]) == CAUSE_LIMIT
    assert answer["cause"].endswith("x\nFill it in.")


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        ("[" * 32_000, "[" * CAUSE_LIMIT),
        ('{"errorMessage": ' + "[" * 32_000, '{"errorMessage": ['),
        (lambda_failure("InputError", "row \ud800 of 7"), "row ? of 7"),
        (lambda_failure("\udfff", "row 7"), "row 7"),
        ("row \ud800", "row ?"),
    ],
    ids=["nested", "nested in an object", "half a character", "half a character as name", "no JSON"],
)
def test_a_cause_that_is_hard_to_read_or_write_is_explained(cause: str, text: str) -> None:
    answer = explain(None, {"Error": "X", "Cause": cause}, {})
    assert answer["cause"].startswith(text)
    for part in answer.values():
        part.encode()
    fail = as_exception(answer["error"], answer["cause"])
    assert str(fail) == answer["cause"]


def test_a_cause_is_never_too_long_for_the_state() -> None:
    answer = explain(None, {"Error": "X", "Cause": "ä" * 40_000}, {})
    assert 10_000 < len(json.dumps({"errorMessage": answer["cause"]}, ensure_ascii=False).encode()) <= 32_000


def test_a_cause_of_marks_that_json_writes_as_two_fits_too() -> None:
    answer = explain(None, {"Error": "X", "Cause": '"' * 40_000}, {})
    assert 20_000 < len(json.dumps({"errorMessage": answer["cause"]}).encode()) <= 32_000


def failed_map(pipeline: Pipeline, attempt: str) -> dict[str, str]:
    error = {"Error": "States.ExceedToleratedFailureThreshold", "Cause": "The threshold was exceeded"}
    plan = {"bucket": pipeline.bucket, "prefix": "recordsets/f/", "attempt": attempt}
    return explain(pipeline.s3, error, plan)


def test_failed_shards_tell_the_first_error_of_this_attempt(pipeline: Pipeline) -> None:
    def leave(attempt: str, shard: int, cause: str) -> None:
        failed = {"Error": "InputError", "Cause": lambda_failure("InputError", f"{cause}\nMend it.")}
        plan = {"bucket": pipeline.bucket, "prefix": "recordsets/f/", "attempt": attempt}
        note_failure(pipeline.s3, plan, shard, explain(None, failed, {}))

    leave("run-0", 0, "of long ago")
    leave("run-1", 7, "row 7")
    leave("run-1", 12, "row 12")
    answer = failed_map(pipeline, "run-1")
    cause = "row 7\nOne more shard failed.\nMend it."
    assert answer == {"error": "InputError", "cause": cause, "remedy": "Mend it."}
    leave("run-1", 13, "row 13")
    assert failed_map(pipeline, "run-1")["cause"] == "row 7\n2 more shards failed.\nMend it."


def test_failed_shards_without_a_user_s_error(pipeline: Pipeline) -> None:
    answer = failed_map(pipeline, "new")
    assert answer["error"] == "States.ExceedToleratedFailureThreshold"
    assert "redriven" in answer["cause"]


def test_the_failure_of_an_encode_is_kept_for_the_execution(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Explain leaves of a shard is what it finds for the Map, in Lambda's shape of an error."""
    from amazon_estimators.handlers import encode, explain

    monkeypatch.setattr("amazon_estimators.storage.s3.client", lambda: pipeline.s3)
    pipeline.put("train/a.csv", b"1,2\n" * 10 + b"1,nan\n")
    planned = pipeline.plan("run")
    (item,) = pipeline.items(planned)
    place = {name: planned[name] for name in ("bucket", "prefix", "attempt")}
    with pytest.raises(InputError) as raised:
        encode.handler({**place, **item}, None)
    cause = json.dumps({"errorType": type(raised.value).__name__, "errorMessage": str(raised.value)})
    shard = {"error": {"Error": "InputError", "Cause": cause}, "plan": place}
    answer = explain.handler({**shard, "shard": item["shard"]}, None)
    assert answer["error"] == "InputError"
    assert "row 10" in answer["cause"]
    whole = {"Error": "States.ExceedToleratedFailureThreshold", "Cause": ""}
    execution = {"name": "run", "redrive": 0}
    explained = explain.handler({"error": whole, "plan": planned, "execution": execution}, None)
    assert explained == {**answer, "redrive": 0}
