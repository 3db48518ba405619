"""The uploads demo: a photo goes from a phone to a desktop through the deployed application, with typical failures.

Four sessions over plain HTTP and a plain WebSocket, each timed from the upload's first byte to the notification on
the desktop's socket; then, if there is a browser, the two pages side by side.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import segno
from rich.console import Console
from rich.table import Table

from local.demo import screens
from local.demo.photo import photo
from local.demo.upload_client import Desktop, browser, open_session

NOT_A_PHOTO: Final = b"<!doctype html><script>alert('not a photo')</script>"
SETTLE_S: Final = 30.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Line:
    """The result of one upload: the desktop's notification, and its delay after the upload's first byte."""

    scene: str
    told: Mapping[str, Any]
    size: int
    ms: float | None


async def by_form(desktop: Desktop) -> Line:
    """The usual way: the desktop listens, the phone uploads by form."""
    content = photo()
    async with desktop.listening() as socket:
        permission = await desktop.phone.permission()
        sent = time.perf_counter()
        (await desktop.phone.post(permission, content, "image/jpeg")).raise_for_status()
        told = await socket.hear("UPLOAD_COMPLETED")
    return Line("by form", told, len(content), since(sent))


async def by_put(desktop: Desktop) -> Line:
    """The way of existing clients: a presigned PUT."""
    content = photo(800, 600)
    async with desktop.listening() as socket:
        permission = await desktop.phone.permission(contentType="image/jpeg", contentLength=str(len(content)))
        headers = {"Content-Type": "image/jpeg"}
        sent = time.perf_counter()
        answer = await desktop.http.put(permission["uploadUrl"], content=content, headers=headers)
        answer.raise_for_status()
        told = await socket.hear("UPLOAD_COMPLETED")
    return Line("by PUT (older client)", told, len(content), since(sent))


async def no_photo(desktop: Desktop) -> Line:
    """An HTML page that claims to be a JPEG: checked, refused, deleted."""
    async with desktop.listening() as socket:
        permission = await desktop.phone.permission()
        sent = time.perf_counter()
        (await desktop.phone.post(permission, NOT_A_PHOTO, "image/jpeg")).raise_for_status()
        told = await socket.hear("UPLOAD_REJECTED")
    return Line("HTML called a JPEG", told, len(NOT_A_PHOTO), since(sent))


async def before_the_socket(desktop: Desktop) -> Line:
    """The upload is faster than the desktop's socket, which then asks for the status."""
    content = photo(800, 600)
    await desktop.phone.upload(content)
    async with asyncio.timeout(SETTLE_S):
        while (await desktop.look())["status"] != "COMPLETED":
            await asyncio.sleep(0.05)
    async with desktop.listening() as socket:
        told = await socket.hear("UPLOAD_COMPLETED")
    return Line("before the socket", told, len(content), None)


SCENES: Final[tuple[Callable[[Desktop], Awaitable[Line]], ...]] = (by_form, by_put, no_photo, before_the_socket)


def run(cloud: Mapping[str, Any], out: Path, progress: Progress, console: Console | None = None) -> list[Path]:
    """Play the scenes, print the desktops' notifications, and return the pictures."""
    console = console or Console()
    lines = asyncio.run(play(cloud["rest_url"], progress, console))
    console.print(table(lines))
    lacking = screens.missing()
    if lacking:
        progress(f"no pictures of the pages: {lacking}")
        return []
    progress("the two pages in a browser")
    return pictures(cloud["rest_url"], out)


async def play(rest_url: str, progress: Progress, console: Console) -> list[Line]:
    """Every scene in its own session; the first runs twice, once to start the functions and once for timing."""
    lines: list[Line] = []
    async with browser(rest_url) as http:
        progress("starting the functions")
        await by_form(await open_session(http))
        for scene in SCENES:
            desktop = await open_session(http)
            if not lines:
                show_code(f"{rest_url}/u", desktop, console)
            line = await scene(desktop)
            progress(f"{line.scene}: {line.told['action']}")
            lines.append(line)
    console.print(f"Try it: {rest_url}/upload", highlight=False, soft_wrap=True)
    return lines


def show_code(phone_page: str, desktop: Desktop, console: Console) -> None:
    """The QR code in the terminal."""
    link = f"{phone_page}#{str(desktop.session['phoneUrl']).rsplit('#', 1)[1]}"
    rows = [list(row) for row in segno.make(link, error="m", micro=False).matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    halves = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        line = "".join(halves[bool(top), bool(bottom)] for top, bottom in zip(upper, lower, strict=True))
        console.print(line, style="white on black", no_wrap=True, highlight=False)
    console.print(f"The code of one session; it links to {link}", highlight=False, soft_wrap=True)


def table(lines: list[Line]) -> Table:
    """One line for each upload."""
    shown = Table(
        title="Uploads, from the first byte sent to the notification on the desktop's socket",
        title_justify="left",
        title_style="bold",
    )
    for heading in ("upload", "told", "type, or reason"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("bytes", "ms"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        action = str(line.told["action"])
        style = "green" if action == "UPLOAD_COMPLETED" else "bold red"
        shown.add_row(
            line.scene,
            f"[{style}]{action}[/]",
            str(line.told.get("contentType") or line.told.get("reason")),
            f"{line.size:,}",
            "asked" if line.ms is None else f"{line.ms:.0f}",
        )
    return shown


def pictures(rest_url: str, out: Path) -> list[Path]:
    """Both pages before and after the photo."""
    with screens.chromium() as chromium:
        desktop = chromium.new_page(**screens.WIDE)
        phone = chromium.new_page(**screens.NARROW)
        desktop.goto(f"{rest_url}/upload")
        desktop.locator("body[data-mode=socket]").wait_for()
        phone.goto(desktop.locator("#link").input_value())
        phone.get_by_text("Take a photo").wait_for()
        before = screens.side_by_side((desktop, phone), out / "uploads-1-waiting.png")
        phone.locator("#file").set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo()})
        desktop.get_by_text("Your photo is here").wait_for()
        phone.get_by_text("Done.").wait_for()
        desktop.wait_for_load_state("networkidle")
        after = screens.side_by_side((desktop, phone), out / "uploads-2-arrived.png")
    return [before, after]


def since(moment: float) -> float:
    """Milliseconds since a moment of the performance counter."""
    return 1000 * (time.perf_counter() - moment)
