"""Score one shard: its predictions, in the order of the input's rows, become one part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from amazon_estimators.errors import PredictionsError
from amazon_estimators.inference import Predictions
from amazon_estimators.logs import note
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.scoring.answers import by_numpy, by_transform
from amazon_estimators.scoring.keys import CHANNEL, part_key, part_receipt_key
from amazon_estimators.scoring.schema import classes_of, trained_on
from amazon_estimators.scoring.settings import CSV, NUMPY, PARQUET, ScoringSettings
from amazon_estimators.scoring.tables import (
    CONTENT_TYPES,
    Column,
    CsvWriter,
    JsonLinesWriter,
    Writer,
    columns_of,
)
from amazon_estimators.storage.documents import put_document
from amazon_estimators.storage.multipart_upload import upload
from amazon_estimators.storage.s3 import read_object

if TYPE_CHECKING:
    from amazon_estimators.scoring.kept import Rows

RECEIPT_SCHEMA = "part/1"


def score_shard(s3: Any, settings: ScoringSettings, item: Mapping[str, Any]) -> None:
    """Write the part of one shard, then a receipt of it. Repeated, it writes the same to the same keys.

    Args:
        s3: A client.
        settings: The pipeline.
        item: ``plan`` and ``model`` of the execution, and an item of what :func:`seal_scoring` listed.

    Raises:
        PredictionsError: There are not as many predictions as rows.
        ModelError: The model cannot be read.
        RecordSetError: The RecordSet it was trained on is no longer there.
    """
    planned, shard = item["plan"], item["shard"]
    plan = Plan.load(s3, planned["bucket"], planned["prefix"])
    kept = None
    if settings.keep:
        from amazon_estimators.scoring.kept import Rows, read_kept  # noqa: PLC0415 - loads the table reader

        typed = settings.format == PARQUET
        kept = Rows(read_kept(s3, plan, settings.keep, item["offset"], item["length"], typed=typed))
    classes = classes_of(trained_on(s3, item["model"]["record_set"]))
    predictions = (block.with_classes(classes) for block in _predictions(s3, settings, plan, item))
    part = _Part(predictions, kept, settings.format)
    key = part_key(planned["output"], shard, settings.format)
    stored = upload(s3, plan.bucket, key, part, CONTENT_TYPES[settings.format])
    note(rows=part.rows, bytes=stored.size)
    if part.rows != item["rows"]:
        raise PredictionsError(f"shard {shard} has {item['rows']:,} rows and {part.rows:,} predictions")
    receipt = {**vars(stored), "rows": part.rows, "columns": [asdict(column) for column in part.columns]}
    where = part_receipt_key(plan.prefix, planned["attempt"], shard)
    put_document(s3, plan.bucket, where, RECEIPT_SCHEMA, receipt)


def _predictions(
    s3: Any, settings: ScoringSettings, plan: Plan, item: Mapping[str, Any]
) -> Iterator[Predictions]:
    if settings.engine == NUMPY:
        shard = read_object(s3, plan.bucket, plan.shard_key(CHANNEL, item["shard"]))
        return by_numpy(s3, settings.algorithm, item["model"], shard)
    name = plan.shard_file(CHANNEL, item["shard"])
    return by_transform(s3, settings.algorithm, plan.bucket, item["plan"]["answers"], name)


class _Part:
    """The bytes of a part, a block of rows at a time; once read, its rows and columns are known."""

    def __init__(self, predictions: Iterator[Predictions], kept: Rows | None, format_name: str) -> None:
        self._predictions, self._kept, self._writer = predictions, kept, _writer(format_name)
        self.rows = 0
        self.columns: list[Column] = []

    def __iter__(self) -> Iterator[bytes]:
        for predictions in self._predictions:
            self.rows += predictions.rows
            beside = self._kept.take(predictions.rows) if self._kept else {}
            self.columns = self.columns or columns_of(beside, predictions)
            yield self._writer.block(beside, predictions)
        if self._kept:
            self._kept.check_end()
        yield self._writer.end()


def _writer(format_name: str) -> Writer:
    if format_name == PARQUET:
        from amazon_estimators.scoring.parquet_table import ParquetWriter  # noqa: PLC0415 - loads pyarrow

        return ParquetWriter()
    return CsvWriter() if format_name == CSV else JsonLinesWriter()
