"""The services on fakes: answers to the desktop and the phone, and failures between them."""

from urllib.parse import unquote

import pytest

from chalicelib.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    OmnibusError,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unprocessable,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from chalicelib.uploads.machine import MAX_PERMISSIONS, NOTICE_LEASE, Denial, Event, Session, Socket, Verified
from chalicelib.uploads.models import UploadUrlQuery
from chalicelib.uploads.notices import Telling
from chalicelib.uploads.status import Reason, Status
from tests.unit.uploads.house import HTML, JPEG, PHONE_PAGE, PNG, House


@pytest.fixture
def house() -> House:
    return House()


class TestOpening:
    def test_shows_the_tokens_once_and_stores_hashes(self, house: House) -> None:
        opened = house.opened()
        stored = repr(house.session(opened))
        assert opened.owner_token not in stored
        assert opened.upload_token not in stored
        assert opened.expires_at - opened.created_at == 1800
        assert opened.phone_url == f"{PHONE_PAGE}#{opened.session_id.replace('-', '')}.{opened.upload_token}"
        assert opened.socket_url == "wss://sockets.test/api"

    def test_draws_the_code_as_svg(self, house: House) -> None:
        code = house.opened().qr_code
        assert code.startswith("data:image/svg+xml")
        assert unquote(code).count("<path") == 2, "a light ground for dark screens, and the code"

    def test_is_limited_for_each_client_and_window(self, house: House) -> None:
        for _ in range(3):
            house.opened()
        with pytest.raises(RateLimited) as caught:
            house.opened()
        assert caught.value.retry_after == 600
        house.opened("198.51.100.7")
        house.clock.advance(seconds=600)
        house.opened()


class TestViewing:
    def test_the_image_is_for_the_owner_only(self, house: House) -> None:
        opened = house.opened()
        key = house.permitted(opened)
        house.uploaded(key, PNG)
        house.arrives(key)
        mine = house.sessions.view(opened.session_id, owner_token=opened.owner_token, upload_token=None)
        theirs = house.sessions.view(opened.session_id, owner_token=None, upload_token=opened.upload_token)
        assert mine.image_url == f"https://bucket.test/{key}?version=v1&as=image/png&expires=300"
        assert theirs.status is Status.COMPLETED
        assert not isinstance(theirs.image_url, str)
        assert (mine.content_type, mine.size) == ("image/png", len(PNG))

    def test_tells_expiry_though_nothing_stored_it(self, house: House) -> None:
        opened = house.opened()
        house.clock.advance(minutes=30)
        view = house.sessions.view(opened.session_id, owner_token=opened.owner_token, upload_token=None)
        assert view.status is Status.EXPIRED
        assert house.session(opened).status is Status.AWAITING_SCAN

    @pytest.mark.parametrize(
        "session_id", ["", "x", "1B671A64-40D5-491E-99B0-DA01FF1F3341", "../sessions", "1" * 5000, "' OR 1=1 --"]
    )
    def test_malformed_ids_are_400(self, house: House, session_id: str) -> None:
        with pytest.raises(InvalidInput, match="sessionId"):
            house.sessions.view(session_id, owner_token="x", upload_token=None)

    def test_unknown_ids_are_404(self, house: House) -> None:
        with pytest.raises(NotFound):
            house.sessions.view("1b671a64-40d5-491e-99b0-da01ff1f3341", owner_token="x", upload_token=None)

    def test_tokens_are_missing_swapped_or_anothers(self, house: House) -> None:
        opened, other = house.opened(), house.opened()
        with pytest.raises(Unauthenticated):
            house.sessions.view(opened.session_id, owner_token=None, upload_token=None)
        for owner, upload in (
            (opened.upload_token, None),
            (None, opened.owner_token),
            (other.owner_token, None),
            (None, other.upload_token),
            ("wrong", opened.upload_token),
        ):
            with pytest.raises(Forbidden):
                house.sessions.view(opened.session_id, owner_token=owner, upload_token=upload)


