"""Generate bags of words: the count of each vocabulary word in each document."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from amazon_estimators_rehearsal.samples.sample import Sample
from amazon_estimators_rehearsal.samples.words import SUBJECTS, VOCABULARY, mixed_texts

SEED = 1


def counts(directory: Path) -> Sample:
    """Write 400 documents to train on and 100 to test on, dense, as .npy. LDA trains on one instance."""
    corpus = mixed_texts(500, np.random.default_rng(SEED)).astype(np.float32)
    files = {"train": [directory / "documents.npy"], "test": [directory / "held_back.npy"]}
    np.save(files["train"][0], corpus[:400])
    np.save(files["test"][0], corpus[400:])
    return Sample(
        "500 generated documents of six subjects, .npy",
        files,
        {"num_topics": len(SUBJECTS)},
        instance_count=1,
    )


def counts_and_vocabulary(directory: Path) -> Sample:
    """Write the same documents, sparse, as libsvm text, with the words in vocab.txt."""
    corpus = mixed_texts(500, np.random.default_rng(SEED))
    files = {
        "train": [directory / "documents.libsvm"],
        "validation": [directory / "held_back.libsvm"],
        "auxiliary": [directory / "vocab.txt"],
    }
    _write_libsvm(files["train"][0], corpus[:400])
    _write_libsvm(files["validation"][0], corpus[400:])
    files["auxiliary"][0].write_text("".join(f"{word}\n" for word in VOCABULARY), encoding="utf-8")
    # The 0 at the start of each libsvm line is not a label, and the last word may occur in no document.
    source = {"keep_labels": False, "feature_count": len(VOCABULARY)}
    return Sample(
        "500 generated documents of six subjects, libsvm, with their vocabulary",
        files,
        {"num_topics": len(SUBJECTS), "epochs": 20},
        {"train": source, "validation": source},
    )


def _write_libsvm(path: Path, corpus: npt.NDArray[np.int64]) -> None:
    lines = (" ".join(["0", *(f"{word + 1}:{row[word]}" for word in np.flatnonzero(row))]) for row in corpus)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
