"""Write the tables of docs/faults.md. Run it after a change of what a step calls."""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [
    str(_TESTS),
    *(str(_TESTS / name) for name in ("witness", "constructs", "endpoints", "triggers")),
]

from fault_table import PAGE, table  # noqa: E402

if __name__ == "__main__":
    PAGE.write_text(table().page(), encoding="utf-8")
