"""SpendSense's functions as EventBridge and operators invoke them."""

from typing import Any

import pytest
from chalice.test import Client

from chalicelib.errors import UpstreamTimeout, UpstreamUnavailable
from chalicelib.wiring import Services
from tests.app.spendsense.tokens import ANN, BOB
from tests.contract.spendsense_people import NOW, TODAY, owned, rows, transaction
from tests.events import schedule_event
from tests.fakes.spendsense import FakePeople
from tests.fakes.spendsense_aws import FakeAnnouncements

pytestmark = pytest.mark.filterwarnings("ignore:.*supported in local mode")


def rule_event(kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {**schedule_event(), "source": "spendsense", "detail-type": kind, "detail": detail}


def test_the_jobs_follow_one_another_by_their_events(
    client: Client, joined: FakePeople, announcements: FakeAnnouncements
) -> None:
    joined.save(ANN, owned("ann", rows(transactions=[transaction(1, 99.0)])), NOW)
    result = client.lambda_.invoke("compute_features", schedule_event()).payload
    assert announcements.made[-1][0] == "Features Computed"
    client.lambda_.invoke("assign_persona", rule_event(*announcements.made[-1]))
    assert announcements.made[-1][0] == "Persona Assigned"
    client.lambda_.invoke("generate_recommendations", rule_event(*announcements.made[-1]))
    assert announcements.made[-1][0] == "Recommendations Generated"
    assert len({detail["run_id"] for _, detail in announcements.made}) == 1
    assert (result["job"], result["users"], result["as_of"]) == ("compute_features", 1, "2026-11-21")
    assert joined.people[ANN].due == set()


def test_an_event_that_was_redriven_does_not_turn_back_the_day(client: Client, joined: FakePeople) -> None:
    """Dead letters are kept for two weeks: what is computed by one of them is as of the day on which it runs."""
    joined.save(ANN, owned("ann", rows(transactions=[transaction(1, 99.0)])), NOW)
    late = {**rule_event("Transactions Ingested", {"subject": str(ANN)}), "time": "2026-11-14T12:00:00Z"}
    assert client.lambda_.invoke("recompute_features", late).payload["as_of"] == "2026-11-21"
    assert joined.people[ANN].as_of == TODAY


def test_a_day_that_an_event_asks_for_is_the_day(client: Client, joined: FakePeople) -> None:
    asked = {**schedule_event(), "detail": {"as_of": "2026-11-20", "everyone": True}}
    assert client.lambda_.invoke("compute_features", asked).payload["as_of"] == "2026-11-20"


@pytest.mark.parametrize("kind", ["User Signup", "Consent Granted", "Transactions Ingested"])
def test_one_person_is_computed_at_once(client: Client, joined: FakePeople, kind: str) -> None:
    for name, person in (("ann", ANN), ("bob", BOB)):
        joined.save(person, owned(name, rows(transactions=[transaction(1, 99.0)])), NOW)
    client.lambda_.invoke("recompute_features", rule_event(kind, {"subject": str(ANN)}))
    assert "features" not in joined.people[ANN].due
    assert "features" in joined.people[BOB].due


@pytest.mark.parametrize(
    ("function", "detail"),
    [
        ("recompute_features", {"subject": "x"}),
        ("recompute_features", {"subject": str(ANN), "as_of": "yesterday"}),
        ("compute_features", {"as_of": "2026-11-22", "everyone": True}),
        ("assign_persona", {"run_id": 5, "as_of": "2026-11-21"}),
        ("assign_persona", {"run_id": "", "as_of": "2026-11-21"}),
        ("generate_recommendations", {"run_id": "night"}),
        ("generate_recommendations", {}),
    ],
)
def test_an_event_that_is_malformed_is_reported_and_not_retried(
    client: Client, joined: FakePeople, function: str, detail: dict[str, Any]
) -> None:
    before = dict(joined.runs)
    assert client.lambda_.invoke(function, rule_event("Features Computed", detail)).payload is None
    assert joined.runs == before


@pytest.mark.parametrize("error", [UpstreamUnavailable("down"), UpstreamTimeout("slow")])
def test_what_may_pass_later_is_retried(
    client: Client, joined: FakePeople, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(joined, "begin", fail)
    with pytest.raises(type(error)):
        client.lambda_.invoke("compute_features", schedule_event())


def test_migrating(client: Client, services: Services) -> None:
    class Steps:
        def migrate(self) -> Any:
            return {"applied": ["0001_people"], "version": 1}

    services.spendsense.migrations = Steps()
    answer = client.lambda_.invoke("migrate", {}).payload
    assert answer == {"result": {"applied": ["0001_people"], "version": 1}}
    assert "error" in client.lambda_.invoke("migrate", {"force": True}).payload
