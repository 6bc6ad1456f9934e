"""The base of the ten algorithms: hyperparameters in, checked together and against the data, strings out."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, Self

from amazon_estimators.algorithms.channel_rules import RECORDIO, ChannelRule
from amazon_estimators.algorithms.common_rules import common_findings
from amazon_estimators.algorithms.filled_in import Fill, filling
from amazon_estimators.algorithms.inference import Inference
from amazon_estimators.algorithms.instances import Instances, types_of
from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators.algorithms.rules import Caution, DataRule, FieldRule, Finding, Problem
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.algorithms.training_images import train_image
from amazon_estimators.errors import HyperparameterError, InstanceError
from amazon_estimators.hyperparameters.hyperparameter import (
    Hyperparameter,
    HyperparameterWarning,
    container_setting,
)
from amazon_estimators.hyperparameters.other_names import OTHER_NAMES
from amazon_estimators.text import nearest, shown

if TYPE_CHECKING:
    from amazon_estimators.record_sets.record_set import RecordSet

MAX_HYPERPARAMETERS = 100
"""The most hyperparameters CreateTrainingJob takes."""

DOCUMENTED = "the algorithm's hyperparameters: required, with the documented range"


class Algorithm:
    """Hyperparameters of one first-party algorithm, valid by construction.

    Keyword arguments are the service's names, or the attribute names of the SageMaker Python SDK 2; None
    leaves a hyperparameter unset. What ``fit_to`` fills in from the data may be left out. Raises
    HyperparameterError with every problem found; what has no effect under the other settings is a
    HyperparameterWarning.
    """

    repo_name: ClassVar[str]
    repo_version: ClassVar[str] = "1"
    documentation: ClassVar[str]
    """Where AWS documents the hyperparameters."""
    encoding: ClassVar[Literal["recordio", "jsonlines", "csv"]] = "recordio"
    content_type: ClassVar[str] = RECORDIO
    """Content type of the encoded shards of data channels."""
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64")
    """The tensor types it reads."""
    channels: ClassVar[Mapping[str, ChannelRule]]
    instances: ClassVar[Instances]
    inference: ClassVar[Inference]
    metrics: ClassVar[tuple[Metric, ...]] = ()
    rules: ClassVar[tuple[FieldRule, ...]] = ()
    data_rules: ClassVar[tuple[DataRule, ...]] = ()
    counts_words: ClassVar[bool] = False
    """True if each feature counts how often a word occurs in a document: whole numbers, none negative."""
    fills: ClassVar[Mapping[str, Fill]] = filling()
    """What ``fit_to`` sets if the user did not, from the data."""
    container_settings: ClassVar[tuple[str, ...]] = ()
    """Hyperparameters the container takes but AWS does not document; they are passed on unchecked."""

    _declarations: ClassVar[Mapping[str, Hyperparameter[Any]]]
    _names: ClassVar[Mapping[str, Hyperparameter[Any]]]
    """Every name a hyperparameter may be given by."""

    def __init_subclass__(cls) -> None:
        for name in vars(cls).get("container_settings", ()):
            setattr(cls, name, container_setting(name))
        declared = {
            name: value
            for base in reversed(cls.__mro__)
            for name, value in vars(base).items()
            if isinstance(value, Hyperparameter)
        }
        aliases = {value.alias: value for value in declared.values() if value.alias}
        cls._declarations = MappingProxyType(declared)
        cls._names = MappingProxyType({**aliases, **declared})

    def __init__(self, /, **hyperparameters: Any) -> None:
        self._values: dict[str, Any] = {}
        problems: list[str] = []
        refused = set()
        for name, value in hyperparameters.items():
            declared = self._declared(name)
            if declared is None:
                problems.append(self._unknown(name))
            elif name != declared.name and declared.name in hyperparameters:
                problems.append(f"{name} is another name of {declared.name}: give one of them.")
            elif value is not None:
                try:
                    self._values[declared.name] = declared.read(value)
                except ValueError as error:
                    problems.append(str(error))
                    refused.add(declared.name)
        self._check([*problems, *self._missing(refused)], self._field_findings() if not problems else ())

    @classmethod
    def declared(cls) -> Mapping[str, Hyperparameter[Any]]:
        """Return the hyperparameters by the service's name, in the order they are declared."""
        return cls._declarations

    @classmethod
    def hyperparameter(cls, name: str) -> Hyperparameter[Any]:
        """Return the declaration of one hyperparameter; KeyError if there is none."""
        return cls._declarations[name]

    @property
    def values(self) -> Mapping[str, Any]:
        """Return the hyperparameters that have been set, by the service's name, as Python values."""
        return MappingProxyType(self._values)

    def effective(self, name: str) -> Any:
        """Return the value that will hold in training: the one set, or the documented default, or None."""
        return self._values.get(name, self.hyperparameter(name).default)

    def hyperparameters(self) -> dict[str, str]:
        """Return the set hyperparameters, spelt as CreateTrainingJob takes them."""
        return {
            name: declared.kind.spell(self._values[name])
            for name, declared in self.declared().items()
            if name in self._values
        }

    @classmethod
    def from_hyperparameters(cls, values: Mapping[str, str]) -> Self:
        """Read back what :meth:`hyperparameters` gave, or a training job's description has."""
        aliases = [name for name in values if name not in cls.declared()]
        if aliases:
            cls._fail([cls._unknown(name) for name in aliases])
        return cls(**values)

    @classmethod
    def of_job(cls, values: Mapping[str, str]) -> Self:
        """Return the hyperparameters of a job that ran, whatever they are.

        What would be refused here is kept as the text it is, with a warning; a name that is not known is left
        out, with a warning.
        """
        made = object.__new__(cls)
        made._values, cautions = {}, []
        for name, text in values.items():
            declared = cls._declarations.get(name)
            if declared is None:
                cautions.append(Caution(f"left out {name!r}, which it does not document."))
                continue
            try:
                made._values[name] = declared.read(text)
            except ValueError as error:
                made._values[name] = str(text)
                cautions.append(Caution(f"{error} The job was given it, so it is kept."))
        if not cautions:
            cautions = [Caution(finding) for finding in made._field_findings()]
        cls._check([], cautions)
        return made

    def override(self, values: Mapping[str, Any]) -> Self:
        """These hyperparameters with some replaced; None unsets one. The result is checked like a new one."""
        names = {(declared.name if (declared := self._declared(name)) else name) for name in values}
        kept = {name: value for name, value in self._values.items() if name not in names}
        return type(self)(**{**kept, **values})

    def assign(self, name: str, value: object) -> None:
        """Set one hyperparameter; unchanged if the result would not be valid."""
        self._values = self.override({name: value})._values

    def discard(self, name: str) -> None:
        """Unset one hyperparameter; ``fit_to`` complains if it is required."""
        self._values = {known: value for known, value in self._values.items() if known != name}

    @classmethod
    def check_instances(cls, instance_type: str | Sequence[str], instance_count: int) -> None:
        """Raise InstanceError if the algorithm does not train on these instances; warn of idle GPUs.

        ``instance_type`` is one type, or several of which any may be taken.
        """
        types = types_of(instance_type) or (str(instance_type),)
        problems = [
            text for instance_type in types for text in cls.instances.problems(instance_type, instance_count)
        ]
        if problems:
            raise InstanceError(f"{cls.__name__}: " + " ".join(dict.fromkeys(problems)))
        cls._check(
            [], [Caution(text) for instance_type in types for text in cls.instances.cautions(instance_type)]
        )

    def fit_to(
        self,
        record_sets: Mapping[str, RecordSet],
        *,
        instance_count: int,
        instance_type: str | Sequence[str] | None = None,
    ) -> Self:
        """These hyperparameters completed from the data, checked against them.

        ``record_sets`` is by channel. ``instance_type`` lets rules look at it that need it. Raises
        HyperparameterError with every problem found.
        """
        filled, findings = self.findings(Data(record_sets, instance_count, instance_type))
        self._check([], findings)
        return filled

    def findings(self, data: Data) -> tuple[Self, list[Finding]]:
        """Return these hyperparameters completed from the data, and all errors and warnings about them."""
        findings: list[Finding] = [Problem(text, source=DOCUMENTED) for text in self._missing(set())]
        findings += common_findings(self, data)
        if "train" not in data.record_sets:
            return self, findings
        filled = object.__new__(type(self))
        filled._values = dict(self._values)
        for name, fill in self.fills.items():
            if name not in self._values:
                try:
                    filled._values[name] = self.hyperparameter(name).read(fill(data))
                except ValueError as error:
                    findings.append(Problem(str(error), source=DOCUMENTED))
        for rule in self.data_rules:
            findings += rule(filled, data)
        return filled, findings

    @classmethod
    def train_image(cls, region: str) -> str:
        """Return the training image's URI; RegionError listing the regions that have one."""
        return train_image(cls.repo_name, cls.repo_version, region)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self._values.items())
        return f"{type(self).__name__}({values})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Algorithm) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]  # hyperparameters can be set, so there is no lasting hash

    @classmethod
    def _declared(cls, name: str) -> Hyperparameter[Any] | None:
        return cls._names.get(name)

    @classmethod
    def nearest(cls, name: str) -> str | None:
        """Return the hyperparameter that an unknown name means; None if none is near."""
        # What AWS does not document is suggested only to those who ask for it, as _wd.
        known = [known for known in cls._names if name.startswith("_") or not known.startswith("_")]
        return nearest(name, known, others=OTHER_NAMES)

    @classmethod
    def _unknown(cls, name: str) -> str:
        near = cls.nearest(name)
        hint = f"did you mean {near!r}?" if near else f"it takes {', '.join(cls.declared())}."
        return f"{cls.__name__} has no hyperparameter {shown(name)}: {hint}"

    def _missing(self, refused: set[str]) -> Iterator[str]:
        for name, declared in self.declared().items():
            if declared.required and name not in self.fills and name not in {*self._values, *refused}:
                yield f"{name} is required: give {declared.kind.expecting}."

    def _field_findings(self) -> Iterator[Finding]:
        for rule in self.rules:
            yield from rule(self)
        if len(self._values) > MAX_HYPERPARAMETERS:
            yield Problem(
                f"{len(self._values)} are set; a training job takes {MAX_HYPERPARAMETERS} at most.",
                source="API_CreateTrainingJob: HyperParameters, at most 100 items",
            )

    @classmethod
    def _check(cls, problems: list[str], findings: Iterable[Finding]) -> None:
        cautions: list[str] = []
        for finding in findings:
            (cautions if isinstance(finding, Caution) else problems).append(finding)
        if problems:
            cls._fail(problems)
        for caution in cautions:
            warnings.warn(f"{cls.__name__}: {caution}", HyperparameterWarning, _callers_level())

    @classmethod
    def _fail(cls, problems: list[str]) -> NoReturn:
        if len(problems) == 1:
            error = HyperparameterError(f"{cls.__name__}: {problems[0]}")
        else:
            lines = "".join(f"\n- {problem}" for problem in problems)
            error = HyperparameterError(
                f"{cls.__name__}: {len(problems)} problems with its hyperparameters{lines}"
            )
        error.problems = tuple(problems)
        raise error


def _callers_level() -> int:
    """Return the ``stacklevel`` of the line outside this package that a warning is about."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("amazon_estimators."):
        level, frame = level + 1, frame.f_back
    return level
