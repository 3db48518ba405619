"""The ports of predictions, in their own terms."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.predictions.places import ObjectUri

Chunk = bytes | memoryview


@dataclass(frozen=True)
class Pinned:
    """One version of an object: a read of it is of these bytes, or fails with Conflict ("object_changed").

    `mark` is what its writer left on it.
    """

    uri: ObjectUri
    bytes: int
    etag: str
    mark: str | None = None


@dataclass(frozen=True)
class Written:
    """An object that has been written whole."""

    uri: ObjectUri
    bytes: int
    etag: str


class Output(Protocol):
    """An object being written: it appears whole when the block that writes it ends well, or not at all."""

    def write(self, data: Chunk) -> int:
        """Add bytes; returns their number."""

    def written(self) -> Written:
        """The written object, after the block."""


class PredictionObjects(Protocol):
    """Objects of S3. All raise NotFound ("no_such_object"), Forbidden ("access_denied"), RateLimited, Upstream*."""

    def pin(self, uri: ObjectUri) -> Pinned:
        """The object's present version."""

    def read(self, pinned: Pinned, start: int, stop: int) -> bytes:
        """Bytes [start, stop) of that version; a connection cut in the middle is taken up again."""

    def create(
        self, uri: ObjectUri, *, overwrite: bool, expected_bytes: int = 0, mark: str | None = None
    ) -> AbstractContextManager[Output]:
        """Write an object; Conflict ("output_exists") if one is there and `overwrite` is false."""

    def join(
        self,
        sources: Sequence[ObjectUri],
        uri: ObjectUri,
        *,
        overwrite: bool,
        mark: str | None,
        between: Callable[[], None],
    ) -> Written:
        """Make one object of others, in their order, without moving the bytes through here where S3 can.

        `between` is called between pieces; nothing is written if it raises.
        """


class Verifier(Protocol):
    """The model-signing key."""

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Was `message` signed with the key?"""


class Signer(Protocol):
    """Signs models; publishers have it."""

    @property
    def key_name(self) -> str:
        """The key, as a person knows it."""

    def sign(self, message: bytes) -> bytes:
        """A signature that `Verifier.verify` accepts."""


class ModelFloors(Protocol):
    """The lowest serial that a model at a place may have, kept where writers of the model bucket cannot write."""

    def floor(self, uri: ObjectUri) -> int | None:
        """The floor of a place; None if no model with a serial was published there."""

    def raise_floor(self, uri: ObjectUri, serial: int) -> None:
        """Raise the floor of a place; Conflict ("floor_is_higher") if it is above `serial`."""


class Workflow(Protocol):
    """The engine that runs a job: plan, parts, complete."""

    def start(self, name: str, job_id: str) -> str:
        """Start a run, and return its handle; the same name again returns the run that it named."""

    def stop(self, handle: str) -> None:
        """Stop a run; one that has ended is no error."""

    def failure(self, handle: str) -> str | None:
        """Why a run ended without success; None while it goes on, and after success."""


class JobStore(Protocol):
    """Jobs and their finished parts."""

    def add(self, job_id: str, document: Mapping[str, Any]) -> bool:
        """Store a new job; False if the id is taken."""

    def get(self, job_id: str) -> Mapping[str, Any] | None:
        """The job's document, with `parts_done` and `rows_done` counted."""

    def update(self, job_id: str, changes: Mapping[str, Any], *, states: Sequence[str]) -> bool:
        """Change a job that is in one of `states`; False if it is not."""

    def add_part(self, job_id: str, number: int, rows: int) -> bool:
        """Count a finished part; False if it was counted already."""

    def part_rows(self, job_id: str, number: int) -> int | None:
        """The rows of a finished part; None if it is not finished."""

    def recent(
        self, limit: int, after: str | None, state: str | None = None
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """A page of jobs, newest first, of one state if it is given, and what to pass as `after` for the next page."""

    def remember(self, fingerprint: str, job_id: str) -> None:
        """Store which job was last asked for a piece of work."""

    def remembered(self, fingerprint: str) -> str | None:
        """The job that was last asked for a piece of work; None if it is not known."""

    def watch(self, watcher: "JobWatcher") -> None:
        """Store a socket that wants to know of jobs, for as long as a socket may live."""

    def watchers(self) -> "list[JobWatcher]":
        """The sockets that want to know of jobs."""

    def unwatch(self, watcher_id: str) -> None:
        """Forget a socket."""


@dataclass(frozen=True)
class JobWatcher:
    """A socket that wants to know of jobs, and the endpoint that posts to it."""

    id: str
    endpoint: str


class JobAnnouncements(Protocol):
    """The event bus."""

    def announce(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Put an event; UpstreamUnavailable if the bus did not take it."""


class ModelHolder(Protocol):
    """The function that has the models loaded."""

    def ask(self, event: Mapping[str, Any]) -> bytes:
        """The JSON that a direct invocation with `event` answers; raises its refusal."""


@dataclass(frozen=True)
class ShelvedObject:
    """An object of a listing."""

    uri: ObjectUri
    bytes: int
    modified_at: datetime


class PredictionShelf(Protocol):
    """Objects as people browse them. All raise Forbidden, RateLimited, Upstream*."""

    def listed(self, place: ObjectUri, limit: int, after: str | None) -> tuple[list[ShelvedObject], str | None]:
        """A page of the objects under a place, by key, and what to pass as `after` for the next page."""

    def form(self, uri: ObjectUri, content_type: str, max_bytes: int, seconds: int) -> tuple[str, Mapping[str, str]]:
        """The URL and the fields of a form that uploads one object of that type and at most that size."""

    def link(self, uri: ObjectUri, seconds: int) -> str:
        """A URL that downloads an object."""


class Meter(Protocol):
    """Measures scoring."""

    def peak_mib(self) -> float:
        """The most memory that this process has had, MiB."""

    def scored(self, rows: int, seconds: float) -> None:
        """Count rows that were scored, and the time that it took."""


def stream(objects: PredictionObjects, pinned: Pinned, start: int, stop: int, chunk: int) -> Iterator[bytes]:
    """The bytes [start, stop) of an object in chunks, by range reads."""
    for at in range(start, stop, chunk):
        yield objects.read(pinned, at, min(at + chunk, stop))
