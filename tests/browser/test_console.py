"""The console against the real local cloud, as a visitor, as a signed-in person and as an operator.

Every test fails on any error in a page's console, any breach of the content policy and any request to another host.
Pictures of every screen in both themes and widths are written to .local/screens/console for a person to look at.
"""

import base64
import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from infra import console
from local.cloud import Cloud
from local.demo.photo import photo
from local.people.generator import generate
from local.people.load import load
from tests.browser.console import NARROW, SCREENS, WIDE, Visitor
from tests.cloud.test_flights import Flights
from tests.cloud.test_predictions import Predictions
from tests.events import schedule_event
from tests.patience import PATIENCE_S, until
from tests.unit.predictions.studio import FEATURES, csv_of, rows

NASTY = '<img src=x onerror="alert(1)"> ' + "שלום عالم " + "x" * 150


@dataclass(frozen=True)
class Seed:
    """What the cloud holds before the tests begin."""

    run: str
    held: str
    model: str
    data: str
    output: str


@pytest.fixture(scope="module")
def seed(cloud: Cloud) -> Seed:
    """Three snapshots, one of them in quarantine; a model with rows to score; a hundred people."""
    if console.node() is None:
        pytest.skip("Node is not installed: make web")
    console.build()
    flights = Flights(cloud)
    flights.forget()
    first = flights.settled(snapshot(flights, 15), "VALIDATED")["tracking_id"]
    flights.control(dirt=[{"kind": "too_fast", "rows": 12}], extra={"rows": [["short"]] * 200})
    held = flights.settled(snapshot(flights, 10), "QUARANTINED")["tracking_id"]
    flights.settled(snapshot(flights, 5), "VALIDATED")
    flights.control(reset=True)
    predictions = Predictions(cloud)
    data = predictions.put("rows.csv", csv_of(rows(500)))
    model = predictions.publish()
    populate(cloud)
    return Seed(first, held, model, data, predictions.output("scored.csv"))


def snapshot(flights: Flights, minutes: int) -> str:
    """Poll OpenSky as it was so many minutes ago; the run."""
    flights.control(clock={"now": time.time() - minutes * 60})
    return str(flights.ingest()["tracking_id"])


def populate(cloud: Cloud) -> None:
    """Let forty people in, Alice among them, and compute what there is to say about them."""
    cloud.invoke("migrate", {})
    now = datetime.now(UTC)
    crowd = generate(40, seed=7, today=now.date())
    load(cloud.database_url or "", crowd[1:], now)
    with httpx.Client(base_url=f"{cloud.rest_url}/api/v1", timeout=PATIENCE_S) as http:
        alice, olga = (signed_in(cloud, name) for name in ("alice", "olga"))
        profile = http.put("/users/me/profile", headers=alice, json={"display_name": "Alice"}).json()
        http.put("/users/me/consent", headers=alice, json={"granted": True, "policy_version": "2026-11"})
        for document in crowd[0].documents:
            content = json.dumps(document, default=str)
            sent = {**olga, "Content-Type": "application/json"}
            http.post(f"/operator/users/{profile['user_id']}/imports", headers=sent, content=content).raise_for_status()
        cloud.invoke("compute_features", {**schedule_event(), "detail": {"everyone": True}})
        until(lambda: http.get("/operator/metrics", headers=olga).json()["recommendations"])
        until(lambda: http.get("/users/me/recommendations?window=180", headers=alice).json()["recommendations"])


def signed_in(cloud: Cloud, name: str) -> dict[str, str]:
    """The header of a test user."""
    user = cloud.users[name]
    answer = cloud.client("cognito-idp").initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=user["client_id"],
        AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
    )
    return {"Authorization": answer["AuthenticationResult"]["IdToken"]}


@pytest.fixture(scope="module")
def browser(seed: Seed, chromium: Any) -> Any:
    return chromium


@pytest.fixture(scope="module")
def everybody(cloud: Cloud, browser: Any) -> Iterator[dict[str, Visitor]]:
    """A visitor, a customer and an operator, each in a browser of their own, for all tests."""
    people = {name: Visitor(cloud, browser, name) for name in ("", "alice", "olga")}
    yield people
    for person in people.values():
        person.context.close()


