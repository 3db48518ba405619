"""What releases are made with: locks, lighter shared objects, bytecode, archives, budget, bill of materials."""

import ast
import ctypes
import json
import marshal
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import numpy
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from infra.artifacts import archive, bytecode, elf, sbom
from infra.artifacts.budget import LIMITS, MIB, Weight, exceeded, table, taken, weigh
from infra.artifacts.build import PARTS, Artifact, pins
from infra.artifacts.compiler import compiled
from infra.artifacts.errors import PackagingError
from infra.artifacts.libraries import Library
from infra.artifacts.locks import read_lock, without
from infra.artifacts.pruning import AWS_SERVICES
from infra.artifacts.rewriting import EDITS, computed, rewrite
from infra.artifacts.target import Target, release_target
from infra.package import ROOT
from tests.package.hosts import HERE

LOCKS = {
    "infra/layers/base.txt": "requirements.in",
    "infra/layers/arrow.txt": "infra/layers/arrow.in",
    "infra/layers/ml.txt": "infra/layers/ml.in",
    "requirements-local.txt": "requirements-local.in",
    "requirements-dev.txt": "requirements-dev.in",
    "requirements-bench.txt": "requirements-bench.in",
}
OBJECTS = [
    path
    for folder in (Path(msgspec.__file__).parent, Path(numpy.__file__).parent.parent / "numpy.libs")
    for path in sorted(folder.glob("*.so*"))
]


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS)
    def test_everything_is_pinned_with_digests(self, lock: str) -> None:
        assert len(read_lock(ROOT / lock)) > 3

    @pytest.mark.parametrize(("lock", "source"), LOCKS.items())
    def test_what_is_asked_for_is_in_the_lock(self, lock: str, source: str) -> None:
        locked = {(pin.name, pin.version) for pin in read_lock(ROOT / lock)}
        assert asked_for(ROOT / source) <= locked

    def test_what_ships_is_what_is_tested(self) -> None:
        tested = {pin.name: pin.version for pin in read_lock(ROOT / "requirements-dev.txt")}
        for part in PARTS:
            for pin in pins(part, ROOT):
                assert tested[pin.name] == pin.version

    def test_the_plain_pins_are_those_that_ship(self) -> None:
        """Without digests, as `pip install -r requirements.txt chalice` requires."""
        plain = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
        shipped = read_lock(ROOT / "infra/layers/base.txt")
        assert plain == [pin.lines[0].removesuffix("\\").rstrip() for pin in shipped]

    def test_uv_itself_is_pinned_with_digests(self) -> None:
        assert [pin.name for pin in read_lock(ROOT / "requirements-uv.txt")] == ["uv"]

    def test_a_lock_names_no_index(self) -> None:
        for lock in LOCKS:
            assert "://" not in (ROOT / lock).read_text()

    def test_a_line_without_digests_is_refused(self, tmp_path: Path) -> None:
        lock = tmp_path / "lock.txt"
        lock.write_text("# made by hand\nboto3==1.2.3\n")
        with pytest.raises(PackagingError, match=r"lock\.txt: 'boto3==1\.2\.3' is not pinned with digests"):
            read_lock(lock)

    def test_two_versions_of_one_library_are_refused(self, tmp_path: Path) -> None:
        digest = f"    --hash=sha256:{'0' * 64}\n"
        for name, version in (("a", "1"), ("b", "2")):
            (tmp_path / name).write_text(f"numpy=={version} \\\n{digest}")
        with pytest.raises(PackagingError, match="numpy is locked at 2 and at 1"):
            without(read_lock(tmp_path / "a"), read_lock(tmp_path / "b"))


def asked_for(path: Path) -> set[tuple[str, str]]:
    """What a requirements.in asks for, with the files that it includes."""
    found: set[tuple[str, str]] = set()
    for line in path.read_text().splitlines():
        if line.startswith("-r "):
            found |= asked_for(path.parent / line[3:])
        elif line and not line.startswith("#"):
            name, _, version = line.partition("==")
            found.add((name.partition("[")[0].replace("_", "-").lower(), version))
    return found


