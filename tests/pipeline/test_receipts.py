"""A receipt is a key: it comes back as it was, and fits whatever is recorded."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from amazon_estimators.encodings.contract import Facts
from amazon_estimators.pipeline.receipts import RECEIPT_LIMIT, Receipt
from amazon_estimators.pipeline.settings import LONGEST_PREFIX
from amazon_estimators.summaries import Labels, Tokens

finite = st.floats(allow_nan=False, allow_infinity=False)
tokens = st.builds(Tokens, st.integers(0, 2**40), st.integers(0, 2**40))
facts = st.builds(
    Facts,
    records=st.integers(0, 2**50),
    feature_dim=st.integers(0, 2**31),
    labels=st.none() | st.builds(Labels, finite, finite, st.booleans()),
    tokens=st.none() | st.tuples(tokens, tokens),
    dtype=st.just("float32"),
    sparse=st.booleans(),
    dropped=st.integers(0, 2**50),
)
digest = st.text("0123456789abcdef", min_size=64, max_size=64)
receipts = st.builds(
    Receipt,
    st.integers(0, 99_999),
    st.integers(0, 2**50),
    digest,
    st.text("0123456789abcdef", min_size=32, max_size=32).map(lambda text: f"{text}-10000"),
    facts,
)


@given(receipts)
def test_a_receipt_comes_back_from_its_key(receipt: Receipt) -> None:
    key = receipt.key("any/prefix/recordsets/f/", "train")
    assert Receipt.from_key(key) == receipt


def test_the_longest_receipt_under_the_longest_prefix_is_a_key() -> None:
    extreme = -math.nextafter(math.inf, 0)
    longest = Receipt(
        99_999,
        2**50,
        "f" * 64,
        "f" * 32 + "-10000",
        Facts(
            2**50,
            2**31,
            Labels(extreme, -extreme, False),
            (Tokens(2**40, 2**40),) * 2,
            "float32",
            False,
            2**50,
        ),
    )
    key = longest.key("p" * LONGEST_PREFIX + "recordsets/" + "f" * 24 + "/", "c" * 64)
    assert len(key.rpartition("/")[2]) <= RECEIPT_LIMIT
    assert len(key.encode()) <= 1024
