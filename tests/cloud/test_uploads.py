"""Upload sessions on the local cloud: a real WebSocket, real uploads, every function under its own role."""

import asyncio
import itertools
import json
import subprocess
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from local.cloud import Cloud
from local.demo.upload_client import Desktop, browser, open_session
from tests.events import s3_event
from tests.patience import PATIENCE_S
from tests.sizes import sized

pytestmark = pytest.mark.cloud

JPEG = b"\xff\xd8\xff\xe0" + bytes(20_000)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(5_000)
HTML = b"<!doctype html><script>alert(1)</script>"
Scene = Callable[[Desktop], Coroutine[Any, Any, None]]

_numbers = itertools.count(1)


def address() -> str:
    """An address of its own for each session, or the limit for one client would stop the tests."""
    number = next(_numbers)
    return f"203.0.{number // 250}.{number % 250}"


def play(cloud: Cloud, scene: Scene) -> None:
    """Open a session and let the scene happen."""

    async def whole() -> None:
        async with browser(cloud.rest_url) as http:
            await scene(await open_session(http, address()))

    asyncio.run(whole())


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := await look():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not seen within {PATIENCE_S:g} s")


async def recorded(cloud: Cloud, session_id: str) -> None:
    """Return once it is on record that the desktop was told: the socket hears it first."""

    async def look() -> bool:
        return "noticeSentAt" in item(cloud, session_id)

    await until(look)


async def settled(desktop: Desktop) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        state = await desktop.look()
        return state if state["status"] in ("COMPLETED", "REJECTED", "EXPIRED") else None

    found: dict[str, Any] = await until(look)
    return found


