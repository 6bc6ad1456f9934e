"""Generate hourly readings of a pump, a typical input of anomaly detection."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from amazon_estimators_rehearsal.samples.sample import Sample

SEED = 3
FIRST = datetime(2024, 1, 1)
TRAINED, TESTED, FAULTS = 1200, 300, 15
HEADER = "time,load,temperature,vibration,pressure"


def readings(directory: Path) -> Sample:
    """Write CSV: 1,200 hours without faults to train on, 300 hours with 15 faults to test on.

    The time is a column but not a feature; ``fault`` is the label of the test channel.
    """
    rng = np.random.default_rng(SEED)
    hours = np.arange(TRAINED + TESTED)
    load = 60 + 25 * np.sin(2 * np.pi * hours / 24) + rng.normal(0, 2, len(hours))
    table = np.stack(
        [
            load,
            30 + load / 4 + rng.normal(0, 0.5, len(hours)),
            1 + load / 100 + rng.normal(0, 0.05, len(hours)),
            8 - load / 50 + rng.normal(0, 0.1, len(hours)),
        ],
        axis=1,
    )
    broken = TRAINED + np.sort(rng.choice(TESTED, FAULTS, replace=False))
    table[broken] += [0, 40, 2, -6]
    lines = [
        ",".join([str(FIRST + timedelta(hours=int(hour))), *(f"{value:.3f}" for value in row)])
        for hour, row in zip(hours, table, strict=True)
    ]
    faults = np.isin(hours, broken).astype(int)
    tested = [f"{line},{fault}" for line, fault in zip(lines, faults, strict=True)][TRAINED:]
    files = {"train": [directory / "readings.csv"], "test": [directory / "inspected.csv"]}
    files["train"][0].write_text("\n".join([HEADER, *lines[:TRAINED], ""]), encoding="utf-8")
    files["test"][0].write_text("\n".join([f"{HEADER},fault", *tested, ""]), encoding="utf-8")
    return Sample(
        "1,500 generated hours of a pump, CSV with a header",
        files,
        {"num_trees": 50, "num_samples_per_tree": 128},
        {"train": {"exclude": ["time"]}, "test": {"exclude": ["time"], "label": "fault"}},
    )
