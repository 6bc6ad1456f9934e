"""Lets these tests import the stacks of tests/constructs and the double of tests/endpoints."""

from __future__ import annotations

import sys
from pathlib import Path

for _directory in ("constructs", "endpoints"):
    sys.path.append(str(Path(__file__).resolve().parents[1] / _directory))
