"""Keep named resources of one kind: add them once, find them by name or ARN, list them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from amazon_estimators_rehearsal.sagemaker.account import Account
from amazon_estimators_rehearsal.sagemaker.errors import ServiceError, ValidationError

PAGE_SIZE = 10
"""Entries per page by default."""

Operation = Callable[[dict[str, Any], str], dict[str, Any]]
"""Answers a request from the principal with an access key."""


class Resource(Protocol):
    """The members that all kinds have."""

    @property
    def arn(self) -> str: ...
    @property
    def tags(self) -> dict[str, str]: ...


R = TypeVar("R", bound=Resource)


class Resources(Generic[R]):
    """The resources of one kind in an account and region. Thread-safe.

    Attributes:
        name_member: The member of requests that names a resource, such as ``ModelName``.
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
        """Describe the kind of resources.

        Args:
            account: Their account.
            segment: The part of an ARN before the name, such as ``training-job``.
            name_member: See above.
            taken: Returns the error for a name that exists, from its ARN.
            missing: Returns the error for a name that does not exist, from its ARN.
        """
        self.name_member = name_member
        self._place = f"arn:aws:sagemaker:{account.region}:{account.account_id}:{segment}/"
        self._taken, self._missing = taken, missing
        self._items: dict[str, R] = {}
        self._lock = threading.Lock()

    def arn(self, name: str) -> str:
        """Return the ARN of a resource with this name; the service writes ARNs in lower case."""
        return self._place + name.lower()

    def check_free(self, name: str) -> None:
        """Raise the service's error if a resource with this name exists."""
        if name in self._items:
            raise self._taken(self.arn(name))

    def add(self, name: str, resource: R) -> None:
        """Add a resource. Raises the service's error if a resource with its name exists."""
        with self._lock:
            self.check_free(name)
            self._items[name] = resource

    def named(self, name: str) -> R:
        """Return the resource with this name, or raise the service's error."""
        resource = self._items.get(name)
        if resource is None:
            raise self._missing(self.arn(name))
        return resource

    def find(self, name: str) -> R | None:
        """Return the resource with this name; None if there is none."""
        return self._items.get(name)

    def of(self, request: Mapping[str, Any]) -> R:
        """Return the resource that a request names."""
        return self.named(request[self.name_member])

    def remove(self, request: Mapping[str, Any]) -> R:
        """Remove the resource that a request names, and return it."""
        with self._lock:
            resource = self.of(request)
            del self._items[request[self.name_member]]
        return resource

    def with_arn(self, arn: str) -> R | None:
        """Return the resource with this ARN; None if there is none."""
        return next((resource for resource in self._items.values() if resource.arn == arn), None)

    def all(self) -> list[R]:
        """Return all resources, in the order of their creation."""
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
    """Return the answer to a List request: a page of matching summaries, newest first.

    Args:
        member: The member of the answer that holds the page.
        summaries: All resources, oldest first.
        request: The request: part of a name, status, least time, order, page size and start of the page.
        name: The member of summaries with the name.
        status: The member of summaries with the status.
    """
    contains, wanted = request.get("NameContains", ""), request.get("StatusEquals")
    since = request.get("CreationTimeAfter")
    matching = [
        summary
        for summary in summaries
        if contains in summary[name]
        and wanted in (None, summary.get(status))
        and (since is None or summary["CreationTime"] >= since)
    ]
    if request.get("SortOrder", "Descending") == "Descending":
        matching.reverse()
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ValidationError(f"NextToken {token!r} is not one of a List operation's answers.")
    start = int(token)
    end = start + request.get("MaxResults", PAGE_SIZE)
    more = {"NextToken": str(end)} if end < len(matching) else {}
    return {member: matching[start:end], **more}
