"""Declare what an algorithm is asked and answers when it predicts, and what it can be hosted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES, RECORDIO

CONTENT_TYPES = (RECORDIO, JSON, JSON_LINES, CSV)
"""The content types of requests and responses that the first-party algorithms share.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""


@dataclass(frozen=True)
class Field:
    """One field of a prediction.

    ``shape`` is "number" for one number per record, "vector" for a list of them, "either" where it depends
    on the model: one number for a binary classifier, a list for several classes. An ``integer`` field holds
    whole numbers, though containers may write them as floats. An ``optional`` field is in some responses.
    """

    name: str
    shape: Literal["number", "vector", "either"] = "number"
    integer: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Inference:
    """Requests, responses and hosting of one algorithm.

    Attributes:
        accepts: content types of requests that AWS documents, the preferred one first.
        returns: content types of responses that AWS documents, the preferred one first.
        fields: the fields of a prediction.
        source: the page of AWS's documentation that lists them.
        list_key: the key of the list of predictions in a JSON response.
        rows: what a row of a request is: a "vector" of features, a "token_pair" of Object2Vec (two lists of
            token ids) or an "entity_pair" of IPInsights (an entity and an IPv4 address).
        excluded: content types that AWS's documentation says it does not take, with the sentence. What is in
            neither list is undocumented: it is sent with a warning.
        verbose: the value of the response parameter ``verbose`` that asks for the optional fields; empty if
            there is none.
        csv_columns: the fields of a CSV response, in order; empty if it has no CSV response.
        multi_model: True if its container serves multi-model endpoints, on CPU instances.
            https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html
        serverless_caution: what can keep a model from a serverless endpoint; empty if nothing is known to.
        undocumented_model: the reason why its model file cannot be read without its container; empty if it
            can be.
    """

    accepts: tuple[str, ...]
    returns: tuple[str, ...]
    fields: tuple[Field, ...]
    source: str
    list_key: str = "predictions"
    rows: Literal["vector", "token_pair", "entity_pair"] = "vector"
    excluded: Mapping[str, str] = field(default_factory=dict)
    verbose: str = ""
    csv_columns: tuple[str, ...] = ()
    multi_model: bool = False
    serverless_caution: str = ""
    undocumented_model: str = ""

    def field_named(self, name: str) -> Field | None:
        """Return the field of this name, None if a prediction has no such field."""
        return next((known for known in self.fields if known.name == name), None)
