"""An artifact's bill of materials as CycloneDX 1.6 JSON: each library with its version, licence and digest."""

import hashlib
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from infra.artifacts.archive import EPOCH
from infra.artifacts.build import Artifact
from infra.artifacts.libraries import Library

WITHOUT_EXPRESSION = {
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "MIT License": "MIT",
    "OSI Approved": "MIT",
}
"""SPDX expressions for libraries that state their licence otherwise; each was checked in the library's licence."""


def write(artifact: Artifact) -> Path:
    """Write the bill of `artifact` next to it, e.g. `arrow.cdx.json` for `arrow.zip`; same zip, same bill."""
    digest = hashlib.sha256(artifact.path.read_bytes()).hexdigest()
    bom = Bom(components=_components(artifact), serial_number=uuid5(NAMESPACE_URL, digest))
    bom.metadata.timestamp = datetime(*EPOCH, tzinfo=UTC)
    bom.metadata.component = Component(
        name=artifact.path.name, type=ComponentType.APPLICATION, bom_ref=artifact.path.name, hashes=[_sha256(digest)]
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    path = artifact.path.with_suffix(".cdx.json")
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _components(artifact: Artifact) -> Iterable[Component]:
    native = _native(artifact)
    for library in artifact.libraries:
        folders = {name.split("/")[0] for name in library.files if name.split("/")[0].endswith(".libs")}
        yield _component(library, [each for folder in folders for each in native.get(folder, [])])
    if artifact.part.name == "base":
        version = metadata.version("chalice")
        yield _component(Library("chalice", version, "Apache-2.0", "", "", ()), [])


def _component(library: Library, bundled: list[Component]) -> Component:
    licence = WITHOUT_EXPRESSION.get(library.licence, library.licence)
    return Component(
        name=library.name,
        version=library.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{library.name}@{library.version}",
        purl=PackageURL("pypi", name=library.name, version=library.version),
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
        hashes=[_sha256(library.sha256)] if library.sha256 else [],
        components=bundled,
    )


def _native(artifact: Artifact) -> dict[str, list[Component]]:
    """The shared libraries in wheels (OpenBLAS, libpq, OpenSSL), by folder."""
    found: dict[str, list[Component]] = {}
    with zipfile.ZipFile(artifact.path) as opened:
        for name in opened.namelist():
            folder, _, file = name.removeprefix(artifact.part.prefix).partition("/")
            if folder.endswith(".libs"):
                digest = hashlib.sha256(opened.read(name)).hexdigest()
                reference = f"{artifact.part.name}/{folder}/{file}"
                component = Component(name=file, type=ComponentType.FILE, bom_ref=reference, hashes=[_sha256(digest)])
                found.setdefault(folder, []).append(component)
    return found


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
