"""Load made-up people into SpendSense's database, through the application's own adapters."""

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime
from functools import partial

import msgspec

from chalicelib.adapters.postgres import Cursor, Postgres
from chalicelib.adapters.spendsense.ledger import PostgresLedger
from chalicelib.adapters.spendsense.people import PostgresConsents, PostgresPeople
from chalicelib.spendsense.models import ConsentRecord, ProfileChange
from chalicelib.spendsense.statements import from_json
from local.people.generator import Person

POLICY = "2026-11"
COHORT = "UPDATE spendsense.profiles SET cohort = %s WHERE subject = %s"


class FixedUrl:
    """A database at a fixed address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def read(self) -> str:
        """The URL."""
        return self._url

    def forget(self) -> None:
        """Do nothing, because the address is fixed."""


def load(url: str, people: Iterable[Person], now: datetime, tell: Callable[[int], None] = lambda count: None) -> int:
    """Register, give consent for and import each person; return the number of transactions.

    It publishes no events, because people loaded in bulk are computed in bulk. `tell` gets the count after each person.
    """
    rows = 0
    with closing(Postgres(FixedUrl(url), statement_timeout_ms=60_000)) as database:
        registry, consents, ledger = PostgresPeople(database), PostgresConsents(database), PostgresLedger(database)
        for count, person in enumerate(people, start=1):
            registry.register(person.subject, ProfileChange(display_name=person.name), now)
            database.run(partial(_assign_cohort, person))
            if person.consented:
                granted = ConsentRecord(granted=True, policy_version=POLICY, recorded_at=now)
                consents.record(person.subject, granted)
            for document in person.documents:
                taken = ledger.save(person.subject, from_json(msgspec.json.encode(document), now.date()), now)
                rows += taken.saved["transactions"]
            tell(count)
    return rows


def _assign_cohort(person: Person, cursor: Cursor) -> None:
    cursor.execute(COHORT, [person.cohort, person.subject])
