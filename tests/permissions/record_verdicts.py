"""Record the calls of a rehearsal and what a second IAM engine says of them; run by hand.

::

    npm install --prefix DIRECTORY @cloud-copilot/iam-simulate@0.1.173
    .venv/bin/python tests/permissions/record_verdicts.py DIRECTORY           # judge the recorded calls
    .venv/bin/python tests/permissions/record_verdicts.py DIRECTORY --calls   # rehearse, record and judge

The first is needed when a policy changes, the second when the library makes other calls.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path += [str(TESTS / name) for name in ("constructs", "permissions")]

from judged_calls import Call, Recorded, digest_of, simulations  # noqa: E402
from rich.console import Console  # noqa: E402
from template_policies import ARNS, REHEARSED, example, name_of, policies_of  # noqa: E402

from amazon_estimators.local_platform import ON_THIS_MACHINE  # noqa: E402
from amazon_estimators_rehearsal.environment import node_binary  # noqa: E402
from amazon_estimators_rehearsal.platform import Platform  # noqa: E402
from amazon_estimators_rehearsal.testing import rehearsed  # noqa: E402
from amazon_estimators_rehearsal.whole_loop import whole_loop  # noqa: E402

ENGINE = "@cloud-copilot/iam-simulate"


def rehearse(name: str) -> list[Call]:
    """Deploy an example, run it, and return each permission that its roles asked for, once."""
    with Platform() as platform:
        stack = example(name, ON_THIS_MACHINE)
        deployed = rehearsed(stack, platform)
        if name == "Screening":
            outputs = platform.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0][
                "Outputs"
            ]
            told = {output["OutputKey"]: output["OutputValue"] for output in outputs}
            assert whole_loop(platform, Console(stderr=True), told, timeout=600)
        else:
            chance, path = random.Random(3), platform.directory / "risk.csv"
            rows = [(chance.gauss(40, 10), chance.gauss(20, 8)) for _ in range(400)]
            lines = [
                f"c{n},{income:.2f},{debt:.2f},{int(debt > 0.6 * income)}"
                for n, (income, debt) in enumerate(rows)
            ]
            path.write_text("\n".join(["contract,income,debt,default", *lines]), encoding="utf-8")
            deployed.assert_trains("Risk", path)
        answer = platform.client("cloudformation").describe_stack_resources(StackName=name)
        return _calls(name, platform.calls(), answer["StackResources"])


def _calls(stack: str, calls: list[dict[str, Any]], resources: list[dict[str, Any]]) -> list[Call]:
    physical = {
        resource["PhysicalResourceId"]: (resource["LogicalResourceId"], resource["ResourceType"])
        for resource in resources
        if resource["ResourceType"] in ARNS
    }
    roles = {name: logical for name, (logical, kind) in physical.items() if kind == "AWS::IAM::Role"}
    names = {
        name.rstrip("/").split("/")[-1].split(":")[-1]: name_of(logical)
        for name, (logical, _) in physical.items()
    }
    names |= {
        name: name_of(logical) for name, (logical, kind) in physical.items() if kind == "AWS::Logs::LogGroup"
    }

    def renamed(text: str) -> str:
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, names[name])
        return text

    made = {}
    for call in calls:
        session = call["principal"].partition(":assumed-role/")[2].partition("/")[0]
        if session in roles and call["allowed"]:
            context = json.loads(renamed(json.dumps(call["context"])))
            resource = in_the_reference(call["action"], renamed(call["resource"]))
            named = Call(stack, roles[session], call["action"], resource, context)
            made[json.dumps([named.role, named.action, named.resource, named.context], sort_keys=True)] = (
                named
            )
    return [made[key] for key in sorted(made)]


def in_the_reference(action: str, resource: str) -> str:
    """Return the resource of a call as the Service Authorization Reference has it for the action.

    The stand-in asks for these actions on the group; the reference, and the second engine, on its versions.
    """
    if action in {"sagemaker:ListModelPackages", "sagemaker:CreateModelPackage"}:
        group, _, name = resource.partition(":model-package-group/")
        return f"{group}:model-package/{name}/1" if name else resource
    return resource


def judge(calls: list[Call], directory: Path) -> Recorded:
    """Ask the second engine about each call."""
    policies = {name: policies_of(name) for name in REHEARSED}
    pairs = [*simulations(calls, policies)]
    asked = json.dumps([one for pair in pairs for one in pair])
    command = [str(node_binary()), str(Path(__file__).with_name("second_engine.mjs"))]
    answer = subprocess.run(command, input=asked, cwd=directory, capture_output=True, text=True, check=True)
    verdicts = json.loads(answer.stdout)
    wrong = [(one, told["error"]) for one, told in zip(calls, verdicts[::2], strict=True) if "error" in told]
    assert not wrong, wrong[:3]
    told = [
        (verdicts[place]["allowed"], verdicts[place + 1]["allowed"]) for place in range(0, len(verdicts), 2)
    ]
    package = directory / "node_modules" / ENGINE / "package.json"
    version = json.loads(package.read_text(encoding="utf-8"))["version"]
    digests = {name: digest_of(of_stack) for name, of_stack in policies.items()}
    return Recorded(f"{ENGINE} {version}", digests, calls, told)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path, help="where npm installed the second engine")
    parser.add_argument("--calls", action="store_true", help="rehearse, and record the calls anew")
    options = parser.parse_args()
    if options.calls:
        calls = [call for name in REHEARSED for call in rehearse(name)]
        Recorded("", {}, calls, []).save()  # so that they can be judged again
    else:
        calls = [*Recorded.load().calls]
    recorded = judge(calls, options.directory)
    recorded.save()
    refused = sum(not allowed for allowed, _ in recorded.verdicts)
    kept = sum(without for _, without in recorded.verdicts)
    sys.stderr.write(f"{len(calls)} calls, {refused} refused, {kept} allowed without their statements\n")


if __name__ == "__main__":
    main()
