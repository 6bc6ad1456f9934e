"""The executions that both interpreters run: what happens in each, and how it ends."""

from __future__ import annotations

from collections.abc import Callable

from account import Account
from faults import (
    CLIENT_ERROR,
    CRASH,
    FAULT,
    FULL,
    IN_USE,
    LOST,
    NEVER,
    NO_CAPACITY,
    REFUSED,
    SDK_FAULT,
    THROTTLED,
    job_failed,
)
from scenario import Faults, Scenario
from tasks import TaskError


def _poor(account: Account) -> None:
    account.sagemaker.msd = 9.0


def _silent(account: Account) -> None:
    account.sagemaker.answers = False


def _broken(account: Account) -> None:
    account.sagemaker.start_none()


def _says(kind: str, *said: tuple[str, str]) -> Callable[[Account], None]:
    """Let the next descriptions of a job have these statuses and reasons."""

    def change(account: Account) -> None:
        account.sagemaker.said += [
            {f"{kind}Status": status, "FailureReason": reason} for status, reason in said
        ]

    return change


MADE: Faults = [LOST, IN_USE]
"""A job is made, and the answer is lost; the repeated call is refused."""
ADOPTED = ("Adopt", "DescribeAdopted", "HasAdoptedEnded", "Adopted")
AT_WORK = ("InProgress", "")
EXPLAINED = ("Explain", "AnnounceFailure", "Failed")
AFTER = ("ExplainAfterTraining", "AnnounceFailureAfterTraining", "FailedAfterTraining")
OF_SCORES = ("ExplainOfScores", "AnnounceFailureOfScores", "FailedOfScores")
TOLD = ("Explain", "TellFailure", "Failed")
WAITED = ("IsCapacity", "IsSecondWait", "WaitForCapacity", "CountWait")

