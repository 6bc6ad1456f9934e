"""Makes docs/compliance.md from the library's own table: ``python tests/constructs/compliance_page.py``."""

from __future__ import annotations

from pathlib import Path

from cdk_amazon_estimators.compliance import (
    ACKNOWLEDGED,
    CHECKOV_SWITCHES,
    INTERFACES,
    OF_CDK,
    PACKS,
    SWITCHES,
    WILDCARDS,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compliance.md"
TITLES = dict(
    zip(PACKS, ("AwsSolutions", "Serverless", "NIST 800-53 R5", "HIPAA", "PCI DSS 3.2.1"), strict=True)
)

HEAD = f"""# Compliance

[cdk-nag](https://github.com/cdklabs/cdk-nag) checks a stack against packs of rules, and
[checkov](https://www.checkov.io) (`CKV_AWS_…`) checks its template. The library's resources pass
checkov and these packs: {", ".join(TITLES.values())}.
Every finding is fixed, resolved by a setting, or acknowledged on the resource with its reason. You have
nothing to acknowledge.

The tests run both, and this page is generated from the code. cdk-nag still reports a wildcard that you
add to one of the library's roles.

## Resolved by a setting

These settings are off by default, because they cost money or need a resource of yours.

| rule | setting |
|---|---|
"""

STARS = """
## Wildcards in policies

AwsSolutions-IAM5 asks for the reason of each wildcard. Besides actions for which the service defines no
resource, these are all:

"""


def page() -> str:
    """Return the page."""
    switches = {**SWITCHES, **CHECKOV_SWITCHES}
    rules = {
        setting: ", ".join(rule for rule, one in switches.items() if one == setting)
        for setting in switches.values()
    }
    settings = "".join(f"| {rule} | `{setting}` |\n" for setting, rule in rules.items())
    findings = "".join(
        f"- **{', '.join(finding.rules + finding.checks)}**, `{finding.kind}`: {finding.reason}\n"
        for finding in (*ACKNOWLEDGED, OF_CDK)
    )
    findings += f"- **{INTERFACES[0]}**, `AWS::IAM::Policy`: {INTERFACES[1]}\n"
    reasons = "".join(f"- {reason}\n" for reason in dict.fromkeys(WILDCARDS.values()))
    return f"{HEAD}{settings}\n## Acknowledged\n\n{findings}{STARS}{reasons}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
