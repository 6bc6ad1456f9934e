"""The names of SDK 1, which SDK 2 renamed with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from amazon_estimators.errors import RequestError

RENAMED: Mapping[str, str] = {
    "train_instance_count": "instance_count",
    "train_instance_type": "instance_type",
    "train_volume_size": "volume_size",
    "train_volume_kms_key": "volume_kms_key",
    "train_max_run": "max_run",
    "train_use_spot_instances": "use_spot_instances",
    "train_max_wait": "max_wait",
    "image_name": "image_uri",
}
"""Keywords and attributes of SDK 1, and their names in SDK 2."""


def warn_renamed(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn as the SDK does; the text adds the new name."""
    warnings.warn(
        f"{old} has been renamed in sagemaker>=2: it is {new}.\n"
        "See: https://sagemaker.readthedocs.io/en/stable/v2.html for details.",
        DeprecationWarning,
        stacklevel=stacklevel,
    )


def with_new_names(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords under their names in SDK 2. Raises RequestError if both names of one are used."""
    renamed: dict[str, Any] = {}
    for name, value in keywords.items():
        new = RENAMED.get(name, name)
        if new != name:
            warn_renamed(name, new, stacklevel=6)
        if new in renamed or (new != name and new in keywords):
            raise RequestError(f"{name} is the old name of {new}: pass only one of them")
        renamed[new] = value
    return renamed
