"""The licenses of what the locks install: which are allowed, and that an unknown one is refused by name."""

from __future__ import annotations

from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from supply_chain.licenses import judge, refusal
from supply_chain.locks import LOCKS, OLDEST, Lock, pins


class Package(Distribution):
    """A package that says this of itself."""

    def __init__(self, **fields: str) -> None:
        self._about = Message()
        for name, value in {"Name": "a-package", "Version": "1.0", **fields}.items():
            for part in value.split(";"):
                self._about[name.replace("_", "-")] = part

    @property
    def metadata(self) -> Any:
        return self._about

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: Any) -> Path:
        return Path(path)


OF = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    "fields",
    [
        {"License_Expression": "MIT"},
        {"License_Expression": "MPL-2.0 AND (AGPL-3.0-only OR MIT)"},
        {"Classifier": f"Framework :: Pytest;{OF}MIT License;{OF}Apache Software License"},
        {"Classifier": "License :: OSI Approved", "License": "Apache-2.0"},
        {"License": "Apache License 2.0"},
        {"License_Expression": "ISC", "License": "GPL-3.0-only"},
        {"Name": "docutils", "Classifier": f"{OF}GNU General Public License (GPL)"},
    ],
)
def test_these_are_allowed(fields: dict[str, str]) -> None:
    assert refusal(Package(**fields)) == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"License_Expression": "AGPL-3.0-or-later"}, "AGPL-3.0-or-later is not allowed"),
        ({"License_Expression": "MIT AND GPL-2.0-only"}, "is not allowed"),
        ({"License_Expression": "GPL-2.0-only WITH Classpath-exception-2.0"}, "is not allowed"),
        ({"License": "SSPL-1.0"}, "is not allowed"),
        ({"Classifier": f"{OF}GNU Affero General Public License v3"}, "GNU-Affero-General-Public-License"),
        ({"Classifier": f"{OF}MIT License;{OF}GNU General Public License (GPL)"}, "is not allowed"),
        ({"License": "free for non-commercial use"}, "free for non-commercial use"),
        ({"License": "Copyright (c)\nAll rights reserved"}, "does not say its license"),
        ({"License": "UNKNOWN"}, "does not say its license"),
        ({}, "does not say its license"),
    ],
)
def test_these_are_refused_by_name(fields: dict[str, str], said: str) -> None:
    line = refusal(Package(**fields))
    assert line.startswith("a-package 1.0") and said in line


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.file.stem)
def test_what_the_locks_install_is_allowed(lock: Lock) -> None:
    assert judge(lock)[0] == []


def test_what_is_not_installed_is_named_and_not_taken_as_allowed(tmp_path: Path) -> None:
    refused, missing = judge(Lock(file=OLDEST.file, directory=tmp_path))
    assert (refused, missing) == ([], ["protobuf"])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.file.stem)
def test_every_package_of_a_lock_is_pinned_with_its_hashes(lock: Lock) -> None:
    assert pins(lock.file)
    assert all(pin.version and pin.hashes for pin in pins(lock.file))
