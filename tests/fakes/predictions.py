"""The ports of predictions in memory, with faults on demand."""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from chalicelib.errors import Conflict, Gone, NotFound
from chalicelib.predictions.models import parse_event
from chalicelib.predictions.news import JobNews
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.ports import Chunk, JobWatcher, Pinned, ShelvedObject, Written

WRITTEN = datetime(2026, 11, 20, tzinfo=UTC)


class MemoryOutput:
    """An object being written in memory."""

    def __init__(self, uri: ObjectUri, fault: Callable[[int], None]) -> None:
        self.uri = uri
        self.data = bytearray()
        self._fault = fault

    def write(self, data: Chunk) -> int:
        self._fault(len(self.data))
        self.data += data
        return len(data)

    def written(self) -> Written:
        return Written(self.uri, len(self.data), etag(bytes(self.data)))


@dataclass
class MemoryObjects:
    """Objects by their URI; `on_read` and `on_write` are asked before each read or write, and may raise."""

    content: dict[ObjectUri, bytes] = field(default_factory=dict)
    on_read: Callable[[Pinned, int], None] = lambda pinned, start: None
    on_write: Callable[[int], None] = lambda written: None
    marks: dict[ObjectUri, str | None] = field(default_factory=dict)
    reads: list[tuple[ObjectUri, int, int]] = field(default_factory=list)

    def put(self, uri: str, data: bytes) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.content[ObjectUri(bucket, key)] = data

    def get(self, uri: str) -> bytes | None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.content.get(ObjectUri(bucket, key))

    def pin(self, uri: ObjectUri) -> Pinned:
        if uri not in self.content:
            raise NotFound(f"{uri} does not exist", code="no_such_object")
        return Pinned(uri, len(self.content[uri]), etag(self.content[uri]), mark=self.marks.get(uri))

    def read(self, pinned: Pinned, start: int, stop: int) -> bytes:
        self.on_read(pinned, start)
        data = self.content.get(pinned.uri, b"")
        if etag(data) != pinned.etag:
            raise Conflict(f"{pinned.uri} changed while it was read", code="object_changed")
        self.reads.append((pinned.uri, start, stop))
        return data[start:stop]

    @contextmanager
    def create(
        self, uri: ObjectUri, *, overwrite: bool, expected_bytes: int = 0, mark: str | None = None
    ) -> Iterator[MemoryOutput]:
        output = MemoryOutput(uri, self.on_write)
        yield output
        if uri in self.content and not overwrite:
            raise Conflict(f"{uri} exists; send overwrite to replace it", code="output_exists")
        self.content[uri] = bytes(output.data)
        self.marks[uri] = mark

    def join(
        self,
        sources: Sequence[ObjectUri],
        uri: ObjectUri,
        *,
        overwrite: bool,
        mark: str | None,
        between: Callable[[], None],
    ) -> Written:
        with self.create(uri, overwrite=overwrite, mark=mark) as output:
            for source in sources:
                pinned = self.pin(source)
                output.write(self.read(pinned, 0, pinned.bytes))
                between()
        return output.written()


def etag(data: bytes) -> str:
    return '"' + hashlib.md5(data, usedforsecurity=False).hexdigest() + '"'


@dataclass(frozen=True)
class MemoryKey:
    """A key that signs and verifies."""

    secret: bytes = b"the secret of the tests"
    key_name: str = "the tests' key"

    def sign(self, message: bytes) -> bytes:
        return hmac.digest(self.secret, message, "sha256")

    def verify(self, message: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(message), signature)


