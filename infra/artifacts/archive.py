"""Reproducible zip files: the same bytes for the same content, sorted, without times, with fixed modes."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can store
FILE_MODE = 0o100644
UNIX = 3
LEVEL = 6


def contents(tree: Path) -> dict[str, Path]:
    """The files under `tree`, by their path relative to it."""
    return {path.relative_to(tree).as_posix(): path for path in sorted(tree.rglob("*")) if path.is_file()}


def write(archive: Path, files: Mapping[str, Path], prefix: str = "") -> dict[str, int]:
    """Write the files into `archive` under `prefix`; return their zipped sizes in bytes by name without the prefix."""
    sizes: dict[str, int] = {}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as opened:
        for name in sorted(files):
            entry = zipfile.ZipInfo(prefix + name, EPOCH)
            entry.create_system = UNIX
            entry.external_attr = FILE_MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            opened.writestr(entry, files[name].read_bytes(), compresslevel=LEVEL)
            sizes[name] = entry.compress_size
    return sizes
