"""Read and write the library's own small JSON files on S3: each names its schema and carries a digest.

The digest is of the content and of the place it was written to. A file that was cut, changed by hand, written
by another release or copied from another execution or pipeline is never believed: reading it raises
DamagedFileError, which names the object and says how to go on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.storage.s3 import put_json, read_object
from amazon_estimators.text import shown

SCHEMA, DIGEST = "schema", "digest"
ANYWHERE = ""
"""The place of a file that may be copied with the RecordSet it describes."""


def seal_document(schema: str, values: Mapping[str, Any], *, place: str) -> dict[str, Any]:
    """Return ``values`` with ``schema``, such as ``"plan/1"``, and a digest of both and of ``place``.

    ``place`` is the URI of the object that will hold it, or ANYWHERE.
    """
    document = {SCHEMA: schema, **values}
    return {**document, DIGEST: digest_of(document, place=place)}


def sealed_list(
    schema: str, values: Mapping[str, Any], name: str, items: Iterable[Any], *, place: str
) -> Iterator[str]:
    """Yield the JSON of ``seal_document(schema, {**values, name: list(items)})``, an item at a time.

    Example:
        >>> whole = seal_document("plan/1", {"a": 1, "b": [2, 3]}, place="s3://data/plan.json")
        >>> texts = sealed_list("plan/1", {"a": 1}, "b", [2, 3], place="s3://data/plan.json")
        >>> "".join(texts) == json.dumps(whole)
        True
    """
    head = {SCHEMA: schema, **values}
    before = _compact({key: value for key, value in head.items() if key < name})
    after = _compact({key: value for key, value in head.items() if key > name})
    first = f"{before[:-1]}{',' if len(before) > 2 else ''}{json.dumps(name)}:["
    digest = hashlib.sha256(f"{place}{first}".encode())
    yield f"{json.dumps(head)[:-1]}, {json.dumps(name)}: ["
    between, comma = "", ""
    for item in items:
        digest.update(f"{comma}{_compact(item)}".encode())
        yield f"{between}{json.dumps(item)}"
        between, comma = ", ", ","
    digest.update(f"]{',' if len(after) > 2 else ''}{after[1:]}".encode())
    yield f"], {json.dumps(DIGEST)}: {json.dumps(digest.hexdigest())}}}"


def open_document(
    text: str | bytes, schema: str, *, uri: str, remedy: str, place: str | None = None
) -> dict[str, Any]:
    """Return the values of what :func:`seal_document` made for ``place``. Default: for ``uri``.

    Raises:
        DamagedFileError: The text is not JSON, not of this schema, or not what its digest was made of.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{uri} is not JSON: {str(error)[:200]}", remedy=remedy) from None
    actual = document.get(SCHEMA) if isinstance(document, dict) else None
    if actual != schema:
        raise DamagedFileError(
            f"{uri} has the schema {str(actual)[:100]!r}; this release reads {schema!r}", remedy=remedy
        )
    digest = document.pop(DIGEST, None)
    if digest != digest_of(document, place=uri if place is None else place):
        raise DamagedFileError(
            f"{uri} was changed or copied from elsewhere: its digest is not that of its content and place",
            remedy=remedy,
        )
    del document[SCHEMA]
    return dict(document)


def put_document(s3: Any, bucket: str, key: str, schema: str, values: Mapping[str, Any]) -> None:
    """Write ``values`` as the document at ``key``. Raises ServiceError."""
    put_json(s3, bucket, key, seal_document(schema, values, place=f"s3://{bucket}/{key}"))


def get_document(s3: Any, bucket: str, key: str, schema: str, *, remedy: str) -> dict[str, Any]:
    """Return what :func:`put_document` wrote at ``key``. Raises DamagedFileError or ServiceError."""
    return open_document(read_object(s3, bucket, key), schema, uri=f"s3://{bucket}/{key}", remedy=remedy)


@contextmanager
def fields_of(uri: str, *, remedy: str) -> Iterator[None]:
    """Raise DamagedFileError for fields that are missing or of another type, where they are taken out.

    Example:
        >>> with fields_of("s3://data/plan.json", remedy="Start again."):
        ...     {}["channels"]
        Traceback (most recent call last):
        amazon_estimators.errors.DamagedFileError: s3://data/plan.json: KeyError: 'channels'
        Start again.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise DamagedFileError(f"{uri}: {reason}", remedy=remedy) from None


def is_of(value: Any, hint: Any) -> bool:
    """Return True if a value of JSON is of a type: a dataclass's fields are checked, all the way down.

    A whole number is a float, too.

    Example:
        >>> is_of({"a": ["x", 1]}, dict[str, tuple[str, int]]), is_of([1, True], list[int])
        (True, False)
    """
    return _check_of(hint)(value)


@cache
def _check_of(hint: Any) -> Callable[[Any], bool]:
    """Return the check of a type, which is taken apart once for all the files that have such a field."""
    kind, inner = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        fields = {name: _check_of(one) for name, one in _types_of(cast(Any, hint)).items()}
        return lambda value: (
            isinstance(value, dict)
            and value.keys() == fields.keys()
            and all(check(value[name]) for name, check in fields.items())
        )
    checks = [_check_of(one) for one in inner if one is not Ellipsis]
    if kind in (Union, UnionType):
        return lambda value: any(check(value) for check in checks)
    if kind is tuple and inner[-1] is not Ellipsis:
        return lambda value: (
            isinstance(value, list)
            and len(value) == len(checks)
            and all(check(item) for check, item in zip(checks, value, strict=True))
        )
    if kind in (list, tuple):
        return lambda value: isinstance(value, list) and all(map(checks[0], value))
    if kind in (dict, Mapping):
        return lambda value: isinstance(value, dict) and all(map(checks[1], value.values()))
    types = {hint, int} if hint is float else {hint}
    return lambda value: hint is Any or type(value) in types


_types_of = cache(get_type_hints)


def check_fields(kind: Any, values: Mapping[str, Any], *, beside: Collection[str] = ()) -> None:
    """Raise TypeError unless the values of JSON that are there are of the types of a dataclass's fields.

    Args:
        kind: The dataclass.
        values: Its fields; those with a default may be missing.
        beside: Fields that are not looked at: somebody else checks them.

    Example:
        >>> from amazon_estimators.summaries import Tokens
        >>> check_fields(Tokens, {"highest": 3, "longest": "4"})
        Traceback (most recent call last):
        TypeError: longest is '4'; expecting int
    """
    for name, hint in _types_of(kind).items():
        if name in values and name not in beside and not is_of(values[name], hint):
            raise TypeError(f"{name} is {shown(values[name])}; expecting {getattr(hint, '__name__', hint)}")


def digest_of(document: Mapping[str, Any], *, place: str) -> str:
    """Return the digest of a document, all but its own member of that name, at ``place``."""
    return hashlib.sha256(f"{place}{_compact(document)}".encode()).hexdigest()


_compact = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
