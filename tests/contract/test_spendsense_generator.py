"""The made-up people: the same from the same seed, and of the personas that they were made for."""

from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.oversight import PostgresOversight
from chalicelib.spendsense.models import ConsentRecord, ProfileChange
from chalicelib.spendsense.signals import WINDOWS
from chalicelib.spendsense.statements import from_json
from local.people.generator import SHARES, Person, generate, intended
from tests.contract.spendsense_database import Target, fresh_database
from tests.contract.spendsense_people import NOW, TODAY, World
from tests.patience import PATIENCE_MS


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return generate(100, seed=7, today=TODAY)


@pytest.fixture(scope="module")
def world(people: list[Person]) -> Iterator[World]:
    with fresh_database() as url, closing(Postgres(Target(url), statement_timeout_ms=PATIENCE_MS)) as database:
        world = World(database)
        for person in people:
            world.people.register(person.subject, ProfileChange(display_name=person.name), NOW)
            granted = ConsentRecord(granted=True, policy_version="1", recorded_at=NOW)
            world.consents.record(person.subject, granted)
            for document in person.documents:
                imported = world.ledger.save(person.subject, from_json(msgspec.json.encode(document), TODAY), NOW)
                assert imported.rejected == 0, imported.rejections
        world.run()
        yield world


def test_the_same_seed_makes_the_same_people(people: list[Person]) -> None:
    assert generate(100, seed=7, today=TODAY) == people
    assert generate(8, seed=7, today=TODAY) == people[:8]
    assert generate(8, seed=8, today=TODAY) != people[:8]


def test_a_hundred_people_have_the_shares(people: list[Person]) -> None:
    assert intended(people) == dict(SHARES)


@pytest.mark.parametrize("window", WINDOWS)
def test_everybody_is_of_the_persona_they_were_made_for(world: World, people: list[Person], window: int) -> None:
    wrong = {
        person.subject: (person.persona, world.persona(person.subject, window).persona)
        for person in people
        if world.persona(person.subject, window).persona != person.persona
    }
    assert wrong == {}


def test_everybody_with_data_has_three_behaviours_and_every_recommendation_a_reason_and_a_trace(world: World) -> None:
    metrics = PostgresOversight(world.database).metrics()
    assert (metrics.users, metrics.with_data) == (100, 100)
    assert (metrics.persona_coverage, metrics.behaviour_coverage) == (1.0, 1.0)
    assert (metrics.rationale_coverage, metrics.trace_coverage) == (1.0, 1.0)
    assert sum(metrics.personas.values()) == 100


def test_cohorts_are_alike_in_every_persona(people: list[Person]) -> None:
    for persona, count in SHARES:
        amber = len([1 for person in people if (person.persona, person.cohort) == (persona, "amber")])
        assert abs(2 * amber - count) <= 1