@pytest.fixture
def visitor(everybody: dict[str, Visitor]) -> Iterator[Visitor]:
    yield everybody[""]
    everybody[""].check()


@pytest.fixture
def alice(everybody: dict[str, Visitor]) -> Iterator[Visitor]:
    yield everybody["alice"]
    everybody["alice"].check()


@pytest.fixture
def olga(everybody: dict[str, Visitor]) -> Iterator[Visitor]:
    yield everybody["olga"]
    everybody["olga"].check()


# -- flights


def test_the_overview_leads_to_where_its_figures_come_from(visitor: Visitor, olga: Visitor) -> None:
    visitor.go("/")
    visitor.sees("Flight runs, last 24 hours")
    olga.go("/")
    olga.sees(re.compile(r"\d+ alarms watched"))
    olga.sees(re.compile(r"\d+ queues, all empty|message"))
    olga.sees("Ticket endpoint")
    olga.link(re.compile("In quarantine")).click()
    olga.settle()
    assert "/flights/runs?status=QUARANTINED" in olga.address
    until(lambda: olga.page.locator("main table tbody .chip").all_inner_texts() != [])


def test_the_map_and_its_table_show_the_same_aircraft(visitor: Visitor) -> None:
    visitor.go("/flights")
    visitor.page.locator(".listing tbody tr").first.wait_for()
    shown = visitor.page.locator(".listing tbody tr").count()
    callsign = visitor.page.locator(".listing tbody tr button").nth(3).inner_text()
    visitor.field("Callsign, address or country").fill(callsign)
    until(lambda: visitor.page.locator(".listing tbody tr").count() < shown)
    visitor.page.locator(".listing tbody tr").first.click()
    visitor.page.locator("main .card h2", has_text=callsign).wait_for()
    canvas = visitor.page.locator(".map canvas")
    canvas.focus()
    for key in ("+", "ArrowLeft", "ArrowUp"):
        canvas.press(key)
    until(lambda: "z=" in visitor.address)
    address = visitor.address
    visitor.reload()
    assert visitor.address == address
    visitor.page.locator("main .card h2", has_text=callsign).wait_for()
    assert visitor.field("Callsign, address or country").input_value() == callsign
    visitor.button("Clear").click()
    until(lambda: visitor.page.locator(".listing tbody tr").count() == shown)
    visitor.page.locator(".listing thead button", has_text="Altitude").click()
    assert visitor.page.locator(".listing th[aria-sort=ascending]").inner_text().startswith("Altitude")


def test_aircraft_are_chosen_on_the_map(visitor: Visitor) -> None:
    visitor.go("/flights")
    visitor.page.locator(".listing tbody tr").first.wait_for()
    canvas = visitor.page.locator(".map canvas")
    canvas.press("+")
    until(lambda: "z=" in visitor.address)
    view = {name: float(value) for name, value in parse_qsl(visitor.address.partition("?")[2]) if name != "sort"}
    box = canvas.bounding_box()
    plane = httpx.get(f"{visitor.cloud.rest_url}/flights/latest").json()["aircraft"][0]
    scale = 256 * 2 ** view["z"]
    x, y = (
        (place(plane["longitude"], plane["latitude"])[axis] - place(view["lon"], view["lat"])[axis]) * scale
        for axis in (0, 1)
    )
    canvas.click(position={"x": box["width"] / 2 + x, "y": box["height"] / 2 + y})
    until(lambda: "at=" in visitor.address)
    visitor.page.locator("main .card", has_text="Last heard").wait_for()


def place(lon: float, lat: float) -> tuple[float, float]:
    """Where a place is in Web Mercator, on a square of 1 x 1."""
    return (lon + 180) / 360, 0.5 - math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi)


def test_the_slider_goes_back_in_time(visitor: Visitor) -> None:
    visitor.go("/flights")
    slider = visitor.page.get_by_label("Snapshot of the last 24 hours")
    slider.wait_for()
    slider.press("ArrowLeft")
    until(lambda: "snap=states_" in visitor.address)
    visitor.sees(re.compile(r"aircraft in the snapshot of .* UTC\.$"))
    visitor.button("Live").click()
    visitor.sees("the newest that passed its checks")


