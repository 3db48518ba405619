"""The artifacts of a release: `deployment.zip`, which every function has, and the layers that some functions add."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.artifacts import archive, bytecode
from infra.artifacts.libraries import Library, install
from infra.artifacts.locks import Pin, read_lock, without
from infra.artifacts.pruning import UNUSED_LIBRARIES, prune
from infra.artifacts.rewriting import rewrite
from infra.artifacts.target import Target

OWN = ("app.py", "chalicelib", "chalice")
"""Packages whose source stays in the zip: our code, and the framework that calls it."""
FUNCTIONS_MOUNT, LAYERS_MOUNT = "/var/task", "/opt/python"


@dataclass(frozen=True)
class Part:
    """Input of one artifact: its name, its lock, and the parts that always lie beneath it."""

    name: str
    lock: str
    mount: str
    beneath: tuple[str, ...] = ()

    @property
    def archive(self) -> str:
        return "deployment.zip" if self.name == "base" else f"{self.name}.zip"

    @property
    def prefix(self) -> str:
        """The folder in the archive: Lambda unpacks layers into /opt, and Python looks into /opt/python."""
        return "" if self.name == "base" else "python/"


PARTS = (
    Part("base", "infra/layers/base.txt", FUNCTIONS_MOUNT),
    Part("arrow", "infra/layers/arrow.txt", LAYERS_MOUNT, ("base",)),
    Part("ml", "infra/layers/ml.txt", LAYERS_MOUNT, ("base", "arrow")),
)


@dataclass(frozen=True)
class Artifact:
    """A finished archive and the libraries in it."""

    part: Part
    path: Path
    libraries: tuple[Library, ...]


def build(code: Path, target: Target, root: Path, out: Path) -> tuple[Artifact, ...]:
    """Write the archives for `target` into `out`; `code` is Chalice's zip of our code, which may be in `out`.

    The libraries come from a cache under `root`/build, keyed by all their inputs.
    Raises PackagingError.
    """
    for part in PARTS:
        folder = _libraries(part, target, root)
        if part.name == "base":
            _write_functions(code, folder / "tree", target, out / part.archive)
        else:
            shutil.copyfile(folder / part.archive, out / part.archive)
    return built(target, root, out)


def built(target: Target, root: Path, out: Path) -> tuple[Artifact, ...]:
    """The archives that `build` wrote into `out`."""
    return tuple(Artifact(part, out / part.archive, _read_libraries(_libraries(part, target, root))) for part in PARTS)


def pins(part: Part, root: Path) -> tuple[Pin, ...]:
    """The pins to install for `part`: its lock without the parts beneath it and without unused libraries."""
    beneath = [pin for other in PARTS if other.name in part.beneath for pin in read_lock(root / other.lock)]
    wanted = without(read_lock(root / part.lock), beneath)
    return tuple(pin for pin in wanted if pin.name not in UNUSED_LIBRARIES)


def _libraries(part: Part, target: Target, root: Path) -> Path:
    """The folder with the pruned and compiled libraries of `part` in `tree`; created if it does not exist."""
    cache = root / "build" / "artifacts" / str(target)
    folder = cache / f"{part.name}-{_key(part, target, root)}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    for stale in cache.glob(f"{part.name}-*"):
        shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=cache) as making:
        tree = Path(making) / "made" / "tree"
        tree.mkdir(parents=True)
        libraries = install(pins(part, root), target, tree)
        beneath = [_libraries(other, target, root) / "tree" for other in PARTS if other.name in part.beneath]
        prune(tree, [library.name for library in libraries], beneath)
        rewrite(tree, {library.name: library.version for library in libraries})
        bytecode.compile_tree(tree, target, part.mount)
        if part.name != "base":
            archive.write(tree.parent / part.archive, archive.contents(tree), part.prefix)
        described = json.dumps([asdict(library) for library in libraries])
        (tree.parent / "libraries.json").write_text(described, encoding="utf-8")
        try:
            os.replace(tree.parent, folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process created it meanwhile
                raise
    return folder


def _key(part: Part, target: Target, root: Path) -> str:
    digest = hashlib.sha256(f"{target} {sys.version} {bytecode.version(target)}".encode())
    for other in PARTS:
        if other is part or other.name in part.beneath:
            digest.update((root / other.lock).read_bytes())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _read_libraries(folder: Path) -> tuple[Library, ...]:
    described = json.loads((folder / "libraries.json").read_text(encoding="utf-8"))
    return tuple(Library(**{**each, "files": tuple(each["files"])}) for each in described)


def _write_functions(code: Path, libraries: Path, target: Target, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="omnibus-functions-") as folder:
        tree = Path(folder)
        with zipfile.ZipFile(code) as opened:
            opened.extractall(tree)
        bytecode.compile_tree(tree, target, FUNCTIONS_MOUNT, own=OWN)
        files = {**archive.contents(libraries), **archive.contents(tree)}
        finished = tree / ".finished.zip"
        archive.write(finished, files)
        shutil.copyfile(finished, path)


def unpack(artifacts: Sequence[Artifact], names: Sequence[str], into: Path) -> list[Path]:
    """Unpack the named parts under `into` as Lambda mounts them; return the folders for sys.path, in Lambda's order."""
    paths = []
    for artifact in artifacts:
        if artifact.part.name in names:
            mounted = into / artifact.part.mount.strip("/")
            with zipfile.ZipFile(artifact.path) as opened:
                opened.extractall(mounted if not artifact.part.prefix else mounted.parent)
            if mounted not in paths:
                paths.append(mounted)
    return paths
