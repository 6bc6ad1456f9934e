"""The account of the whole session, with a bucket and shards of each test module's own."""

from __future__ import annotations

import pytest
from training_account import TrainingAccount

from amazon_estimators_rehearsal.platform import Platform


@pytest.fixture(scope="module")
def account(platform: Platform) -> TrainingAccount:
    return TrainingAccount(platform)


@pytest.fixture(scope="module")
def execution_role(account: TrainingAccount) -> str:
    return account.execution_role()
