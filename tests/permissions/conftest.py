"""Lets these tests import the stacks of tests/constructs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "constructs"))
