"""Open the shards of a channel, and decide their number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from amazon_estimators.algorithms.channel_rules import ChannelRule
from amazon_estimators.errors import InputError
from amazon_estimators.pipeline.sharding import cut_evenly, shard_count
from amazon_estimators.record_sets.keys import shard_name
from amazon_estimators.storage.multipart_upload import ObjectWriter, Uploads


class Shards:
    """The shards of a channel: each of the ``instances`` has its own; ``records`` counts the records of each
    shard."""

    def __init__(
        self,
        uploads: Uploads,
        prefix: str,
        rule: ChannelRule,
        *,
        encoding: str,
        instances: int,
        target_bytes: int,
    ) -> None:
        self._uploads, self._prefix, self._rule, self._encoding = uploads, prefix, rule, encoding
        self.instances = instances
        self.target_bytes = target_bytes
        self.writers: list[ObjectWriter] = []
        self.records: list[int] = []

    def open(self, name: str = "") -> ObjectWriter:
        """Open another shard, under the next name."""
        name = name or shard_name(self._encoding, len(self.writers))
        writer = self._uploads.open(self._prefix + name, self._rule.content_type)
        self.writers.append(writer)
        self.records.append(0)
        return writer

    def ranges(self, rows: int, output_bytes: int) -> Iterator[tuple[int, int, ObjectWriter]]:
        """Yield ``(start, stop, writer)`` for each shard of ``rows`` records, which take about
        ``output_bytes``."""
        self.check_rows(rows)
        count = shard_count(
            output_bytes=output_bytes, target_bytes=self.target_bytes, instance_count=self.instances
        )
        cuts = cut_evenly(rows, min(count, rows // self.instances * self.instances))
        for start, stop in pairwise(cuts):
            writer = self.open()
            yield start, stop, writer
            self.records[-1] = stop - start
            writer.close()

    def check_rows(self, rows: int) -> None:
        """Raise InputError if an instance would have no record."""
        if rows < self.instances:
            raise InputError(
                f"{rows} records for {self.instances} instances",
                remedy=(
                    "Every training instance needs at least one record: add data or lower instance_count."
                ),
            )
