"""Channels as programs write them: ``sagemaker.inputs``."""

from __future__ import annotations

import sys
from typing import Any

from amazon_estimators.sdk.renamed import warn_renamed


class TrainingInput:
    """Describes a channel on S3; ``config`` is the channel of CreateTrainingJob without its name.

    Other arguments than these are those of CreateTrainingJob's ``Channel``. Default: none.

    Args:
        s3_data: URI of a prefix, or of a manifest.
        distribution: ``"FullyReplicated"`` or ``"ShardedByS3Key"``. Default: ``"FullyReplicated"``.
        compression: ``"Gzip"`` or None. Default: None.
        content_type: Media type, such as ``"text/csv;label_size=0"``. Default: that of the algorithm's
            channel.
        s3_data_type: ``"S3Prefix"``, ``"ManifestFile"`` or ``"AugmentedManifestFile"``. Default:
            ``"S3Prefix"``.
    """

    def __init__(  # noqa: PLR0917  # the SDK's order
        self,
        s3_data: str,
        distribution: str | None = None,
        compression: str | None = None,
        content_type: str | None = None,
        record_wrapping: str | None = None,
        s3_data_type: str = "S3Prefix",
        instance_groups: list[str] | None = None,
        input_mode: str | None = None,
        attribute_names: list[str] | None = None,
        target_attribute_name: str | None = None,
        shuffle_config: Any = None,
    ) -> None:
        if not (distribution or target_attribute_name):
            distribution = "FullyReplicated"
        source = {
            "S3DataType": s3_data_type,
            "S3Uri": s3_data,
            "S3DataDistributionType": distribution,
            "InstanceGroupNames": instance_groups,
            "AttributeNames": attribute_names,
        }
        channel = {
            "CompressionType": compression,
            "ContentType": content_type,
            "RecordWrapperType": record_wrapping,
            "InputMode": input_mode,
            "TargetAttributeName": target_attribute_name,
            "ShuffleConfig": None if shuffle_config is None else {"Seed": shuffle_config.seed},
        }
        self.config: dict[str, Any] = {
            "DataSource": {
                "S3DataSource": {name: value for name, value in source.items() if value is not None}
            },
            **{name: value for name, value in channel.items() if value is not None},
        }

    def __repr__(self) -> str:
        return f"TrainingInput({self.config!r})"


class FileSystemInput:
    """Describes a channel on a file system; ``config`` is the channel without its name.

    Args:
        file_system_type: ``"EFS"`` or ``"FSxLustre"``.
        directory_path: Absolute or normalized path of the directory.
        file_system_access_mode: ``"ro"`` or ``"rw"``. Default: ``"ro"``.
        content_type: Media type. Default: that of the algorithm's channel.
    """

    def __init__(
        self,
        file_system_id: str,
        file_system_type: str,
        directory_path: str,
        file_system_access_mode: str = "ro",
        content_type: str | None = None,
    ) -> None:
        self.config: dict[str, Any] = {
            "DataSource": {
                "FileSystemDataSource": {
                    "FileSystemId": file_system_id,
                    "FileSystemType": file_system_type,
                    "DirectoryPath": directory_path,
                    "FileSystemAccessMode": file_system_access_mode,
                }
            }
        }
        if content_type:
            self.config["ContentType"] = content_type


def s3_input(*arguments: Any, **keywords: Any) -> TrainingInput:
    """Return a :class:`TrainingInput`; its name in SDK 1."""
    warn_renamed("s3_input", "TrainingInput")
    return TrainingInput(*arguments, **keywords)


def training_input(**keywords: Any) -> Any:
    """Return the SDK's own TrainingInput if the program has loaded the SDK, for its helpers; otherwise this
    one."""
    theirs = getattr(sys.modules.get("sagemaker.inputs"), "TrainingInput", TrainingInput)
    return theirs(**keywords)


def file_system_input(**keywords: Any) -> Any:
    """Return the SDK's own FileSystemInput if the program has loaded the SDK; otherwise this one."""
    theirs = getattr(sys.modules.get("sagemaker.inputs"), "FileSystemInput", FileSystemInput)
    return theirs(**keywords)