TRAINING = {
    "trains": Scenario("train", through=("Shards", "Seal", "Train", "Announce")),
    "reuses a RecordSet": Scenario(
        "train",
        through=("Reuse", "Train"),
        before=["train"],
    ),
    "unknown input": Scenario("train", "RequestError", EXPLAINED, input={"nonsense": 1}),
    "input refused by the algorithm": Scenario(
        "train", "HyperparameterError", EXPLAINED, input={"hyperparameters": {"k": "-1"}}
    ),
    "no data": Scenario("train", "NoInputError", EXPLAINED, data=()),
    "a damaged row": Scenario("train", "InputError", ("Shards", *EXPLAINED), damaged=True),
    "Plan throttled": Scenario("train", through=("Train",), faults={"Plan": [THROTTLED] * 7}),
    "Plan exhausted": Scenario("train", "FunctionError", EXPLAINED, faults={"Plan": [FAULT] * 9}),
    "Plan, faults of both kinds": Scenario(
        "train", through=("Train",), faults={"Plan": [FAULT, THROTTLED, FAULT, THROTTLED]}
    ),
    "Plan crashes": Scenario("train", "Runtime.ExitError", EXPLAINED, faults={"Plan": [CRASH]}),
    "Encode throttled": Scenario("train", through=("Train",), faults={"Encode": [THROTTLED] * 2}),
    "Encode exhausted": Scenario("train", "FunctionError", EXPLAINED, faults={"Encode": [FAULT] * 9}),
    "Encode and its Explain crash": Scenario(
        "train",
        "States.ExceedToleratedFailureThreshold",
        EXPLAINED,
        faults={"Encode": [CRASH], "ExplainShard": [CRASH]},
    ),
    "Seal throttled": Scenario("train", through=("Train",), faults={"Seal": [THROTTLED]}),
    "Seal fails": Scenario("train", CRASH.error, ("Seal", *EXPLAINED), faults={"Seal": [CRASH]}),
    "answer lost": Scenario("train", through=(*ADOPTED, "Announce"), faults={"Train": MADE}),
    "answer lost, job at work": Scenario(
        "train",
        through=("Adopt", "WaitForAdopted", "DescribeAdopted", "WaitForAdopted", "Adopted", "Announce"),
        faults={"Train": MADE, "DescribeAdopted": [SDK_FAULT] * 4},
        account=_says("TrainingJob", AT_WORK, ("Stopping", "")),
    ),
    "answer lost, job fails": Scenario(
        "train",
        "TrainingJobError",
        ("Adopt", "AdoptedFailed", "IsCapacity", *EXPLAINED),
        faults={"Train": MADE},
        account=_says("TrainingJob", AT_WORK, ("Failed", "ClientError: bad")),
    ),
    "answer lost, job stopped": Scenario(
        "train",
        "TrainingJobError",
        ("AdoptedFailed", *EXPLAINED),
        faults={"Train": MADE},
        account=_says("TrainingJob", ("Stopped", "")),
    ),
    "answer lost, no capacity": Scenario(
        "train",
        through=("AdoptedFailed", *WAITED, "Train", *ADOPTED, "Announce"),
        faults={"Train": MADE * 2},
        account=_says("TrainingJob", ("Failed", "CapacityError: Unable to provision.")),
    ),
    "job name in use by no job": Scenario(
        "train",
        SDK_FAULT.error,
        ("Adopt", "DescribeAdopted", "IsCapacity", *EXPLAINED),
        faults={"Train": [IN_USE]},
    ),
    "SageMaker throttles": Scenario("train", through=("Announce",), faults={"Train": [REFUSED] * 6}),
    "SageMaker throttles, exhausted": Scenario(
        "train", REFUSED.error, EXPLAINED, faults={"Train": [REFUSED] * 7}
    ),
    "job fails": Scenario("train", "TrainingJobError", EXPLAINED, faults={"Train": [CLIENT_ERROR]}),
    "no capacity": Scenario("train", through=(*WAITED, "Announce"), faults={"Train": [NO_CAPACITY]}),
    "quota in use, twice": Scenario("train", through=("AnnounceWaiting",), faults={"Train": [FULL] * 2}),
    "quota in use, not announced": Scenario(
        "train",
        through=("AnnounceWaiting", "WaitForCapacity", "Train"),
        faults={"Train": [FULL, NO_CAPACITY], "AnnounceWaiting": [CRASH]},
    ),
    "a quota of nothing": Scenario("train", NEVER.error, EXPLAINED, faults={"Train": [NEVER]}),
    "no capacity for long": Scenario(
        "train", "TrainingJobError", (*WAITED, *EXPLAINED), faults={"Train": [NO_CAPACITY] * 13}
    ),
    "Announce retried": Scenario("train", faults={"Announce": [CRASH] * 2}, through=("Announce",)),
    "Announce exhausted": Scenario("train", faults={"Announce": [CRASH] * 9}, through=("Announce",)),
    "Explain throttled": Scenario(
        "train", "NoInputError", EXPLAINED, faults={"Explain": [THROTTLED] * 2}, data=()
    ),
    "Explain fails": Scenario(
        "train", "NoInputError", ("Unexplained", "Failed"), faults={"Explain": [CRASH]}, data=()
    ),
    "AnnounceFailure exhausted": Scenario(
        "train", "NoInputError", EXPLAINED, faults={"AnnounceFailure": [CRASH] * 9}, data=()
    ),
    "Failed cannot run": Scenario(
        "train", "NoInputError", ("Failed",), faults={"Failed": [FAULT] * 9}, data=()
    ),
    "redriven": Scenario(
        "train", through=("Failed", "Redriven", "Plan", "Train"), redriven={"Train": [CLIENT_ERROR]}
    ),
    "redriven, and fails again": Scenario(
        "train",
        "TrainingJobError",
        ("Failed", "Redriven", "Reuse", *EXPLAINED),
        faults={"Train": [CLIENT_ERROR]},
        redriven={"Train": [CLIENT_ERROR]},
    ),
}
AFTER_TRAINING = {
    "gate: good": Scenario("gate", through=("Judge", "IsGood", "Announce")),
    "gate: rejected": Scenario("gate", through=("Judge", "AnnounceRejection"), account=_poor),
    "gate: Judge fails": Scenario("gate", CRASH.error, AFTER, faults={"Judge": [CRASH]}),
    "gate: rejection not announced": Scenario(
        "gate", through=("AnnounceRejection",), account=_poor, faults={"AnnounceRejection": [CRASH] * 9}
    ),
    "gate: redriven after training": Scenario(
        "gate",
        through=("FailedAfterTraining", "RedrivenAfterTraining", "Judge", "Announce"),
        redriven={"Judge": [CRASH]},
    ),
    "gate: Explain fails after training": Scenario(
        "gate",
        CRASH.error,
        ("UnexplainedAfterTraining", "FailedAfterTraining"),
        faults={"Judge": [CRASH], "ExplainAfterTraining": [CRASH]},
    ),
    "registration": Scenario(
        "registration", through=("PrepareRegistration", "Register", "AssociateRecordSet", "Announce")
    ),
    "registration: lineage throttled": Scenario(
        "registration", through=("Announce",), faults={"AssociateRecordSet": [THROTTLED] * 3}
    ),
    "registration: lineage fails": Scenario(
        "registration",
        through=("Register", "AssociateRecordSet", "Report", "Announce"),
        faults={"AssociateRecordSet": [CRASH]},
    ),
    "registration: throttled": Scenario("registration", faults={"Register": [SDK_FAULT] * 4}),
    "registration: exhausted": Scenario(
        "registration", SDK_FAULT.error, AFTER, faults={"Register": [SDK_FAULT] * 5}
    ),
    "registration: redriven": Scenario(
        "registration", through=("RedrivenAfterTraining", "Register"), redriven={"Register": [SDK_FAULT] * 5}
    ),
    "tuning": Scenario("tuning", through=("PrepareTuning", "Tune", "Leaderboard", "BestTraining")),
    "tuning: reuses a RecordSet": Scenario("tuning", through=("Reuse", "Tune"), before=["tuning"]),
    "tuning: input that is searched": Scenario(
        "tuning", "HyperparameterError", EXPLAINED, input={"hyperparameters": {"init_method": "random"}}
    ),
    "tuning: answer lost": Scenario(
        "tuning",
        through=("WaitForAdopted", "Adopted", "Leaderboard", "Announce"),
        faults={"Tune": MADE},
        account=_says("HyperParameterTuningJob", AT_WORK),
    ),
    "tuning: answer lost, job fails": Scenario(
        "tuning",
        "TuningJobError",
        ("AdoptedFailed", *EXPLAINED),
        faults={"Tune": MADE},
        account=_says("HyperParameterTuningJob", ("Failed", "AllTrainingJobsFailed")),
    ),
    "tuning: quota in use": Scenario("tuning", through=(*WAITED, "Tune"), faults={"Tune": [FULL]}),
    "tuning: Leaderboard fails": Scenario("tuning", CRASH.error, AFTER, faults={"Leaderboard": [CRASH]}),
    "tuning: BestTraining retried": Scenario("tuning", faults={"BestTraining": [SDK_FAULT] * 3}),
    "tuning: BestTraining exhausted": Scenario(
        "tuning", SDK_FAULT.error, AFTER, faults={"BestTraining": [SDK_FAULT] * 5}
    ),
    "all steps": Scenario("all", through=("Tune", "Judge", "Register", "Announce")),
    "all steps: rejected": Scenario("all", through=("Tune", "AnnounceRejection"), account=_poor),
}
SCORING = {
    "scores": Scenario(
        "scores",
        through=("Model", "Shards", "Scores", "Publish"),
        before=["train"],
    ),
    "scores: no model": Scenario("scores", "ModelError", EXPLAINED),
    "scores: rows are encoded": Scenario("scores", through=("Seal", "Scores"), before=["train", "scores"]),
    "scores: Score throttled": Scenario(
        "scores",
        faults={"Score": [THROTTLED] * 3},
        before=["train"],
    ),
    "scores: Score fails": Scenario(
        "scores",
        CRASH.error,
        ("Scores", *OF_SCORES),
        faults={"Score": [CRASH]},
        before=["train"],
    ),
    "scores: Publish fails": Scenario(
        "scores",
        CRASH.error,
        OF_SCORES,
        faults={"Publish": [CRASH]},
        before=["train"],
    ),
    "scores: redriven": Scenario(
        "scores",
        through=("FailedOfScores", "RedrivenOfScores", "Publish", "Announce"),
        redriven={"Publish": [CRASH]},
        before=["train"],
    ),
    "scores: redriven before scoring": Scenario(
        "scores",
        through=("Failed", "Redriven", "Publish"),
        redriven={"Plan": [CRASH]},
        before=["train"],
    ),
    "scores: Explain fails": Scenario(
        "scores",
        CRASH.error,
        ("Unexplained", "Failed"),
        faults={"Plan": [CRASH], "Explain": [CRASH]},
        before=["train"],
    ),
    "scores: Explain fails at the end": Scenario(
        "scores",
        CRASH.error,
        ("UnexplainedOfScores", "FailedOfScores"),
        faults={"Publish": [CRASH], "ExplainOfScores": [CRASH]},
        before=["train"],
    ),
    "transform": Scenario(
        "transform",
        through=("CreateModel", "Transform", "DeleteModel", "Scores"),
        before=["train"],
    ),
    "transform: model is there": Scenario(
        "transform",
        through=("IsModelThere", "BeginTransform", "IsModelGone", "Publish"),
        faults={"CreateModel": [TaskError(REFUSED.error, "Cannot create already existing model")] * 7},
        before=["train"],
    ),
    "transform: model refused": Scenario(
        "transform",
        "States.TaskFailed",
        ("IsModelThere", *EXPLAINED),
        faults={"CreateModel": [TaskError("States.TaskFailed", "Could not assume role")]},
        before=["train"],
    ),
    "transform: no capacity": Scenario(
        "transform",
        through=(*WAITED, "Publish"),
        faults={"Transform": [FULL]},
        before=["train"],
    ),
    "transform: no capacity, twice": Scenario(
        "transform",
        through=("AnnounceWaiting", "Publish"),
        faults={"Transform": [FULL] * 2},
        before=["train"],
    ),
    "transform: redriven before scoring": Scenario(
        "transform",
        through=("Failed", "Redriven", "Publish"),
        redriven={"Plan": [CRASH]},
        before=["train"],
    ),
    "transform: redriven": Scenario(
        "transform",
        through=("FailedOfScores", "RedrivenOfScores", "DeleteModel", "Publish"),
        redriven={"Publish": [CRASH]},
        before=["train"],
    ),
    "transform: Explain fails": Scenario(
        "transform",
        CRASH.error,
        ("Unexplained", "Failed"),
        faults={"Plan": [CRASH], "Explain": [CRASH]},
        before=["train"],
    ),
    "transform: Explain fails at the end": Scenario(
        "transform",
        CRASH.error,
        ("UnexplainedOfScores", "FailedOfScores"),
        faults={"Publish": [CRASH], "ExplainOfScores": [CRASH]},
        before=["train"],
    ),
    "transform: job fails": Scenario(
        "transform",
        "TransformJobError",
        ("DiscardModel", *EXPLAINED),
        faults={"Transform": [job_failed("ClientError: bad", "TransformJob")]},
        before=["train"],
    ),
    "transform: answer lost": Scenario(
        "transform",
        through=("WaitForAdopted", "Adopted", "DeleteModel", "Publish"),
        faults={"Transform": MADE},
        before=["train"],
        account=_says("TransformJob", AT_WORK),
    ),
    "transform: answer lost, job fails": Scenario(
        "transform",
        "TransformJobError",
        ("AdoptedFailed", "DiscardModel", *EXPLAINED),
        faults={"Transform": MADE},
        before=["train"],
        account=_says("TransformJob", ("Failed", "ClientError: bad")),
    ),
    "transform: model is gone": Scenario(
        "transform",
        through=("IsModelGone", "Scores", "Publish"),
        faults={"DeleteModel": [TaskError(SDK_FAULT.error, "Could not find model")] * 5},
        before=["train"],
    ),
    "transform: model stays": Scenario(
        "transform",
        SDK_FAULT.error,
        OF_SCORES,
        faults={"DeleteModel": [SDK_FAULT] * 5},
        before=["train"],
    ),
}
SERVING = {
    "serves": Scenario(
        "endpoint",
        through=("Pause", "Smoke", "Clean", "Tell"),
        before=["train"],
    ),
    "serves: no model": Scenario("endpoint", through=("Phase",)),
    "serves: unchanged": Scenario("endpoint", through=("Phase",), before=["train", "endpoint"]),
    "serves: the model does not answer": Scenario(
        "endpoint", through=("Smoke", "DoesItAnswer", "Deploy", "Clean"), before=["train"], account=_silent
    ),
    "serves: does not start": Scenario("endpoint", "EndpointError", TOLD, before=["train"], account=_broken),
    "serves: Deploy throttled": Scenario(
        "endpoint",
        faults={"Deploy": [None, THROTTLED]},
        before=["train"],
    ),
    "serves: Clean fails": Scenario(
        "endpoint",
        through=("Tell",),
        faults={"Clean": [CRASH]},
        before=["train"],
    ),
    "serves: Tell retried": Scenario(
        "endpoint",
        faults={"Tell": [CRASH] * 8},
        before=["train"],
    ),
    "serves: Tell exhausted": Scenario(
        "endpoint",
        CRASH.error,
        TOLD,
        faults={"Tell": [CRASH] * 9},
        before=["train"],
    ),
    "serves: Smoke fails": Scenario(
        "endpoint",
        CRASH.error,
        TOLD,
        faults={"Smoke": [CRASH]},
        before=["train"],
    ),
    "serves: redriven": Scenario(
        "endpoint",
        through=("Failed", "Redriven", "Deploy", "Tell"),
        redriven={"Smoke": [CRASH]},
        before=["train"],
    ),
    "serves: Explain fails": Scenario(
        "endpoint",
        CRASH.error,
        ("Unexplained", "TellFailure", "Failed"),
        faults={"Smoke": [CRASH], "Explain": [CRASH]},
        before=["train"],
    ),
    "scaled: Explain fails": Scenario(
        "scaled",
        CRASH.error,
        ("Unexplained", "TellFailure", "Failed"),
        faults={"Scale": [CRASH], "Explain": [CRASH]},
        before=["train"],
    ),
    "scaled: redriven": Scenario(
        "scaled",
        through=("Failed", "Redriven", "Scale", "Tell"),
        redriven={"Scale": [CRASH]},
        before=["train"],
    ),
    "scaled": Scenario(
        "scaled",
        through=("Smoke", "Scale", "Clean"),
        before=["train"],
    ),
    "scaled: Scale fails": Scenario(
        "scaled",
        CRASH.error,
        TOLD,
        faults={"Scale": [CRASH]},
        before=["train"],
    ),
}
SCENARIOS = {**TRAINING, **AFTER_TRAINING, **SCORING, **SERVING}
