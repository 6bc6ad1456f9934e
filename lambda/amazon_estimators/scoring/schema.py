"""Read rows as training read them: the features by name, in training's order, without the label."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.algorithms.channel_rules import SHARDED, ChannelRule
from amazon_estimators.encodings.contract import PlannedChannel
from amazon_estimators.errors import RecordSetError, RequestError, SchemaError
from amazon_estimators.pipeline.channels import Channel
from amazon_estimators.record_sets.keys import record_set_key
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.scoring.keys import CHANNEL
from amazon_estimators.scoring.model import TRAINED_ON
from amazon_estimators.scoring.settings import ScoringSettings
from amazon_estimators.sources import Source
from amazon_estimators.sources.formats import FORMATS
from amazon_estimators.storage.s3 import is_there, read_object
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.text import listed

MOST_NAMED = 8


def trained_on(s3: Any, manifest: str) -> RecordSet:
    """Return the RecordSet that a model was trained on, by the URI of its manifest.

    Raises:
        RecordSetError: It is no longer there, so nobody can tell which features the model takes.
    """
    place = Place.of(manifest, what="manifest").beside("")
    key = record_set_key(place.key)
    if not is_there(s3, place.bucket, key):
        raise RecordSetError(
            f"s3://{place.bucket}/{key} is no longer there: it names the features of the model",
            remedy="Train again. A record_set_expiration longer than models are in use keeps it.",
        )
    text = read_object(s3, place.bucket, key)
    return StoredRecordSet.from_json(text, f"s3://{place.bucket}/{key}", RecordSet).record_set


def classes_of(trained: RecordSet) -> tuple[str, ...]:
    """Return the words of the labels that a model was trained on; none if they are numbers."""
    return trained.read_as.classes if trained.read_as else ()


def rows_channel(settings: ScoringSettings, trained: RecordSet) -> Channel:
    """Return the channel of the rows to score.

    Raises:
        RequestError: How to read them cannot be told from how training read its input.
    """
    (given,) = settings.channels.values()
    rule = algorithm_named(settings.algorithm).channels[TRAINED_ON]
    return Channel(
        name=CHANNEL,
        prefix=given.prefix or "",
        source=rows_source(given, trained, has_own=settings.has_own_source),
        rule=ChannelRule(
            CHANNEL, required=True, content_type=rule.content_type, label="none", vectors=rule.vectors
        ),
        distribution=SHARDED,
        instances=1,
        of_other_files=True,
    )


def rows_source(given: Source, trained: RecordSet, *, has_own: bool) -> Source:
    """Return how rows are read whose features become those that a model was trained on.

    Args:
        given: How training reads its input; or, with ``has_own``, how these rows are read.
        trained: The RecordSet that the model was trained on.
        has_own: True if ``given`` is of these rows, so that its positions are theirs.

    Raises:
        RequestError: How to read them cannot be told from how training read its input.
    """
    # Every row gets a prediction, so none is left out: a gap that nothing fills is an error.
    label = given.label
    source = given.with_columns(lambda column: () if column == label else (column,), None)
    source = replace(source, drop_incomplete=False)
    names = _names(trained)
    if not has_own and any(isinstance(key, int) for key in source.rules.keys):
        raise _by_position("rules of the training Source go by position")
    if names is not None:
        return replace(source, features=names, exclude=())
    if not has_own and (given.features is not None or given.exclude):
        raise _by_position("training took features by position")
    if _has_option(source, "keep_labels"):
        source = replace(source, keep_labels=False)
    if trained.sparse and _has_option(source, "feature_count"):
        source = replace(source, feature_count=trained.feature_dim)
    return source


def _by_position(what: str) -> RequestError:
    return RequestError(
        f"{what}, in a table that had a label and other columns too: where they are in the rows to score is "
        "not known",
        remedy="Say where they are with a source for these rows, such as source=Source(features=[0, 1]).",
    )


def _names(trained: RecordSet) -> tuple[str, ...] | None:
    """Return the names of the columns that features are made of, if each has one of its own."""
    read_as = trained.read_as
    names = (read_as.columns or read_as.features) if read_as else None
    return names if names and all(names) and len(set(names)) == len(names) else None


def _has_option(source: Source, option: str) -> bool:
    """Return True if an option of a Source says something of its format, which may still be found out."""
    return source.format == "auto" or option in FORMATS[source.format].options


def check_features(trained: RecordSet, rows: PlannedChannel) -> None:
    """Raise SchemaError unless the rows have the features of the model, by name where they have names."""
    expected = trained.read_as.features if trained.read_as else None
    found = rows.read_as.features if rows.read_as else None
    if rows.schema.feature_dim != trained.feature_dim:
        named = f": {listed([*expected], MOST_NAMED)}" if expected else ""
        raise SchemaError(
            f"the rows have {rows.schema.feature_dim:,} features; the model was trained on "
            f"{trained.feature_dim:,}{named}",
            remedy="Give the rows the features of training, in its order. A column that is none of them is "
            "left out by the PredictionPipeline's source, such as source=Source(exclude=[0]).",
        )
    if expected and found and expected != found:
        at = next(at for at, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1])
        raise SchemaError(
            f"feature {at} of the rows is {found[at]!r}; the model was trained on {expected[at]!r} there",
            remedy="Give the rows the features of training, by their names.",
        )
