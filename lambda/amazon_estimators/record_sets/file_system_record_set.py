"""A RecordSet on a file system in the training job's VPC instead of on S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amazon_estimators.errors import RequestError
from amazon_estimators.record_sets.record_set import RecordSet


@dataclass
class FileSystemRecordSet:
    """Describes records on EFS or FSx for Lustre. Its attributes can be set.

    ``file_system_type`` is ``"EFS"`` or ``"FSxLustre"``, ``directory_path`` absolute or normalized,
    ``file_system_access_mode`` ``"ro"`` (the default) or ``"rw"``. ``content_type`` is the media type of the
    files. Default: that of the algorithm's channel. Training on it needs ``subnets`` and
    ``security_group_ids``.
    """

    file_system_id: str
    file_system_type: str
    directory_path: str
    num_records: int
    feature_dim: int
    file_system_access_mode: str = "ro"
    channel: str = "train"
    content_type: str = ""

    def __post_init__(self) -> None:
        for name, allowed in (
            ("file_system_type", ("EFS", "FSxLustre")),
            ("file_system_access_mode", ("ro", "rw")),
        ):
            if getattr(self, name) not in allowed:
                raise RequestError(f"{name} is {getattr(self, name)!r}; allowed: {', '.join(allowed)}")

    def data_channel(self) -> dict[str, Any]:
        """Return this RecordSet as one element of CreateTrainingJob's ``InputDataConfig``."""
        return {"ChannelName": self.channel, **self.file_system_source()}

    def file_system_source(self) -> dict[str, Any]:
        """Return :meth:`data_channel` without the channel's name."""
        return {
            **({"ContentType": self.content_type} if self.content_type else {}),
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
        """Return the RecordSet that the checks of hyperparameters against data look at."""
        return RecordSet(
            "",
            self.num_records,
            self.feature_dim,
            channel=self.channel,
            distribution=distribution,
            content_type=self.content_type,
        )