def test_from_a_failed_check_to_the_row_that_failed_it(visitor: Visitor, seed: Seed) -> None:
    visitor.go("/flights/runs")
    visitor.page.locator(".heat a[data-tone=bad]").first.click()
    visitor.settle()
    visitor.sees("Way through the pipeline")
    visitor.go(f"/flights/runs/{seed.run}")
    visitor.page.locator("main details summary", has_text="sample row").first.click()
    assert visitor.page.locator("main details table tbody tr").first.is_visible()
    visitor.page.locator("main table tbody tr", has_text="Completeness").get_by_role("link").click()
    visitor.sees("Failed check: Completeness")


def test_an_operator_releases_a_snapshot_from_quarantine(olga: Visitor, visitor: Visitor, seed: Seed) -> None:
    visitor.go(f"/flights/runs/{seed.held}")
    visitor.sees("Way through the pipeline")
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
    until(lambda: visitor.rows() and "genre=" in visitor.address)
    visitor.button("Clear").click()
    until(lambda: visitor.rows() == before)
    visitor.page.locator("main table tbody tr").first.get_by_role("link").first.click()
    visitor.sees("Amenities")
    visitor.go("/concerts?place=Vancouver&q=nobody")
    visitor.sees("No concert matches")


def test_a_persons_chats_are_kept_and_forgotten(alice: Visitor) -> None:
    alice.go("/concerts/chat")
    alice.page.get_by_label("Message").fill("Recommend some jazz concerts")
    alice.button("Send").click()
    alice.button("Helpful").click()
    until(lambda: alice.button("Helpful").get_attribute("aria-pressed") == "true")
    alice.button("New chat").click()
    alice.button("Open").click()
    until(lambda: alice.page.locator(".said").count() == 2)
    alice.button("Forget").click()
    alice.sees("The chat is forgotten.")


def test_from_a_recommendation_to_what_would_change_its_sales(visitor: Visitor) -> None:
    visitor.go("/concerts/recommendations")
    visitor.field("Genres, by commas").fill("rock")
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
    until(lambda: before not in visitor.page.locator("main [role=status] strong").last.inner_text())
    visitor.button("Reset").click()
    until(lambda: before in visitor.page.locator("main [role=status] strong").last.inner_text())


def test_venues_are_ranked_and_sorted(visitor: Visitor) -> None:
    visitor.go("/concerts/venues")
    assert visitor.rows() == 10
    visitor.page.locator("thead button", has_text="Capacity").click()
    until(lambda: "sort=capacity" in visitor.address)
    visitor.page.get_by_label("Show", exact=True).select_option("25")
    until(lambda: visitor.rows() > 10)


def test_the_chat_answers_as_the_words_arise_and_remembers(visitor: Visitor) -> None:
    visitor.go("/concerts/chat")
    visitor.button("Which venues are the most popular?").click()
    visitor.sees(re.compile("source: "))
    visitor.page.get_by_label("Message").fill("Recommend some rock concerts")
    visitor.page.get_by_label("Message").press("Enter")
    until(lambda: visitor.page.locator(".meta", has_text="source:").count() == 2)
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
    person.sees("The connection was cut in the middle of the answer.")
    person.button("Try again").wait_for()
    person.context.close()
    person.check()


# -- predictions


def test_an_operator_uploads_checks_and_scores_a_table(olga: Visitor, seed: Seed) -> None:
    olga.go(f"/predictions/new?model={model_id(seed.model)}")
    olga.sees("What the model wants")
    olga.page.get_by_label("Upload a file").set_input_files(
        {"name": "мои rows.csv", "mimeType": "text/csv", "buffer": csv_of(rows(500))}
    )
    olga.sees("The file is stored.")
    olga.field("Where to").fill(seed.output)
    olga.button("Check").click()
    olga.page.locator("main .chip", has_text="fits").wait_for()
    olga.sees("Will take")
    olga.button("Start job").click()
    olga.page.locator(".stat", has_text="Succeeded").wait_for()
    assert "500" in olga.page.locator(".stat", has_text="Rows scored").inner_text()
    output = olga.page.get_by_role("region", name="First rows of the output")
    output.locator("th", has_text="prediction").wait_for()
    assert output.locator("tbody tr").count() > 1
    assert httpx.get(olga.link("Download").get_attribute("href")).text.count("\n") == 501
    olga.go("/predictions?state=succeeded")
    olga.page.locator("main table .chip", has_text="Succeeded").first.wait_for()


