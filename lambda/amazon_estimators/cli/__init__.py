"""The command line ``amazon-estimators``. Needs the extra ``cli``; the Lambda functions never load it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

NEEDS = "The command line needs click and rich. Install them, in a clone: pip install '.[cli,tables]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        from amazon_estimators.cli.app import run  # noqa: PLC0415 - its packages may be missing
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.stderr.write(NEEDS + "\n")
        return 1
    return run(sys.argv[1:] if arguments is None else arguments)