class TestPermission:
    def test_gives_both_ways_for_one_key(self, house: House) -> None:
        opened = house.opened()
        query = UploadUrlQuery(session_id=opened.session_id, content_type="image/HEIC", content_length=77)
        permission = house.sessions.permit(query, opened.upload_token)
        assert permission.upload_url == (
            f"https://bucket.test/{permission.upload_key}?type=image/HEIC&length=77&expires=300"
        )
        assert permission.form.fields == {"key": permission.upload_key, "max": "1000", "expires": "300"}
        assert (permission.expires_in, permission.max_bytes) == (300, 1000)

    def test_takes_the_token_from_header_or_query(self, house: House) -> None:
        opened = house.opened()
        house.sessions.permit(UploadUrlQuery(session_id=opened.session_id, upload_token=opened.upload_token), None)
        with pytest.raises(Unauthenticated):
            house.sessions.permit(UploadUrlQuery(session_id=opened.session_id), None)
        with pytest.raises(Forbidden):
            house.sessions.permit(UploadUrlQuery(session_id=opened.session_id), opened.owner_token)
        with pytest.raises(Forbidden):
            house.sessions.permit(UploadUrlQuery(session_id=house.opened().session_id), opened.upload_token)

    @pytest.mark.parametrize("content_type", ["image/*", "text/html", "image/svg+xml", "image/jpeg; x=1", "ü"])
    def test_other_types_are_422(self, house: House, content_type: str) -> None:
        opened = house.opened()
        query = UploadUrlQuery(session_id=opened.session_id, content_type=content_type)
        with pytest.raises(Unprocessable, match="contentType"):
            house.sessions.permit(query, opened.upload_token)

    @pytest.mark.parametrize(
        ("named", "signed"),
        [
            ("IMAGE/JPEG", "IMAGE/JPEG"),
            ("image/jpg", "image/jpg"),
            ("application/octet-stream", "application/octet-stream"),
            ("", "image/jpeg"),
        ],
    )
    def test_what_phones_call_a_photo_is_signed_as_they_send_it(self, house: House, named: str, signed: str) -> None:
        opened = house.opened()
        query = UploadUrlQuery(session_id=opened.session_id, content_type=named)
        assert f"?type={signed}&" in house.sessions.permit(query, opened.upload_token).upload_url

    def test_too_large_is_413_before_anything_is_sent(self, house: House) -> None:
        opened = house.opened()
        with pytest.raises(TooLarge, match="contentLength"):
            house.sessions.permit(
                UploadUrlQuery(session_id=opened.session_id, content_length=1001), opened.upload_token
            )

    def test_expired_completed_and_exhausted(self, house: House) -> None:
        completed = house.opened()
        key = house.permitted(completed)
        house.uploaded(key)
        house.arrives(key)
        with pytest.raises(Conflict):
            house.permitted(completed)
        busy = house.opened()
        keys = [house.permitted(busy) for _ in range(MAX_PERMISSIONS)]
        assert len(set(keys)) == MAX_PERMISSIONS
        with pytest.raises(RateLimited) as caught:
            house.permitted(busy)
        assert caught.value.retry_after == 1800
        late = house.opened()
        house.clock.advance(minutes=30)
        with pytest.raises(Gone):
            house.permitted(late)

    def test_the_desktop_hears_of_it_but_it_does_not_depend_on_that(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        house.permitted(opened)
        house.courtesies.open.add("socket-1")
        key = house.permitted(opened)
        house.courtesies.failures = [RateLimited("throttled")]
        house.permitted(opened)
        message = {"action": "UPLOAD_REQUESTED", "sessionId": opened.session_id, "uploadKey": key}
        assert house.courtesies.sent == [("socket-1", message)]

    def test_the_desktop_hears_that_the_phone_is_there(self, house: House) -> None:
        opened = house.opened()
        house.sessions.view(opened.session_id, None, opened.upload_token)
        house.connect(opened)
        house.sessions.view(opened.session_id, opened.owner_token, None)
        assert house.courtesies.sent == [], "neither without a socket, nor for the desktop itself"
        house.courtesies.open.add("socket-1")
        house.sessions.view(opened.session_id, None, opened.upload_token)
        assert house.courtesies.sent == [("socket-1", {"action": "PHONE_CONNECTED", "sessionId": opened.session_id})]
        house.permitted(opened)
        house.sessions.view(opened.session_id, None, opened.upload_token)
        assert [message["action"] for _, message in house.courtesies.sent] == ["PHONE_CONNECTED", "UPLOAD_REQUESTED"]

    def test_a_session_that_vanishes_meanwhile_is_404(self, house: House) -> None:
        opened = house.opened()
        house.store.change = lambda session_id, event: None  # type: ignore[method-assign]
        with pytest.raises(NotFound):
            house.permitted(opened)


class TestEnding:
    def test_removes_session_and_image(self, house: House) -> None:
        opened = house.opened()
        key = house.permitted(opened)
        house.uploaded(key)
        house.arrives(key)
        with pytest.raises(Forbidden):
            house.sessions.end(opened.session_id, opened.upload_token)
        house.sessions.end(opened.session_id, opened.owner_token)
        assert (house.store.sessions, house.storage.objects) == ({}, {})
        with pytest.raises(NotFound):
            house.sessions.end(opened.session_id, opened.owner_token)

    def test_an_image_that_comes_while_it_ends_is_removed_too(self, house: House) -> None:
        opened = house.opened()
        key = house.permitted(opened)
        find = house.store.find

        def slow(session_id: str) -> Session | None:
            found = find(session_id)
            house.store.find = find  # type: ignore[method-assign]
            house.uploaded(key)
            house.arrives(key)
            return found

        house.store.find = slow  # type: ignore[method-assign]
        house.sessions.end(opened.session_id, opened.owner_token)
        assert house.storage.objects == {}
        assert house.store.sessions == {}


class TestArrival:
    def test_an_image_completes_the_session_and_the_desktop_is_told(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key, PNG)
        house.arrives(key)
        assert house.sockets.sent == [
            (
                "socket-1",
                {
                    "action": "UPLOAD_COMPLETED",
                    "sessionId": opened.session_id,
                    "uploadKey": key,
                    "timestamp": "2026-11-21T12:00:00.000Z",
                    "size": len(PNG),
                    "contentType": "image/png",
                },
            )
        ]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [(HTML, Reason.NOT_AN_IMAGE), (b"", Reason.EMPTY), (JPEG + bytes(1000), Reason.TOO_LARGE)],
    )
    def test_what_is_no_image_is_deleted_and_the_desktop_is_told_why(
        self, house: House, content: bytes, reason: Reason
    ) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key, content)
        house.arrives(key)
        assert house.storage.objects == {}
        assert house.session(opened).status is Status.REJECTED
        [(_, message)] = house.sockets.sent
        assert (message["action"], message["reason"]) == ("UPLOAD_REJECTED", str(reason))
        view = house.sessions.view(opened.session_id, owner_token=opened.owner_token, upload_token=None)
        assert view.reason == reason

    def test_a_rejected_phone_may_try_again(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        for content in (HTML, JPEG):
            key = house.permitted(opened)
            house.uploaded(key, content)
            house.arrives(key)
        assert house.sockets.actions("socket-1") == ["UPLOAD_REJECTED", "UPLOAD_COMPLETED"]
        assert house.counted == ["UploadsRejected", "UploadsCompleted"]

    def test_a_repeated_event_tells_nobody_again(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        house.arrives(key)
        assert house.arrives(key) is Denial.FINISHED
        assert len(house.sockets.sent) == 1
        assert (key, "v1") in house.storage.objects

    def test_a_superseded_key_is_ignored_and_its_object_removed(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        old, new = house.permitted(opened), house.permitted(opened)
        house.uploaded(old)
        assert house.arrives(old) is Denial.SUPERSEDED
        assert house.session(opened).status is Status.UPLOAD_REQUESTED
        assert (house.storage.objects, house.sockets.sent) == ({}, [])
        house.uploaded(new)
        house.arrives(new)
        assert house.session(opened).status is Status.COMPLETED

    def test_writing_over_a_completed_image_changes_nothing(self, house: House) -> None:
        opened = house.opened()
        key = house.permitted(opened)
        house.uploaded(key, JPEG, "v1")
        house.arrives(key, "v1", "01")
        house.uploaded(key, HTML, "v2")
        assert house.arrives(key, "v2", "02") is Denial.FINISHED
        assert list(house.storage.objects) == [(key, "v1")]
        view = house.sessions.view(opened.session_id, owner_token=opened.owner_token, upload_token=None)
        assert "version=v1" in str(view.image_url)

    def test_events_of_one_key_out_of_order(self, house: House) -> None:
        opened = house.opened()
        key = house.permitted(opened)
        house.uploaded(key, JPEG, "v1")
        house.uploaded(key, HTML, "v2")
        house.arrives(key, "v2", "02")
        assert house.arrives(key, "v1", "01") is Denial.SUPERSEDED, "the object written later decides"
        assert house.session(opened).status is Status.REJECTED
        assert house.storage.objects == {}

    def test_two_reports_of_one_object_at_once_keep_it(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        faster = house.store.change

        def slower(session_id: str, event: Event) -> Session | Denial | None:
            if isinstance(event, Verified):
                faster(session_id, event)
            return faster(session_id, event)

        house.store.change = slower  # type: ignore[method-assign]
        assert house.arrives(key) is Denial.FINISHED
        assert list(house.storage.objects) == [(key, "v1")]
        assert house.sockets.actions("socket-1") == ["UPLOAD_COMPLETED"], "the faster may have been we, unheard"
        assert house.arrives(key) is Denial.FINISHED
        assert house.sockets.actions("socket-1") == ["UPLOAD_COMPLETED"]

    def test_an_unknown_session_and_a_vanished_object(self, house: House) -> None:
        opened = house.opened()
        key = house.permitted(opened)
        assert house.arrives(key) is Denial.SUPERSEDED, "deleted before it was looked at"
        assert house.session(opened).status is Status.UPLOAD_REQUESTED
        house.sessions.end(opened.session_id, opened.owner_token)
        house.uploaded(key)
        assert house.arrives(key) is None
        assert house.storage.objects == {}

    @pytest.mark.parametrize("key", ["raw/x", "session-uploads/../x", "session-uploads/a b+c/ü"])
    def test_keys_of_no_session_are_refused(self, house: House, key: str) -> None:
        with pytest.raises(InvalidInput):
            house.arrives(key)

    def test_a_bucket_without_versions_is_refused(self, house: House) -> None:
        with pytest.raises(InvalidInput, match="versioning"):
            house.arrives(house.permitted(house.opened()), version="")

    def test_a_late_arrival_is_recorded_but_not_told(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        house.clock.advance(minutes=31)
        after = house.arrives(key)
        assert isinstance(after, Session)
        assert after.status is Status.EXPIRED
        assert after.outcome is not None
        assert house.sockets.sent == []
        assert house.storage.objects == {}
        assert house.arrives(key) is Denial.FINISHED

    def test_a_store_that_throttles_is_retried_by_the_event(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        house.store.failures = [RateLimited("throttled")]
        with pytest.raises(RateLimited):
            house.arrives(key)
        house.arrives(key)
        assert house.sockets.actions("socket-1") == ["UPLOAD_COMPLETED"]


class TestTelling:
    @pytest.mark.parametrize("failure", [RateLimited("429"), UpstreamUnavailable("503"), UpstreamTimeout("504")])
    def test_what_fails_is_told_from_the_outbox(self, house: House, failure: OmnibusError) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        house.sockets.failures = [failure, failure]
        house.arrives(key)
        assert (house.sockets.sent, house.outbox.due) == ([], [(opened.session_id, 2)])
        with pytest.raises(type(failure)):
            house.notices.retry(opened.session_id)
        assert house.notices.retry(opened.session_id) is Telling.TOLD
        assert house.notices.retry(opened.session_id) is Telling.NOTHING_OWED
        assert house.sockets.actions("socket-1") == ["UPLOAD_COMPLETED"]

    def test_what_would_fail_for_ever_is_not_queued(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        house.sockets.failures = [UpstreamRejected("403")]
        with pytest.raises(UpstreamRejected):
            house.arrives(key)
        assert house.outbox.due == []
        assert house.session(opened).status is Status.COMPLETED

    def test_a_stale_socket_is_forgotten(self, house: House) -> None:
        opened = house.opened()
        socket = house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        house.sockets.open.clear()
        house.arrives(key)
        assert house.session(opened).socket is None
        assert house.outbox.due == []
        assert house.notices.retry(opened.session_id) is Telling.NOBODY_THERE
        assert house.store.session_of(socket.id) is None

    def test_killed_between_state_and_notice(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        house.sockets.failures = [KeyboardInterrupt()]  # type: ignore[list-item]
        with pytest.raises(KeyboardInterrupt):
            house.arrives(key)
        assert house.session(opened).status is Status.COMPLETED
        house.arrives(key)
        assert house.sockets.sent == [], "the dead one's claim holds for a moment"
        assert house.outbox.due == [(opened.session_id, 21)]
        with pytest.raises(RateLimited):
            house.notices.retry(opened.session_id)
        house.clock.advance(seconds=NOTICE_LEASE.total_seconds())
        assert house.notices.retry(opened.session_id) is Telling.TOLD
        assert house.sockets.actions("socket-1") == ["UPLOAD_COMPLETED"]

    def test_killed_before_the_claim(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        key = house.permitted(opened)
        house.uploaded(key)
        house.store.failures = [None, RateLimited("throttled")]
        house.arrives(key)
        assert house.outbox.due == [(opened.session_id, 2)]
        assert house.notices.retry(opened.session_id) is Telling.TOLD

    def test_of_a_session_that_is_gone_or_has_no_word(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened)
        assert house.notices.retry(opened.session_id) is Telling.NOTHING_OWED
        assert house.notices.retry("1b671a64-40d5-491e-99b0-da01ff1f3341") is Telling.NOBODY_THERE


class TestPresence:
    def test_only_the_owner_may_listen(self, house: House) -> None:
        opened = house.opened()
        socket = Socket("s", "e")
        with pytest.raises(InvalidInput, match="sessionId: is missing"):
            house.presence.admit(socket, {})
        with pytest.raises(Unauthenticated):
            house.presence.admit(socket, {"sessionId": opened.session_id})
        with pytest.raises(Forbidden):
            house.presence.admit(socket, {"sessionId": opened.session_id, "ownerToken": opened.upload_token})
        with pytest.raises(NotFound):
            house.presence.admit(socket, {"sessionId": "1b671a64-40d5-491e-99b0-da01ff1f3341", "ownerToken": "x"})
        house.clock.advance(minutes=30)
        with pytest.raises(Gone):
            house.presence.admit(socket, {"sessionId": opened.session_id, "ownerToken": opened.owner_token})
        assert house.session(opened).socket is None

    def test_nothing_is_sent_while_connecting(self, house: House) -> None:
        house.connect(house.opened())
        assert house.sockets.sent == []

    def test_two_desktops_the_newer_listens_and_the_older_is_told(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened, "old")
        house.connect(opened, "new")
        assert house.sockets.actions("old") == ["REPLACED"]
        house.presence.forget("old")
        key = house.permitted(opened)
        house.uploaded(key)
        house.arrives(key)
        assert house.sockets.actions("new") == ["UPLOAD_COMPLETED"]
        assert house.sockets.actions("old") == ["REPLACED"]

    def test_a_dead_older_socket_does_not_keep_the_newer_out(self, house: House) -> None:
        opened = house.opened()
        house.connect(opened, "old")
        house.sockets.open.clear()
        house.connect(opened, "new")
        assert house.session(opened).socket == Socket("new", "https://sockets.test/api")

    def test_forgetting_strangers_is_fine(self, house: House) -> None:
        house.presence.forget("never-seen")

    def test_sync_after_the_upload_brings_the_word(self, house: House) -> None:
        opened = house.opened()
        key = house.permitted(opened)
        house.uploaded(key)
        house.arrives(key)
        socket = house.connect(opened)
        house.presence.sync(socket, {"action": "sync"})
        assert house.sockets.actions(socket.id) == ["SESSION_STATE", "UPLOAD_COMPLETED"]
        house.presence.sync(socket, {"action": "sync", "sessionId": opened.session_id})
        assert house.sockets.actions(socket.id) == ["SESSION_STATE", "UPLOAD_COMPLETED", "SESSION_STATE"]

    def test_sync_from_a_socket_that_was_replaced_needs_the_token(self, house: House) -> None:
        opened = house.opened()
        old = house.connect(opened, "old")
        house.connect(opened, "new")
        with pytest.raises(NotFound):
            house.presence.sync(old, {})
        with pytest.raises(Forbidden):
            house.presence.sync(old, {"sessionId": opened.session_id})
        with pytest.raises(Forbidden):
            house.presence.sync(old, {"sessionId": opened.session_id, "ownerToken": opened.upload_token})
        house.presence.sync(old, {"sessionId": opened.session_id, "ownerToken": opened.owner_token})
        assert house.sockets.sent[-1][1]["listening"] is False

    def test_a_word_before_the_socket_is_open_is_told_at_its_sync(self, house: House) -> None:
        opened = house.opened()
        key = house.permitted(opened)
        house.uploaded(key)
        socket = house.connect(opened)
        house.sockets.open.clear()  # bound in $connect, but the handshake is not over
        house.arrives(key)
        assert house.session(opened).socket is None, "the word found nobody there"
        house.sockets.open.add(socket.id)
        with pytest.raises(Forbidden):
            house.presence.sync(socket, {"sessionId": opened.session_id})
        house.presence.sync(socket, {"sessionId": opened.session_id, "ownerToken": opened.owner_token})
        assert house.sockets.actions(socket.id) == ["SESSION_STATE", "UPLOAD_COMPLETED"]
        assert house.sockets.sent[-2][1]["listening"] is True

    @pytest.mark.parametrize("session_id", [5, [], {}, "x", True])
    def test_sync_for_a_malformed_session(self, house: House, session_id: object) -> None:
        socket = house.connect(house.opened())
        with pytest.raises(InvalidInput):
            house.presence.sync(socket, {"sessionId": session_id})

    def test_ping(self, house: House) -> None:
        socket = house.connect(house.opened())
        house.presence.ping(socket, {})
        assert house.sockets.sent == [(socket.id, {"action": "PONG", "timestamp": "2026-11-21T12:00:00.000Z"})]
