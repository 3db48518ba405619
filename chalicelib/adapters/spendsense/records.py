"""One person's own records in PostgreSQL; every statement filters by the person."""

from datetime import date
from typing import Any
from uuid import UUID

from chalicelib.adapters.postgres import Cursor, Postgres
from chalicelib.adapters.spendsense.people import progress_of
from chalicelib.adapters.spendsense.roles import for_person, row_of
from chalicelib.spendsense import sql
from chalicelib.spendsense.bank import canonical
from chalicelib.spendsense.models import (
    Account,
    CategorySpending,
    Feedback,
    OwnProgress,
    Trace,
    Transaction,
    TransactionsQuery,
)
from chalicelib.spendsense.paging import Position, foreign_cursor
from chalicelib.spendsense.signals import SIGNALS
from chalicelib.spendsense.values import Insight, Recommended, evidence_of


class PostgresRecords:
    """Reads for one person."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def accounts(self, subject: UUID) -> list[Account] | None:
        """All of them."""

        def read(cursor: Cursor) -> list[Account] | None:
            rows = cursor.execute(sql.text("read_accounts"), {"subject": subject}).fetchall()
            return [Account(**row._asdict()) for row in rows] if rows or _exists(cursor, subject) else None

        return for_person(self._database, subject, read)

    def transactions(
        self, subject: UUID, query: TransactionsQuery, after: Position | None
    ) -> list[tuple[Position, Transaction]] | None:
        """The latest first; one more than the limit, if there is more."""
        day, position = (_day(after[0]), after[1]) if after else (None, None)
        parameters = {
            "subject": subject,
            "account_id": query.account_id,
            "since": query.since,
            "until": query.until,
            "category": query.category and query.category.upper(),
            "merchant": query.merchant and canonical(query.merchant),
            "text": query.text,
            "at_least_cents": query.at_least_cents,
            "at_most_cents": query.at_most_cents,
            "spending": query.spending,
            "limit": query.limit,
            "after_day": day,
            "after_position": position,
        }

        def read(cursor: Cursor) -> list[tuple[Position, Transaction]] | None:
            rows = cursor.execute(_with_spends("read_transactions"), parameters).fetchall()
            if not rows and not (
                _owns(cursor, subject, query.account_id) if query.account_id else _exists(cursor, subject)
            ):
                return None
            return [_positioned(row._asdict()) for row in rows]

        return for_person(self._database, subject, read)

    def spending(self, subject: UUID, since: date, until: date) -> list[tuple[date, CategorySpending]] | None:
        """By month and primary category, the latest month and the largest first."""
        parameters = {"subject": subject, "since": since, "until": until}

        def read(cursor: Cursor) -> list[tuple[date, CategorySpending]] | None:
            rows = cursor.execute(_with_spends("read_spending"), parameters).fetchall()
            if not rows and not _exists(cursor, subject):
                return None
            return [(row.since, CategorySpending(**_without(row._asdict(), "since"))) for row in rows]

        return for_person(self._database, subject, read)

    def progress(self, subject: UUID) -> OwnProgress | None:
        """The stages that are still due."""
        row = for_person(self._database, subject, row_of("read_progress", {"subject": subject}))
        return row and progress_of(row)

    def kept(self, subject: UUID) -> dict[str, Any] | None:
        """Everything but the transactions."""
        row = for_person(self._database, subject, row_of("export_person", {"subject": subject}))
        return row and {name: value for name, value in row._asdict().items() if value is not None}

    def insights(self, subject: UUID, window: int) -> Insight | None:
        """A window's signals and persona, as far as they are computed."""
        parameters = {"subject": subject, "window": window}
        row = for_person(self._database, subject, row_of("read_insights", parameters))
        return row and Insight(
            currency=row.currency,
            as_of=row.as_of,
            signals={name: row.signals[name] for name in SIGNALS} if row.signals else {},
            persona=row.persona,
            matched=tuple(row.matched or ()),
            evidence=tuple(row.evidence or ()),
            behaviours=tuple(row.behaviours or ()),
        )

    def recommended(self, subject: UUID, window: int) -> list[Recommended] | None:
        """By position, without what operators withheld."""

        def read(cursor: Cursor) -> list[Recommended] | None:
            found = _recommended(cursor, subject, window=window)
            return found if found or _exists(cursor, subject) else None

        return for_person(self._database, subject, read)


class PostgresExplanations:
    """One person's single recommendations."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def recommendation(self, subject: UUID, recommendation_id: UUID) -> Recommended | None:
        """It, if it is the person's and shown."""
        found = for_person(
            self._database, subject, lambda cursor: _recommended(cursor, subject, recommendation_id=recommendation_id)
        )
        return found[0] if found else None

    def trace(self, subject: UUID, recommendation_id: UUID) -> Trace | None:
        """Its trace, if it is the person's."""
        parameters = {"subject": subject, "recommendation_id": recommendation_id}
        row = for_person(self._database, subject, row_of("read_trace", parameters))
        return row and Trace(**{**row._asdict(), "signals_used": [evidence_of(used) for used in row.signals_used]})

    def keep_feedback(self, subject: UUID, feedback: Feedback) -> bool:
        """Store it, replacing the earlier one."""
        parameters = {
            "subject": subject,
            "recommendation_id": feedback.recommendation_id,
            "helpful": feedback.helpful,
            "comment": feedback.comment,
            "given_at": feedback.given_at,
        }
        row = for_person(self._database, subject, row_of("keep_feedback", parameters))
        return row is not None


def _with_spends(name: str) -> str:
    """A statement with the condition of spending in its place."""
    return sql.text(name).replace("/*spends*/", sql.text("spends"))


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise foreign_cursor() from None


def _exists(cursor: Cursor, subject: UUID) -> bool:
    return cursor.execute(sql.text("person_exists"), {"subject": subject}).fetchone() is not None


def _owns(cursor: Cursor, subject: UUID, account_id: str) -> bool:
    parameters = {"subject": subject, "account_id": account_id}
    return cursor.execute(sql.text("owns_account"), parameters).fetchone() is not None


def _recommended(
    cursor: Cursor, subject: UUID, *, window: int | None = None, recommendation_id: UUID | None = None
) -> list[Recommended]:
    parameters = {"subject": subject, "window": window, "recommendation_id": recommendation_id}
    rows = cursor.execute(sql.text("read_recommendations"), parameters)
    return [Recommended(**row._asdict()) for row in rows]


def _positioned(row: dict[str, Any]) -> tuple[Position, Transaction]:
    position = row.pop("position")
    day: date = row["posted_on"]
    return (day.isoformat(), position), Transaction(**row)
