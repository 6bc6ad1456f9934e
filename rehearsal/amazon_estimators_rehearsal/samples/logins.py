"""Generate logins: each user comes from one or two networks of their own, and sometimes from another."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amazon_estimators_rehearsal.samples.sample import Sample

SEED = 5
USERS = 60
NETWORKS = 40
AWAY = 0.05
"""Share of logins from an arbitrary network."""


def logins(directory: Path) -> Sample:
    """Write 2,400 logins to train on and 600 to validate on, as ``user,address`` without a header."""
    rng = np.random.default_rng(SEED)
    homes = rng.integers(NETWORKS, size=(USERS, 2))
    lines = []
    for _ in range(3000):
        user = int(rng.zipf(1.6)) % USERS
        away = rng.random() < AWAY
        network = int(rng.integers(NETWORKS)) if away else int(homes[user, rng.integers(2)])
        lines.append(f"user_{user:02},10.{network // 8}.{network % 8 * 16}.{rng.integers(1, 255)}\n")
    files = {"train": [directory / "logins.csv"], "validation": [directory / "held_back.csv"]}
    files["train"][0].write_text("".join(lines[:2400]), encoding="utf-8")
    files["validation"][0].write_text("".join(lines[2400:]), encoding="utf-8")
    return Sample(
        "3,000 generated logins of 60 users, CSV",
        files,
        {"num_entity_vectors": 2 * USERS, "vector_dim": 16, "epochs": 5, "mini_batch_size": 500},
    )
