"""Read and write the library's own small JSON files on S3: each names its schema and carries a digest.

A file that was truncated, edited by hand or written by another release is never used: reading it raises
DamagedFileError, which names the object and what to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from amazon_estimators.errors import DamagedFileError

SCHEMA, DIGEST = "schema", "digest"


def seal_document(schema: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` with ``schema``, such as ``"plan/1"``, and a digest of both."""
    document = {SCHEMA: schema, **values}
    return {**document, DIGEST: _digest(document)}


def sealed_list(schema: str, values: Mapping[str, Any], name: str, items: Iterable[Any]) -> Iterator[str]:
    """Yield the JSON of ``seal_document(schema, {**values, name: list(items)})``, one item at a time.

    Example:
        >>> whole = seal_document("plan/1", {"a": 1, "b": [2, 3]})
        >>> "".join(sealed_list("plan/1", {"a": 1}, "b", [2, 3])) == json.dumps(whole)
        True
    """
    head = {SCHEMA: schema, **values}
    before = _compact({key: value for key, value in head.items() if key < name})
    after = _compact({key: value for key, value in head.items() if key > name})
    digest = hashlib.sha256(f"{before[:-1]}{',' if len(before) > 2 else ''}{json.dumps(name)}:[".encode())
    yield f"{json.dumps(head)[:-1]}, {json.dumps(name)}: ["
    between, comma = "", ""
    for item in items:
        digest.update(f"{comma}{_compact(item)}".encode())
        yield f"{between}{json.dumps(item)}"
        between, comma = ", ", ","
    digest.update(f"]{',' if len(after) > 2 else ''}{after[1:]}".encode())
    yield f"], {json.dumps(DIGEST)}: {json.dumps(digest.hexdigest())}}}"


def open_document(text: str | bytes, schema: str, *, uri: str, remedy: str) -> dict[str, Any]:
    """Return the values of a document that :func:`seal_document` made, read from the object at ``uri``.

    Raises:
        DamagedFileError: The text is not JSON, has another schema, or does not match its digest.
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
    if document.pop(DIGEST, None) != _digest(document):
        raise DamagedFileError(f"{uri} was changed: its digest is not that of its content", remedy=remedy)
    del document[SCHEMA]
    return dict(document)


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(_compact(document).encode()).hexdigest()


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
