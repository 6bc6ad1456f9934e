"""Check a request against the service's own model: members, types, lengths, patterns, enumerations."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session

from amazon_estimators_rehearsal.sagemaker.errors import UnknownOperationError, ValidationError

_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
}


@cache
def sdk() -> Any:
    """Return this process's botocore session. It caches the service's model, which is slow to load."""
    return botocore.session.Session()


@cache
def _model(service: str) -> Any:
    return sdk().get_service_model(service)


def input_shape(operation: str, service: str = "sagemaker") -> Any:
    """Return the input shape of an operation.

    Raises:
        UnknownOperationError: The service has no such operation.
    """
    if operation not in _model(service).operation_names:
        raise UnknownOperationError(f"SageMaker has no operation {operation}.")
    return _model(service).operation_model(operation).input_shape


def validate(operation: str, request: Mapping[str, Any], service: str = "sagemaker") -> None:
    """Raise ValidationError with every fault unless ``request`` fits the operation's input shape."""
    faults = faults_of(input_shape(operation, service), request)
    if faults:
        noun = "error" if len(faults) == 1 else "errors"
        raise ValidationError(f"{len(faults)} validation {noun} detected: {'; '.join(faults)}")


def faults_of(shape: Any, request: Mapping[str, Any]) -> list[str]:
    """Return every fault of a request, by the input shape of its operation."""
    return [*_faults(shape, request, "")]


def _faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if shape.type_name == "structure":
        yield from _structure_faults(shape, value, path)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield _fault(value, path, "Member must be a list")
            return
        yield from _size_faults(shape, len(value), value, path)
        for index, item in enumerate(value):
            yield from _faults(shape.member, item, f"{path}.{index + 1}.member")
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            yield _fault(value, path, "Member must be a map")
            return
        yield from _size_faults(shape, len(value), value, path)
        for key, item in value.items():
            yield from _faults(shape.key, key, f"{path}.key")
            yield from _faults(shape.value, item, f"{path}.{key}")
    else:
        yield from _scalar_faults(shape, value, path)


def _structure_faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _fault(value, path, "Member must be a structure")
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield _fault(None, _join(path, name), "Member must not be null")
    for name, item in value.items():
        if name in shape.members:
            yield from _faults(shape.members[name], item, _join(path, name))
        else:
            yield _fault(
                item, _join(path, name), f"Member is unknown; known: {', '.join(sorted(shape.members))}"
            )


def _scalar_faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    expected = _SCALARS.get(shape.type_name, (object,))
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        yield _fault(value, path, f"Member must be of type {shape.type_name}")
        return
    rules = shape.metadata
    if isinstance(value, str):
        yield from _size_faults(shape, len(value), value, path)
        pattern = rules.get("pattern")
        if pattern and not _matches(pattern, value):
            yield _fault(value, path, f"Member must satisfy regular expression pattern: {pattern}")
        if rules.get("enum") and value not in rules["enum"]:
            yield _fault(value, path, f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if "min" in rules and value < rules["min"]:
            yield _fault(value, path, f"Member must have value greater than or equal to {rules['min']}")
        if "max" in rules and value > rules["max"]:
            yield _fault(value, path, f"Member must have value less than or equal to {rules['max']}")


def _size_faults(shape: Any, size: int, value: Any, path: str) -> Iterator[str]:
    rules = shape.metadata
    if "min" in rules and size < rules["min"]:
        yield _fault(value, path, f"Member must have length greater than or equal to {rules['min']}")
    if "max" in rules and size > rules["max"]:
        yield _fault(value, path, f"Member must have length less than or equal to {rules['max']}")


POSIX = {
    r"\p{ASCII}": r"[\x00-\x7f]",
    r"\z": r"\Z",
    r"\p{Print}+": "[ -~]+",  # outside brackets
    r"\p{Print}": " -~",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010ffff",  # a range of pairs, as Java writes it
}
"""Character classes in the service's patterns, and the same in Python."""
_CATEGORY = re.compile(r"\\p\{([A-Z])\}")
"""A Unicode category, such as letters, inside brackets."""
_REPEATED_END = re.compile(r"\$\{\d+,\d+\}$")
"""A repeated end of the text, which some patterns use instead of a length."""


def _matches(pattern: str, value: str) -> bool:
    for theirs, ours in POSIX.items():
        pattern = pattern.replace(theirs, ours)
    pattern = _CATEGORY.sub(lambda match: _characters(match[1]), _REPEATED_END.sub("", pattern))
    return re.fullmatch(pattern, value) is not None


@cache
def _characters(category: str) -> str:
    """Return the characters of a Unicode category as ranges for brackets."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] != category:
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


def _join(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _fault(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else repr(value)
    if len(shown) > 200:
        shown = f"{shown[:200]}… ({len(shown)} characters)"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"
