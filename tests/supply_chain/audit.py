"""Ask pip-audit for known vulnerabilities of the locks: ``make check`` runs this.

The data is on the network. Without it, one line says so and the check goes on. With it, the answer is kept
for the day, and asked for again when a lock changes.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from supply_chain.locks import BESIDE, DEVELOPMENT, ROOT, SHIPPED, Lock, pins

CACHE = ROOT / ".cache" / "audit.json"
TIMEOUT = 5
"""Seconds, for a request."""

ACCEPTED: dict[str, str] = {}
"""Vulnerabilities that do not reach us: id, and why."""


class NoDataError(Exception):
    """The vulnerability service did not answer, or does not know the packages."""


def vulnerabilities(locks: Iterable[Lock], service: Sequence[str] = ()) -> list[str]:
    """Return a line for each known vulnerability of the packages in ``locks``, which pin one version of each.

    ``service`` are options of pip-audit that say where to ask. Default: PyPI.

    Raises:
        NoDataError: If there is no answer about one of the packages.
    """
    with tempfile.TemporaryDirectory(prefix="audit-") as scratch:
        file = Path(scratch, "requirements.txt")
        file.write_text("\n".join(sorted(_lines(locks))), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pip_audit",
            "--require-hashes",
            "--disable-pip",
            f"--requirement={file}",
        ]
        command += ["--format=json", "--progress-spinner=off", f"--timeout={TIMEOUT}", *service]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise NoDataError((done.stderr.strip().splitlines() or ["no answer"])[-1]) from None
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        raise NoDataError(f"it has no data about {', '.join(unknown[:3])}" + " …" * (len(unknown) > 3))
    return [
        f"{package['name']} {package['version']}: {vulnerability['id']}, "
        f"mended in {', '.join(vulnerability['fix_versions']) or 'no version'}"
        for package in packages
        for vulnerability in package["vulns"]
        if vulnerability["id"] not in ACCEPTED
    ]


def _lines(locks: Iterable[Lock]) -> set[str]:
    return {
        f"{pin.name}=={pin.version} " + " ".join(f"--hash=sha256:{digest}" for digest in pin.hashes)
        for lock in locks
        for pin in pins(lock.file)
    }


def main(service: Sequence[str] = (), cache: Path = CACHE) -> int:
    """Print what is vulnerable. What only tests run, on our own files, is printed and does not fail."""
    digest = hashlib.sha256(json.dumps([date.today().isoformat(), sorted(ACCEPTED)]).encode())
    for lock in (*SHIPPED, *DEVELOPMENT, *BESIDE):
        digest.update(lock.file.read_bytes())
    try:
        answer = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        answer = {}
    if answer.get("asked") != digest.hexdigest():
        try:
            answer = {"asked": digest.hexdigest(), **_ask(service)}
        except NoDataError as error:
            print(f"Vulnerabilities: not checked, pip-audit has no data here ({error}).")
            return 0
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(answer), encoding="utf-8")
    for line in answer["beside"]:
        print(f"Vulnerable, in a program for the tests alone: {line}")
    print("\n".join(answer["vulnerable"]) or "Vulnerabilities: none is known of the locked packages.")
    return bool(answer["vulnerable"])


def _ask(service: Sequence[str]) -> dict[str, list[str]]:
    """Ask about the functions' packages first: without data, these few say so at once."""
    first, *others = SHIPPED
    shipped = vulnerabilities([first], service)
    groups = [(*others, *DEVELOPMENT), *((lock,) for lock in BESIDE)]
    with ThreadPoolExecutor() as pool:
        installed, *beside = pool.map(lambda group: vulnerabilities(group, service), groups)
    return {
        "vulnerable": sorted({*shipped, *installed}),
        "beside": sorted({line for lines in beside for line in lines}),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
