"""The console against the real local cloud, as a visitor, as a signed-in person and as an operator.

Every test fails on any error in a page's console, any breach of the content policy and any request to another host.
"""

import base64
import json
import math
import re
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import httpx

from local.cloud import Cloud
from local.demo.photo import photo
from local.people.generator import generate
from tests.browser.console import NARROW, NASTY, Visitor
from tests.browser.seed import Seed, operator, signed_in
from tests.cloud.test_flights import Flights
from tests.cloud.test_predictions import Predictions
from tests.patience import PATIENCE_S
from tests.unit.predictions.studio import FEATURES, csv_of, rows

HEADER = "Date,Description,Amount,Mood"

# -- flights


def test_the_overview_leads_to_where_its_figures_come_from(visitor: Visitor, olga: Visitor) -> None:
    visitor.go("/")
    visitor.sees("Flight runs, last 24 hours")
    olga.go("/")
    olga.sees(re.compile(r"\d+ alarms watched"))
    olga.sees(re.compile(r"\d+ queues, all empty|\d+ messages?"))
    olga.sees("Ticket endpoint")
    for figure, leads_to in (
        ("Failed runs today", "/flights/runs?status=FAILED"),
        ("Quarantined today", "/flights/runs?status=QUARANTINED"),
        ("Credits left", "/flights/ingestion"),
        ("Jobs under way", "/predictions"),
        ("Failed jobs today", "/predictions?state=failed"),
        ("Release", "/reference"),
    ):
        assert olga.figure(figure).get_attribute("href") == f"#{leads_to}", figure
    shown = httpx.get(f"{olga.cloud.rest_url}/operations", headers=operator(olga.cloud), timeout=PATIENCE_S).json()
    assert olga.figure("Credits left").locator(".value").inner_text() == f"{shown['credits']['credits_left']:,}"
    assert int(olga.figure("Quarantined today").locator(".value").inner_text()) == shown["runs"]["quarantined"]
    olga.figure("Alarms").click()
    olga.page.locator("details[open] li", has_text="api").first.wait_for()
    olga.figure("Dead letters").click()
    olga.page.locator("details[open] li", has_text="process flights").first.wait_for()
    olga.figure("Quarantined today").click()
    olga.settle()
    assert "/flights/runs?status=QUARANTINED" in olga.address
    olga.until(lambda: olga.page.locator("main table tbody .chip").all_inner_texts() != [])


def test_a_verdict_appears_by_itself(cloud: Cloud, browser: Any) -> None:
    """Over the socket: while it is open, the list of runs is not polled."""
    visitor, flights = Visitor(cloud, browser), Flights(cloud)
    visitor.go("/flights/runs")
    visitor.until(lambda: [each for each in visitor.told if "PONG" in each])  # it is open
    flights.control(clock={"now": time.time() - 120})
    run = flights.ingest()["tracking_id"]
    rows = visitor.page.get_by_role("region", name="Runs", exact=True).locator("tbody tr")
    visitor.until(lambda: rows.locator(f"a[href*={run}]").count())
    flights.control(reset=True)
    visitor.context.close()
    visitor.check()


def test_the_map_and_its_table_show_the_same_aircraft(visitor: Visitor) -> None:
    visitor.go("/flights")
    visitor.page.locator(".listing tbody tr").first.wait_for()
    shown = visitor.page.locator(".listing tbody tr").count()
    callsign = visitor.page.locator(".listing tbody tr button").nth(3).inner_text()
    visitor.field("Callsign, address or country").fill(callsign)
    visitor.until(lambda: visitor.page.locator(".listing tbody tr").count() < shown)
    visitor.page.locator(".listing tbody tr").first.click()
    visitor.page.locator("main .card h2", has_text=callsign).wait_for()
    canvas = visitor.page.locator(".map canvas")
    canvas.focus()
    for key in ("+", "ArrowLeft", "ArrowUp"):
        canvas.press(key)
    visitor.until(lambda: "z=" in visitor.address)
    address = visitor.address
    visitor.reload()
    assert visitor.address == address
    visitor.page.locator("main .card h2", has_text=callsign).wait_for()
    assert visitor.field("Callsign, address or country").input_value() == callsign
    visitor.button("Clear").click()
    visitor.until(lambda: visitor.page.locator(".listing tbody tr").count() == shown)
    visitor.page.locator(".listing thead button", has_text="Altitude").click()
    assert visitor.page.locator(".listing th[aria-sort=ascending]").inner_text().startswith("Altitude")


