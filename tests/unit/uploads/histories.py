"""Random events around one session, with few keys, sockets and moments, which makes collisions likely."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from chalicelib.uploads.machine import (
    LIFETIME,
    NOTICE_LEASE,
    Connected,
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
)
from chalicelib.uploads.status import Reason

CREATED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SESSION_ID = "1b671a64-40d5-491e-99b0-da01ff1f3341"
KEYS = [f"session-uploads/{SESSION_ID}/image-{1795262400000 + number}" for number in range(2)]


def new_session(session_id: str = SESSION_ID) -> Session:
    """A session as it is when it is opened."""
    return Session(session_id, "o" * 64, "u" * 64, CREATED, CREATED + LIFETIME)


def moments() -> st.SearchStrategy[datetime]:
    """Mostly within the session's time, close enough for claims to overlap, and sometimes after it."""
    early = st.integers(0, 40).map(lambda seconds: CREATED + timedelta(seconds=seconds))
    edge = st.sampled_from([-1, 0, 1]).map(lambda step: CREATED + LIFETIME + timedelta(microseconds=step))
    return st.one_of(early, early, early, edge)


def uploads() -> st.SearchStrategy[Upload]:
    """Objects of few keys, in any order, some with sequencers of another length."""
    return st.builds(
        lambda key, number: Upload(key, f"v{number}", f"{number:02X}" + "0" * (number % 2)),
        st.sampled_from(KEYS),
        st.integers(1, 4),
    )


def events() -> st.SearchStrategy[Event]:
    """Any event of the machine."""
    keys, sockets = st.sampled_from(KEYS), st.sampled_from(["s1", "s2"])
    sizes = st.integers(0, 9)
    return st.one_of(
        st.builds(Permitted, keys, moments()),
        st.builds(Verified, uploads(), moments(), sizes, st.just("image/png")),
        st.builds(Refused, uploads(), moments(), sizes, st.sampled_from(Reason)),
        st.builds(Lapsed, uploads(), moments(), sizes),
        st.builds(Connected, st.builds(Socket, sockets, st.just("https://sockets.test/api")), moments()),
        st.builds(Disconnected, sockets),
        st.builds(NoticeClaimed, sockets, keys, moments()),
        st.builds(NoticeSent, sockets, keys, moments()),
        st.builds(NoticeReleased, sockets, keys, moments().map(lambda at: at + NOTICE_LEASE)),
    )
