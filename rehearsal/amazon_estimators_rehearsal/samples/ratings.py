"""Generate film ratings: sparse records with a one for the user and a one for the film."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amazon_estimators_rehearsal.samples.sample import Sample

SEED = 2
USERS, FILMS, TASTES = 120, 60, 2
RATED = 3600


def ratings(directory: Path) -> Sample:
    """Write 3,000 ratings to train on and 600 to test on, as libsvm text: ``<rating> <user>:1 <film>:1``."""
    rng = np.random.default_rng(SEED)
    tastes, kinds = rng.normal(size=(USERS, TASTES)), rng.normal(size=(FILMS, TASTES))
    cells = rng.choice(USERS * FILMS, RATED, replace=False)
    users, films = np.divmod(cells, FILMS)
    mildness, fame = rng.normal(0, 0.4, USERS), rng.normal(0, 0.4, FILMS)
    liking = (tastes[users] * kinds[films]).sum(axis=1) + mildness[users] + fame[films]
    stars = np.clip(np.round(3 + liking + rng.normal(0, 0.3, RATED)), 1, 5).astype(int)
    lines = [
        f"{star} {user + 1}:1 {USERS + film + 1}:1\n"
        for star, user, film in zip(stars, users, films, strict=True)
    ]
    files = {"train": [directory / "ratings.libsvm"], "test": [directory / "held_back.libsvm"]}
    files["train"][0].write_text("".join(lines[:3000]), encoding="utf-8")
    files["test"][0].write_text("".join(lines[3000:]), encoding="utf-8")
    return Sample(
        "3,600 generated ratings of films, libsvm",
        files,
        {
            "num_factors": 4,
            "predictor_type": "regressor",
            "epochs": 40,
            "mini_batch_size": 100,
            "bias_lr": 0.05,
            "linear_lr": 0.02,
            "factors_lr": 0.02,
            "factors_init_sigma": 0.1,
        },
        {channel: {"feature_count": USERS + FILMS} for channel in files},
    )