def test_aircraft_are_chosen_on_the_map(visitor: Visitor) -> None:
    visitor.go("/flights")
    visitor.page.locator(".listing tbody tr").first.wait_for()
    canvas = visitor.page.locator(".map canvas")
    canvas.press("+")
    visitor.until(lambda: "z=" in visitor.address)
    view = {name: float(value) for name, value in parse_qsl(visitor.address.partition("?")[2]) if name != "sort"}
    box = canvas.bounding_box()
    plane = httpx.get(f"{visitor.cloud.rest_url}/flights/latest", timeout=PATIENCE_S).json()["aircraft"][0]
    scale = 256 * 2 ** view["z"]
    x, y = (
        (place(plane["longitude"], plane["latitude"])[axis] - place(view["lon"], view["lat"])[axis]) * scale
        for axis in (0, 1)
    )
    canvas.click(position={"x": box["width"] / 2 + x, "y": box["height"] / 2 + y})
    visitor.until(lambda: "at=" in visitor.address)
    visitor.page.locator("main .card", has_text="Last heard").wait_for()


def place(lon: float, lat: float) -> tuple[float, float]:
    """Where a place is in Web Mercator, on a square of 1 x 1."""
    return (lon + 180) / 360, 0.5 - math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi)


def test_the_slider_goes_back_in_time(visitor: Visitor) -> None:
    visitor.go("/flights")
    slider = visitor.page.get_by_label("Snapshot of the last 24 hours")
    slider.wait_for()
    slider.press("ArrowLeft")
    visitor.until(lambda: "snap=states_" in visitor.address)
    visitor.sees(re.compile(r"aircraft in the snapshot of .* UTC\.$"))
    visitor.button("Live").click()
    visitor.sees("the newest that passed its checks")


def test_from_a_failed_check_to_the_row_that_failed_it(visitor: Visitor, seed: Seed) -> None:
    visitor.go("/flights/runs")
    visitor.page.locator(".heat a[data-tone=bad]").first.click()
    visitor.settle()
    visitor.sees("Pipeline steps")
    visitor.go(f"/flights/runs/{seed.run}")
    visitor.page.locator("main details summary", has_text="sample row").first.click()
    assert visitor.page.locator("main details table tbody tr").first.is_visible()
    visitor.page.locator("main table tbody tr", has_text="Completeness").get_by_role("link").click()
    visitor.sees("Failed check: Completeness")


def test_an_operator_releases_a_snapshot_from_quarantine(olga: Visitor, visitor: Visitor, seed: Seed) -> None:
    visitor.go(f"/flights/runs/{seed.held}")
    visitor.sees("Pipeline steps")
    assert not visitor.button("Release").is_visible()
    olga.go(f"/flights/runs/{seed.held}")
    olga.button("Release").click()
    olga.page.get_by_label("Reason").fill("looked at the report")
    olga.page.get_by_role("dialog").get_by_role("button", name="Release").click()
    olga.sees("looked at the report")
    olga.page.locator(".stat", has_text="Validated").wait_for()
    assert olga.link("Parquet").get_attribute("href").startswith(olga.cloud.aws_endpoint_url)


