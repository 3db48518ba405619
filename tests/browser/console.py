"""The console in a browser: people in it, what it shows, and what went wrong there."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit
from weakref import WeakSet

from infra.console import WEB
from local.cloud import Cloud
from local.console.access import address
from tests.patience import PATIENCE_MS, until

T = TypeVar("T")

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = Path(__file__).parents[2] / ".local" / "screens" / "console"
PICTURED = "OMNIBUS_PICTURES" in os.environ
"""Are pictures of all screens to be written, for a person to look at?"""
NASTY = ('<img src=x onerror="alert(1)"> ' + "שלום عالم " + "x" * 200)[:200]
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 740}
RULES = """
async () => (await axe.run(document, {resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}))
  .violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ") + " " + (node.any[0]?.message ?? "")).slice(0, 3).join(" | ")}`)
"""  # noqa: E501  # as a browser takes it

SETTLED = """
() => document.querySelector("main")?.dataset.at === location.hash && !!document.querySelector("main h1") && !document.querySelector(".bone")
"""  # noqa: E501  # likewise


class Visitor:
    """One person's browser: signed in as a test user of the local cloud, or anonymous.

    It records a page's console messages, content policy violations and requests to other hosts as problems.
    """

    all: ClassVar[WeakSet["Visitor"]] = WeakSet()

    def __init__(self, cloud: Cloud, browser: Any, user: str = "", **options: Any) -> None:
        self.cloud = cloud
        self.user = ""
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.told: list[str] = []
        self.context = browser.new_context(**{"viewport": WIDE, "color_scheme": "light", **options})
        self.page = self.context.new_page()
        self.all.add(self)
        self.watch(self.page)
        self.page.goto(address(cloud.console_url, cloud.users))
        self.page.locator("main h1").wait_for()
        if user:
            self.sign_in(user)

    def watch(self, page: Any) -> None:
        """Keep what goes wrong in a page."""
        own = {urlsplit(url).netloc for url in (self.cloud.console_url, self.cloud.aws_endpoint_url)}
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.problems.append(f"{error}"))
        page.on("console", lambda said: self.problems.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("websocket", lambda socket: socket.on("framereceived", self._heard))
        page.on("request", lambda asked: self._host(asked.url, own))

    def _heard(self, frame: str | bytes) -> None:
        self.told.append(frame if isinstance(frame, str) else frame.decode())

    def _host(self, url: str, own: set[str]) -> None:
        if urlsplit(url).scheme in {"http", "https", "ws", "wss"} and urlsplit(url).netloc not in own:
            self.problems.append(f"asked another host: {url}")

    def sign_in(self, user: str) -> None:
        """Sign in with the form's own button for a test user."""
        self.user = user
        self.go("/sign-in")
        self.button(f"Sign in as {user}").click()
        self.page.locator(".who .name").wait_for(state="attached")

    def go(self, path: str) -> None:
        """Follow an address of the console, and wait until its screen is there."""
        self.page.evaluate("path => { location.hash = path }", path)
        self.settle()

    def settle(self) -> None:
        """Wait until the screen of the address is there, and nothing loads any more."""
        self.until(lambda: self.page.evaluate(SETTLED))

    def until(self, look: Callable[[], T]) -> T:
        """What `look` returns once that is true; meanwhile, unlike in a sleep, Playwright answers requests."""
        return until(look, pause=lambda seconds: self.page.wait_for_timeout(1000 * seconds))

    def state(self) -> tuple[str, str]:
        """Who is where, and what the page says and complains about: for the report of a test that failed."""
        text = self.page.locator("main").inner_text(timeout=5000)
        return f"{self.user or 'a visitor'} at {self.address}", "\n".join([text, *self.problems])

    @property
    def address(self) -> str:
        """Where the page is now; Playwright's own idea of it is as old as its last call."""
        return str(self.page.evaluate("location.href"))

    def reload(self) -> None:
        """Reload the page, which ends the sign-in."""
        self.page.reload()
        self.settle()

    def sees(self, text: str | re.Pattern[str]) -> Any:
        """Wait until the page says something; where."""
        found = self.page.locator("body").get_by_text(text).first
        found.wait_for()
        return found

    def button(self, name: str | re.Pattern[str], exact: bool = True) -> Any:
        """A button by its words."""
        return self.page.get_by_role("button", name=name, exact=exact).first

    def link(self, name: str | re.Pattern[str]) -> Any:
        """A link of the screen by its words."""
        return self.page.locator("main").get_by_role("link", name=name).first

    def field(self, label: str) -> Any:
        """A field by its label."""
        return self.page.locator("main").get_by_label(label, exact=True).first

    def figure(self, label: str) -> Any:
        """A figure of the screen that leads somewhere, by its label."""
        return self.page.locator("main a.stat").filter(has=self.page.get_by_text(label, exact=True)).first

    def rows(self) -> int:
        """How many rows the first table of the screen has."""
        return int(self.page.locator("main table").first.locator("tbody tr").count())

    def violations(self) -> list[str]:
        """What axe finds wrong in the page as it is."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = self.page.evaluate(RULES)
        return found

    @contextmanager
    def failing(self, path: str, status: int, body: str = "", **headers: str) -> Iterator[None]:
        """Let the API answer so meanwhile; status 0 cuts the line."""
        self.expected += [r"status of \d+", "ERR_FAILED", "ERR_INTERNET"]

        def answer(route: Any) -> None:
            if status == 0:
                route.abort()
            else:
                route.fulfill(status=status, body=body, headers={"Content-Type": "application/json", **headers})

        pattern = re.compile(f"/api{path}")
        self.page.route(pattern, answer)
        yield
        self.page.unroute(pattern)

    def check(self) -> None:
        """Fail on what went wrong since the last time."""
        found = [it for it in self.problems if not any(re.search(known, it) for known in self.expected)]
        self.problems.clear()
        self.expected.clear()
        assert not found, f"went wrong in the page: {found}"
