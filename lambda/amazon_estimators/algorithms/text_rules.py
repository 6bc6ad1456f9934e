"""Check channels of text: token ids, lengths of token lists, names of auxiliary files.

Each rule uses what the encoder recorded, and does not apply to a RecordSet without that record.
"""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.algorithms.rules import Caution, DataRule, Finding, Problem
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.hyperparameters.owner import Owner
from amazon_estimators.summaries import Tokens


def tokens_fit(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Warn of token ids outside the encoder's vocabulary and of lists longer than the encoder reads.

    Unless it has a network of its own, enc1 takes the values of enc0.
    """
    second = "enc0" if algorithm.effective("enc1_network") == "enc0" else "enc1"
    for name, record_set in data.record_sets.items():
        for side, encoder, tokens in zip(
            ("in0", "in1"), ("enc0", second), record_set.tokens or (), strict=False
        ):
            yield from _findings(algorithm, f"{side} of channel {name}", encoder, tokens)


def _findings(algorithm: Owner, where: str, encoder: str, tokens: Tokens) -> Iterator[Finding]:
    size = algorithm.effective(f"{encoder}_vocab_size")
    if size is not None and tokens.highest >= size:
        yield Caution(
            f"{where} holds token id {tokens.highest:,}, but {encoder}_vocab_size is {size:,}: "
            f"raise {encoder}_vocab_size to at least {tokens.highest + 1:,}."
        )
    longest = algorithm.effective(f"{encoder}_max_seq_len")
    if longest is not None and tokens.longest > longest:
        yield Caution(
            f"{where} holds a list of {tokens.longest:,} tokens, but {encoder}_max_seq_len is {longest:,}: "
            f"raise {encoder}_max_seq_len to at least {tokens.longest:,}, or shorten the lists."
        )


def files_there(*names: str, source: str) -> DataRule:
    """Refuse names of files that the auxiliary channel does not hold."""

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        auxiliary = data.record_sets.get("auxiliary")
        if auxiliary is None or auxiliary.files is None:
            return
        for name in names:
            value = algorithm.effective(name)
            if value and value not in auxiliary.files:
                yield Problem(
                    f"{name} is {value!r}, but channel auxiliary holds {', '.join(auxiliary.files)}. "
                    "Expecting: the name of one of its files.",
                    source=source,
                )

    return rule


def files_are(*names: str, source: str) -> DataRule:
    """Refuse an auxiliary channel whose files are not of these names."""

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        auxiliary = data.record_sets.get("auxiliary")
        if auxiliary is not None and auxiliary.files is not None and set(auxiliary.files) != set(names):
            yield Problem(
                f"Channel auxiliary holds {', '.join(auxiliary.files)}. Expecting: {', '.join(names)}; "
                "the container looks for that name.",
                source=source,
            )

    return rule
