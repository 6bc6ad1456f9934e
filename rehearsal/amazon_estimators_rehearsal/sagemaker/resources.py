"""Named resources of one kind: found by name or ARN, added once, listed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from amazon_estimators_rehearsal.sagemaker.account import Account
from amazon_estimators_rehearsal.sagemaker.errors import ServiceError, ValidationError

PAGE_SIZE = 10
"""Entries of a page unless a request says otherwise."""

Operation = Callable[[dict[str, Any], str], dict[str, Any]]
"""Answers a request of the principal with an access key."""


class Resource(Protocol):
    """The members that all kinds have."""

    @property
    def arn(self) -> str: ...
    @property
    def tags(self) -> dict[str, str]: ...


R = TypeVar("R", bound=Resource)


class Resources(Generic[R]):
    """The resources of one kind in an account and region. Thread safe.

    Attributes:
        name_member: The member of requests that names one, such as ``ModelName``.
    """

    def __init__(
        self,
        account: Account,
        segment: str,
        name_member: str,
        *,
        taken: Callable[[str], ServiceError],
        missing: Callable[[str], ServiceError],
    ) -> None:
        """Make room for resources with ARNs of ``segment``.

        Args:
            account: Where they are.
            segment: The part of an ARN before the name, such as ``training-job``.
            name_member: See above.
            taken: The error for a name that exists, of its ARN.
            missing: The error for a name that does not, of its ARN.
        """
        self.name_member = name_member
        self._place = f"arn:aws:sagemaker:{account.region}:{account.account_id}:{segment}/"
        self._taken, self._missing = taken, missing
        self._items: dict[str, R] = {}
        self._lock = threading.Lock()

    def arn(self, name: str) -> str:
        """Return the ARN of a resource of this name; the service writes them in lower case."""
        return self._place + name.lower()

    def check_free(self, name: str) -> None:
        """Raise the service's error if there is one of this name."""
        if name in self._items:
            raise self._taken(self.arn(name))

    def add(self, name: str, resource: R) -> None:
        """Keep a resource. Raises the service's error if there is one of this name."""
        with self._lock:
            self.check_free(name)
            self._items[name] = resource

    def named(self, name: str) -> R:
        """Return the resource of this name, or raise the service's error."""
        resource = self._items.get(name)
        if resource is None:
            raise self._missing(self.arn(name))
        return resource

    def find(self, name: str) -> R | None:
        """Return the resource of this name, None if there is none."""
        return self._items.get(name)

    def of(self, request: Mapping[str, Any]) -> R:
        """Return the resource a request names."""
        return self.named(request[self.name_member])

    def remove(self, request: Mapping[str, Any]) -> R:
        """Forget the resource a request names, and return it."""
        with self._lock:
            resource = self.of(request)
            del self._items[request[self.name_member]]
        return resource

    def with_arn(self, arn: str) -> R | None:
        """Return the resource of this ARN, None if there is none."""
        return next((resource for resource in self._items.values() if resource.arn == arn), None)

    def all(self) -> list[R]:
        """Return all resources, in the order they were made."""
        return list(self._items.values())


def tags_of(request: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a request by key."""
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as the API writes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def listed(
    member: str,
    summaries: Iterable[dict[str, Any]],
    request: Mapping[str, Any],
    *,
    name: str,
    status: str = "",
) -> dict[str, Any]:
    """Return the answer to a List request: a page of what it asks for, newest first.

    Args:
        member: The member of the answer that holds the page.
        summaries: All resources, oldest first.
        request: The request: part of a name, status, order, size of a page, where the page begins.
        name: The summaries' member with the name.
        status: The summaries' member with the status.
    """
    contains, wanted = request.get("NameContains", ""), request.get("StatusEquals")
    found = [
        summary
        for summary in summaries
        if contains in summary[name] and wanted in (None, summary.get(status))
    ]
    if request.get("SortOrder", "Descending") == "Descending":
        found.reverse()
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ValidationError(f"NextToken {token!r} is not one of a List operation's answers.")
    start = int(token)
    end = start + request.get("MaxResults", PAGE_SIZE)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {member: found[start:end], **more}
