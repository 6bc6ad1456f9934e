"""``make fuzz``: coverage-guided fuzzing of everything that reads what others wrote.

``--seconds`` is the budget of each target. What breaks is kept in ``tests/fuzz/findings/``, by target; once
it is mended, the file stays there as a test. ``--write`` keeps the result in ``tests/fuzz/last_run.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path

from fuzz.target import CORPUS, FINDINGS, HERE, SECONDS
from fuzz.targets import TARGETS

ROOT = HERE.parents[1]
FUZZER = ROOT / ".venv" / "fuzz"
GROWN = ROOT / ".cache" / "fuzz"
"""What earlier runs found to reach more code."""
LAST = HERE / "last_run.json"
PATHS = ("constructs", "lambda", "rehearsal", "tests", "tests/triggers")
LONGEST_INPUT = 64 * 2**10
RESIDENT_MB = 2048
"""Of the process in all; what one input may take is measured by the target."""
EXECUTIONS = re.compile(r"^#(\d+)", re.MULTILINE)
EDGES = re.compile(r"cov: (\d+)")
FOUND = re.compile(r"^FOUND .*", re.MULTILINE)
ENDED = ("crash-", "timeout-", "oom-", "slow-unit-")
"""How the fuzzer names inputs that ended it."""


@dataclass
class Result:
    """What a target's run came to."""

    executions: int = 0
    seconds: float = 0.0
    edges: int = 0
    findings: list[str] = field(default_factory=list)


def fuzz(name: str, seconds: float) -> Result:
    """Fuzz a target for so long, starting again after an input that ended the process."""
    result, grown, findings = Result(), GROWN / name, FINDINGS / name
    grown.mkdir(parents=True, exist_ok=True)
    kept = [str(folder / name) for folder in (CORPUS, FINDINGS) if (folder / name).is_dir()]
    started = time.monotonic()
    while (left := seconds - (time.monotonic() - started)) >= 1:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
            command = [sys.executable, "-m", "fuzz.child", name, str(findings)]
            command += [f"-max_total_time={int(left)}", f"-timeout={SECONDS}", f"-rss_limit_mb={RESIDENT_MB}"]
            command += [f"-max_len={LONGEST_INPUT}", f"-artifact_prefix={scratch}/", "-print_final_stats=1"]
            paths = [ROOT / path for path in PATHS]
            environment = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, [*paths, FUZZER])),
                "ARROW_DEFAULT_MEMORY_POOL": "system",
            }
            log = subprocess.run(
                [*command, str(grown), *kept],
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            ).stderr
            result.executions += max(map(int, EXECUTIONS.findall(log)), default=0)
            result.edges = max([result.edges, *map(int, EDGES.findall(log))])
            result.findings += FOUND.findall(log)
            ended = [path for path in Path(scratch).iterdir() if path.name.startswith(ENDED)]
            for path in ended:
                findings.mkdir(parents=True, exist_ok=True)
                (findings / path.name).write_bytes(path.read_bytes())
                result.findings.append(f"FOUND {path.name}\n{log[-3000:]}")
            if not ended and not EXECUTIONS.search(log):
                raise SystemExit(log[-3000:])
    result.seconds = round(time.monotonic() - started, 1)
    return result


def main() -> int:
    """Fuzz the targets one after the other, print what they came to, and return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="budget of each target (default: 60)")
    parser.add_argument(
        "--target", action="append", choices=sorted(TARGETS), help="only this one; repeatable"
    )
    parser.add_argument("--write", action="store_true", help=f"keep the result in {LAST.relative_to(ROOT)}")
    options = parser.parse_args()
    results: dict[str, Result] = {}
    for name in options.target or TARGETS:
        result = results[name] = fuzz(name, options.seconds)
        figures = f"{result.executions:>9,} inputs  {result.edges:>6,} edges"
        print(f"{name:16} {figures}  {len(result.findings)} findings", flush=True)
        for line in result.findings:
            print(f"  {line}", flush=True)
        if options.write:
            write({name: result})
    return int(any(result.findings for result in results.values()))


def write(results: dict[str, Result]) -> None:
    """Keep the results. Those of other targets stay as they are."""
    before = json.loads(LAST.read_text(encoding="utf-8")) if LAST.exists() else {"targets": {}}
    machine = {
        **{"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()},
        **{name: metadata.version(name) for name in ("numpy", "pyarrow")},
    }
    targets = {**before["targets"], **{name: asdict(result) for name, result in results.items()}}
    document = {
        "date": date.today().isoformat(),
        "machine": machine,
        "executions": sum(entry["executions"] for entry in targets.values()),
        "findings": sum(len(entry["findings"]) for entry in targets.values()),
        "targets": targets,
    }
    LAST.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
