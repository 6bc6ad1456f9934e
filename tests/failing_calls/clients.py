"""The library's clients as the library makes them, but for the endpoint, the patience and the pauses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import pytest
from account import configure_clients
from botocore.config import Config
from botocore.hooks import EventAliaser
from botocore.retries import standard
from botocore.retries.quota import RetryQuota
from botocore.useragent import UserAgentString

from amazon_estimators.storage import s3 as storage
from amazon_estimators.storage import sessions

PATIENT, HASTY = 30.0, 0.3
"""Seconds that a client waits for an answer: where one is withheld, it is hasty."""
_ALIAS = EventAliaser._alias_event_name
_MAKE_S3_CLIENT, _MAKE_CLIENT = storage.client.__wrapped__, boto3.Session.client


class Clients:
    """Clients of one endpoint. Making one takes longer than most functions do, so each is made once."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint, self._patience = endpoint, PATIENT
        self._of_session, self._of_s3 = cache(self._made), cache(lambda patience: _MAKE_S3_CLIENT())

    def wait(self, seconds: float) -> None:
        """Let clients wait for an answer for so long."""
        if seconds == self._patience:
            return
        self._patience = seconds
        sessions.function_client.cache_clear()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let the library get these clients, and pause never."""
        with pytest.MonkeyPatch.context() as patch:
            configure_clients(patch)
            patch.setenv("NO_PROXY", "127.0.0.1")
            # A client's budget of retries is for one function, not for a thousand cases.
            patch.setattr(standard.quota, "RetryQuota", lambda: RetryQuota(10**9))
            patch.setattr(boto3.Session, "client", self._client)
            patch.setattr(storage, "client", lambda: self._of_s3(self._patience))
            patch.setattr("time.sleep", lambda seconds: None)
            # A fifth of botocore's time, for what is the same in each request.
            patch.setattr(UserAgentString, "to_string", lambda _: "tests")
            patch.setattr(EventAliaser, "_alias_event_name", cache(_ALIAS))
            sessions.function_client.cache_clear()
            yield
        sessions.function_client.cache_clear()

    @property
    def _client(self) -> Any:
        def client(session: Any, service: str, config: Config | None = None) -> Any:
            if service == "s3":  # its session has a parser of its own
                return self._of(session, service, self._patience, config or Config())
            options = json.dumps(getattr(config, "_user_provided_options", {}), sort_keys=True)
            return self._of_session(service, self._patience, options)

        return client

    def _made(self, service: str, patience: float, options: str) -> Any:
        return self._of(_session(), service, patience, Config(**json.loads(options)))

    def _of(self, session: Any, service: str, patience: float, config: Config) -> Any:
        own = config.merge(Config(read_timeout=patience, s3={"addressing_style": "path"}))
        return _MAKE_CLIENT(session, service, config=own, endpoint_url=self._endpoint)


@cache
def _session() -> Any:
    return boto3.Session()
