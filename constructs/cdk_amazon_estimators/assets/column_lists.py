"""The columns that channels name, as an object on S3 if they are too many for a state machine's definition.

Settings are part of every event of a function, and Step Functions allows events of 256 KiB: ten thousand
names do not fit. So they are published with the deployment's other assets, and only Plan reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import Token
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from amazon_estimators.sources import Source

LISTS = ("features", "exclude")
MOST_IN_DEFINITION = 8 * 2**10
"""Bytes. The definition holds the settings once for each state that invokes a function."""


def channel_settings(
    scope: Construct, construct_id: str, sources: Mapping[str, Source]
) -> tuple[dict[str, Any], s3_assets.Asset | None]:
    """Return the settings of the channels, and the object of their columns if there is one.

    Names that only the deployment resolves stay in the settings: an object cannot hold them.
    """
    channels = {name: source.to_dict() for name, source in sources.items()}
    columns = {
        name: {option: channel[option] for option in LISTS if channel[option]}
        for name, channel in channels.items()
    }
    text = json.dumps(columns)
    if len(text.encode()) <= MOST_IN_DEFINITION or Token.is_unresolved(text):
        return channels, None
    with TemporaryDirectory() as directory:
        file = Path(directory, "columns.json")
        file.write_text(text, encoding="utf-8")
        asset = s3_assets.Asset(scope, construct_id, path=str(file))  # copies it
    return {
        name: {option: value for option, value in channel.items() if option not in LISTS}
        for name, channel in channels.items()
    }, asset
