"""RecordSets as programs use them: ``sagemaker.amazon.amazon_estimator``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amazon_estimators.record_sets import file_system_record_set, record_set
from amazon_estimators.sdk.inputs import file_system_input, training_input


@dataclass
class RecordSet(record_set.RecordSet):
    """Describes the shards of one channel on S3, with the methods of the SDK."""

    def data_channel(self) -> dict[str, Any]:  # the SDK's shape
        """Return the input of the channel by the channel's name."""
        return {self.channel: self.records_s3_input()}

    def records_s3_input(self) -> Any:
        """Return the RecordSet as a ``TrainingInput``."""
        return training_input(
            s3_data=self.s3_data,
            distribution=self.distribution,
            s3_data_type=self.s3_data_type,
            content_type=self.content_type or None,
        )


class FileSystemRecordSet(file_system_record_set.FileSystemRecordSet):
    """Describes records on a file system, with the attributes of the SDK."""

    @property
    def file_system_input(self) -> Any:
        """The channel as a ``FileSystemInput``. If you set one, it is used unchanged."""
        replaced = vars(self).get("_input")
        return replaced or file_system_input(
            file_system_id=self.file_system_id,
            file_system_type=self.file_system_type,
            directory_path=self.directory_path,
            file_system_access_mode=self.file_system_access_mode,
            content_type=self.content_type or None,
        )

    @file_system_input.setter
    def file_system_input(self, channel_input: Any) -> None:
        vars(self)["_input"] = channel_input

    def file_system_source(self) -> dict[str, Any]:
        """Return the channel of CreateTrainingJob without its name."""
        return dict(self.file_system_input.config)

    def data_channel(self) -> dict[str, Any]:
        """Return the input of the channel by the channel's name."""
        return {self.channel: self.file_system_input}