def update(cloud: Cloud, session_id: str, expression: str, **values: Mapping[str, str]) -> None:
    """Write to a session past the application."""
    cloud.client("dynamodb").update_item(
        TableName=cloud.tables["upload-sessions"],
        Key={"sessionId": {"S": session_id}},
        UpdateExpression=expression,
        **({"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}),
    )


def item(cloud: Cloud, session_id: str) -> dict[str, Any]:
    answer = cloud.client("dynamodb").get_item(
        TableName=cloud.tables["upload-sessions"], Key={"sessionId": {"S": session_id}}, ConsistentRead=True
    )
    found: dict[str, Any] = answer["Item"]
    return found


def versions(cloud: Cloud, session_id: str) -> list[str]:
    answer = cloud.client("s3").list_object_versions(
        Bucket=cloud.buckets["uploads"], Prefix=f"session-uploads/{session_id}/"
    )
    return [each["VersionId"] for each in answer.get("Versions", [])]


class TestUpload:
    def test_curl_uploads_and_the_socket_is_told(self, cloud: Cloud, tmp_path: Path) -> None:
        async def scene(desktop: Desktop) -> None:
            photo = tmp_path / "photo.jpg"
            photo.write_bytes(JPEG)
            async with desktop.listening() as socket:
                permission = await desktop.phone.permission()
                await asyncio.to_thread(curl, permission, photo)
                said = await socket.hear("UPLOAD_COMPLETED")
                assert [each["action"] for each in socket.received] == [
                    "SESSION_STATE",
                    "UPLOAD_REQUESTED",
                    "UPLOAD_COMPLETED",
                ]
                assert (said["sessionId"], said["uploadKey"]) == (desktop.id, permission["uploadKey"])
            state = await desktop.look()
            assert (state["status"], state["size"], state["contentType"]) == ("COMPLETED", len(JPEG), "image/jpeg")
            shown = await desktop.http.get(state["imageUrl"])
            assert (shown.content, shown.headers["content-type"]) == (JPEG, "image/jpeg")

        play(cloud, scene)

    def test_an_old_client_uploads_by_put(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            permission = await desktop.phone.permission(contentType="image/png", contentLength=str(len(PNG)))
            url = permission["uploadUrl"]
            for content, content_type in ((PNG, "image/jpeg"), (PNG + b"x", "image/png")):
                refused = await desktop.http.put(url, content=content, headers={"Content-Type": content_type})
                assert refused.status_code == 403, "the signed type and length are literal"
            accepted = await desktop.http.put(url, content=PNG, headers={"Content-Type": "image/png"})
            assert accepted.status_code == 200
            assert (await settled(desktop))["contentType"] == "image/png"

        play(cloud, scene)

    @pytest.mark.parametrize("case", ["too large", "empty", "not an image type", "another key", "without the policy"])
    def test_storage_refuses_what_the_form_does_not_permit(self, cloud: Cloud, case: str) -> None:
        async def scene(desktop: Desktop) -> None:
            permission = await desktop.phone.permission()
            content, content_type = JPEG, "image/jpeg"
            fields = permission["form"]["fields"]
            if case == "too large":
                content = JPEG + bytes(permission["maxBytes"])
            elif case == "empty":
                content = b""
            elif case == "not an image type":
                content_type = "text/html"
            elif case == "another key":
                fields["key"] = f"{fields['key']}/../../elsewhere"
            else:
                del fields["policy"]
            answer = await desktop.phone.post(permission, content, content_type)
            assert answer.status_code in (400, 403), answer.text
            assert versions(cloud, desktop.id) == []
            assert (await desktop.look())["status"] == "UPLOAD_REQUESTED"

        play(cloud, scene)

    def test_what_is_no_image_is_deleted_and_the_desktop_hears_why(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            async with desktop.listening() as socket:
                await desktop.phone.upload(HTML)
                said = await socket.hear("UPLOAD_REJECTED")
                assert said["reason"] == "not_an_image"
                await until(lambda: nothing_left(cloud, desktop.id))
                await desktop.phone.upload(PNG)
                await socket.hear("UPLOAD_COMPLETED")

        play(cloud, scene)

    def test_writing_over_a_completed_image_changes_nothing(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            permission = await desktop.phone.permission()
            (await desktop.phone.post(permission, JPEG, "image/jpeg")).raise_for_status()
            kept = await settled(desktop)
            (await desktop.phone.post(permission, HTML, "image/jpeg")).raise_for_status()

            async def only_one() -> bool:
                return len(versions(cloud, desktop.id)) == 1

            await until(only_one)
            state = await desktop.look()
            assert (state["status"], state["size"]) == (kept["status"], kept["size"])
            assert (await desktop.http.get(state["imageUrl"])).content == JPEG

        play(cloud, scene)

    def test_the_owner_deletes_session_and_image(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            await desktop.phone.upload(JPEG)
            await settled(desktop)
            await desktop.end()
            assert versions(cloud, desktop.id) == []
            answer = await desktop.http.get(f"sessions/{desktop.id}", headers=desktop.owner)
            assert answer.status_code == 404

        play(cloud, scene)


class TestSockets:
    @pytest.mark.parametrize("query", [{"ownerToken": "wrong"}, {"sessionId": "not-an-id"}, {"ownerToken": ""}])
    def test_only_the_owner_gets_in(self, cloud: Cloud, query: dict[str, str]) -> None:
        async def scene(desktop: Desktop) -> None:
            with pytest.raises(InvalidStatus):
                async with desktop.listening(**query):
                    pass

        play(cloud, scene)

    def test_the_upload_before_the_socket(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            await desktop.phone.upload(JPEG)
            await settled(desktop)
            async with desktop.listening() as socket:
                await socket.hear("UPLOAD_COMPLETED")

        play(cloud, scene)

    def test_the_socket_cut_before_the_upload(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            async with desktop.listening():
                pass
            await desktop.phone.upload(JPEG)
            assert (await settled(desktop))["status"] == "COMPLETED"
            async with desktop.listening() as socket:
                await socket.hear("UPLOAD_COMPLETED")
                await socket.send(action="ping")
                assert (await socket.hear("PONG"))["timestamp"]
                assert socket.received[-2]["action"] == "UPLOAD_COMPLETED"

        play(cloud, scene)

    def test_two_desktops_the_newer_is_told_and_the_older_may_ask(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            async with desktop.listening() as older, desktop.listening() as newer:
                await older.hear("REPLACED")
                await desktop.phone.upload(JPEG)
                await newer.hear("UPLOAD_COMPLETED")
                await older.send(action="sync", sessionId=desktop.id, ownerToken=desktop.session["ownerToken"])
                state = await older.hear("SESSION_STATE")
                assert (state["status"], state["listening"]) == ("COMPLETED", False)

        play(cloud, scene)

    @pytest.mark.parametrize("text", ["not json", "[]", '{"action": "dance"}', '{"action": "sync", "sessionId": 5}'])
    def test_nonsense_is_answered_with_an_error(self, cloud: Cloud, text: str) -> None:
        async def scene(desktop: Desktop) -> None:
            async with desktop.listening() as socket:
                await socket.connection.send(text)
                error = await socket.hear("ERROR")
                assert error["error"]["code"] == "invalid_input"

        play(cloud, scene)

    def test_a_socket_that_died_unnoticed_is_forgotten(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            update(
                cloud,
                desktop.id,
                "SET wsConnectionId = :id, wsEndpoint = :endpoint",
                id={"S": "long-gone"},
                endpoint={"S": "https://nowhere.invalid"},
            )
            await desktop.phone.upload(JPEG)
            assert (await settled(desktop))["status"] == "COMPLETED"

            async def forgotten() -> bool:
                return "wsConnectionId" not in item(cloud, desktop.id)

            await until(forgotten)

        play(cloud, scene)


class TestFaults:
    def test_killed_between_state_and_notice_the_outbox_tells(self, cloud: Cloud) -> None:
        """As the store is after such a death: completed, claimed by nobody alive, the socket untold."""

        async def scene(desktop: Desktop) -> None:
            async with desktop.listening() as socket:
                await desktop.phone.upload(JPEG)
                await socket.hear("UPLOAD_COMPLETED")
                await recorded(cloud, desktop.id)
                update(cloud, desktop.id, "REMOVE noticeSocket, noticeUntil, noticeSentAt")
                cloud.client("sqs").send_message(
                    QueueUrl=cloud.queues["upload-notices"], MessageBody=json.dumps({"sessionId": desktop.id})
                )
                await socket.hear("UPLOAD_COMPLETED")

        play(cloud, scene)

    def test_while_another_tells_the_message_stays_in_the_queue(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            async with desktop.listening() as socket:
                await desktop.phone.upload(JPEG)
                await socket.hear("UPLOAD_COMPLETED")
                await recorded(cloud, desktop.id)
                update(cloud, desktop.id, "SET noticeUntil = :later REMOVE noticeSentAt", later={"N": "99999999999"})
                body = json.dumps({"sessionId": desktop.id})
                answer = cloud.invoke("notify_uploads", {"Records": [sqs_record("m1", body), sqs_record("m2", "?")]})
                assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}, "nonsense is parked, not retried"

        play(cloud, scene)

    def test_repeated_late_and_foreign_events_change_nothing(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            async with desktop.listening() as socket:
                superseded = (await desktop.phone.permission())["uploadKey"]
                key = await desktop.phone.upload(JPEG)
                await socket.hear("UPLOAD_COMPLETED")
                await recorded(cloud, desktop.id)
                before = item(cloud, desktop.id)
                keys = (
                    key,
                    superseded,
                    "session-uploads/1b671a64-40d5-491e-99b0-da01ff1f3341/image-1795262400000",
                    "session-uploads/../secret",
                    "session-uploads/ü + b/image-1",
                )
                event = s3_event(*keys, bucket=cloud.buckets["uploads"])
                for record in event["Records"]:
                    record["s3"]["object"]["versionId"] = before["version"]["S"]
                    record["s3"]["object"]["sequencer"] = before["sequencer"]["S"]
                for _ in range(2):
                    cloud.invoke("upload_completed", event)
                assert item(cloud, desktop.id) == before
                assert await socket.silence(0.5) == []
            assert (await desktop.http.get((await desktop.look())["imageUrl"])).content == JPEG

        play(cloud, scene)

    def test_an_expired_session(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            permission = await desktop.phone.permission()
            update(cloud, desktop.id, "SET expiresAt = :past", past={"N": str(int(time.time()) - 1)})
            assert (await desktop.look())["status"] == "EXPIRED"
            with pytest.raises(httpx.HTTPStatusError) as caught:
                await desktop.phone.permission()
            assert caught.value.response.status_code == 410
            with pytest.raises(InvalidStatus):
                async with desktop.listening():
                    pass
            (await desktop.phone.post(permission, JPEG, "image/jpeg")).raise_for_status()

            async def recorded() -> bool:
                return item(cloud, desktop.id)["status"]["S"] == "EXPIRED"

            await until(recorded)
            await until(lambda: nothing_left(cloud, desktop.id))

        play(cloud, scene)

    def test_one_client_opens_only_so_many(self, cloud: Cloud) -> None:
        async def scene(desktop: Desktop) -> None:
            own = address()
            answers = [await desktop.http.post("sessions", headers={"X-Forwarded-For": own}) for _ in range(130)]
            refused = [answer for answer in answers if answer.status_code == 429]
            assert refused, "over twice the limit, so that a window's end in between does not matter"
            assert 1 <= int(refused[0].headers["Retry-After"]) <= 600
            assert refused[0].json()["error"]["code"] == "rate_limited"

        play(cloud, scene)


@pytest.mark.load
class TestLoad:
    SESSIONS = sized(24, 500)
    AT_ONCE = 8  # what two cores bear: the local cloud starts a worker for each call under way
    BOUND_S = PATIENCE_S

    def test_many_sessions_at_once_none_is_lost_and_none_told_twice(self, cloud: Cloud) -> None:
        told: dict[str, list[str]] = {}

        async def one(number: int, http: httpx.AsyncClient, gate: asyncio.Semaphore, done: asyncio.Barrier) -> None:
            # Linux has all of 127.0.0.0/8; an address opens 300 sockets in its window.
            own = f"127.0.0.{1 + number // 100}"
            async with AsyncExitStack() as stack:
                async with gate:
                    desktop = await open_session(http, address())
                    socket = await stack.enter_async_context(desktop.listening(local_address=own))
                async with gate:  # until the desktop hears of it, or the functions behind it fill the account
                    await desktop.phone.upload(JPEG)
                    await socket.hear("UPLOAD_COMPLETED", self.BOUND_S)
                await done.wait()
                later = await socket.silence(1.0)
                told[desktop.id] = [
                    each["action"] for each in (*socket.received, *later) if each["action"].startswith("UPLOAD_C")
                ]

        async def whole() -> None:
            gate, done = asyncio.Semaphore(self.AT_ONCE), asyncio.Barrier(self.SESSIONS)
            async with asyncio.timeout(self.BOUND_S), browser(cloud.rest_url) as http, asyncio.TaskGroup() as group:
                for number in range(self.SESSIONS):
                    group.create_task(one(number, http, gate, done))

        asyncio.run(whole())
        assert len(told) == self.SESSIONS
        assert {session: heard for session, heard in told.items() if heard != ["UPLOAD_COMPLETED"]} == {}


async def nothing_left(cloud: Cloud, session_id: str) -> bool:
    return not await asyncio.to_thread(versions, cloud, session_id)


def curl(permission: Mapping[str, Any], photo: Path) -> None:
    """What a person would type."""
    fields = {**permission["form"]["fields"], "Content-Type": "image/jpeg", "file": f"@{photo}"}
    arguments = [part for name, value in fields.items() for part in ("-F", f"{name}={value}")]
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail-with-body", *arguments, permission["form"]["url"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def sqs_record(message_id: str, body: str) -> dict[str, Any]:
    return {"messageId": message_id, "body": body, "attributes": {"ApproximateReceiveCount": "1"}}


@pytest.fixture(scope="module", autouse=True)
def warm(cloud: Cloud) -> None:
    """Every function that a session needs, started before anything is timed."""

    async def scene(desktop: Desktop) -> None:
        async with desktop.listening() as socket:
            await desktop.phone.upload(JPEG)
            await socket.hear("UPLOAD_COMPLETED")

    play(cloud, scene)
