"""The settings of a prediction pipeline, as its construct writes them, and the input of an execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.data_set import check_version
from amazon_estimators.pipeline.deployed_settings import check_names
from amazon_estimators.pipeline.settings import LONGEST_REASON, with_columns
from amazon_estimators.sources import Source
from amazon_estimators.text import shown

INPUT_KEYS = ("model", "data_set", "reason")
"""The keys of an execution input."""
NUMPY, TRANSFORM = "numpy", "transform"
ENGINES = (TRANSFORM, NUMPY)
CSV, JSON_LINES, PARQUET = "csv", "jsonlines", "parquet"
FORMATS = (CSV, JSON_LINES, PARQUET)
"""The formats of predictions."""
START_WITH = "Start the execution with {} or with the keys that docs/scoring.md names."


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The training pipeline whose models score.

    Attributes:
        data_bucket, prefix: Where it keeps the record of its model in use, and its RecordSets.
        models: The S3 URI that its models lie under.
        group: The model package group that says which model is in use; None without a registry.
    """

    data_bucket: str
    prefix: str
    models: str
    group: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScoringSettings:
    """One prediction pipeline.

    Attributes:
        pipeline: Its path.
        algorithm: The algorithm of its models.
        engine: ``"numpy"`` or ``"transform"``.
        data_bucket, prefix: Where its input, RecordSets and predictions lie.
        target_shard_bytes: The most bytes of a shard.
        channels: How the input is read, under the name of the one channel.
        has_own_source: True if the user said how the input is read; else it is read as training's was.
        keep: The columns of the input that stand beside the predictions.
        format: The format of predictions.
        trained: Where the models come from.
        job_name_prefix: The beginning of the names of its models and transform jobs.
        tags: Tags of transform jobs.
        columns: Bucket and key of the columns of the channel if they are too many for the definition.
    """

    pipeline: str
    algorithm: str
    engine: str
    data_bucket: str
    prefix: str
    target_shard_bytes: int
    channels: Mapping[str, Source]
    has_own_source: bool
    keep: Sequence[int | str]
    format: str
    trained: Trained
    job_name_prefix: str
    tags: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Raises RequestError for a setting that is missing or unknown."""
        check_names(cls, values, "pipeline")
        channels = {name: Source.from_dict(source) for name, source in values["channels"].items()}
        trained = Trained(**values["trained"])
        # A number that CloudFormation resolves arrives as a string.
        size = int(values["target_shard_bytes"])
        return cls(**{**values, "channels": channels, "trained": trained, "target_shard_bytes": size})

    def with_columns(self, s3: Any) -> Self:
        """Return the settings with all columns of their channel, which may lie on S3.

        Raises ServiceError or DamagedFileError if they cannot be read.
        """
        return replace(self, channels=with_columns(s3, self.channels, self.columns), columns=None)


def check_input(execution_input: object) -> Mapping[str, Any]:
    """Return the execution input. Raises RequestError for a key or a value that is not of one."""
    if not isinstance(execution_input, Mapping):
        raise RequestError(
            f"execution input is {shown(execution_input)}; allowed: a JSON object", remedy=START_WITH
        )
    unknown = sorted(set(execution_input) - set(INPUT_KEYS))
    if unknown:
        raise RequestError(
            f"execution input has {', '.join(map(shown, unknown[:10]))}; allowed: {', '.join(INPUT_KEYS)}",
            remedy=START_WITH,
        )
    if "data_set" in execution_input:
        check_version(execution_input["data_set"])
    for name, longest in (("model", 2_048), ("reason", LONGEST_REASON)):
        value = execution_input.get(name, "")
        if not isinstance(value, str) or len(value) > longest:
            raise RequestError(
                f"{name} is {shown(value)}; allowed: a text of up to {longest:,} characters",
                remedy="Shorten it or leave it out.",
            )
    return execution_input
