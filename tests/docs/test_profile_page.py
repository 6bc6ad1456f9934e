"""The costs that docs/profile.md tells are those of the benchmark's last committed run."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "profile.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "benchmarks/results/feature_profile.json").read_text(encoding="utf-8"))


def test_the_page_tells_what_the_benchmark_measured() -> None:
    rows = {
        "csv": "CSV",
        "parquet": "Parquet",
        "npy": "`.npy` of float32, from local files",
        "npy_over_https": "`.npy` of float32, over HTTPS",
    }
    assert set(rows) == set(RESULTS["encode"])
    for kind, shown in rows.items():
        assert f"| {shown} | {RESULTS['encode'][kind]['extra'] * 100:.0f} % |" in PAGE
    seal = RESULTS["seal"]
    adding_up = seal["cpu_seconds"] - seal["of_making_profiles"]["cpu_seconds"]
    assert f"{adding_up:.0f} s of CPU and {seal['peak_mb']:.0f} MB" in " ".join(PAGE.split())
