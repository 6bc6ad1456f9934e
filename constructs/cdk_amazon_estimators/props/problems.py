"""Collect the problems of one construct, and raise them as one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from constructs import Construct

from amazon_estimators.errors import AmazonEstimatorsError
from cdk_amazon_estimators.errors import PipelineError


class Problems:
    """Collects the problems of one construct. :meth:`raise_any` raises them all, each with its path."""

    def __init__(self, construct: Construct) -> None:
        self._path = construct.node.path
        self._found: list[AmazonEstimatorsError] = []

    def unless(self, condition: bool, message: str) -> None:
        """Note ``message`` (value, allowed, remedy) unless ``condition`` holds."""
        if not condition:
            self._found.append(PipelineError(message))

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Note an error of the library that is raised inside, and continue."""
        try:
            yield
        except AmazonEstimatorsError as error:
            self._found.append(error)

    def raise_any(self) -> None:
        """Raise one error with all problems, if there are any."""
        if not self._found:
            return
        kinds = {type(error) for error in self._found}
        kind = kinds.pop() if len(kinds) == 1 else PipelineError
        raise kind(
            f"{self._path}: " + f"\n{self._path}: ".join(str(error) for error in self._found), remedy=""
        )
