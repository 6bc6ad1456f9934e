"""A RecordSet that lies on a file system of the training job's VPC instead of S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amazon_estimators.errors import RequestError
from amazon_estimators.record_sets.record_set import RecordSet


@dataclass(frozen=True)
class FileSystemRecordSet:
    """RecordIO-protobuf files on EFS or FSx for Lustre.

    ``file_system_type`` is ``"EFS"`` or ``"FSxLustre"``, ``directory_path`` absolute,
    ``file_system_access_mode`` ``"ro"`` (the default) or ``"rw"``. Training on it needs ``subnets`` and
    ``security_group_ids``.
    """

    file_system_id: str
    file_system_type: str
    directory_path: str
    num_records: int
    feature_dim: int
    file_system_access_mode: str = "ro"
    channel: str = "train"

    def __post_init__(self) -> None:
        for name, allowed in (
            ("file_system_type", ("EFS", "FSxLustre")),
            ("file_system_access_mode", ("ro", "rw")),
        ):
            if getattr(self, name) not in allowed:
                raise RequestError(f"{name} is {getattr(self, name)!r}; allowed: {', '.join(allowed)}")
        if not self.directory_path.startswith("/"):
            raise RequestError(
                f"directory_path is {self.directory_path!r}; expecting an absolute path, from /"
            )

    def data_channel(self) -> dict[str, Any]:
        """This RecordSet as one element of CreateTrainingJob's ``InputDataConfig``."""
        return {
            "ChannelName": self.channel,
            "ContentType": "application/x-recordio-protobuf",
            "DataSource": {
                "FileSystemDataSource": {
                    "FileSystemId": self.file_system_id,
                    "FileSystemType": self.file_system_type,
                    "DirectoryPath": self.directory_path,
                    "FileSystemAccessMode": self.file_system_access_mode,
                }
            },
        }

    def as_record_set(self, distribution: str) -> RecordSet:
        """Return the facts that hyperparameters are checked against."""
        return RecordSet(
            "", self.num_records, self.feature_dim, channel=self.channel, distribution=distribution
        )
