"""Two pages side by side in a real browser: the desktop shows a code, the phone sends a photo, the desktop shows it.

Every test fails on any error in a page's console, and on any breach of the Content-Security-Policy. With
OMNIBUS_PICTURES=1, pictures of both pages are written to .local/screens/uploads.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Cloud
from local.demo import screens
from local.demo.photo import photo
from tests.browser.console import PICTURED
from tests.patience import PATIENCE_MS, until

SCREENS = Path(__file__).parents[2] / ".local" / "screens" / "uploads"
HTML = b"<!doctype html><script>alert('not a photo')</script>"


class Pages:
    """A desktop's page and a phone's, and what went wrong in them."""

    def __init__(self, cloud: Cloud, chromium: Any, scheme: str) -> None:
        self.cloud = cloud
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.contexts = [
            chromium.new_context(**screens.WIDE, color_scheme=scheme),
            chromium.new_context(**screens.NARROW, color_scheme=scheme),
        ]
        self.desktop, self.phone = (self._page(context) for context in self.contexts)

    def _page(self, context: Any) -> Any:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.problems.append(f"{error}"))
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        return page

    def open_desktop(self) -> dict[str, Any]:
        """Load the desktop's page and wait until it listens; its session."""
        self.desktop.goto(f"{self.cloud.rest_url}/upload")
        self.desktop.locator("body[data-mode=socket]").wait_for()
        session: dict[str, Any] = json.loads(self.desktop.evaluate("sessionStorage.getItem('omnibus-upload-session')"))
        return session

    def open_phone(self, session: dict[str, Any]) -> None:
        """Follow the code."""
        self.phone.goto(session["phoneUrl"])
        self.phone.get_by_text("Take a photo").wait_for()

    def choose(self, content: bytes, name: str = "photo.jpg", content_type: str = "image/jpeg") -> None:
        """Choose a file on the phone."""
        self.phone.locator("#file").set_input_files({"name": name, "mimeType": content_type, "buffer": content})

    def sees(self, page: Any, text: str) -> None:
        """Wait until a page says something."""
        page.get_by_text(text).first.wait_for()

    def desktop_shows_photo(self) -> None:
        """Wait until the desktop shows a picture that really loaded."""
        self.sees(self.desktop, "Your photo is here")
        self.until(self.desktop, "document.getElementById('photo').naturalWidth > 0")

    def hurry(self, page: Any, text: str) -> None:
        """Let the page's clock run a second a step, until it says something; its waits take no time of ours."""
        found = page.get_by_text(text).first

        def look() -> bool:
            page.clock.run_for(1000)
            return bool(found.is_visible())

        until(look)

    def until(self, page: Any, condition: str) -> None:
        """Wait until an expression is true; Playwright's own way would need the policy to allow eval."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not page.evaluate(condition):
            assert time.monotonic() < deadline, f"never true: {condition}"
            page.wait_for_timeout(20)

    def screen(self, name: str) -> None:
        """A picture of both pages side by side, if pictures are wanted."""
        if PICTURED:
            screens.side_by_side((self.desktop, self.phone), SCREENS / f"{name}.png")

    def close(self) -> None:
        """Close both, and fail on what went wrong in them."""
        for context in self.contexts:
            context.close()
        unexpected = [
            problem for problem in self.problems if not any(re.search(known, problem) for known in self.expected)
        ]
        assert not unexpected, f"errors in the pages: {unexpected}"


@pytest.fixture(params=["light"])
def pages(request: pytest.FixtureRequest, cloud: Cloud, chromium: Any) -> Iterator[Pages]:
    pages = Pages(cloud, chromium, request.param)
    yield pages
    pages.close()


@pytest.mark.parametrize("pages", ["light", "dark"], indirect=True)
def test_a_photo_goes_from_the_phone_to_the_desktop(pages: Pages, request: pytest.FixtureRequest) -> None:
    scheme = request.node.callspec.params["pages"]
    session = pages.open_desktop()
    pages.open_phone(session)
    pages.screen(f"{scheme}-1-waiting")
    content = photo()
    pages.choose(content)
    pages.desktop_shows_photo()
    pages.sees(pages.phone, "Done. Your photo is on the other screen.")
    pages.screen(f"{scheme}-2-arrived")
    assert pages.desktop.evaluate("document.getElementById('photo').naturalWidth") == 1600
    assert f"JPEG, {len(content) / 1000:.0f} kB" in pages.desktop.locator("#facts").inner_text()


def test_the_code_leads_to_the_phones_page(pages: Pages) -> None:
    session = pages.open_desktop()
    assert pages.desktop.locator("#link").input_value() == session["phoneUrl"]
    assert session["phoneUrl"].startswith(f"{pages.cloud.rest_url}/u#")
    width = pages.desktop.evaluate("document.getElementById('code').naturalWidth")
    assert width > 100, "the code is drawn"


def test_progress_is_shown_while_the_photo_is_sent(pages: Pages) -> None:
    pages.open_phone(pages.open_desktop())
    network = pages.contexts[1].new_cdp_session(pages.phone)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 250_000}
    network.send("Network.emulateNetworkConditions", slow)
    pages.choose(photo(2400, 1800))
    pages.until(pages.phone, "document.getElementById('progress').value > 20")
    pages.screen("light-3-sending")
    pages.desktop_shows_photo()


def test_with_the_socket_cut_before_the_upload_the_desktop_polls(pages: Pages) -> None:
    sockets: list[Any] = []
    cut = False

    def pass_on(socket: Any) -> None:
        if cut:
            socket.close()
            return
        socket.connect_to_server()
        sockets.append(socket)

    pages.desktop.route_web_socket(re.compile("/_aws/execute-api/"), pass_on)
    pages.desktop.clock.install()
    session = pages.open_desktop()
    pages.open_phone(session)
    cut = True
    for socket in sockets:
        socket.close()
    pages.desktop.locator("body[data-mode=polling]").wait_for()
    pages.choose(photo(800, 600))
    pages.hurry(pages.desktop, "Your photo is here")
    pages.desktop_shows_photo()


def test_a_socket_that_comes_back_is_used_again(pages: Pages) -> None:
    sockets: list[Any] = []

    def pass_on(socket: Any) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    pages.desktop.route_web_socket(re.compile("/_aws/execute-api/"), pass_on)
    session = pages.open_desktop()
    sockets[0].close()
    pages.desktop.locator("body[data-mode=polling]").wait_for()
    pages.desktop.locator("body[data-mode=socket]").wait_for()
    assert len(sockets) > 1
    pages.open_phone(session)
    pages.choose(photo(800, 600))
    pages.desktop_shows_photo()


def test_the_upload_before_the_socket(pages: Pages) -> None:
    session = pages.open_desktop()
    pages.desktop.goto("about:blank")
    pages.open_phone(session)
    pages.choose(photo(800, 600))
    pages.sees(pages.phone, "Done. Your photo is on the other screen.")
    pages.desktop.goto(f"{pages.cloud.rest_url}/upload")
    pages.desktop_shows_photo()


def test_an_expired_code_says_so_on_both_sides(pages: Pages) -> None:
    pages.desktop.clock.install()
    session = pages.open_desktop()
    pages.open_phone(session)
    expire(pages.cloud, session["sessionId"])
    pages.expected = [r"status of 410"]
    pages.choose(photo(800, 600))
    pages.sees(pages.phone, "This code has expired. Get a new one on the other screen.")
    pages.desktop.clock.fast_forward("31:00")
    pages.sees(pages.desktop, "This code has expired.")
    pages.screen("light-4-expired")
    pages.desktop.get_by_role("button", name="Get a new code").click()
    pages.sees(pages.desktop, "Waiting for your phone")
    assert pages.desktop.locator("#link").input_value() != session["phoneUrl"]


def test_what_is_no_photo_is_refused_and_another_may_be_sent(pages: Pages) -> None:
    pages.open_phone(pages.open_desktop())
    pages.choose(HTML)
    pages.sees(pages.phone, "That file is not a photo we can read.")
    pages.sees(pages.desktop, "That file is not a photo we can read.")
    pages.screen("light-5-refused")
    pages.choose(photo(800, 600))
    pages.desktop_shows_photo()
    assert pages.desktop.locator("#problem").is_hidden()


@pytest.mark.parametrize(
    ("content", "name", "content_type", "says"),
    [
        (b"", "photo.jpg", "image/jpeg", "That file is empty."),
        (b"words", "notes.txt", "text/plain", "That file is not a photo we can read."),
    ],
)
def test_what_is_plainly_no_photo_is_not_sent(
    pages: Pages, content: bytes, name: str, content_type: str, says: str
) -> None:
    pages.open_phone(pages.open_desktop())
    pages.sees(pages.desktop, "Phone connected, waiting for the photo")
    sent: list[str] = []
    pages.phone.on("request", lambda request: sent.append(request.url))
    pages.choose(content, name, content_type)
    pages.sees(pages.phone, says)
    assert not sent
    pages.choose(photo(800, 600), "photo", "application/octet-stream")
    pages.desktop_shows_photo()


def test_a_refusal_by_storage_lets_another_photo_be_chosen(pages: Pages) -> None:
    pages.open_phone(pages.open_desktop())
    pages.expected = ["status of 403"]
    refused = 0

    def refuse(route: Any) -> None:
        nonlocal refused
        if route.request.method == "POST" and not refused:
            refused += 1
            route.fulfill(status=403, headers={"Access-Control-Allow-Origin": "*"}, body="<Error/>")
        else:
            route.continue_()

    pages.phone.route("**/*", refuse)
    pages.choose(photo(800, 600))
    pages.sees(pages.phone, "Storage refused that file. Choose another photo.")
    pages.choose(photo(800, 600))
    pages.desktop_shows_photo()


def test_the_photo_survives_a_reload_is_saved_and_deleted(pages: Pages) -> None:
    session = pages.open_desktop()
    pages.open_phone(session)
    content = photo(800, 600)
    pages.choose(content)
    pages.desktop_shows_photo()
    pages.desktop.reload()
    pages.desktop_shows_photo()
    stored = re.compile("/session-uploads/")
    with pages.desktop.expect_download() as download, pages.desktop.expect_request(stored) as asked:
        pages.desktop.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_bytes() == content
    # The photo may be cached as an image, without the header that lets a script read it.
    assert asked.value.all_headers()["cache-control"] == "no-cache"
    pages.desktop.get_by_role("button", name="Delete").click()
    pages.sees(pages.desktop, "The photo is deleted")
    pages.expected = ["status of 404"]
    pages.phone.reload()
    pages.sees(pages.phone, "This code is gone.")


def test_a_code_that_no_phone_reaches_says_so(pages: Pages) -> None:
    session = pages.open_desktop()
    pages.sees(pages.desktop, "which a phone cannot reach")
    assert (
        pages.desktop.get_by_role("link", name="Open the phone’s page here").get_attribute("href")
        == session["phoneUrl"]
    )


def test_a_file_that_is_too_large_is_not_sent(pages: Pages, tmp_path: Path) -> None:
    pages.open_phone(pages.open_desktop())
    sent: list[str] = []
    pages.phone.on("request", lambda request: sent.append(request.method))
    large = tmp_path / "large.jpg"
    large.write_bytes(photo(400, 300) + bytes(21 * 1024 * 1024))
    pages.phone.locator("#file").set_input_files(large)
    pages.sees(pages.phone, "That photo has 22.0 MB; at most 21.0 MB can be sent.")
    assert "POST" not in sent
    pages.screen("light-6-too-large")


def test_a_bad_network_is_tried_again_and_then_asks(pages: Pages) -> None:
    pages.phone.clock.install()
    pages.open_phone(pages.open_desktop())
    pages.expected = ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    failures = 5

    def lossy(route: Any) -> None:
        nonlocal failures
        if route.request.method == "POST" and failures > 0:
            failures -= 1
            route.abort()
        else:
            route.continue_()

    pages.phone.route("**/*", lossy)
    pages.choose(photo(800, 600))
    pages.hurry(pages.phone, "Your photo is still here.")
    pages.screen("light-7-bad-network")
    assert failures == 1, "four attempts"
    pages.phone.get_by_role("button", name="Try again").click()
    pages.desktop_shows_photo()


def test_two_windows_of_one_session_both_get_the_photo(pages: Pages) -> None:
    session = pages.open_desktop()
    second = pages.contexts[0].new_page()
    second.add_init_script(f"sessionStorage.setItem('omnibus-upload-session', {json.dumps(json.dumps(session))})")
    second.goto(f"{pages.cloud.rest_url}/upload")
    second.locator("body[data-mode=socket]").wait_for()
    pages.desktop.locator("body[data-mode=polling]").wait_for()
    pages.open_phone(session)
    pages.choose(photo(800, 600))
    pages.desktop_shows_photo()
    second.get_by_text("Your photo is here").wait_for()


def test_the_phones_page_works_by_keyboard(pages: Pages) -> None:
    pages.open_phone(pages.open_desktop())
    pages.phone.keyboard.press("Tab")
    assert pages.phone.evaluate("document.activeElement.id") == "camera"
    pages.phone.keyboard.press("Tab")
    assert pages.phone.evaluate("document.activeElement.id") == "file"
    with pages.phone.expect_file_chooser() as chooser:
        # That a chooser is expected and that a key is pressed take different ways to the page, and the key may be
        # first: then the chooser is cancelled. An answer of the page says that it knows.
        pages.phone.evaluate("0")
        pages.phone.keyboard.press("Space")
    chooser.value.set_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo(800, 600)})
    pages.desktop_shows_photo()
    for control in ("save", "open", "delete", "again"):
        pages.desktop.keyboard.press("Tab")
        assert pages.desktop.evaluate("document.activeElement.id") == control
    pages.desktop.keyboard.press("Enter")
    pages.sees(pages.desktop, "Waiting for your phone")


def test_a_screen_reader_is_told_what_happens(pages: Pages) -> None:
    session = pages.open_desktop()
    tree = pages.desktop.locator("body").aria_snapshot()
    for line in (
        'heading "Send a photo from your phone" [level=1]',
        "status: Waiting for your phone",
        'img "QR code that opens the upload page on a phone"',
        'textbox "No camera? Open this link on the phone:"',
        'button "Copy"',
    ):
        assert line in tree, tree
    pages.open_phone(session)
    tree = pages.phone.locator("body").aria_snapshot()
    for line in (
        'heading "Send a photo" [level=1]',
        "status: Ready",
        'button "Take a photo"',
        'button "Choose a photo"',
    ):
        assert line in tree, tree


def test_a_link_that_is_wrong_says_so(pages: Pages) -> None:
    pages.expected = [r"status of 40[34]"]
    pages.phone.goto(f"{pages.cloud.rest_url}/u#nonsense")
    pages.sees(pages.phone, "This link is not complete. Scan the code again.")
    pages.phone.goto(f"{pages.cloud.rest_url}/u#1b671a6440d5491e99b0da01ff1f3341.abc")
    pages.sees(pages.phone, "This code is gone.")


def test_small_and_large_screens_need_no_sideways_scrolling(pages: Pages) -> None:
    session = pages.open_desktop()
    pages.open_phone(session)
    for page in (pages.desktop, pages.phone):
        for width in (320, 768, 1600):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def expire(cloud: Cloud, session_id: str) -> None:
    """Let a session's time have passed."""
    cloud.client("dynamodb").update_item(
        TableName=cloud.tables["upload-sessions"],
        Key={"sessionId": {"S": session_id}},
        UpdateExpression="SET expiresAt = :past",
        ExpressionAttributeValues={":past": {"N": str(int(time.time()) - 1)}},
    )
