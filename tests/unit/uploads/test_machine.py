import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.uploads.machine import (
    LIFETIME,
    MAX_PERMISSIONS,
    NOTICE_LEASE,
    SOURCES,
    Connected,
    Denial,
    Disconnected,
    Event,
    Lapsed,
    NoticeClaimed,
    NoticeReleased,
    NoticeSent,
    Permitted,
    Refused,
    Session,
    Socket,
    Upload,
    Verified,
    sequence_of,
    status_at,
    step,
)
from chalicelib.uploads.status import Reason, Status
from tests.unit.uploads.histories import CREATED, KEYS, events, new_session

AT = CREATED + timedelta(minutes=1)
LATE = CREATED + LIFETIME
KEY, LATER_KEY = KEYS[0], KEYS[1]


def after(*history: Event, session: Session | None = None) -> Session:
    session = session or new_session()
    for event in history:
        stepped = step(session, event)
        assert isinstance(stepped, Session), f"{event} was denied: {stepped}"
        session = stepped
    return session


def upload(key: str = KEY, version: str = "v1", sequencer: str = "01") -> Upload:
    return Upload(key, version, sequencer)


def verified(subject: Upload | None = None, at: datetime = AT) -> Verified:
    return Verified(subject or upload(), at, 10, "image/png")


def refused(subject: Upload | None = None, at: datetime = AT) -> Refused:
    return Refused(subject or upload(), at, 10, Reason.NOT_AN_IMAGE)


class TestStatus:
    def test_a_session_goes_from_scan_to_completion(self) -> None:
        session = new_session()
        assert session.status is Status.AWAITING_SCAN
        session = after(Permitted(KEY, AT), session=session)
        assert (session.status, session.key, session.permissions) == (Status.UPLOAD_REQUESTED, KEY, 1)
        session = after(verified(), session=session)
        assert session.status is Status.COMPLETED
        assert session.outcome is not None
        assert session.outcome.content_type == "image/png"

    def test_nothing_completes_before_a_permission(self) -> None:
        assert step(new_session(), verified()) is Denial.SUPERSEDED

    def test_a_new_permission_supersedes_the_key_before_it(self) -> None:
        session = after(Permitted(KEY, AT), Permitted(LATER_KEY, AT))
        assert step(session, verified()) is Denial.SUPERSEDED
        assert after(verified(upload(LATER_KEY)), session=session).status is Status.COMPLETED

    def test_a_permission_does_not_reopen_what_completed(self) -> None:
        assert step(after(Permitted(KEY, AT), verified()), Permitted(LATER_KEY, AT)) is Denial.FINISHED

    def test_a_rejected_session_may_try_again(self) -> None:
        session = after(Permitted(KEY, AT), refused(), Permitted(LATER_KEY, AT))
        assert (session.status, session.outcome) == (Status.UPLOAD_REQUESTED, None)

    def test_a_later_object_of_a_rejected_key_counts_and_an_earlier_one_does_not(self) -> None:
        session = after(Permitted(KEY, AT), refused(upload(sequencer="0A")))
        assert step(session, verified(upload(version="v0", sequencer="09"))) is Denial.SUPERSEDED
        assert step(session, verified(upload(version="v1", sequencer="0A"))) is Denial.SUPERSEDED
        assert after(verified(upload(version="v2", sequencer="0B")), session=session).status is Status.COMPLETED

    def test_permissions_run_out(self) -> None:
        session = replace(new_session(), permissions=MAX_PERMISSIONS - 1)
        session = after(Permitted(KEY, AT), session=session)
        assert step(session, Permitted(LATER_KEY, AT)) is Denial.EXHAUSTED

    def test_time_ends_everything_but_completion(self) -> None:
        just_before = LATE - timedelta(microseconds=1)
        session = after(Permitted(KEY, just_before))
        assert status_at(session, just_before) is Status.UPLOAD_REQUESTED
        assert status_at(session, LATE) is Status.EXPIRED
        assert step(session, Permitted(LATER_KEY, LATE)) is Denial.EXPIRED
        assert step(session, verified(at=LATE)) is Denial.EXPIRED
        assert step(session, Connected(Socket("s", "e"), LATE)) is Denial.EXPIRED
        assert status_at(after(verified(at=just_before), session=session), LATE) is Status.COMPLETED

    def test_a_late_object_is_recorded(self) -> None:
        session = after(Permitted(KEY, AT))
        assert step(session, Lapsed(upload(), AT, 3)) is Denial.NOT_EXPIRED
        session = after(Lapsed(upload(), LATE, 3), session=session)
        assert session.status is Status.EXPIRED
        assert session.outcome is not None
        assert session.outcome.upload == upload()
        assert step(session, verified(upload(sequencer="02"))) is Denial.FINISHED