def test_a_table_that_does_not_fit_and_an_upload_that_is_cut(olga: Visitor, seed: Seed) -> None:
    olga.go(f"/predictions/new?model={model_id(seed.model)}")
    cut = re.compile(re.escape(olga.cloud.aws_endpoint_url) + ".*predictions-")
    olga.page.route(cut, lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    olga.expected = ["ERR_FAILED", "status of 4"]
    wrong = {"name": "wrong.csv", "mimeType": "text/csv", "buffer": b"some,other,columns\n1,2,3\n"}
    olga.page.get_by_label("Upload a file").set_input_files(wrong)
    olga.sees("The upload was cut. Nothing was stored.")
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
    bob.button("Save").wait_for()

    person = next(each for each in generate(8, seed=3, today=datetime.now(UTC).date()) if each.consented)
    file = tmp_path / "bank.json"
    file.write_text(json.dumps(person.documents[0], default=str))
    olga.go(f"/people/{user}")
    assert "<img src=x" in olga.page.locator("main h1").inner_text(), "a name is text, whatever is in it"
    olga.page.get_by_label("File").set_input_files(file)
    olga.button("Import").click()
    olga.sees(re.compile("Saved .* transactions"))

    bob.go("/money/transactions")
    bob.page.locator("main table tbody tr").first.wait_for()
    bob.go("/money")
    until(lambda: _computed(bob))
    bob.go("/money/data")
    bob.button("Withdraw consent").click()
    bob.page.get_by_role("dialog").get_by_role("button", name="Withdraw consent").click()
    bob.sees("not granted")
    bob.button("Delete my data").click()
    bob.page.get_by_role("dialog").get_by_role("button", name="Delete everything").click()
    bob.link("Sign in").wait_for()
    bob.context.close()
    bob.check()


def _computed(person: Visitor) -> bool:
    """Look again until the signals are there."""
    again = person.page.get_by_role("button", name="Look again")
    if again.count():
        again.click()
        person.settle()
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
    alice.sees("Thank you. Your feedback is kept.")
    alice.link("How it was decided").click()
    alice.sees("Signals that decided")
    alice.sees("Guardrails")
    alice.sees("This is educational content, not financial advice.")


def test_transactions_lead_on_by_page_and_account(alice: Visitor) -> None:
    alice.go("/money/transactions")
    first = alice.rows()
    alice.button("Show more").click()
    until(lambda: alice.rows() > first)
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
    until(lambda: items.first.inner_text() != first)
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
    until(lambda: olga.rows() == 1)
    olga.field("Name or id").fill("")
    olga.field("Name or id").press("Enter")
    olga.page.get_by_label("Persona", exact=True).select_option("high_utilization")
    olga.settle()
    olga.page.locator("main table tbody tr").first.click()
    olga.sees("What operators did")
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
    visitor.sees("which no phone reaches")
    link = visitor.field("The link in the code").input_value()
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
    until(lambda: visitor.page.evaluate("document.querySelector('.photo')?.naturalWidth") == 800)
    visitor.reload()
    visitor.sees("Your photo is here")
    with visitor.page.expect_download() as download:
        visitor.button("Download").click()
    assert Path(download.value.path()).read_bytes() == content
    assert download.value.suggested_filename.endswith(".jpg")
    visitor.button("Delete").click()
    visitor.page.get_by_role("dialog").get_by_role("button", name="Delete photo").click()
    visitor.sees("Get a code")
    phone.close()


# -- the reference


def test_an_operation_is_found_and_tried(visitor: Visitor, alice: Visitor) -> None:
    visitor.go("/reference")
    visitor.field("Search").fill("ranking venues post eleven")
    until(lambda: visitor.page.locator("main .method").count() <= 1)
    visitor.field("Search").fill("popularity")
    visitor.page.locator("main a", has_text="/venues/popularity").click()
    visitor.button("Send POST").click()
    visitor.page.locator("pre", has_text='"venues"').wait_for()
    alice.go("/reference?op=own_accounts")
    alice.button("Send GET").click()
    alice.page.locator("pre", has_text='"accounts"').wait_for()


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
    until(lambda: person.address.endswith("#/money/transactions"))
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


def test_a_clock_that_is_wrong_by_a_day_changes_nothing(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    person.page.clock.install(time=datetime.now(UTC) + timedelta(days=1))
    person.page.goto(cloud.console_url)
    person.user = "alice"
    person.sign_in()
    person.go("/money/data")
    person.sees("Consent")
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
    visitor.button("Try again").click()
    until(lambda: visitor.rows() == 10)
    visitor.go("/")


def test_offline_says_so_and_comes_back(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser)
    person.expected = ["ERR_INTERNET_DISCONNECTED"]
    person.context.set_offline(True)
    person.sees("You are offline.")
    person.context.set_offline(False)
    until(lambda: not person.page.get_by_text("You are offline.").count())
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
        "/predictions": (200, {"jobs": []}),
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
        ("/flights/runs", "No run was judged in this period"),
        ("/predictions", "No jobs yet"),
        ("/people", "Nobody matches"),
        ("/review", "The queue is empty"),
    ):
        person.go(path)
        person.sees(says)
    person.context.close()
    person.check()


def test_a_very_full_system_is_shown_by_page(cloud: Cloud, browser: Any) -> None:
    person = Visitor(cloud, browser, "olga")
    latest = httpx.get(f"{cloud.rest_url}/flights/latest").json()
    one = latest["aircraft"][0]
    many = [
        {**one, "icao24": f"{at:06x}", "callsign": f"TST{at}", "latitude": at % 160 - 80, "longitude": at % 359 - 179}
        for at in range(5000)
    ]
    user = {"display_name": NASTY, "consented": True, "persona": "high_utilization", "recommendations": 7}
    people = [{**user, "user_id": f"00000000-0000-4000-8000-{at:012d}"} for at in range(50)]
    job = {"state": "succeeded", "model_s3_uri": f"s3://models/{'m' * 200}", "data_s3_uri": "s3://d/d.csv",
           "output_s3_uri": "s3://o/o.csv", "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:01:00Z",
           "rows_done": 10**12, "parts_done": 1000, "parts_total": 1000}  # fmt: skip
    full = {
        "/flights/latest": {**latest, "matching": 50_000, "aircraft": many},
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
    person.go("/flights")
    person.sees("5,000 shown, the first 200 listed")
    for path in ("/predictions", "/people"):
        person.go(path)
        person.page.locator(".pager").wait_for()
        assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    person.context.close()
    person.check()


# -- for everybody: accessible, readable, in both themes and widths

PATHS = {
    "": ["/", "/flights", "/flights/traffic", "/flights/runs", "/flights/runs/{run}", "/concerts", "/concerts/venues",
         "/concerts/recommendations", "/concerts/forecast?concert={concert}", "/concerts/chat", "/photos",
         "/reference?op=venue_popularity", "/sign-in", "/money", "/nowhere"],
    "alice": ["/money?window=180", "/money/transactions", "/money/recommendations?window=180", "/money/data"],
    "olga": ["/", "/flights/ingestion", "/predictions", "/predictions/models", "/predictions/new",
         "/people", "/review", "/fairness"],
}  # fmt: skip
LOOKS = [("light", WIDE), ("dark", NARROW), ("dark", WIDE), ("light", NARROW)]


@pytest.mark.parametrize("who", list(PATHS))
def test_every_screen_is_for_everybody(everybody: dict[str, Visitor], cloud: Cloud, seed: Seed, who: str) -> None:
    person = everybody[who]
    found = httpx.post(f"{cloud.rest_url}/recommendations", json={}).json()["recommendations"]
    faults = []
    for path in PATHS[who]:
        person.page.set_viewport_size(WIDE)
        person.go(path.format(run=seed.run, concert=found[0]["concert_id"]))
        name = re.sub(r"\W+", "-", path.partition("?")[0].replace("{run}", "one")).strip("-") or "overview"
        for scheme, size in LOOKS:
            person.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            person.page.set_viewport_size(size)
            if not person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                faults.append(f"{path} scrolls sideways at {size['width']}")
            file = SCREENS / f"{name}{'-' + who if who else ''}-{scheme}-{size['width']}.png"
            person.page.screenshot(path=file)
            if (scheme, size) in LOOKS[:2]:
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
    visitor.settle()
    assert visitor.page.locator("aside").is_hidden(), "the menu closes behind a choice"
    visitor.page.set_viewport_size(WIDE)
