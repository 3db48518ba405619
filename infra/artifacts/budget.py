"""The artifacts' share of Lambda's limits, by library."""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from infra.artifacts.build import OWN, Artifact

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limit:
    """Limit for some artifacts together, in MiB, zipped or unzipped."""

    parts: tuple[str, ...]
    mib: int
    zipped: bool

    @property
    def what(self) -> str:
        return f"{' + '.join(self.parts)}, {'zipped' if self.zipped else 'unzipped'}"


LIMITS = (
    Limit(("base",), 15, zipped=True),
    Limit(("base", "arrow"), 160, zipped=False),
    Limit(("base", "arrow", "ml"), 232, zipped=False),
)
"""Our limits; Lambda's is 250 MiB for a function with its layers, unzipped. Of the difference, 15 MiB are reserved for
AWS's extensions and 3 MiB for growth of the libraries."""


@dataclass(frozen=True)
class Weight:
    """Size of a library in an artifact, in bytes."""

    part: str
    library: str
    zipped: int
    unzipped: int


def weigh(artifacts: Iterable[Artifact]) -> tuple[Weight, ...]:
    """The size of each library in each artifact; our own code and Chalice count as libraries, too."""
    return tuple(weight for artifact in artifacts for weight in _weights(artifact))


def _weights(artifact: Artifact) -> Iterator[Weight]:
    owners = {name.split("/")[0]: library.name for library in artifact.libraries for name in library.files}
    owners |= dict.fromkeys(OWN, "omnibus") | {"chalice": "chalice"}
    found: dict[str, tuple[int, int]] = {}
    with zipfile.ZipFile(artifact.path) as opened:
        for entry in opened.infolist():
            top = entry.filename.removeprefix(artifact.part.prefix).split("/")[0]
            name = owners.get(top) or owners.get(top.removesuffix("c")) or owners.get(_of_cache(entry.filename), top)
            zipped, unzipped = found.get(name, (0, 0))
            found[name] = zipped + entry.compress_size, unzipped + entry.file_size
    for name, (zipped, unzipped) in sorted(found.items()):
        yield Weight(artifact.part.name, name, zipped, unzipped)


def _of_cache(filename: str) -> str:
    """The source of a bytecode file: `app.py` for `__pycache__/app.cpython-313.pyc`."""
    return f"{filename.rsplit('/', 1)[-1].split('.')[0]}.py"


def taken(weights: Iterable[Weight], limit: Limit) -> int:
    """Total size of the artifacts of `limit`, in bytes."""
    return sum(
        weight.zipped if limit.zipped else weight.unzipped for weight in weights if weight.part in limit.parts
    )  # fmt: skip


def exceeded(weights: Sequence[Weight]) -> list[str]:
    """A sentence for each exceeded limit."""
    return [
        f"{limit.what}: {taken(weights, limit) / MIB:.1f} MiB, at most {limit.mib}"
        for limit in LIMITS
        if taken(weights, limit) > limit.mib * MIB
    ]


def table(weights: Sequence[Weight]) -> str:
    """The sizes by artifact and library, largest first, and the limits, as text."""
    rows = [f"{'artifact':9} {'library':24} {'zipped':>8} {'unzipped':>9}  MiB"]
    for part in dict.fromkeys(weight.part for weight in weights):
        own = sorted((each for each in weights if each.part == part), key=lambda each: -each.unzipped)
        rows += [_row(part, each.library, each.zipped, each.unzipped) for each in own]
        rows.append(_row(part, "together", sum(each.zipped for each in own), sum(each.unzipped for each in own)))
    rows += [f"{limit.what:34} {taken(weights, limit) / MIB:>17.2f}  of {limit.mib}" for limit in LIMITS]
    return "\n".join(rows)


def _row(part: str, name: str, zipped: int, unzipped: int) -> str:
    return f"{part:9} {name:24} {zipped / MIB:8.2f} {unzipped / MIB:9.2f}"