class TestSocket:
    def test_the_newest_wins_and_the_old_ones_end_does_not_matter(self) -> None:
        session = after(Connected(Socket("old", "e"), AT), Connected(Socket("new", "e"), AT))
        assert step(session, Disconnected("old")) is Denial.NOT_THE_SOCKET
        assert session.socket == Socket("new", "e")
        assert after(Disconnected("new"), session=session).socket is None


class TestNotice:
    completed = (Connected(Socket("s", "e"), AT), Permitted(KEY, AT), verified())

    def test_is_claimed_once_until_the_lease_ends(self) -> None:
        session = after(*self.completed, NoticeClaimed("s", KEY, AT))
        assert step(session, NoticeClaimed("s", KEY, AT)) is Denial.BEING_TOLD
        after(NoticeClaimed("s", KEY, AT + NOTICE_LEASE), session=session)

    def test_is_sent_once_to_a_socket(self) -> None:
        session = after(*self.completed, NoticeClaimed("s", KEY, AT), NoticeSent("s", KEY, AT))
        assert step(session, NoticeClaimed("s", KEY, LATE)) is Denial.ALREADY_TOLD
        session = after(Connected(Socket("t", "e"), AT), session=session)
        assert step(session, NoticeClaimed("s", KEY, LATE)) is Denial.NOT_THE_SOCKET
        after(NoticeClaimed("t", KEY, AT), NoticeSent("t", KEY, AT), session=session)

    def test_a_released_claim_is_free_at_once_but_not_anothers(self) -> None:
        session = after(*self.completed, NoticeClaimed("s", KEY, AT))
        assert step(session, NoticeReleased("s", KEY, AT)) is Denial.BEING_TOLD
        session = after(NoticeReleased("s", KEY, AT + NOTICE_LEASE), session=session)
        after(NoticeClaimed("s", KEY, AT), session=session)

    def test_each_outcome_is_owed_its_own(self) -> None:
        told = (NoticeClaimed("s", KEY, AT), NoticeSent("s", KEY, AT))
        session = after(Connected(Socket("s", "e"), AT), Permitted(KEY, AT), refused(), *told)
        session = after(Permitted(LATER_KEY, AT), verified(upload(LATER_KEY)), session=session)
        assert step(session, NoticeSent("s", KEY, AT)) is Denial.NO_OUTCOME
        after(NoticeClaimed("s", LATER_KEY, AT), session=session)

    def test_there_is_none_before_an_outcome_or_without_a_socket(self) -> None:
        session = after(Connected(Socket("s", "e"), AT), Permitted(KEY, AT))
        assert step(session, NoticeClaimed("s", KEY, AT)) is Denial.NO_OUTCOME
        session = after(verified(), Disconnected("s"), session=session)
        assert step(session, NoticeClaimed("s", KEY, AT)) is Denial.NOT_THE_SOCKET


@pytest.mark.parametrize(("less", "more"), [("01", "02"), ("0055AED6DCD90281E5", "0055AED6DCD90281E6"), ("1", "11")])
def test_sequencers_are_ordered_as_s3_says(less: str, more: str) -> None:
    assert sequence_of(less) < sequence_of(more)
    assert sequence_of(less) == sequence_of(less.lower()) == sequence_of(less + "0")


@given(st.lists(events(), max_size=30))
def test_no_history_breaks_the_invariants(history: list[Event]) -> None:
    session = new_session()
    told: list[tuple[str, str]] = []
    now = CREATED
    for event in history:
        now = max(now, getattr(event, "at", now))
        stepped = step(session, event)
        if isinstance(stepped, Denial):
            continue
        assert session.status in SOURCES[type(event)]
        if session.status in (Status.COMPLETED, Status.EXPIRED):
            assert stepped.status is session.status, "final states are final"
            assert (stepped.outcome, stepped.key) == (session.outcome, session.key)
        assert stepped.permissions <= MAX_PERMISSIONS
        assert (stepped.outcome is not None) == (stepped.status in (Status.COMPLETED, Status.REJECTED, Status.EXPIRED))
        if stepped.outcome is not None:
            assert stepped.outcome.upload.key == stepped.key, "only the newest key decides"
        if stepped.status in (Status.COMPLETED, Status.REJECTED) and stepped.outcome is not None:
            assert stepped.outcome.at < stepped.expires_at
        if isinstance(event, NoticeSent):
            outcome = (event.socket_id, str(stepped.outcome))
            told.append(outcome)
        identity = (stepped.id, stepped.owner_hash, stepped.upload_hash, stepped.created_at, stepped.expires_at)
        assert identity == (session.id, session.owner_hash, session.upload_hash, CREATED, CREATED + LIFETIME)
        session = stepped
    in_a_row = [pair for pair, following in itertools.pairwise(told) if pair == following]
    assert not in_a_row, "a socket is told an outcome once"


def test_expiry_is_in_utc() -> None:
    assert CREATED.tzinfo is UTC
