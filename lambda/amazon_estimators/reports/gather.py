"""Gather the facts of a page from S3: of a training that has just ended, or of any training job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.costs.reckoning import Cost, instances_of
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.channel_origin import channel_origin
from amazon_estimators.pipeline.judge import reported_metrics
from amazon_estimators.pipeline.keys import channel_root
from amazon_estimators.record_sets.keys import manifest_key, profile_key
from amazon_estimators.record_sets.profiles.comparison import compare
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.reports.facts import ChannelFacts, ReportFacts, Step
from amazon_estimators.storage.s3 import is_there, read_object
from amazon_estimators.storage.s3_uri import Place

MOST_LIST_BYTES = 2**20
"""Bytes of the largest list of objects that is read for a page: some 15,000 objects."""
ENDED = ("Completed", "Failed", "Stopped")
FIRST = "There is no earlier training to compare with."
SAME = "The data is that of the last training."


def training_facts(
    s3: Any,
    job: Mapping[str, Any],
    *,
    title: str,
    about: Mapping[str, object],
    algorithm: type[Algorithm] | None,
    cost: Cost,
    warnings: Sequence[str] = (),
    verdict: Mapping[str, Any] | None = None,
    trainings: Sequence[Mapping[str, Any]] = (),
    began: str | None = None,
    ended: str | None = None,
) -> ReportFacts:
    """Return the facts about a training. What cannot be read is a warning; nothing raises an error of ours.

    Args:
        s3: A client.
        job: DescribeTrainingJob's answer.
        title: The title of the page.
        about: Facts that the job does not have, by name.
        algorithm: The algorithm; None if it is not one of the library's.
        cost: What the training cost.
        warnings: The warnings of Model Trained.
        verdict: What the gate said; None without a gate.
        trainings: What is kept of the pipeline's trainings, oldest first.
        began: When the execution began; None if unknown.
        ended: When it is about to end; None if unknown.
    """
    name = job["TrainingJobName"]
    earlier = [one for one in trainings if one.get("job") != name and _before(one, job)]
    last = earlier[-1] if earlier else None
    instance_type, count = instances_of(job)
    return ReportFacts(
        title=title,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        about={
            **about,
            "algorithm": algorithm.__name__ if algorithm else None,
            "training job": name,
            "model": (job.get("ModelArtifacts") or {}).get("S3ModelArtifacts"),
            "image": (job.get("AlgorithmSpecification") or {}).get("TrainingImage"),
            "instances": f"{count} x {instance_type}" if instance_type else None,
            "billable seconds": job.get("BillableTimeInSeconds"),
            "cost": str(cost),
        },
        warnings=warnings,
        channels=[channel_facts(s3, channel, last) for channel in job.get("InputDataConfig") or ()],
        algorithm=algorithm,
        hyperparameters=job.get("HyperParameters") or {},
        metrics=reported_metrics(job),
        verdict=verdict,
        trainings=earlier,
        current=_current(verdict, earlier),
        steps=[*steps_of(job, began=began, ended=ended, cost=cost)],
        cost=str(cost),
        job=name,
        model=(job.get("ModelArtifacts") or {}).get("S3ModelArtifacts"),
    )


def channel_facts(s3: Any, channel: Mapping[str, Any], last: Mapping[str, Any] | None) -> ChannelFacts:
    """Return the facts about a channel of a training job, compared with that of the ``last`` training."""
    name = channel["ChannelName"]
    origin = channel_origin(s3, channel, most_bytes=MOST_LIST_BYTES)
    missing = [origin.missing] if origin.missing else []
    record_set = origin.stored.record_set if origin.stored else None
    if record_set is None:
        return ChannelFacts(name=name, origin=origin, missing=tuple(missing))
    place = Place.of(origin.record_set, what="channel")
    profile, problem = read_profile(s3, place)
    before, against = None, FIRST
    root = (last or {}).get("record_set")
    if profile is not None and isinstance(root, str):
        earlier = Place.of(root, what="RecordSet")
        manifest = Place(earlier.bucket, manifest_key(channel_root(earlier.key, name)))
        before, against = _before_of(s3, place, manifest, last or {})
    comparison = None
    if before is not None and profile is not None:
        try:
            comparison = compare(before, profile)
        except AmazonEstimatorsError as error:
            before, against = None, f"It cannot be compared with the last training: {error.message}."
    return ChannelFacts(
        name=name,
        record_set=record_set,
        profile=profile,
        before=before,
        comparison=comparison,
        against=against if profile is not None else "",
        origin=origin,
        missing=(*missing, *([problem] if problem else [])),
    )


def read_profile(s3: Any, manifest: Place) -> tuple[ProfileDocument | None, str]:
    """Return the profile beside a manifest, or None and why it cannot be read: empty if there is none."""
    place = Place(manifest.bucket, profile_key(manifest.beside("").key))
    try:
        if not is_there(s3, place.bucket, place.key):
            return None, ""
        return ProfileDocument.from_json(read_object(s3, place.bucket, place.key), place.uri), ""
    except AmazonEstimatorsError as error:
        return None, error.message


def _before_of(
    s3: Any, now: Place, before: Place, last: Mapping[str, Any]
) -> tuple[ProfileDocument | None, str]:
    """Return the profile of the last training's channel, and what to say of it."""
    if now == before:
        return None, SAME
    profile, problem = read_profile(s3, before)
    if profile is None:
        return None, f"The last training's profile is not there. {problem}".strip()
    return profile, f"Compared with the last training, {last.get('job')} at {last.get('at')}."


