"""Write the software bill of materials that the wheel carries: what its locks install into the functions.

``make lock`` runs this. The file has no time and no random serial number: the same locks and version are the
same bytes.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from supply_chain.licenses import REVIEWED, expression
from supply_chain.locks import CODE, READER, ROOT, Lock, Pin, installed, pins

FILE = ROOT / "requirements" / "cdk-amazon-estimators.cdx.json"
LICENSES = LicenseFactory()


def text() -> str:
    """Return the bill of materials as CycloneDX JSON."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wheel = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.LIBRARY,
        bom_ref=project["name"],
        purl=PackageURL("pypi", name=project["name"], version=project["version"]),
        licenses=[LICENSES.make_with_expression(project["license"])],
    )
    bom = Bom()
    bom.metadata.component = wheel
    components = list(_components())
    bom.components.update(components)
    bom.register_dependency(wheel, components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["serialNumber"], document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _components() -> Iterator[Component]:
    packages = installed(None)
    for lock in (CODE, READER):
        for pin in pins(lock):
            told = REVIEWED.get(pin.name) or expression(packages[pin.name])
            yield _component(pin, told, Lock(file=lock).name)


def _component(pin: Pin, told: str, lock: str) -> Component:
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{pin.name}=={pin.version}",
        purl=PackageURL("pypi", name=pin.name, version=pin.version),
        licenses=[LICENSES.make_from_string(told)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.hashes],
        properties=[Property(name="cdk-amazon-estimators:lock", value=lock)],
    )


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE.relative_to(ROOT)}\n")
