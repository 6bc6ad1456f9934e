"""Save and load the plan of a RecordSet: what every shard is made of. Encode and Seal depend on nothing
else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from amazon_estimators.encodings import MODULES
from amazon_estimators.encodings.contract import PlannedChannel
from amazon_estimators.pipeline import keys
from amazon_estimators.record_sets.keys import files_root, shard_name
from amazon_estimators.sources import Piece
from amazon_estimators.storage.documents import (
    check_fields,
    fields_of,
    get_document,
    open_document,
    put_document,
    sealed_list,
)
from amazon_estimators.storage.multipart_upload import upload
from amazon_estimators.storage.s3 import read_object

JSON_LINES = "application/jsonlines"
PLAN_SCHEMA, PIECES_SCHEMA = "plan/1", "pieces/1"
REMEDY = "Start a new execution: Plan writes the file again, and finished shards are kept."


@dataclass(frozen=True)
class Shard:
    """A shard: its ``number`` over all channels, its ``index`` in its channel, and its line in
    pieces.jsonl."""

    number: int
    channel: str
    index: int
    offset: int
    length: int

    def item(self) -> str:
        """Return the item that the Map passes to Encode. It is small, however many pieces the shard has."""
        return json.dumps({"shard": self.number, "offset": self.offset, "length": self.length}) + "\n"


@dataclass(frozen=True)
class Plan:
    """The plan of a RecordSet: its location, the data set version it is made of and its channels by name."""

    bucket: str
    prefix: str
    fingerprint: str
    data_set: str
    channels: Mapping[str, PlannedChannel]

    @property
    def shards(self) -> int:
        return sum(channel.shards for channel in self.channels.values())

    def root(self, channel: str) -> str:
        """Return the key prefix of a channel's shards, record_set.json and manifest."""
        return keys.channel_root(self.prefix, channel)

    def shards_root(self, channel: str) -> str:
        """Return the key prefix of a channel's shards. Auxiliary files have their own: users choose their
        names."""
        root = self.root(channel)
        return root if self.channels[channel].names is None else files_root(root)

    def shard_file(self, channel: str, index: int) -> str:
        """Return the file name of a shard, the only part of its key that a training container sees."""
        planned = self.channels[channel]
        return shard_name(planned.encoding, index) if planned.names is None else planned.names[index]

    def shard_key(self, channel: str, index: int) -> str:
        return self.shards_root(channel) + self.shard_file(channel, index)

    def save(self, s3: Any, pieces: Mapping[str, Iterable[Iterable[Piece]]]) -> list[Shard]:
        """Write pieces.jsonl as the pieces are produced, then plan.json; return the shards.

        Saving again writes the same bytes.
        """
        shards: list[Shard] = []
        key = keys.pieces_key(self.prefix)
        text = _lines(pieces, shards, place=f"s3://{self.bucket}/{key}")
        upload(s3, self.bucket, key, text, JSON_LINES)
        channels = {name: channel.to_dict() for name, channel in self.channels.items()}
        plan = {"fingerprint": self.fingerprint, "data_set": self.data_set, "channels": channels}
        put_document(s3, self.bucket, keys.plan_key(self.prefix), PLAN_SCHEMA, plan)
        return shards

    @classmethod
    def load(cls, s3: Any, bucket: str, prefix: str) -> Self:
        """Read a plan that :meth:`save` wrote. Raises DamagedFileError if it was edited."""
        key = keys.plan_key(prefix)
        values = get_document(s3, bucket, key, PLAN_SCHEMA, remedy=REMEDY)
        with fields_of(f"s3://{bucket}/{key}", remedy=REMEDY):
            check_fields(cls, values, beside={"channels"})
            channels = {name: PlannedChannel.from_dict(one) for name, one in values["channels"].items()}
            if unknown := {channel.encoding for channel in channels.values()} - MODULES.keys():
                raise ValueError(f"there is no encoding {', '.join(unknown)}")
            return cls(bucket, prefix, values["fingerprint"], values["data_set"], channels)

    def read_shard(self, s3: Any, offset: int, length: int) -> tuple[str, int, list[Piece]]:
        """Return (channel, index in the channel, pieces) of a shard, from its line in pieces.jsonl.

        Raises DamagedFileError if the line was edited.
        """
        key = keys.pieces_key(self.prefix)
        text = read_object(s3, self.bucket, key, start=offset, length=length)
        uri = f"s3://{self.bucket}/{key}, bytes {offset} to {offset + length - 1},"
        place = f"s3://{self.bucket}/{key}"
        line = open_document(text, PIECES_SCHEMA, uri=uri, place=place, remedy=REMEDY)
        with fields_of(uri, remedy=REMEDY):
            check_fields(Shard, line)
            return line["channel"], line["index"], [Piece.from_dict(piece) for piece in line["pieces"]]


def _lines(
    pieces: Mapping[str, Iterable[Iterable[Piece]]], shards: list[Shard], *, place: str
) -> Iterator[bytes]:
    """Yield the lines of pieces.jsonl, piece by piece, and add the shard of each to ``shards``."""
    offset = 0
    for channel, shards_of_channel in pieces.items():
        for index, parts in enumerate(shards_of_channel):
            length = 0
            values = {"channel": channel, "index": index}
            members = (piece.to_dict() for piece in parts)
            for text in sealed_list(PIECES_SCHEMA, values, "pieces", members, place=place):
                length += len(text)  # json.dumps writes ASCII
                yield text.encode()
            yield b"\n"
            shards.append(Shard(len(shards), channel, index, offset, length))
            offset += length + 1
