"""What goes wrong in a browser, a system with nothing and one with very much in it, and every screen for everybody.

Pictures of every screen in both themes and widths are written to .local/screens/console for a person to look at.
"""

import base64
import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.cloud import Cloud
from local.console.access import address
from tests.browser.console import NARROW, NASTY, PICTURED, SCREENS, WIDE, Visitor
from tests.browser.seed import Seed, crowded, operator, signed_in
from tests.patience import PATIENCE_S

RUNS = 50_000 if "OMNIBUS_FULL_LOAD" in os.environ else 5_000
"""One a minute: to write 50,000 takes a minute, which `make load` has."""
IMPATIENT = """
() => {
  AbortSignal.timeout = () => {
    const all = new AbortController();
    setTimeout(() => all.abort(new DOMException("late", "TimeoutError")), 50);
    return all.signal;
  };
}
"""
HIDDEN = """
(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


# -- signing in and out, faults


def test_a_wrong_password_and_a_way_back(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    person.expected = ["status of 400"]
    person.go("/money/transactions")
    person.link("Sign in").click()
    person.field("Email").fill("alice@example.com")
    person.field("Password").fill("wrong")
    person.page.locator("main form").get_by_role("button", name="Sign in").click()
    person.page.locator("[role=alert]").wait_for()
    person.field("Password").fill(cloud.users["alice"]["password"])
    person.page.locator("main form").get_by_role("button", name="Sign in").click()
    person.until(lambda: person.address.endswith("#/money/transactions"))
    person.page.locator("main table tbody tr").first.wait_for()
    person.button("Sign out").click()
    person.sees("Sign in to see this")
    person.context.close()
    person.check()


def test_a_token_that_ends_is_renewed_and_one_that_cannot_be_asks_to_sign_in(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser, "alice")
    person.expected = ["status of 401", "status of 400"]
    refused = 0

    def once(route: Any) -> None:
        nonlocal refused
        refused += 1
        if refused == 1:
            route.fulfill(status=401, body='{"message": "The incoming token has expired"}')
        else:
            route.continue_()

    person.page.route(re.compile("/me/profile"), once)
    person.go("/money/data")
    person.sees("Consent")
    assert refused > 1, "asked again with a new token"
    person.page.unroute(re.compile("/me/profile"))
    person.page.route(re.compile("/api/api/v1"), lambda route: route.fulfill(status=401, body="{}"))
    person.page.route(f"{cloud.aws_endpoint_url}/", lambda route: route.fulfill(status=400, body="{}"))
    person.go("/money/transactions")
    person.sees("Your session has ended.")
    person.context.close()
    person.check()


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_wrong_by_a_day_changes_nothing(cloud: Cloud, browser: Any, days: int) -> None:
    person = Visitor(cloud, browser)
    person.page.clock.install(time=datetime.now(UTC) + timedelta(days=days))
    person.page.goto(cloud.console_url)
    person.sign_in("alice")
    person.go("/money/data")
    person.sees("Consent")
    person.go("/flights/runs?days=1")
    person.until(person.rows)
    person.go("/flights")
    # Other tests of this cloud may have left a snapshot of the next hours.
    person.sees(re.compile(r"the newest that passed its checks \((just now|(in )?([\d.]+ (s|min)|\d h)( ago)?)\)"))
    person.page.get_by_label("Snapshot of the last 24 hours").wait_for()
    person.context.close()
    person.check()


@pytest.mark.parametrize(
    ("status", "body", "headers", "says"),
    [
        (0, "", {}, "Check the connection, then try again."),
        (429, '{"error": {"code": "x", "message": "Slow down", "request_id": "r-1"}}', {"Retry-After": "7"}, "in 7 s"),
        (500, '{"error": {"code": "x", "message": "An internal error", "request_id": "r-2"}}', {}, "r-2"),
        (403, '{"error": {"code": "x", "message": "Not for you", "request_id": "r-3"}}', {}, "Ask an operator."),
        (502, "<html>", {}, "The server answered 502."),
    ],
)
def test_an_error_says_what_to_do_and_goes_away(
    visitor: Visitor, status: int, body: str, headers: dict[str, str], says: str
) -> None:
    with visitor.failing("/venues/popularity", status, body, **headers):
        visitor.go("/concerts/venues?days=90&events=1")
        visitor.page.locator("[role=alert]").wait_for()
        assert says in visitor.page.locator("[role=alert]").inner_text()
    if status == 403:  # the others pass, and the screen asks again by itself
        visitor.button("Try again").click()
    visitor.until(lambda: visitor.rows() == 10)
    visitor.go("/")


def test_a_slow_api_shows_that_it_loads_and_a_silent_one_that_it_gave_up(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    waiting: list[Any] = []
    person.page.route(re.compile("/api/venues/popularity"), lambda route: waiting.append(route))
    person.page.evaluate("location.hash = '/concerts/venues?events=1'")
    person.until(lambda: waiting)
    person.page.get_by_role("status", name="Loading").first.wait_for()
    waiting[0].continue_()
    person.until(lambda: person.rows() == 10)
    person.go("/")
    person.page.evaluate(IMPATIENT)
    person.page.evaluate("location.hash = '/concerts/venues?days=90&events=2'")
    person.sees("The API did not answer in time.")
    person.button("Try again").wait_for()
    person.context.close()
    person.check()


def test_polling_waits_as_long_as_the_api_asks_for(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    person.page.clock.install()
    person.reload()
    asked: list[str] = []
    with person.failing("/flights/latest", 429, "{}", **{"Retry-After": "90"}):
        person.page.on("request", lambda sent: asked.append(sent.url) if "/flights/latest" in sent.url else None)
        person.page.evaluate("location.hash = '/flights'")
        person.sees("Try again in 90 s.")
        person.page.clock.run_for(60_000)
        person.page.evaluate("true")
        assert len(asked) == 1
        person.page.clock.run_for(60_000)
        person.until(lambda: len(asked) == 2)
    person.context.close()
    person.check()


def test_a_first_load_without_the_api_says_so(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    with person.failing("", 0):
        person.page.reload()
        person.sees("The API cannot be reached.")
    person.page.route(re.compile("/config.json"), lambda route: route.fulfill(status=503, body="The cloud starts."))
    person.page.reload()
    person.sees("The cloud starts.")
    person.page.unroute(re.compile("/config.json"))
    person.button("Try again").click()
    person.sees("Flight runs, last 24 hours")
    person.context.close()
    person.check()


def test_without_the_key_of_the_address_the_passwords_stay_where_they_are(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    password = cloud.users["olga"]["password"]
    person.page.evaluate("localStorage.clear()")
    seen: list[str] = []
    person.page.on("response", lambda answer: seen.append(answer.text()) if ".json" in answer.url else None)
    person.page.goto(f"{cloud.console_url}/#/sign-in")
    person.reload()
    person.sees("Open the console at the address that")
    assert not person.page.get_by_role("button", name="Sign in as olga").count()
    assert seen
    assert not any(password in text for text in seen)
    person.page.goto("about:blank")
    person.page.goto(address(cloud.console_url, cloud.users))
    person.go("/sign-in")
    person.button("Sign in as olga").wait_for()
    assert "key=" not in person.address, "the key does not stay in the address"
    person.context.close()
    person.check()


def test_a_screen_that_loads_late_leaves_the_next_one_alone(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    waiting: list[Any] = []
    person.page.route(re.compile("/assets/reference-.*js"), lambda route: waiting.append(route))
    person.page.evaluate("location.hash = '/reference'")
    person.until(lambda: waiting)
    person.go("/")
    waiting[0].continue_()
    person.page.evaluate("url => import(url)", waiting[0].request.url)
    person.sees("Flight runs, last 24 hours")
    person.settle()
    person.context.close()
    person.check()


def test_a_hidden_tab_asks_for_nothing(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    person.page.clock.install()
    person.reload()
    person.go("/flights/runs")
    asked: list[str] = []
    person.page.on("request", lambda sent: asked.append(sent.url) if "/api/" in sent.url else None)
    person.page.evaluate(HIDDEN, True)
    person.page.clock.run_for(120_000)
    assert not asked
    person.page.evaluate(HIDDEN, False)
    person.until(lambda: asked)
    person.context.close()
    person.check()


def test_offline_says_so_and_comes_back(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    person.expected = ["ERR_INTERNET_DISCONNECTED"]
    person.context.set_offline(True)
    person.sees("You are offline.")
    person.context.set_offline(False)
    person.until(lambda: not person.page.get_by_text("You are offline.").count())
    person.context.close()
    person.check()


def test_an_empty_system_says_what_to_do_next(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser, "olga")
    person.expected = ["status of 404"]
    empty = {
        "/flights/latest": (404, {"error": {"code": "not_found", "message": "none yet", "request_id": "r"}}),
        "/flights/quality": (200, {"total": 0, "truncated": False, "cursor": None, "runs": [], "mean_score": None,
                                   "worst_checks": [], "days": [], "checks": []}),
        "/flights/runs": (200, {"runs": [], "cursor": None}),
        "/flights/traffic": (200, {"by": "hour", "counts": [], "bytes_scanned": 0}),
        "/concerts": (200, {"concerts": [], "next": None}),
        "/genres": (200, {"genres": []}),
        "/venues/popularity": (200, {"venues": [], "notes": [], "currency": "USD"}),
        "/recommendations": (200, {"recommendations": [], "notes": []}),
        "/predictions": (200, {"jobs": []}),
        "/predictions/models": (200, {"models": [], "next": None}),
        "/predictions/data": (200, {"files": [], "next": None}),
        "/api/v1/operator/users": (200, {"users": [], "next_cursor": None}),
        "/api/v1/operator/review": (200, {"items": [], "next_cursor": None}),
    }  # fmt: skip

    def answer(route: Any) -> None:
        path = route.request.url.split("/api", 1)[1].partition("?")[0]
        if path in empty:
            status, body = empty[path]
            route.fulfill(status=status, json=body)
        else:
            route.continue_()

    person.page.route(re.compile("/api/"), answer)
    for path, says in (
        ("/flights", "No snapshot has passed validation yet"),
        ("/flights/runs", "No run was scored in this period"),
        ("/flights/traffic", "No traffic in this period"),
        ("/concerts", "No concert matches"),
        ("/concerts/venues", "No venue matches"),
        ("/concerts/recommendations", "No scheduled concert fits"),
        ("/predictions", "No jobs yet"),
        ("/predictions/models", "No model is published yet"),
        ("/predictions/new", "How to publish one"),
        ("/people", "Nobody matches"),
        ("/review", "The queue is empty"),
    ):
        person.go(path)
        person.sees(says)
    person.context.close()
    person.check()


@pytest.mark.load
def test_a_very_full_system_is_shown_by_page(cloud: Cloud, browser: Any, seed: Seed) -> None:
    """10,000 people, 1,000 jobs and RUNS runs in the stores; 5,000 aircraft on the map."""
    person = Visitor(cloud, browser, "olga")
    latest = httpx.get(f"{cloud.rest_url}/flights/latest", timeout=PATIENCE_S).json()
    one = latest["aircraft"][0]
    many = [
        {**one, "icao24": f"{at:06x}", "callsign": f"TST{at}", "latitude": at % 160 - 80, "longitude": at % 359 - 179}
        for at in range(5000)
    ]
    person.page.route(
        re.compile("/api/flights/latest"),
        lambda route: route.fulfill(json={**latest, "matching": 50_000, "aircraft": many}),
    )
    person.go("/flights")
    person.sees("5,000 shown, the first 200 listed")
    with crowded(cloud, seed, runs=RUNS, jobs=1000, people=10_000):
        person.go("/flights/runs?days=31")
        person.page.locator(".stat", has_text="Scored runs").get_by_text(re.compile(r"^4\d?,\d{3}$")).wait_for()
        runs = person.page.get_by_role("region", name="Runs", exact=True).locator("tbody tr")
        person.until(lambda: runs.count() >= 50)
        person.button("Show more").click()
        person.until(lambda: runs.count() >= 100)
        person.go("/predictions")
        jobs = person.page.get_by_role("region", name="Prediction jobs").locator("tbody tr")
        person.until(lambda: jobs.count() == 25)
        person.button("Older jobs").click()
        person.until(lambda: jobs.count() == 50)
        person.go("/people?search=crowd")
        people = person.page.get_by_role("region", name="People").locator("tbody tr")
        person.until(lambda: people.count() == 50)
        person.button("Show more").click()
        person.until(lambda: people.count() == 100)
        person.field("Name or id").fill("crowd 09999")
        person.field("Name or id").press("Enter")
        person.until(lambda: people.count() == 1)
        for path in ("/", "/flights/runs?days=31", "/predictions", "/people", "/fairness"):
            person.page.set_viewport_size(NARROW)
            person.go(path)
            assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    person.context.close()
    person.check()


def test_names_of_all_kinds_fit(cloud: Cloud, browser: Any, seed: Seed) -> None:
    person = Visitor(cloud, browser, "olga")
    user = {"display_name": NASTY, "consented": True, "persona": "high_utilization", "recommendations": 7}
    people = [{**user, "user_id": f"00000000-0000-4000-8000-{at:012d}"} for at in range(50)]
    job = httpx.get(f"{cloud.rest_url}/predictions/{seed.job}", headers=operator(cloud), timeout=PATIENCE_S).json()
    job |= {"model_s3_uri": f"s3://models/{'m' * 200}", "rows_done": 10**12, "parts_done": 1000, "parts_total": 1000}
    full = {
        "/predictions": {"jobs": [{**job, "job_id": f"{at:032x}"} for at in range(25)], "next": "more"},
        "/api/v1/operator/users": {"users": people, "next_cursor": "more"},
    }

    def answer(route: Any) -> None:
        path = route.request.url.split("/api", 1)[1].partition("?")[0]
        if path in full:
            route.fulfill(json=full[path])
        else:
            route.continue_()

    person.page.route(re.compile("/api/"), answer)
    for path in full:
        for size in (WIDE, NARROW):
            person.page.set_viewport_size(size)
            person.go({"/predictions": path}.get(path, "/people"))
            person.page.locator(".pager").wait_for()
            assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    person.context.close()
    person.check()


# -- for everybody: accessible, readable, in both themes and widths

PATHS = {
    "": ["/", "/flights", "/flights/traffic", "/flights/runs", "/flights/runs/{run}", "/concerts", "/concerts/venues",
         "/concerts/venues/{venue}", "/concerts/recommendations", "/concerts/forecast?concert={concert}",
         "/concerts/chat", "/photos", "/reference?op=venue_popularity", "/sign-in", "/money", "/nowhere"],
    "alice": ["/money?window=180", "/money/transactions", "/money/recommendations?window=180",
              "/money/recommendations/{own}", "/money/data"],
    "olga": ["/", "/flights/ingestion", "/flights/runs/{held}", "/predictions", "/predictions/{job}",
             "/predictions/{failed}", "/predictions/models", "/predictions/models/{model}",
             "/predictions/new?model={model}",
             "/people", "/people/{person}", "/people/{person}/traces/{own}", "/review", "/fairness"],
}  # fmt: skip
LOOKS = [("light", WIDE), ("dark", NARROW)]
MORE_LOOKS = [("dark", WIDE), ("light", NARROW)] if PICTURED else []


def places(cloud: Cloud, seed: Seed) -> dict[str, str]:
    """What the details' addresses have in their braces."""
    with httpx.Client(base_url=cloud.rest_url, timeout=PATIENCE_S) as http:
        concert = http.post("/recommendations", json={}).json()["recommendations"][0]["concert_id"]
        venue = http.post("/venues/popularity", json={}).json()["venues"][0]["venue_id"]
        alice = signed_in(cloud, "alice")
        person = http.get("/api/v1/users/me/profile", headers=alice).json()["user_id"]
        own = http.get("/api/v1/users/me/recommendations?window=180", headers=alice).json()["recommendations"]
    found = {"concert": concert, "venue": venue, "person": person, "own": own[0]["recommendation_id"]}
    model = base64.urlsafe_b64encode(seed.model.encode()).decode().rstrip("=")
    return {**found, "run": seed.run, "held": seed.held, "job": seed.job, "failed": seed.failed, "model": model}


