"""What must hold after a soak: the starter's promises, told from the history of bucket and executions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

Content = frozenset[tuple[str, str]]
"""The objects of a prefix: key and version ID of each."""


@dataclass(frozen=True)
class Change:
    """A version of an object, or a deletion: then ``version`` is None. ``time`` is S3's."""

    key: str
    version: str | None
    time: datetime


@dataclass(frozen=True)
class Training:
    """An execution that a starter began.

    Attributes:
        name: Its name.
        began, ended: Its times; ``ended`` is None while it runs.
        status: How it stands.
        data_set: The version of its data.
        content: The objects of that version.
        jobs: The training jobs that completed for it.
    """

    name: str
    began: datetime
    ended: datetime | None
    status: str
    data_set: str
    content: Content
    jobs: int


def states_of(changes: Iterable[Change]) -> Mapping[str, list[tuple[datetime, str | None]]]:
    """Return the versions of each key, oldest first; its ``changes`` come newest first, as S3 lists them."""
    states: dict[str, list[tuple[datetime, str | None]]] = {}
    for change in changes:
        states.setdefault(change.key, []).insert(0, (change.time, change.version))
    return states


def could_be(states: Mapping[str, list[tuple[datetime, str | None]]], content: Content, at: datetime) -> bool:
    """Return True if this lay there at a time; at the very time of a change, before it or after it."""
    wanted = dict(content)
    if not wanted.keys() <= states.keys():
        return False
    for key, versions in states.items():
        allowed = {version for time, version in versions if time == at}
        before = [version for time, version in versions if time < at]
        allowed.add(before[-1] if before else None)
        if wanted.get(key) not in allowed:
            return False
    return True


def problems(
    changes: Sequence[Change], trainings: Sequence[Training], *, again: int = 0, current: bool = True
) -> list[str]:
    """Return what does not hold.

    Args:
        changes: Of the pipeline's input; of each key the newest first.
        trainings: Its executions, in the order of their start.
        again: How often somebody may have asked for the same data to be trained again.
        current: True if the current input was asked for at the end.
    """
    states, found = states_of(changes), []
    times = sorted({change.time for change in changes})
    since = times[0] if times else None
    for training in trainings:
        place = [
            at for at in times if since is not None and at >= since and could_be(states, training.content, at)
        ]
        if not place:
            found.append(f"{training.name} is on data that never lay there, or on older data than before")
        else:
            since = place[0]
        if training.ended is None:
            found.append(f"{training.name} still runs")
        if training.status == "SUCCEEDED" and training.jobs != 1:
            found.append(f"{training.name} has {training.jobs} completed training jobs")
    for first, second in pairwise(trainings):
        if first.ended is not None and second.began < first.ended:
            beside = (first.ended - second.began).total_seconds()
            found.append(f"{second.name} ran beside {first.name}, for {beside:.3f} seconds")
    done = Counter(training.data_set for training in trainings if training.status == "SUCCEEDED")
    repeated = {data_set: count for data_set, count in done.items() if count > 1}
    if sum(repeated.values()) - len(repeated) > again:
        found.append(f"trained more than once, though asked {again} times: {repeated}")
    newest = {key: versions[-1][1] for key, versions in states.items()}
    lies_there = frozenset((key, version) for key, version in newest.items() if version is not None)
    last = next((one for one in reversed(trainings) if one.status == "SUCCEEDED"), None)
    if current and lies_there and (last is None or last.content != lies_there):
        found.append(f"the current input is not what was trained last: {last and last.name} is")
    return found
