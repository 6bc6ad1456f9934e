"""Generate pairs of sentences as token ids, labelled 1 if both are about the same subject."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from amazon_estimators_rehearsal.samples.sample import Sample
from amazon_estimators_rehearsal.samples.words import SUBJECTS, VOCABULARY, sentence

SEED = 4


def sentence_pairs(directory: Path) -> Sample:
    """Write 800 pairs to train on, 200 to validate on, as JSON Lines. Object2Vec trains on one instance."""
    rng = np.random.default_rng(SEED)
    lines = []
    for number in range(1000):
        subject = int(rng.integers(len(SUBJECTS)))
        other = subject if number % 2 else (subject + int(rng.integers(1, len(SUBJECTS)))) % len(SUBJECTS)
        pair = {"label": number % 2, "in0": sentence(subject, rng), "in1": sentence(other, rng)}
        lines.append(json.dumps(pair) + "\n")
    files = {"train": [directory / "pairs.jsonl"], "validation": [directory / "held_back.jsonl"]}
    files["train"][0].write_text("".join(lines[:800]), encoding="utf-8")
    files["validation"][0].write_text("".join(lines[800:]), encoding="utf-8")
    return Sample(
        "1,000 generated pairs of sentences, JSON Lines",
        files,
        {"enc0_max_seq_len": 12, "enc0_vocab_size": len(VOCABULARY), "enc_dim": 32, "epochs": 5},
        instance_count=1,
    )