def test_an_operator_sees_the_credits_and_replays_a_range(olga: Visitor) -> None:
    olga.go("/flights/ingestion")
    olga.sees("Credits left today")
    now = datetime.now(UTC)
    olga.field("From").fill(f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    olga.field("To (exclusive)").fill(f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    olga.button("Replay").click()
    olga.sees(re.compile(r"\d+ of \d+ snapshots: "))


def test_an_aircrafts_way_and_the_traffic_come_from_the_history(visitor: Visitor) -> None:
    visitor.go("/flights")
    visitor.page.locator(".listing tbody tr").first.click()
    visitor.sees("Last 24 hours")
    visitor.sees(re.compile(r"\d+ positions?"))
    visitor.sees(re.compile("scanned"))
    visitor.go("/flights/traffic?by=phase")
    visitor.sees("Most aircraft")
    visitor.sees("Climb")
    visitor.page.get_by_label("By", exact=True).select_option("hour")
    visitor.sees("Aircraft by hour")


# -- concerts


def test_a_concert_is_found_by_genre_and_place(visitor: Visitor) -> None:
    visitor.go("/concerts")
    before = visitor.rows()
    visitor.page.get_by_label("Genre", exact=True).select_option(index=1)
    visitor.settle()
    visitor.until(lambda: visitor.rows() and "genre=" in visitor.address)
    visitor.button("Clear").click()
    visitor.until(lambda: visitor.rows() == before)
    visitor.page.locator("main table tbody tr").first.get_by_role("link").first.click()
    visitor.sees("Amenities")
    visitor.go("/concerts?place=Vancouver&q=nobody")
    visitor.sees("No concert matches")


def test_a_persons_chats_are_kept_and_forgotten(alice: Visitor) -> None:
    alice.go("/concerts/chat")
    alice.page.get_by_label("Message").fill("Recommend some jazz concerts")
    alice.button("Send").click()
    alice.button("Helpful").click()
    alice.until(lambda: alice.button("Helpful").get_attribute("aria-pressed") == "true")
    alice.button("New chat").click()
    alice.button("Open").click()
    alice.until(lambda: alice.page.locator(".said").count() == 2)
    alice.button("Forget").click()
    alice.sees("The chat is deleted.")


def test_from_a_recommendation_to_what_would_change_its_sales(visitor: Visitor) -> None:
    visitor.go("/concerts/recommendations")
    visitor.field("Genres, comma-separated").fill("rock")
    visitor.button("Recommend").click()
    visitor.sees("plays rock")
    visitor.link("Forecast its sales").click()
    visitor.sees("Predicted sales")
    before = visitor.page.locator(".stat .value").first.inner_text()
    price = visitor.page.locator("main input[type=range]").first
    for _ in range(12):
        price.press("ArrowRight")
    capacity = visitor.page.locator("main input[type=range]").nth(1)
    capacity.press("Home")
    visitor.until(lambda: before not in visitor.page.locator("main [role=status] strong").last.inner_text())
    visitor.button("Reset").click()
    visitor.until(lambda: before in visitor.page.locator("main [role=status] strong").last.inner_text())


def test_venues_are_ranked_and_sorted(visitor: Visitor) -> None:
    visitor.go("/concerts/venues?events=1")
    assert visitor.rows() == 10
    visitor.page.locator("thead button", has_text="Capacity").click()
    visitor.until(lambda: "sort=capacity" in visitor.address)
    visitor.page.get_by_label("Show", exact=True).select_option("25")
    visitor.until(lambda: visitor.rows() > 10)


def test_the_chat_answers_as_the_words_arise_and_remembers(visitor: Visitor) -> None:
    visitor.go("/concerts/chat")
    visitor.button("Which venues are the most popular?").click()
    visitor.sees(re.compile("source: "))
    visitor.page.get_by_label("Message").fill("Recommend some rock concerts")
    visitor.page.get_by_label("Message").press("Enter")
    visitor.until(lambda: visitor.page.locator(".meta", has_text="source:").count() == 2)
    visitor.page.get_by_label("Message").fill("half a question")
    visitor.reload()
    assert visitor.page.locator(".said").count() == 4
    assert visitor.page.get_by_label("Message").input_value() == "half a question"
    visitor.button("New chat").click()
    visitor.sees("What would you like to know?")
    visitor.page.get_by_label("Message").fill("")


def test_an_answer_is_stopped_and_asked_for_again(visitor: Visitor) -> None:
    visitor.page.route_web_socket(re.compile("channel=chat"), lambda socket: None)  # it never answers
    visitor.go("/concerts/chat")
    visitor.page.get_by_label("Message").fill("anything")
    visitor.button("Send").click()
    visitor.button("Stop").click()
    visitor.sees("Stopped before the end.")
    visitor.button("Ask again").click()
    visitor.button("Stop").click()
    visitor.button("New chat").click()


def test_a_socket_that_is_cut_in_an_answer_says_so(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)

    def cut(socket: Any) -> None:
        def answer(_message: str) -> None:
            socket.send(json.dumps({"action": "CHAT_DELTA", "text": "Half an ", "sequence": 0}))
            socket.close()

        socket.on_message(answer)

    person.page.route_web_socket(re.compile("channel=chat"), cut)
    person.go("/concerts/chat")
    person.page.get_by_label("Message").fill("anything")
    person.button("Send").click()
    person.sees("The connection broke in the middle of the answer.")
    person.button("Try again").wait_for()
    person.context.close()
    person.check()


# -- predictions


def test_an_operator_uploads_checks_and_scores_a_table(olga: Visitor, seed: Seed) -> None:
    olga.go(f"/predictions/new?model={model_id(seed.model)}")
    olga.sees("Features of the model")
    olga.page.get_by_label("Upload a file").set_input_files(
        {"name": "мои rows.csv", "mimeType": "text/csv", "buffer": csv_of(rows(500))}
    )
    olga.sees("The file is stored.")
    olga.field("Output location").fill(seed.output)
    olga.button("Check").click()
    olga.page.locator("main .chip", has_text="fits").wait_for()
    olga.sees("Estimated time")
    olga.button("Start job").click()
    olga.page.locator(".stat", has_text="Succeeded").wait_for()
    assert "500" in olga.page.locator(".stat", has_text="Rows scored").inner_text()
    output = olga.page.get_by_role("region", name="First rows of the output")
    output.locator("th", has_text="prediction").wait_for()
    assert output.locator("tbody tr").count() > 1
    assert httpx.get(olga.link("Download").get_attribute("href")).text.count("\n") == 501
    olga.go("/predictions?state=succeeded")
    olga.page.locator("main table .chip", has_text="Succeeded").first.wait_for()


def test_a_job_that_somebody_else_starts_appears_and_ends_by_itself(olga: Visitor, seed: Seed) -> None:
    olga.go("/predictions")
    olga.sees("progress is live")
    predictions = Predictions(olga.cloud)
    asked = predictions.event(seed.model, seed.data, predictions.output("elsewhere.csv"), fresh=True)
    sent = httpx.post(
        f"{olga.cloud.rest_url}/predictions", json=asked, headers=operator(olga.cloud), timeout=PATIENCE_S
    )
    job = sent.raise_for_status().json()["job_id"]
    olga.until(
        lambda: [each for each in olga.told if job in each]
    )  # by the socket; a message may be lost, polling goes on
    olga.page.locator("main table tbody tr", has_text=job[:12]).locator(".chip", has_text="Succeeded").wait_for()


def test_progress_comes_over_the_socket_and_by_polling_where_it_is_cut(cloud: Cloud, browser: Any, seed: Seed) -> None:
    person = Visitor(cloud, browser)
    job = httpx.get(f"{cloud.rest_url}/predictions/{seed.job}", headers=operator(cloud), timeout=PATIENCE_S).json()
    polled = {**job, "state": "running", "parts_total": 9, "parts_done": 1}
    sockets: list[Any] = []

    def watch(socket: Any) -> None:
        def answer(message: str) -> None:
            asked = json.loads(message)
            if asked["action"] == "watch_jobs" and asked["authorization"]:
                socket.send('{"action": "JOBS_WATCHED"}')
                sockets.append(socket)

        socket.on_message(answer)

    def told(done: int, **other: str) -> bool:
        """Whether the page says so; told again each time, for a poll may have overtaken it."""
        sockets[-1].send(json.dumps({"action": "JOB", "job": {**polled, "parts_done": done, **other}}))
        return bool(person.page.get_by_text(f"{done} of 9").count())

    person.page.route(re.compile(f"/api/predictions/{seed.job}$"), lambda route: route.fulfill(json=polled))
    person.page.route_web_socket(re.compile("channel=jobs"), watch)
    person.sign_in("olga")  # the overview opens the socket
    person.go(f"/predictions/{seed.job}")
    person.sees("1 of 9")
    person.until(lambda: sockets)
    assert not told(9, job_id="another")
    for done in range(2, 6):
        person.until(lambda: told(done))  # noqa: B023  # called at once
    assert not person.page.get_by_text("9 of 9").count(), "another job's progress"
    polled["parts_done"] = 6
    sockets[-1].close()
    person.sees("6 of 9")
    person.until(lambda: len(sockets) > 1)
    person.until(lambda: told(7))
    person.context.close()
    person.check()


def test_a_job_that_failed_says_why_and_is_taken_up_again(olga: Visitor, seed: Seed) -> None:
    olga.go(f"/predictions/{seed.failed}")
    olga.page.locator(".note-box[role=alert]", has_text="row 501").wait_for()
    olga.button("Redrive").click()
    olga.sees("attempt 2")


def test_a_job_is_cancelled_after_a_question(cloud: Cloud, browser: Any, seed: Seed) -> None:
    person = Visitor(cloud, browser, "olga")
    job = httpx.get(f"{cloud.rest_url}/predictions/{seed.job}", headers=operator(cloud), timeout=PATIENCE_S).json()
    now = {**job, "state": "running"}

    def answer(route: Any) -> None:
        if route.request.method == "DELETE":
            now["state"] = "cancelled"
        route.fulfill(json=now)

    person.page.route(re.compile(f"/api/predictions/{seed.job}$"), answer)
    person.go(f"/predictions/{seed.job}")
    person.button("Cancel job").click()
    person.page.get_by_role("dialog").get_by_role("button", name="Cancel", exact=True).click()
    assert now["state"] == "running"
    person.button("Cancel job").click()
    person.page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
    person.sees("The job is cancelled.")
    person.page.locator(".stat", has_text="Cancelled").wait_for()
    person.context.close()
    person.check()


def test_a_table_that_does_not_fit_and_an_upload_that_is_cut(olga: Visitor, seed: Seed) -> None:
    olga.go(f"/predictions/new?model={model_id(seed.model)}")
    cut = re.compile(re.escape(olga.cloud.aws_endpoint_url) + ".*predictions-")
    olga.page.route(cut, lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    olga.expected = ["ERR_FAILED", "status of 4"]
    wrong = {"name": "wrong.csv", "mimeType": "text/csv", "buffer": b"some,other,columns\n1,2,3\n"}
    olga.page.get_by_label("Upload a file").set_input_files(wrong)
    olga.sees("The upload was interrupted. Nothing was stored.")
    olga.page.unroute(cut)
    olga.page.get_by_label("Upload a file").set_input_files(wrong)
    olga.sees("The file is stored.")
    olga.button("Check").click()
    olga.page.locator("[role=alert]").wait_for()
    assert FEATURES[0] in olga.page.locator("[role=alert]").inner_text()


def test_a_row_is_tried_by_hand(olga: Visitor, seed: Seed) -> None:
    olga.go("/predictions/models")
    olga.page.locator("main table tbody tr").first.wait_for()
    olga.go(f"/predictions/models/{model_id(seed.model)}")
    for feature in FEATURES:
        olga.field(feature).fill("1")
    olga.button("Score").click()
    olga.page.locator("main [role=status]", has_text="Answer").wait_for()


def model_id(uri: str) -> str:
    """The id of a model, which is its place."""
    return base64.urlsafe_b64encode(uri.encode()).decode().rstrip("=")


# -- my money, and those who look after it


def test_a_person_joins_decides_and_leaves(cloud: Cloud, browser: Any, olga: Visitor, tmp_path: Path) -> None:
    httpx.delete(f"{cloud.rest_url}/api/v1/users/me/profile", headers=signed_in(cloud, "bob"), timeout=PATIENCE_S)
    bob = Visitor(cloud, browser, "bob")
    bob.expected = ["status of 404"]  # there is no profile yet
    bob.go("/money")
    bob.field("Your name").fill(NASTY)
    with bob.page.expect_response(lambda answer: answer.url.endswith("/me/profile") and answer.ok) as made:
        bob.button("Create profile").click()
    user = made.value.json()["user_id"]
    bob.sees("You have not agreed to insights")
    bob.link("Read and decide").click()
    bob.button("I agree").click()
    bob.sees("granted")

    person = next(each for each in generate(8, seed=3, today=datetime.now(UTC).date()) if each.consented)
    file = tmp_path / "bank.json"
    file.write_text(json.dumps(person.documents[0], default=str))
    olga.go(f"/people/{user}")
    assert "<img src=x" in olga.page.locator("main h1").inner_text(), "a name is text, whatever is in it"
    olga.page.get_by_label("File").set_input_files(file)
    olga.sees(re.compile("Would save .* transactions"))
    olga.button("Import").click()
    olga.sees(re.compile("Saved .* transactions"))

    bob.go("/money/transactions")
    bob.page.locator("main table tbody tr").first.wait_for()
    bob.until(lambda: _computed(bob))
    bob.go("/money/data")
    bob.button("Withdraw consent").click()
    bob.page.get_by_role("dialog").get_by_role("button", name="Withdraw consent").click()
    bob.sees("not granted")
    bob.button("Delete my data").click()
    bob.page.get_by_role("dialog").get_by_role("button", name="Delete everything").click()
    bob.link("Sign in").wait_for()
    bob.context.close()
    bob.check()


def test_a_bank_file_is_shown_as_it_is_read_before_it_is_taken(alice: Visitor) -> None:
    account = f"import-{uuid4().hex}"
    open_import(alice)
    lines = [
        HEADER,
        f"2026-11-03,{NASTY.replace(',', ' ')},-4.50,good",
        "2026-11-04,Wages,1200.00,",
        "2026-11-05,Broken,much,bad",
    ]
    alice.expected = ["status of 4"]
    alice.page.get_by_label("File", exact=True).set_input_files(file_of(lines))
    alice.sees("Nothing new. 3 rows rejected.")
    alice.sees("The rows name no account.")
    assert alice.button("Import").is_disabled()
    alice.field("Account for rows without one").fill(account)
    alice.field("Account for rows without one").press("Tab")
    alice.sees("Would save 1 account, 2 transactions. 1 row rejected.")
    preview = alice.page.get_by_role("region", name="Preview", exact=True)
    preview.locator(".chip", has_text="Mood").wait_for()
    refused = preview.get_by_role("region", name="Rejected rows")
    assert "Transactions 4" in refused.inner_text(), refused.inner_text()
    assert "expected" in refused.inner_text()
    read = preview.get_by_role("region", name="Transactions, as read")
    assert "<img src=x" in read.inner_text()
    assert "+$1,200.00" in read.inner_text()
    assert account not in accounts(alice), "nothing is kept before the import"
    alice.button("Import").click()
    alice.sees("Saved 1 account, 2 transactions. 1 row rejected.")
    assert account in accounts(alice)
    alice.page.get_by_label("File", exact=True).set_input_files({**file_of([]), "buffer": b"no bank file"})
    alice.page.locator("main [role=alert]").wait_for()
    assert not alice.page.get_by_role("region", name="Preview", exact=True).count()


def test_the_preview_is_of_the_last_choice_whichever_answer_comes_last(alice: Visitor) -> None:
    open_import(alice)
    waiting: list[Any] = []

    def hold_the_first(route: Any) -> None:
        if waiting:
            route.continue_()
        else:
            waiting.append(route)

    alice.expected = ["status of 4"]
    alice.page.route(re.compile("/me/imports"), hold_the_first)
    alice.page.get_by_label("File", exact=True).set_input_files(file_of([HEADER, "2026-11-03,Tea,-4.50,good"]))
    alice.until(lambda: waiting)
    alice.field("Account for rows without one").fill(f"late-{uuid4().hex}")
    alice.field("Account for rows without one").press("Tab")
    alice.sees("Would save 1 account, 1 transaction.")
    with alice.page.expect_event("requestfinished"):
        waiting[0].continue_()
    alice.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert alice.page.get_by_text("Would save 1 account, 1 transaction.").count()
    assert alice.button("Import").is_enabled()
    alice.page.unroute(re.compile("/me/imports"))


def test_a_text_stays_that_is_typed_while_something_loads(alice: Visitor) -> None:
    open_import(alice)
    waiting: list[Any] = []
    alice.expected = ["status of 4"]
    alice.page.route(re.compile("/me/imports"), lambda route: waiting.append(route))
    alice.page.get_by_label("File", exact=True).set_input_files(file_of([HEADER, "2026-11-03,Tea,-4.50,good"]))
    alice.until(lambda: waiting)
    alice.field("Account for rows without one").fill("half a na")
    waiting[0].continue_()
    alice.sees("The rows name no account.")
    assert alice.field("Account for rows without one").input_value() == "half a na"
    alice.page.unroute(re.compile("/me/imports"))


def test_an_import_whose_answer_is_lost_is_done_again_safely(alice: Visitor) -> None:
    account = f"lost-{uuid4().hex}"
    open_import(alice)
    alice.page.get_by_label("File", exact=True).set_input_files(file_of([HEADER, "2026-11-03,Tea,-4.50,good"]))
    alice.field("Account for rows without one").fill(account)
    alice.field("Account for rows without one").press("Tab")
    alice.sees("Would save 1 account, 1 transaction.")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    alice.expected = ["ERR_FAILED", "status of 4"]
    alice.page.route(re.compile("/me/imports"), lose)
    alice.button("Import").click()
    alice.sees("The API cannot be reached.")
    alice.sees("A file is saved whole or not at all.")
    alice.page.unroute(re.compile("/me/imports"))
    alice.button("Try again").click()
    alice.sees("Nothing new. 1 unchanged.")
    assert accounts(alice).count(account) == 1


def test_nothing_of_a_file_is_kept_whose_sender_is_cut_off_in_its_middle(cloud: Cloud, alice: Visitor) -> None:
    stored, own = data_files(cloud), accounts(alice)
    lines = "\n".join([HEADER, *(f"2026-11-{day % 28 + 1:02},Tea,-{day}.25," for day in range(1000))])
    proof = {**signed_in(cloud, "alice"), "Content-Type": "text/csv"}
    for base in (f"{cloud.console_url}/api", cloud.rest_url):
        url = f"{base}/api/v1/users/me/imports?account_id=half"
        send_half(httpx.Request("POST", url, headers=proof, content=lines.encode()))
    with httpx.Client(base_url=cloud.rest_url, headers=operator(cloud), timeout=PATIENCE_S) as http:
        forms = [http.post("/predictions/data", json={"name": name}).json() for name in ("half.csv", "whole.csv")]
        half, whole = (
            httpx.Request("POST", form["url"], data=form["fields"], files={"file": csv_of(rows(2000))})
            for form in forms
        )
        send_half(half)
        http.send(whole).raise_for_status()
    assert sorted(data_files(cloud)) == sorted([*stored, forms[1]["data_s3_uri"]])
    assert accounts(alice) == own


def send_half(request: httpx.Request) -> None:
    """Send half of what the request says that it sends, then close the connection."""
    content = request.read()
    head = b"".join(b"%b: %b\r\n" % each for each in request.headers.raw)
    with socket.create_connection((request.url.host, request.url.port or 80)) as line:
        line.sendall(b"POST %b HTTP/1.1\r\n%b\r\n%b" % (request.url.raw_path, head, content[: len(content) // 2]))


def data_files(cloud: Cloud) -> list[str]:
    """The tables to score that were uploaded."""
    bucket = cloud.buckets["predictions"]
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="data/uploads/")
    return [f"s3://{bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])]


def open_import(person: Visitor) -> None:
    """Open the form without what a test before has chosen in it."""
    person.go("/")
    person.go("/money/data")


def file_of(lines: list[str]) -> dict[str, Any]:
    """A bank's file with these lines, for a field of the page."""
    return {"name": "מכונה.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}


def accounts(person: Visitor) -> list[str]:
    """The ids of a person's accounts."""
    url = f"{person.cloud.rest_url}/api/v1/users/me/accounts"
    answer = httpx.get(url, headers=signed_in(person.cloud, person.user), timeout=PATIENCE_S).raise_for_status()
    return [each["account_id"] for each in answer.json()["accounts"]]


def _computed(person: Visitor) -> bool:
    """Look again until the signals are there."""
    person.go("/money/data")
    person.go("/money")
    return bool(person.page.locator("main h3", has_text="Because").count())


def test_a_person_sees_signals_and_why_something_is_recommended(alice: Visitor) -> None:
    alice.go("/money?window=180")
    alice.sees("Because")
    alice.page.locator("main .stat").first.wait_for()
    alice.sees("Spending by month")
    alice.page.locator("main .bars a").first.click()
    alice.settle()
    assert "category=" in alice.address
    alice.page.locator("main table tbody tr").first.wait_for()
    alice.go("/money/data")
    with alice.page.expect_download() as download:
        alice.button("Download all as JSON").click()
    whole = json.loads(Path(download.value.path()).read_text())
    assert whole["profile"]["display_name"] == "Alice"
    assert len(whole["transactions"]) > 100
    with alice.page.expect_download() as download:
        alice.button("Download it as CSV").click()
    assert "," in Path(download.value.path()).read_text().splitlines()[0]
    alice.go("/money/recommendations?window=180")
    alice.page.get_by_role("button", name="Helpful", exact=True).first.click()
    alice.sees("Thank you. Your feedback is saved.")
    alice.link("How it was decided").click()
    alice.sees("Signals that decided")
    alice.sees("Guardrails")
    alice.sees("This is educational content, not financial advice.")


def test_transactions_lead_on_by_page_and_account(alice: Visitor) -> None:
    alice.go("/money/transactions")
    first = alice.rows()
    alice.button("Show more").click()
    alice.until(lambda: alice.rows() > first)
    alice.page.get_by_label("Account", exact=True).select_option(index=1)
    alice.settle()
    assert "account=" in alice.address


def test_verdicts_are_given_by_keyboard(olga: Visitor) -> None:
    olga.go("/review")
    items = olga.page.locator("main li.card")
    items.first.wait_for()
    first = items.first.inner_text()
    olga.page.keyboard.press("j")
    olga.page.keyboard.press("k")
    olga.page.keyboard.press("a")
    olga.sees(re.compile("Approved: "))
    olga.until(lambda: items.first.inner_text() != first)
    olga.page.keyboard.press("o")
    olga.page.get_by_label("Reason").fill("not suitable for this person")
    olga.page.get_by_role("dialog").get_by_role("button", name="Override").click()
    olga.sees(re.compile("Overridden: "))
    olga.page.get_by_label("State").select_option("overridden")
    olga.settle()
    olga.link("How it was decided").click()
    olga.sees("Signals that decided")


def test_people_and_their_story(olga: Visitor) -> None:
    olga.go("/people")
    olga.field("Name or id").fill("ali")
    olga.field("Name or id").press("Enter")
    olga.until(lambda: olga.rows() == 1)
    olga.field("Name or id").fill("")
    olga.field("Name or id").press("Enter")
    olga.page.get_by_label("Persona", exact=True).select_option("high_utilization")
    olga.settle()
    olga.page.locator("main table tbody tr").first.click()
    olga.sees("Operators' actions")
    olga.sees("Signal")
    olga.go("/fairness")
    olga.sees("Largest gap")
    assert olga.page.get_by_role("region", name="Fairness").locator("tbody tr").count() >= 2


def test_screens_of_others_are_closed(visitor: Visitor, alice: Visitor) -> None:
    visitor.go("/money")
    visitor.sees("Sign in to see this")
    visitor.go("/people")
    visitor.sees("This is for operators")
    alice.go("/people")
    alice.sees("alice@example.com is not in the group operators.")
    assert not alice.page.get_by_role("link", name="Review queue").count()


# -- photos


def test_a_photo_from_the_phone_is_kept_downloaded_and_deleted(cloud: Cloud, visitor: Visitor, browser: Any) -> None:
    visitor.go("/photos")
    visitor.button("Get a code").click()
    visitor.sees("Waiting for your phone")
    visitor.sees("which a phone cannot reach")
    link = visitor.field("Link in the code").input_value()
    assert link.startswith(f"{cloud.console_url}/api/u#")
    phone = browser.new_context(viewport=NARROW, has_touch=True)
    page = phone.new_page()
    visitor.watch(page)
    page.goto(link)
    page.get_by_text("Take a photo").wait_for()
    content = photo(800, 600)
    page.locator("#file").set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": content})
    page.get_by_text("Done. Your photo is on the other screen.").wait_for()
    visitor.sees("Your photo is here")
    visitor.until(lambda: visitor.page.evaluate("document.querySelector('.photo')?.naturalWidth") == 800)
    visitor.reload()
    visitor.sees("Your photo is here")
    with (
        visitor.page.expect_download() as download,
        visitor.page.expect_request(re.compile("/session-uploads/")) as asked,
    ):
        visitor.button("Download").click()
    assert Path(download.value.path()).read_bytes() == content
    # The photo may be cached as an image, without the header that lets a script read it.
    assert asked.value.all_headers()["cache-control"] == "no-cache"
    assert download.value.suggested_filename.endswith(".jpg")
    visitor.button("Delete").click()
    visitor.page.get_by_role("dialog").get_by_role("button", name="Delete photo").click()
    visitor.sees("Get a code")
    phone.close()


# -- the reference


def test_an_operation_is_found_and_tried(visitor: Visitor, alice: Visitor) -> None:
    visitor.go("/reference")
    visitor.field("Search").fill("ranking venues post eleven")
    visitor.until(lambda: visitor.page.locator("main .method").count() <= 1)
    visitor.field("Search").fill("popularity")
    visitor.page.locator("main a", has_text="/venues/popularity").click()
    visitor.button("Send POST").click()
    visitor.page.locator("pre", has_text='"venues"').wait_for()
    alice.go("/reference?op=own_accounts")
    alice.button("Send GET").click()
    alice.page.locator("pre", has_text='"accounts"').wait_for()