class TestObjects:
    def test_there_are_some(self) -> None:
        assert len(OBJECTS) >= 3

    @pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.name.split(".")[0])
    def test_segments_keep_their_bytes_and_stay_congruent(self, path: Path) -> None:
        content = path.read_bytes()
        lighter = elf.stripped(content)
        assert len(lighter) <= len(content)
        for before, after in zip(elf.segments(content), elf.segments(lighter), strict=True):
            assert (after.address, after.size, after.memory, after.flags) == (
                before.address,
                before.size,
                before.memory,
                before.flags,
            )
            if before.kind == elf.LOAD:
                assert (after.offset - after.address) % after.alignment == 0
                start = elf.HEADER.size + elf.SEGMENT.size * 32 if before.offset == 0 else 0  # headers may change
                assert content[before.offset + start : before.end] == lighter[after.offset + start : after.end]
        assert elf.stripped(lighter) == lighter
        assert elf.needed(lighter) == elf.needed(content)

    def test_what_is_left_can_be_loaded(self, tmp_path: Path) -> None:
        module = next(path for path in OBJECTS if "_core" in path.name)
        (tmp_path / module.name).write_bytes(elf.stripped(module.read_bytes()))
        ctypes.CDLL(str(tmp_path / module.name))

    def test_a_library_that_is_no_longer_needed(self) -> None:
        content = next(path for path in OBJECTS if "openblas" in path.name).read_bytes()
        first, *others = elf.needed(content)
        assert elf.needed(elf.unlinked(content, frozenset({first}))) == tuple(others)

    @given(st.binary(max_size=200))
    def test_what_is_no_object_is_refused(self, content: bytes) -> None:
        if not elf.is_object(content):
            with pytest.raises(elf.NotAnObject):
                elf.stripped(content)