@pytest.mark.parametrize("who", list(PATHS))
def test_every_screen_is_for_everybody(everybody: dict[str, Visitor], cloud: Cloud, seed: Seed, who: str) -> None:
    person = everybody[who]
    where = places(cloud, seed)
    faults = []
    for path in PATHS[who]:
        person.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        person.page.set_viewport_size(WIDE)
        person.go(path.format(**where))
        name = re.sub(r"\W+", "-", path.partition("?")[0]).strip("-") or "overview"
        for scheme, size in LOOKS + MORE_LOOKS:
            person.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            person.page.set_viewport_size(size)
            if not person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                faults.append(f"{path} scrolls sideways at {size['width']}")
            if PICTURED:
                file = SCREENS / f"{name}{'-' + who if who else ''}-{scheme}-{size['width']}.jpeg"
                person.page.screenshot(path=file, type="jpeg", quality=85, full_page=True)
            if (scheme, size) in LOOKS:
                faults += [f"{path} {scheme} {size['width']}: {fault}" for fault in person.violations()]
    person.page.set_viewport_size(WIDE)
    person.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    assert not faults, "\n".join(faults)
    person.check()


def test_the_whole_frame_works_by_keyboard(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.reload()
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("document.activeElement.className") == "skip"
    visitor.page.keyboard.press("Enter")
    assert visitor.page.evaluate("document.activeElement.id") == "main"
    visitor.page.set_viewport_size(NARROW)
    visitor.button("Menu").click()
    visitor.page.locator("aside").get_by_role("link", name="Venue ranking").click()
    visitor.page.locator("aside").wait_for(state="hidden")
    visitor.settle()
    visitor.button("Menu").click()
    visitor.page.locator("aside").get_by_role("link", name="Venue ranking").click()
    visitor.page.locator("aside").wait_for(state="hidden")
    visitor.page.set_viewport_size(WIDE)
