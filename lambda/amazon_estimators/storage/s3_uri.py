"""Parse S3 URIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from amazon_estimators.errors import RequestError


@dataclass(frozen=True)
class Place:
    """An object or a prefix on S3."""

    bucket: str
    key: str

    @classmethod
    def of(cls, uri: str, *, what: str) -> Self:
        """Parse ``s3://bucket/key``. For anything else, raises RequestError naming ``what`` the URI is
        for."""
        scheme, _, rest = str(uri).partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise RequestError(f"{what} is {uri!r}; expecting an S3 URI: s3://<bucket>/<key>")
        return cls(bucket, key)

    @classmethod
    def prefix(cls, uri: str, *, what: str) -> Self:
        """Parse a URI like :meth:`of`, and end its key with a slash."""
        place = cls.of(uri, what=what)
        key = place.key if not place.key or place.key.endswith("/") else f"{place.key}/"
        return cls(place.bucket, key)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def beside(self, name: str) -> Place:
        """Return another object under the same prefix."""
        return Place(self.bucket, self.key.rpartition("/")[0] + f"/{name}" if "/" in self.key else name)