class TestBytecode:
    def test_docstrings_go_and_everything_else_stays(self) -> None:
        source = b'"""Module."""\nfrom __future__ import annotations\nassert True\n\ndef f():\n    "Function."\n'
        code = compiled(source, "/opt/python/m.py", documented=False)
        names: dict[str, object] = {}
        exec(marshal.loads(code[16:]), names)
        assert names.get("__doc__") is None
        assert names["f"].__doc__ is None
        assert b"Function." in compiled(source, "m.py", documented=True)
        assert ast.parse(source)

    def test_own_modules_keep_their_source(self, tmp_path: Path) -> None:
        for name in ("app.py", "library.py"):
            (tmp_path / name).write_text("value = 1\n")
        bytecode.compile_tree(tmp_path, HERE, "/var/task", own=("app.py",))
        found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py*") if path.is_file())
        assert found == [f"__pycache__/app.{sys.implementation.cache_tag}.pyc", "app.py", "library.pyc"]
        (tmp_path / "app.py").write_text("value = 2\n")
        read = [sys.executable, "-B", "-c", "import app, library; print(app.value, library.value)"]
        done = subprocess.run(read, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout == "1 1\n", "the bytecode is not compared with the source"

    def test_without_the_runtimes_python_the_reason_is_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.setenv("PYENV_ROOT", "/nowhere")
        with pytest.raises(PackagingError, match=r"found no python3\.9: .* only that Python can compile"):
            bytecode.interpreter(Target("python3.9", "x86_64"))


class TestArchive:
    def test_the_same_content_is_the_same_bytes(self, tmp_path: Path) -> None:
        for folder, order in (("a", (1, 2)), ("b", (2, 1))):
            (tmp_path / folder).mkdir()
            for number in order:
                (tmp_path / folder / f"{number}.py").write_text("x" * number)
        (tmp_path / "b" / "1.py").chmod(0o700)
        for folder in ("a", "b"):
            archive.write(tmp_path / f"{folder}.zip", archive.contents(tmp_path / folder), "python/")
        assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
        with zipfile.ZipFile(tmp_path / "a.zip") as opened:
            assert opened.namelist() == ["python/1.py", "python/2.py"]


class TestBudget:
    def test_each_limit_that_is_exceeded_is_named(self) -> None:
        weights = [Weight("base", "a", 16 * MIB, 20 * MIB), Weight("arrow", "b", MIB, 141 * MIB)]
        assert exceeded(weights) == [
            "base, zipped: 16.0 MiB, at most 15",
            "base + arrow, unzipped: 161.0 MiB, at most 160",
        ]
        assert "161.00  of 160" in table(weights)
        assert taken(weights, LIMITS[2]) == 161 * MIB


class TestRewriting:
    def test_the_names_that_are_trusted_are_those_of_the_library(self) -> None:
        from skops.io import _trusted_types

        names: dict[str, list[str]] = {}
        exec(computed("skops.io._trusted_types"), names)
        assert set(names["SKLEARN_ESTIMATOR_TYPE_NAMES"]) == set(_trusted_types.SKLEARN_ESTIMATOR_TYPE_NAMES)
        assert len(names["SKLEARN_ESTIMATOR_TYPE_NAMES"]) > 150

    def test_a_library_that_has_changed_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "sklearn" / "utils" / "fixes.py"
        path.parent.mkdir(parents=True)
        path.write_text("import pandas\n")
        with pytest.raises(PackagingError, match=r"scikit-learn 9\.9: sklearn/utils/fixes\.py has changed"):
            rewrite(tmp_path, {"scikit-learn": "9.9"})

    def test_another_version_than_the_one_here_is_refused(self, tmp_path: Path) -> None:
        for name in EDITS["skops"]:
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).write_text("".join(before for before, _ in EDITS["skops"][name]))
        with pytest.raises(PackagingError, match=r"skops is .* here and 0\.1 in the package"):
            rewrite(tmp_path, {"skops": "0.1"})


def test_the_bill_names_what_is_in_the_archive(tmp_path: Path) -> None:
    (tmp_path / "tree" / "numpy").mkdir(parents=True)
    (tmp_path / "tree" / "numpy.libs").mkdir()
    (tmp_path / "tree" / "numpy" / "__init__.pyc").write_bytes(b"code")
    (tmp_path / "tree" / "numpy.libs" / "libopenblas.so").write_bytes(b"blas")
    path = tmp_path / "arrow.zip"
    archive.write(path, archive.contents(tmp_path / "tree"), "python/")
    files = ("numpy/__init__.py", "numpy.libs/libopenblas.so")
    library = Library("numpy", "2.4.6", "BSD-3-Clause", "numpy.whl", "0" * 64, files)
    artifact = Artifact(PARTS[1], path, (library,))
    text = sbom.write(artifact).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    (component,) = json.loads(text)["components"]
    assert (component["name"], component["version"], component["purl"]) == ("numpy", "2.4.6", "pkg:pypi/numpy@2.4.6")
    assert component["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert component["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]
    assert [inner["name"] for inner in component["components"]] == ["libopenblas.so"]
    assert sbom.write(artifact).read_text() == text
    assert {weight.library for weight in weigh([artifact])} == {"numpy"}


def test_every_service_that_is_called_is_described_in_the_package() -> None:
    called = set()
    for path in (ROOT / "chalicelib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("client", "_client"):
                called |= {each.value for each in node.args[:1] if isinstance(each, ast.Constant)}
    assert called <= set(AWS_SERVICES)
    assert len(called) > 10


def test_releases_are_not_for_the_python_whose_glibc_is_too_old() -> None:
    with pytest.raises(PackagingError, match=r"runtime: is python3\.11; expected python3\.12 or python3\.13\..* glibc"):
        release_target("python3.11", "x86_64")
