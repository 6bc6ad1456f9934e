"""Synthesise README's program with the installed package: ``synth_readme.py README.md``.

``make release`` runs it in an environment that has the wheel and not the clone. It runs the whole
``cdk synth``: the Lambda functions' packages are installed by the locks inside the wheel.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import cdk_amazon_estimators


def main(readme: Path) -> None:
    """Write README's program as app.py, synthesise it with the CDK CLI and check what comes out."""
    scripts = Path(sys.executable).parent
    assert Path(cdk_amazon_estimators.__file__).is_relative_to(sys.prefix), "the clone is used, not the wheel"
    program = next(
        block
        for block in re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
        if "App()" in block
    )
    Path("app.py").write_text(program, encoding="utf-8")
    subprocess.run(
        [scripts / "cdk", "synth", "--quiet", "--app", f"{sys.executable} app.py", "--output", "out"],
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
        check=True,
    )
    (template,) = Path("out").glob("*.template.json")
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    kinds = [resource["Type"] for resource in resources]
    assert "AWS::StepFunctions::StateMachine" in kinds, kinds
    assert any(
        "amazon_estimators/handlers/plan.py" in ZipFile(asset).namelist()
        for asset in Path("out").glob("asset.*.zip")
    ), "no Lambda code"
    print(f"{template}: {len(kinds)} resources from the wheel")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
