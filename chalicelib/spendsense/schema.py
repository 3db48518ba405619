"""The schema's numbered migrations, and what of them a database still needs. What was applied never changes."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

from msgspec import Struct

from chalicelib.errors import Conflict
from chalicelib.spendsense.taxonomy import Category

_NAME = re.compile(r"(\d{4})_([a-z_]+)\.sql")


@dataclass(frozen=True)
class Migration:
    """One step of the schema's history; `checksum` is SHA-256 of its text."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()


class Migrated(Struct, frozen=True, kw_only=True):
    """What a run of `migrate` did; `mended` says how many existing rows it changed, and why."""

    applied: list[str]
    version: int
    mended: dict[str, int] = {}


class DatabaseSchema(Protocol):
    """A database that remembers which migrations it has."""

    def advance(self, choose: Callable[[Mapping[int, str]], Migration | None]) -> Migration | None:
        """Apply what `choose` picks, given the applied versions and checksums; None when it picks nothing.

        One transaction, under a lock that every runner takes: nothing half-applied, nothing twice.
        """
        ...

    def declare(self, categories: Iterable[Category], applied: Sequence[int]) -> dict[str, int]:
        """Keep the declared categories and no others; what the `applied` migrations and this mended, in rows."""
        ...


class Migrations:
    """Brings a schema up to date."""

    def __init__(
        self,
        *,
        schema: DatabaseSchema,
        available: Sequence[Migration],
        categories: Iterable[Category] = (),
        admit: Callable[[], object] = lambda: None,
    ) -> None:
        self._schema = schema
        self._available = tuple(available)
        self._categories = tuple(categories)
        self._admit = admit

    def migrate(self) -> Migrated:
        """Apply every pending migration in order, then `admit` the application's login.

        Conflict if the database's past differs from the files.
        """
        applied: list[Migration] = []
        while step := self._schema.advance(lambda known: following(known, self._available)):
            applied.append(step)
        versions = [step.version for step in applied]
        mended = self._schema.declare(self._categories, versions) if self._categories else {}
        self._admit()
        return Migrated(
            applied=[f"{step.version:04d}_{step.name}" for step in applied],
            version=self._available[-1].version,
            mended=mended,
        )


def following(applied: Mapping[int, str], available: Sequence[Migration]) -> Migration | None:
    """The first migration that is not applied; Conflict if the past was changed, lost or overtaken."""
    known = {migration.version: migration for migration in available}
    for version, checksum in sorted(applied.items()):
        if version not in known:
            raise Conflict(f"migration {version:04d} was applied but is not among the files")
        if known[version].checksum != checksum:
            raise Conflict(f"migration {version:04d}_{known[version].name} was changed after it was applied")
    pending = [migration for migration in available if migration.version not in applied]
    if pending and applied and pending[0].version < max(applied):
        raise Conflict(f"migration {pending[0].version:04d} comes before {max(applied):04d}, which is applied")
    return pending[0] if pending else None


def packaged_migrations() -> tuple[Migration, ...]:
    """The migrations of this package, in order."""
    folder = files("chalicelib.spendsense.migrations")
    entries = (entry for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return in_version_order((entry.name, entry.read_text(encoding="utf-8")) for entry in entries)


def in_version_order(entries: Iterable[tuple[str, str]]) -> tuple[Migration, ...]:
    """Migrations from file names and texts; ValueError unless they are numbered 1, 2, 3 and so on."""
    found = []
    for name, text in entries:
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name} is not named like 0001_what_it_does.sql")
        found.append(Migration(int(match[1]), match[2], text))
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"versions must be 1, 2, 3, ...: {[migration.version for migration in found]}")
    return tuple(found)
