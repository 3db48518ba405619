"""The console in headless Chromium: frames of a map pan, the first screen, what each screen loads, a clean build.

5,000 aircraft are panned at three zooms, the last of them over the large coastlines; a frame is the time from one
animation frame to the next while each draws the map anew, so 33 ms are thirty frames a second. Screens are opened with
an empty cache against a local cloud of their own, whose functions are warm. The clean build has Node, but no packages.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure
from infra import console
from local.cloud import Cloud
from local.demo import screens

AIRCRAFT = 5000
FRAMES = 180
ROUNDS = 7
BUILDS = 3
VIEWS = {"the world": "lon=0&lat=30&z=1.6", "a continent": "lon=10&lat=50&z=4", "a country": "lon=10&lat=54&z=6.5"}
SCREENS = {
    "overview": "/",
    "live map": "/flights",
    "traffic": "/flights/traffic",
    "runs and quality": "/flights/runs",
    "concerts, forecast": "/concerts/forecast",
    "chat": "/concerts/chat",
    "predictions": "/predictions",
    "my money": "/money",
    "people, review": "/people",
    "photos": "/photos",
    "reference": "/reference",
    "sign in": "/sign-in",
}
COASTLINES = re.compile("countries-50m|coastlines-10m")
IGNORED = (".git", ".venv*", ".local", "build", "dist", "node_modules", "generated", "__pycache__", ".*_cache", "tests")
PAN = """
(frames) => new Promise((resolve) => {
  HTMLCanvasElement.prototype.setPointerCapture = () => {};
  const canvas = document.querySelector(".map canvas");
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const send = (type, at) => canvas.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, bubbles: true, clientX: left + width / 2 + at, clientY: top + height / 2 + at / 3 }));
  const times = [];
  send("pointerdown", 0);
  const step = (now) => {
    times.push(now);
    if (times.length > frames) {
      send("pointerup", 0);
      resolve(times.slice(1).map((each, index) => each - times[index]));
      return;
    }
    send("pointermove", 150 * Math.sin(times.length / 15));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""
LARGE_MAP = "performance.getEntriesByType('resource').some((each) => each.name.includes('10m') && each.responseEnd)"
SHOWN = """
addEventListener("DOMContentLoaded", () => {
  const look = () => {
    if (!document.querySelector("main h1") || document.querySelector(".bone")) return;
    window.shownAt = performance.now();
    watch.disconnect();
  };
  const watch = new MutationObserver(look);
  watch.observe(document.body, { childList: true, subtree: true });
});
"""


def clean_build_s() -> float:
    """How long a checkout takes that has Node but neither packages nor a build."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(measure.ROOT, copy, ignore=shutil.ignore_patterns(*IGNORED), symlinks=True)
        (copy / console.ENVIRONMENT.name).symlink_to(console.ENVIRONMENT)
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "infra.console"], cwd=copy, check=True, capture_output=True)
        return time.perf_counter() - started


def wait_for(page: Any, condition: str) -> Any:
    """The value of an expression once it is true; Playwright's own way would need the policy to allow eval."""
    deadline = time.monotonic() + 60
    while not (found := page.evaluate(condition)):
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        page.wait_for_timeout(20)
    return found


def snapshot(count: int) -> dict[str, Any]:
    """What the map asks for: so many aircraft all over the world."""
    plane = {"origin_country": "X", "baro_altitude_ft": 30_000, "velocity_kt": 400, "vertical_rate_fpm": 0}
    planes = [
        plane
        | {"icao24": f"{at:06x}", "callsign": f"TST{at}", "flight_phase": "CRUISE", "true_track": at % 360}
        | {"latitude": at * 37 % 1300 / 10 - 60, "longitude": at * 61 % 3590 / 10 - 179, "last_contact": 0}
        for at in range(count)
    ]
    return {"tracking_id": "states_1", "time": 1, "matching": count, "aircraft": planes}


def pan(browser: Any, cloud: Cloud, report: measure.Report) -> None:
    """Pan the map over each view."""
    latest = snapshot(AIRCRAFT)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.route("**/api/flights/latest*", lambda route: route.fulfill(json=latest))
    page.goto(cloud.console_url)
    for name, view in VIEWS.items():
        page.evaluate("path => { location.hash = path }", f"/flights?{view}")
        wait_for(page, "document.querySelectorAll('.listing tbody tr').length === 200")
        if "z=6.5" in view:
            wait_for(page, LARGE_MAP)
        page.wait_for_timeout(500)
        frame = statistics.median(page.evaluate(PAN, FRAMES))
        report.medians[f"frame of a pan with {AIRCRAFT:,} aircraft: {name}"] = round(frame, 1)
        report.ratios[f"frames a second: {name}"] = round(1000 / frame, 1)
        page.evaluate("location.hash = '/sign-in'")
        wait_for(page, "!document.querySelector('.map')")
    page.close()


def first_screen(browser: Any, cloud: Cloud, report: measure.Report) -> None:
    """Open the overview with an empty cache until everything is on it, and until the first paint."""
    shown, painted = [], []
    for _ in range(ROUNDS + 1):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_init_script(SHOWN)
        page = context.new_page()
        page.goto(cloud.console_url)
        shown.append(wait_for(page, "window.shownAt"))
        painted.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"))
        context.close()
    report.medians["first screen: first paint"] = round(statistics.median(painted[1:]), 0)
    report.medians["first screen: everything on it"] = round(statistics.median(shown[1:]), 0)


def loads(browser: Any, cloud: Cloud, report: measure.Report) -> None:
    """What each screen loads of the site with an empty cache, kB as sent; coastlines are counted apart."""
    latest = snapshot(1)
    for name, path in SCREENS.items():
        context = browser.new_context()
        page = context.new_page()
        page.route("**/api/flights/latest*", lambda route: route.fulfill(json=latest))
        sent: list[Any] = []
        page.on("requestfinished", lambda each, kept=sent: kept.append(each))
        page.goto(f"{cloud.console_url}/#{path}")
        wait_for(page, "document.querySelector('main h1') && !document.querySelector('.bone')")
        page.wait_for_load_state("networkidle")
        ours = [each for each in sent if each.url.startswith(cloud.console_url) and "/api/" not in each.url]
        own = sum(each.sizes()["responseBodySize"] for each in ours if not COASTLINES.search(each.url))
        report.ratios[f"kB as sent, first load: {name}"] = round(own / 1000, 1)
        context.close()
    for what, name in (
        ("coastlines of the map", "countries-50m"),
        ("those of a map that is zoomed in", "coastlines-10m"),
    ):
        file = next(console.SITE.glob(f"assets/{name}-*.json.gz"))
        report.ratios[f"kB as sent: {what}"] = round(file.stat().st_size / 1000, 1)


def main() -> None:
    """Build, start a cloud and a browser, measure, report."""
    arguments = measure.arguments(__doc__)
    report = measure.Report("console")
    if lacking := screens.missing():
        sys.exit(lacking)
    seconds = [clean_build_s() for _ in range(BUILDS)]
    report.medians["build of a clean checkout"] = round(1000 * statistics.median(seconds), 0)
    console.build()
    with measure.local_cloud() as cloud, screens.chromium() as browser:
        first_screen(browser, cloud, report)
        pan(browser, cloud, report)
        loads(browser, cloud, report)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
