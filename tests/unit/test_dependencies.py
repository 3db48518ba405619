"""The dependency rule: errors, settings <- domain <- adapters <- bootstrap <- app; domains never meet."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAINS = ("concerts", "predictions", "flights", "spendsense", "uploads")
OUTSIDE = ("boto3", "botocore", "chalice", "psycopg", "urllib.request", "http.client", "requests", "httpx")
SHARED = ("chalicelib.errors", "chalicelib.settings", "chalicelib.parallel")


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def under(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def files(folder: str) -> list[Path]:
    return sorted((ROOT / "chalicelib" / folder).rglob("*.py"))


def test_there_is_something_to_read() -> None:
    assert files("flights")
    assert files("adapters")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_imports_only_itself_and_the_shared_words(domain: str) -> None:
    for path in files(domain):
        for name in imports_of(path):
            assert not under(name, *OUTSIDE), f"{path} imports {name}"
            if under(name, "chalicelib"):
                assert under(name, f"chalicelib.{domain}", *SHARED), f"{path} imports {name}"


def test_adapters_import_domains_but_no_edge() -> None:
    for path in files("adapters"):
        for name in imports_of(path):
            assert not under(name, "chalicelib.entry", "chalicelib.bootstrap", "app"), f"{path} imports {name}"
            assert not under(name, "chalice"), f"{path} imports {name}"


def test_only_the_edge_knows_chalice() -> None:
    for path in (ROOT / "chalicelib").rglob("*.py"):
        if path.parent.name != "entry":
            assert not any(under(name, "chalice") for name in imports_of(path)), path


def test_errors_imports_nothing_of_ours() -> None:
    assert not any(under(name, "chalicelib") for name in imports_of(ROOT / "chalicelib/errors.py"))


def test_nothing_in_the_application_imports_the_local_cloud_or_the_tests() -> None:
    for path in [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]:
        assert not any(under(name, "local", "tests", "benchmarks", "infra") for name in imports_of(path)), path
