"""The console's own unit tests, which Node runs, and its build."""

import json
from pathlib import Path

import pytest

from infra import console

WEB = Path(__file__).parents[3] / "web"
needs_node = pytest.mark.skipif(console.node() is None, reason="Node is not installed: make web")


@pytest.mark.slow
@needs_node
def test_the_logic_of_the_console() -> None:
    console.build()
    console.run_npm("test")


def test_packages_are_installed_once_even_where_the_console_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo removes them after the build; the tests, which come later, need them."""
    asked: list[str] = []

    def run_npm(*arguments: str) -> str:
        asked.append(arguments[0])
        (tmp_path / "node_modules").mkdir()
        return ""

    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(console, "WEB", tmp_path)
    monkeypatch.setattr(console, "run_npm", run_npm)
    monkeypatch.setattr("sys.argv", ["console", "--packages"])
    console.main()
    console.main()
    assert asked == ["ci"]


@needs_node
def test_it_is_built_once() -> None:
    console.build()
    assert not console.build()
    assert (console.SITE / "index.html").exists()


@needs_node
def test_the_first_load_is_small() -> None:
    console.build()
    sizes = {file.name: file.stat().st_size for file in console.SITE.rglob("*.gz")}
    large = {name for name in sizes if name.startswith("coastlines-10m")}  # loaded when the map is zoomed in
    coastlines = {name for name in sizes if name.startswith("countries-50m")}
    assert len(large) == len(coastlines) == 1
    assert sum(sizes[name] for name in large) < 800_000, sizes
    assert sum(size for name, size in sizes.items() if name not in large) < 400_000, sizes
    assert sum(size for name, size in sizes.items() if name not in large | coastlines) < 150_000, sizes


def test_every_package_is_pinned_with_its_digest() -> None:
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    declared = json.loads((WEB / "package.json").read_text())
    assert all("integrity" in each for name, each in locked.items() if name)
    for kind in ("dependencies", "devDependencies"):
        assert locked[""][kind] == declared[kind]
        assert not [name for name, version in declared[kind].items() if not version[0].isdigit()]


def test_content_types() -> None:
    kinds = {name: console.content_type(Path(name)) for name in ("a.js", "a.css", "a.html", "a.json", "a.svg", "a")}
    assert kinds["a.js"] == "text/javascript; charset=utf-8"
    assert kinds["a.html"] == "text/html; charset=utf-8"
    assert kinds["a.svg"] == "image/svg+xml; charset=utf-8"
    assert kinds["a"] == "application/octet-stream"
