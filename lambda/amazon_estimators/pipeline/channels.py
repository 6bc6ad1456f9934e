"""Combine the user's settings of each channel with the algorithm's requirements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import SHARDED, ChannelRule
from amazon_estimators.algorithms.label_rule import label_problem
from amazon_estimators.encodings import encoding_for, formats_for
from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline import keys
from amazon_estimators.sources import Source
from amazon_estimators.sources.formats import FORMATS
from amazon_estimators.sources.source import ALWAYS
from amazon_estimators.storage.input_files import InputFiles

PATTERNS = ("include", "skip")
OF_LINES = ("compression", *PATTERNS)
"""The options that apply to input without columns."""


@dataclass(frozen=True)
class Channel:
    """One channel: the location of its input, how to read it, and how its shards are distributed to
    instances."""

    name: str
    prefix: str
    source: Source
    rule: ChannelRule
    distribution: str
    instances: int
    """Training instances that share the shards; 1 if each gets all of them."""
    of_other_files: bool = False
    """True if the source was made for other files, so that options of their formats may mean nothing."""

    @property
    def files(self) -> InputFiles:
        """Return the rule that decides which objects under the prefix are input."""
        return InputFiles(self.prefix, self.source.include, self.source.skip)

    @property
    def encoding(self) -> str:
        return encoding_for(self.rule.content_type)

    def identity(self) -> list[object]:
        """Return the settings that shards and manifest depend on: part of a RecordSet's fingerprint."""
        return [
            self.name,
            self.rule.content_type,
            self.distribution,
            self.instances,
            {**self.source.to_dict(), "prefix": self.prefix},
        ]


def channels_of(
    algorithm: type[Algorithm],
    sources: Mapping[str, Source],
    distributions: Mapping[str, str],
    *,
    instance_count: int,
    prefix: str,
) -> dict[str, Channel]:
    """Return the channels by name. Raises RequestError, with all problems, if the algorithm refuses any."""
    problems = list(_problems(algorithm, sources, distributions))
    if problems:
        raise RequestError(
            f"{algorithm.__name__}: {'; '.join(problems)}", remedy="Change the channels of the pipeline."
        )
    channels = {}
    for name, source in sources.items():
        rule = algorithm.channels[name]
        distribution = distributions.get(name, rule.distribution)
        channels[name] = Channel(
            name=name,
            prefix=keys.input_prefix(prefix, name) if source.prefix is None else source.prefix,
            source=source,
            rule=rule,
            distribution=distribution,
            instances=instance_count if distribution == SHARDED else 1,
        )
    return channels


def _problems(
    algorithm: type[Algorithm], sources: Mapping[str, Source], distributions: Mapping[str, str]
) -> Iterator[str]:
    for name, rule in algorithm.channels.items():
        if rule.required and name not in sources:
            yield f"channel {name} is required: pass a Source"
    for name, source in sources.items():
        if name not in algorithm.channels:
            yield f"there is no channel {name!r}; allowed: {', '.join(algorithm.channels)}"
        else:
            yield from _misfits(algorithm.channels[name], source)
    for name, distribution in distributions.items():
        if name not in sources:
            yield f"distributions names {name!r}, which is not a channel of this pipeline"
        elif name in algorithm.channels and distribution not in algorithm.channels[name].distributions:
            allowed = " or ".join(algorithm.channels[name].distributions)
            yield f"channel {name} is distributed {distribution!r}; allowed: {allowed}"


def _misfits(rule: ChannelRule, source: Source) -> Iterator[str]:
    """Yield the options of a Source that a channel does not accept. With format ``"auto"`` only the input can
    show them."""
    formats = formats_for(encoding_for(rule.content_type))
    if source.format not in ("auto", *formats):
        allowed = ", ".join(("auto", *formats))
        yield f"channel {rule.name} does not read format {source.format!r}; allowed: {allowed}"
        return
    if not rule.vectors and (unused := unused_options(rule, source, ())):
        yield f"channel {rule.name} reads lines, to which these do not apply: {unused}"
    if problem := label_problem(rule, source, source.format):
        yield f"{problem.message}: {problem.remedy[0].lower()}{problem.remedy[1:].rstrip('.')}"


OF_DIRECTORIES = ("label", "classes", "features", "exclude")
"""Options that may name directories such as ``year=2024/``, whatever the format of the files in them."""


def unused_options(
    rule: ChannelRule, source: Source, formats: Iterable[str], *, directories: bool = False
) -> str:
    """Return the options of a Source, with their values, that mean nothing in a channel of these formats.

    Of a format without columns, those that name columns count if some name ``directories``.
    """
    applied: tuple[str, ...] = ALWAYS
    if not rule.vectors:
        applied = (
            "prefix",
            "format",
            *(OF_LINES if encoding_for(rule.content_type) != "files" else PATTERNS),
        )
    applied = (*applied, *(option for name in formats for option in FORMATS[name].options))
    if directories:
        applied = (*applied, *OF_DIRECTORIES)
    return ", ".join(
        f"{name} {value!r}" for name, value in source.explicit_options.items() if name not in applied
    )


def channel_options(algorithm: type[Algorithm], channel: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that apply to a channel. Raises RequestError if the algorithm reads no columns.

    In a channel that takes no label, the label's column is not a feature either: it is excluded.
    """
    rule = algorithm.channels.get(channel)
    if rule is None or not rule.vectors:
        columns = {name: value for name, value in options.items() if name not in OF_LINES}
        if columns and not any(one.vectors for one in algorithm.channels.values()):
            named = ", ".join(f"{name} {value!r}" for name, value in columns.items())
            raise RequestError(
                f"{algorithm.__name__} reads lines, which have no columns: there is nothing for {named}",
                remedy="Leave it out: what the algorithm takes, a label too, is in the line itself.",
            )
        return {name: value for name, value in options.items() if name in OF_LINES}
    if rule.label != "none" or "label" not in options:
        return dict(options)
    others = {name: value for name, value in options.items() if name != "label"}
    if "features" in options:
        return others
    return {**others, "exclude": [*options.get("exclude", ()), options["label"]]}
