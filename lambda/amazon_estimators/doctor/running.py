"""Does what starts and runs a training work: functions, the starter's queue, this machine's clock?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from amazon_estimators.doctor.finding import Finding, error, ok, warning
from amazon_estimators.doctor.patient import Patient

LARGEST_SKEW_SECONDS = 300
"""AWS refuses a signature that is older: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html"""
NOTABLE_SKEW_SECONDS = 60


def functions(patient: Patient) -> Iterator[Finding]:
    """Are the Lambda functions there and ready?"""
    client = patient.client("lambda")
    own = [patient.starter["FunctionArn"]] if patient.starter else []
    ready = 0
    for arn in (*patient.functions, *own):
        name = arn.split(":")[6]
        try:
            state = client.get_function_configuration(FunctionName=arn).get("State", "Active")
        except ClientError as refused:
            if refused.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            state = "missing"
        # Lambda makes a function Inactive that has been idle, and active again with the next call.
        if state in ("Active", "Inactive"):
            ready += 1
        elif state == "Pending":
            yield warning(f"function {name} is Pending", "Wait until Lambda has made it.")
        else:
            yield error(f"function {name} is {state}", "Deploy the stack again.")
    if ready:
        yield ok(f"{ready} functions are ready")


def starter(patient: Patient) -> Iterator[Finding]:
    """Does the starter take messages from its queue, and are there dead letters?"""
    settings = patient.starter
    if settings is None:
        yield ok("no trigger: executions are started by hand")
        return
    mappings = patient.client("lambda").list_event_source_mappings(
        FunctionName=settings["FunctionArn"], EventSourceArn=settings["queue"]
    )["EventSourceMappings"]
    if any(mapping["State"] in ("Enabled", "Enabling", "Creating", "Updating") for mapping in mappings):
        yield ok("the starter takes messages from its queue")
    else:
        yield error(
            "the starter takes no messages from its queue: nothing is started",
            "".join(
                f"aws lambda update-event-source-mapping --uuid {mapping['UUID']} --enabled"
                for mapping in mappings
            )
            or "Deploy the stack again.",
        )
    dead = _messages(patient, settings["dead_letters"])
    if dead:
        yield warning(
            f"{dead:,} dead letters: requests for trainings that failed in the starter",
            "amazon-estimators dead-letters list, fix the cause, then dead-letters redrive.",
        )
    else:
        yield ok("no dead letters")


def clock(patient: Patient) -> Iterator[Finding]:
    """Does this machine's clock agree with AWS's?"""
    answer = patient.client("sts").get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs((now() - theirs).total_seconds())
    remedy = "Set the clock of this machine by NTP. Clocks of Lambda and SageMaker are AWS's own."
    if skew >= LARGEST_SKEW_SECONDS:
        yield error(f"this machine's clock is {skew:.0f} seconds off: AWS refuses what it signs", remedy)
    elif skew >= NOTABLE_SKEW_SECONDS:
        yield warning(f"this machine's clock is {skew:.0f} seconds off", remedy)
    else:
        yield ok("this machine's clock agrees with AWS")


def now() -> datetime:
    """Return the time by this machine."""
    return datetime.now(UTC)


def _messages(patient: Patient, queue_url: str) -> int:
    name = "ApproximateNumberOfMessages"
    answer = patient.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    return int(answer["Attributes"][name])
