"""Random interleavings of both sides, S3, the outbox, faults and time, on the whole workload."""

from contextlib import suppress

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.errors import OmnibusError, RateLimited
from chalicelib.uploads.machine import LIFETIME, MAX_PERMISSIONS, Session, status_at
from chalicelib.uploads.status import Status
from tests.properties import examples
from tests.unit.uploads.house import HTML, JPEG, House


class Interleavings(RuleBasedStateMachine):
    """One session, several sockets; whatever happens, the promises hold."""

    @initialize()
    def open_session(self) -> None:
        self.house = House()
        self.opened = self.house.opened()
        self.sockets: list[str] = []
        self.keys: list[str] = []
        self.writes = 0
        self.pending: list[tuple[str, str, str]] = []
        self.reported: list[tuple[str, str, str]] = []
        self.completed: Session | None = None

    @property
    def session(self) -> Session:
        return self.house.session(self.opened)

    @rule()
    def connect(self) -> None:
        name = f"socket-{len(self.sockets)}"
        try:
            self.house.connect(self.opened, name)
        except OmnibusError:
            assert status_at(self.session, self.house.clock()) is Status.EXPIRED or self.completed
            return
        self.sockets.append(name)

    @precondition(lambda self: self.sockets)
    @rule(data=st.data(), noticed=st.booleans())
    def disconnect(self, data: st.DataObject, noticed: bool) -> None:
        name = data.draw(st.sampled_from(self.sockets))
        self.house.sockets.open.discard(name)
        if noticed:
            self.house.presence.forget(name)

    @rule()
    def permit(self) -> None:
        try:
            self.keys.append(self.house.permitted(self.opened))
        except OmnibusError:
            assert (
                self.completed
                or self.session.permissions == MAX_PERMISSIONS
                or status_at(self.session, self.house.clock()) is Status.EXPIRED
            )

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), content=st.sampled_from([JPEG, HTML]))
    def upload(self, data: st.DataObject, content: bytes) -> None:
        key = data.draw(st.sampled_from(self.keys[-3:]))
        self.writes += 1
        version = f"v{self.writes}"
        self.house.uploaded(key, content, version)
        self.pending.append((key, version, f"{self.writes:06X}"))

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def event(self, data: st.DataObject) -> None:
        arrival = data.draw(st.sampled_from(self.pending))
        self.pending.remove(arrival)
        self.reported.append(arrival)
        self.house.arrives(*arrival)

    @precondition(lambda self: self.reported)
    @rule(data=st.data())
    def duplicate_event(self, data: st.DataObject) -> None:
        self.house.arrives(*data.draw(st.sampled_from(self.reported)))

    @precondition(lambda self: self.sockets)
    @rule(data=st.data())
    def sync(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.sockets))
        if name in self.house.sockets.open and self.session.socket and self.session.socket.id == name:
            with suppress(RateLimited):
                self.house.presence.sync(self.session.socket, {"sessionId": self.opened.session_id})

    @rule()
    def next_post_is_throttled(self) -> None:
        self.house.sockets.failures = [RateLimited("throttled")]

    @rule()
    def drain_outbox(self) -> None:
        due, self.house.outbox.due = self.house.outbox.due, []
        for session_id, delay in due:
            try:
                self.house.notices.retry(session_id)
            except RateLimited:
                self.house.outbox.due.append((session_id, delay))

    @rule(seconds=st.sampled_from([1, 25, 600]))
    def wait(self, seconds: int) -> None:
        self.house.clock.advance(seconds=seconds)

    @invariant()
    def completion_is_final(self) -> None:
        if self.completed is not None:
            assert self.session.status is Status.COMPLETED
            assert self.session.outcome == self.completed.outcome
        elif self.session.status is Status.COMPLETED:
            self.completed = self.session

    @invariant()
    def a_socket_is_told_an_outcome_once(self) -> None:
        told = [
            (name, message["action"], message["uploadKey"], message["timestamp"], message["size"])
            for name, message in self.house.sockets.sent
            if message["action"].startswith("UPLOAD_")
        ]
        completions = [line for line in told if line[1] == "UPLOAD_COMPLETED"]
        assert len(completions) == len(set(completions))
        assert all(line[2] in self.keys for line in told)

    @invariant()
    def only_the_image_that_completed_stays(self) -> None:
        kept = {(key, version) for key, version, _ in self.pending}
        outcome = self.session.outcome
        if outcome is not None and self.session.status is Status.COMPLETED:
            kept.add((outcome.upload.key, outcome.upload.version))
        assert set(self.house.storage.objects) <= kept

    def teardown(self) -> None:
        """When the faults end, whoever listens has heard; nobody hears after the session's time but on asking."""
        if not hasattr(self, "house"):
            return
        self.house.sockets.failures = []
        self.house.clock.advance(seconds=30)
        self.drain_outbox()
        session = self.session
        listening = session.socket is not None and session.socket.id in self.house.sockets.open
        if session.socket is not None and listening:
            if self.house.clock() - session.created_at < LIFETIME:
                self.house.presence.sync(session.socket, {"sessionId": session.id})
            if self.completed and self.house.clock() - session.created_at < LIFETIME:
                assert self.house.sockets.actions(session.socket.id).count("UPLOAD_COMPLETED") == 1


Interleavings.TestCase.settings = examples(60, steps=30)
TestInterleavings = pytest.mark.slow(Interleavings.TestCase)