@dataclass
class MemoryJobs:
    """Jobs and parts."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[int, int]] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    sockets: dict[str, JobWatcher] = field(default_factory=dict)
    floors: dict[ObjectUri, int] = field(default_factory=dict)

    def floor(self, uri: ObjectUri) -> int | None:
        return self.floors.get(uri)

    def raise_floor(self, uri: ObjectUri, serial: int) -> None:
        if self.floors.get(uri, serial) > serial:
            raise Conflict(f"A newer model was published at {uri}.", code="floor_is_higher")
        self.floors[uri] = serial

    def add(self, job_id: str, document: Mapping[str, Any]) -> bool:
        if job_id in self.jobs:
            return False
        self.jobs[job_id] = dict(document)
        return True

    def get(self, job_id: str) -> Mapping[str, Any] | None:
        if job_id not in self.jobs:
            return None
        done = self.parts.get(job_id, {})
        return {"parts_done": len(done), "rows_done": sum(done.values()), **self.jobs[job_id]}

    def update(self, job_id: str, changes: Mapping[str, Any], *, states: Sequence[str]) -> bool:
        if self.jobs.get(job_id, {}).get("state") not in states:
            return False
        self.jobs[job_id].update(changes)
        return True

    def add_part(self, job_id: str, number: int, rows: int) -> bool:
        done = self.parts.setdefault(job_id, {})
        if number in done:
            return False
        done[number] = rows
        return True

    def part_rows(self, job_id: str, number: int) -> int | None:
        return self.parts.get(job_id, {}).get(number)

    def remember(self, fingerprint: str, job_id: str) -> None:
        self.same[fingerprint] = job_id

    def remembered(self, fingerprint: str) -> str | None:
        return self.same.get(fingerprint)

    def watch(self, watcher: JobWatcher) -> None:
        self.sockets[watcher.id] = watcher

    def watchers(self) -> list[JobWatcher]:
        return list(self.sockets.values())

    def unwatch(self, watcher_id: str) -> None:
        self.sockets.pop(watcher_id, None)

    def recent(
        self, limit: int, after: str | None, state: str | None = None
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        ids = sorted(self.jobs, key=lambda job_id: (self.jobs[job_id]["created_at"], job_id), reverse=True)
        ids = [job_id for job_id in ids if state in (None, self.jobs[job_id]["state"])]
        start = ids.index(after) + 1 if after in ids else 0
        page = ids[start : start + limit]
        more = page[-1] if start + limit < len(ids) else None
        return [job for job_id in page if (job := self.get(job_id))], more


@dataclass
class MemoryMeter:
    """Stores the counts."""

    counted: list[tuple[int, float]] = field(default_factory=list)

    def peak_mib(self) -> float:
        return 100.0

    def scored(self, rows: int, seconds: float) -> None:
        self.counted.append((rows, seconds))


@dataclass
class MemoryWorkflow:
    """Runs by name; `failures` says why one failed."""

    started: list[tuple[str, str]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, job_id: str) -> str:
        if (name, job_id) not in self.started:
            self.started.append((name, job_id))
        return f"run:{name}"

    def stop(self, handle: str) -> None:
        self.stopped.append(handle)

    def failure(self, handle: str) -> str | None:
        return self.failures.get(handle)


@dataclass
class MemoryNews:
    """Remembers events and messages; `gone` are sockets that have hung up."""

    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    messages: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def announce(self, kind: str, detail: Mapping[str, Any]) -> None:
        self.events.append((kind, detail))

    def post(self, watcher: JobWatcher, message: Mapping[str, Any]) -> None:
        if watcher.id in self.gone:
            raise Gone("hung up")
        self.messages.append((watcher.id, message))

    def about(self, store: MemoryJobs) -> JobNews:
        return JobNews(store, self, self.post)


@dataclass
class MemoryHolder:
    """Answers with what it is given, or by a service."""

    answer: Callable[[Any], Any]

    def ask(self, event: Mapping[str, Any]) -> bytes:
        return msgspec.json.encode(self.answer(parse_event(event)))


@dataclass
class MemoryShelf:
    """Lists the objects of `MemoryObjects`."""

    objects: MemoryObjects

    def listed(self, place: ObjectUri, limit: int, after: str | None) -> tuple[list[ShelvedObject], str | None]:
        found = sorted(
            (uri for uri in self.objects.content if uri.bucket == place.bucket and uri.key.startswith(place.key)),
            key=lambda uri: uri.key,
        )
        rest = [uri for uri in found if after is None or uri.key > after]
        page = [ShelvedObject(uri, len(self.objects.content[uri]), WRITTEN) for uri in rest[:limit]]
        return page, page[-1].uri.key if len(rest) > limit else None

    def form(self, uri: ObjectUri, content_type: str, max_bytes: int, seconds: int) -> tuple[str, Mapping[str, str]]:
        return f"https://{uri.bucket}.s3/", {"key": uri.key, "Content-Type": content_type}

    def link(self, uri: ObjectUri, seconds: int) -> str:
        return f"https://{uri.bucket}.s3/{uri.key}"