def _before(training: Mapping[str, Any], job: Mapping[str, Any]) -> bool:
    """Return True if a training ended before a job was created: a page may be made long afterwards."""
    created = moment(job.get("CreationTime"))
    return created is None or str(training.get("at")) < created.isoformat(timespec="milliseconds")


def _current(
    verdict: Mapping[str, Any] | None, earlier: Sequence[Mapping[str, Any]]
) -> tuple[str, Mapping[str, float]] | None:
    """Return the job and metrics of the model in use before: as the gate compared it, else the last good
    one."""
    compared = (verdict or {}).get("current")
    if compared:
        known = next((one.get("metrics") or {} for one in earlier if one.get("job") == compared["job"]), {})
        told = {} if compared.get("value") is None else {str((verdict or {})["metric"]): compared["value"]}
        return str(compared["job"]), {**known, **told}
    last = next((one for one in reversed(earlier) if one.get("good")), None)
    return None if last is None else (str(last["job"]), last.get("metrics") or {})


def steps_of(job: Mapping[str, Any], *, began: str | None, ended: str | None, cost: Cost) -> Iterator[Step]:
    """Yield the parts of an execution: before the job, the phases of the job, and after it."""
    start, stop = moment(began), moment(ended)
    created, done = moment(job.get("CreationTime")), moment(job.get("TrainingEndTime"))
    if start is not None and created is not None:
        yield Step(name="Plan, Encode and Seal", seconds=_between(start, created))
    phases = [*_phases(job.get("SecondaryStatusTransitions") or [])]
    seconds = job.get("TrainingTimeInSeconds")
    if created is not None and done is not None:
        seconds = _between(created, done)
    if seconds is not None:
        yield Step(name="Train", seconds=float(seconds), cost=str(cost))
        yield from phases
    if stop is not None and done is not None:
        yield Step(name="After training", seconds=_between(done, stop))


def _phases(transitions: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Yield the phases of a training job, each until it ends or the next begins."""
    for number, phase in enumerate(transitions):
        if phase.get("Status") in ENDED:
            continue  # its end, which takes no time
        following = transitions[number + 1].get("StartTime") if number + 1 < len(transitions) else None
        first, last = moment(phase.get("StartTime")), moment(phase.get("EndTime") or following)
        if first is not None and last is not None:
            yield Step(name=str(phase["Status"]), seconds=_between(first, last), of="Train")


def _between(first: datetime, last: datetime) -> float:
    return max(0.0, (last - first).total_seconds())


def moment(value: Any) -> datetime | None:
    """Return a time: as boto3 has it, as ISO 8601, or in milliseconds as Step Functions writes it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000, UTC)
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def algorithm_of_image(image: str) -> type[Algorithm] | None:
    """Return the algorithm that a training image runs; None if it is not one of the library's."""
    repository = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    return next((known for known in ALGORITHMS.values() if known.repo_name == repository), None)


def region_of_job(job: Mapping[str, Any]) -> str:
    """Return the region of a training job, by its ARN; empty without one."""
    return next(iter(str(job.get("TrainingJobArn") or "").split(":")[3:4]), "")
