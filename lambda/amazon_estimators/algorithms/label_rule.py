"""The rule that a channel needs a label, or takes none: one for the synth, for Plan and for a RecordSet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from amazon_estimators.algorithms.channel_rules import ChannelRule
from amazon_estimators.sources import Schema, Source
from amazon_estimators.sources.formats import FORMATS

NAME_IT = "Name the label's column, such as Source(label=0) or Source(label='price')."
KEEP_THEM = "Leave keep_labels out, so that the label of each record is kept."
DROP_THEM = "Drop the labels: Source(keep_labels=False)."
LEAVE_IT_OUT = "Leave it out, and name the columns to keep as features."
ADD_THEM = (
    "Add the labels to the file of the matrix, numpy.savez(path, **numpy.load(path), y=labels), and name "
    "them: Source(label='y')."
)


@dataclass(frozen=True)
class LabelProblem:
    """A fault in the labels of a channel's input, and the remedy."""

    message: str
    remedy: str


def label_fault(rule: ChannelRule, labelled: bool | None) -> Literal["missing", "unwanted"] | None:
    """Compare what a channel requires with what its records have.

    Args:
        rule: The channel.
        labelled: True if its records have labels; None if unknown.

    Example:
        >>> label_fault(ChannelRule("train", required=True, label="required"), labelled=False)
        'missing'
    """
    if rule.label == "required" and labelled is False:
        return "missing"
    if rule.label == "none" and labelled:
        return "unwanted"
    return None


def will_have_labels(source: Source, format_name: str) -> bool | None:
    """Return True if records that a Source reads from a format will have labels; None if only the input shows
    it."""
    match FORMATS[format_name].labels if format_name in FORMATS else "auto":
        case "column":
            return source.label is not None
        case "each":
            return source.keep_labels
        case "any":
            return None if source.keep_labels else False
        case _:
            return True if source.label is not None else None


def label_problem(
    rule: ChannelRule, source: Source, format_name: str, schema: Schema | None = None, uri: str = ""
) -> LabelProblem | None:
    """Find out if a Source gives a channel the labels that it requires.

    Args:
        rule: The channel.
        source: How its input is read.
        format_name: The input's format; ``"auto"`` before any input has been seen.
        schema: The input's columns, once they are known.
        uri: The input that the schema was taken from.

    Returns:
        The problem; None if there is none, or if only the records show it.
    """
    fault = label_fault(rule, will_have_labels(source, format_name))
    if fault is None:
        return None
    in_columns = format_name not in FORMATS or FORMATS[format_name].labels == "column"
    if fault == "missing":
        said, remedy = "keep_labels is False", KEEP_THEM
        if in_columns:
            said, remedy = _missing(format_name, schema, uri)
        return LabelProblem(f"channel {rule.name} needs a label, and {said}", remedy)
    if in_columns:
        said, remedy = f"but its Source names {source.label!r}", LEAVE_IT_OUT
    else:
        said, remedy = f"and every line of {uri or f'format {format_name!r}'} has one", DROP_THEM
    return LabelProblem(f"channel {rule.name} takes no label, {said}", remedy)


def _missing(format_name: str, schema: Schema | None, uri: str) -> tuple[str, str]:
    """Say that no column is named, and what to do; of a sparse matrix none can be."""
    if schema is None:
        return f"its Source of format {format_name!r} names none", NAME_IT
    if schema.sparse:
        return f"the sparse matrix {uri} has none", ADD_THEM
    columns = ", ".join(repr(name) for name in (schema.names or ())[:20])
    named = f" ({columns})" if columns else ""
    return f"its Source names none of the {schema.width:,} columns of {uri}{named}", NAME_IT
