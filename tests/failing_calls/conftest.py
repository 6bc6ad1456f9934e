"""Lets these tests import the account of tests/witness and what it is made of."""

from __future__ import annotations

import sys
from pathlib import Path

for _directory in ("witness", "constructs", "endpoints", "triggers"):
    sys.path.append(str(Path(__file__).resolve().parents[1] / _directory))
