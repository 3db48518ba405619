"""A desktop and a phone with an upload session, over plain HTTP and a plain WebSocket.

The demo, the benchmarks and the tests on the local cloud use it; it knows nothing about the application's internals.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

ANSWER_S = 120.0


@dataclass
class Socket:
    """The desktop's open socket and all its received messages."""

    connection: ClientConnection
    received: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, **message: Any) -> None:
        """Send a message."""
        await self.connection.send(json.dumps(message))

    async def hear(self, action: str, seconds: float = ANSWER_S) -> dict[str, Any]:
        """The next message of that action; earlier ones are kept. TimeoutError if none comes."""
        async with asyncio.timeout(seconds):
            while True:
                message: dict[str, Any] = json.loads(await self.connection.recv())
                self.received.append(message)
                if message["action"] == action:
                    return message

    async def silence(self, seconds: float) -> list[dict[str, Any]]:
        """Messages that arrive within a time; tests expect none."""
        arrived: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    arrived.append(json.loads(await self.connection.recv()))
        except TimeoutError:
            return arrived


@dataclass(frozen=True)
class Desktop:
    """The desktop that opened the session."""

    http: httpx.AsyncClient
    session: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The session's id."""
        return str(self.session["sessionId"])

    @property
    def owner(self) -> dict[str, str]:
        """The header that proves ownership."""
        return {"X-Owner-Token": self.session["ownerToken"]}

    @asynccontextmanager
    async def listening(self, *, local_address: str = "127.0.0.1", **query: str) -> AsyncIterator[Socket]:
        """An open socket, from an address of this machine, that has received the session's status."""
        given = {"sessionId": self.id, "ownerToken": self.session["ownerToken"], **query}
        url = httpx.URL(self.session["socketUrl"], params=given)
        own = (local_address, 0)
        async with connect(str(url), open_timeout=ANSWER_S, ping_interval=None, local_addr=own) as connection:
            socket = Socket(connection)
            await socket.send(action="sync", sessionId=self.id, ownerToken=self.session["ownerToken"])
            await socket.hear("SESSION_STATE")
            yield socket

    async def look(self) -> dict[str, Any]:
        """The session's status."""
        answer = await self.http.get(f"sessions/{self.id}", headers=self.owner)
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state

    async def end(self) -> None:
        """Delete the session and its image."""
        (await self.http.delete(f"sessions/{self.id}", headers=self.owner)).raise_for_status()

    @property
    def phone(self) -> "Phone":
        """The phone that scans this desktop's code."""
        return Phone(self.http, self.id, self.session["uploadToken"])


@dataclass(frozen=True)
class Phone:
    """The phone that scanned the code."""

    http: httpx.AsyncClient
    session_id: str
    token: str

    async def permission(self, **query: str) -> dict[str, Any]:
        """Permission for one upload."""
        answer = await self.http.get(
            "upload-url", params={"sessionId": self.session_id, **query}, headers={"X-Upload-Token": self.token}
        )
        answer.raise_for_status()
        given: dict[str, Any] = answer.json()
        return given

    async def upload(self, content: bytes, content_type: str = "image/jpeg") -> str:
        """Request a permission and upload by form; return the object's key."""
        permission = await self.permission()
        (await self.post(permission, content, content_type)).raise_for_status()
        return str(permission["uploadKey"])

    async def post(self, permission: Mapping[str, Any], content: bytes, content_type: str) -> httpx.Response:
        """Upload by form with a permission."""
        form = permission["form"]
        fields = {**form["fields"], "Content-Type": content_type}
        return await self.http.post(form["url"], data=fields, files={"file": ("photo", content, content_type)})


@asynccontextmanager
async def browser(rest_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application, for any number of desktops and phones."""
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(base_url=f"{rest_url}/", timeout=ANSWER_S, limits=limits) as http:
        yield http


async def open_session(http: httpx.AsyncClient, address: str = "192.0.2.1") -> Desktop:
    """Open a session as a client of that address; httpx.HTTPStatusError if it is refused."""
    answer = await http.post("sessions", headers={"X-Forwarded-For": address})
    answer.raise_for_status()
    return Desktop(http, answer.json())
