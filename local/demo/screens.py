"""Debian's Chromium, and screenshots of its pages."""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
GAP = 24
GROUND = (128, 132, 130)

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # This list replaces Playwright's. The pop-ups of the address bar took half of the time that a window takes.
    "--disable-features=HttpsUpgrades,LensOverlay,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,"
    "PreconnectToSearch,ThirdPartyStoragePartitioning,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,WebUIOmniboxPopup",
]
"""A browser that makes no requests except the page's, and has no parts that nobody sees."""

WIDE = {"viewport": {"width": 1120, "height": 820}}
NARROW = {"viewport": {"width": 412, "height": 820}, "has_touch": True, "is_mobile": True}


def missing() -> str | None:
    """The missing requirement of a browser on this machine, or None."""
    if find_spec("playwright") is None:
        return "playwright is not installed: make venv"
    if not CHROMIUM.exists():
        return f"there is no browser at {CHROMIUM}: apt-get install chromium, or set CHROMIUM"
    return None


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser, by Playwright's API."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


def side_by_side(pages: Sequence[Any], path: Path) -> Path:
    """Write one picture of several pages; its path."""
    shots = [Image.open(io.BytesIO(page.screenshot())) for page in pages]
    size = (sum(shot.width + GAP for shot in shots) + GAP, max(shot.height for shot in shots) + 2 * GAP)
    picture = Image.new("RGB", size, GROUND)
    left = GAP
    for shot in shots:
        picture.paste(shot, (left, GAP))
        left += shot.width + GAP
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path
