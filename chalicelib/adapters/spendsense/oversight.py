"""Operators' reads and actions, and the audit, in PostgreSQL."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chalicelib.adapters.postgres import Cursor, Postgres, only
from chalicelib.adapters.spendsense.roles import STAFF, for_staff, row_of, rows_of
from chalicelib.spendsense import sql
from chalicelib.spendsense.models import (
    AssignedPersona,
    JobRun,
    Metrics,
    MetricsPoint,
    OperatorAction,
    ReviewItem,
    ReviewQuery,
    UsersQuery,
    UserSummary,
)
from chalicelib.spendsense.paging import Position, foreign_cursor
from chalicelib.spendsense.values import Deed, evidence_of

LEAST_COHORT = 30
REVIEW_FILTERS: dict[str, Any] = {
    "status": None, "persona": None, "subject": None, "window": None, "after": None, "limit": 200
}  # fmt: skip
SURVEY_SETTINGS = {**STAFF, "statement_timeout": "40000"}


class PostgresOversight:
    """Reads of everybody."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def users(self, query: UsersQuery, after: Position | None) -> list[tuple[Position, UserSummary]]:
        """In the order in which they joined; one more than the limit, if there is more."""
        parameters = {
            "window": query.window,
            "persona": query.persona,
            "search": query.search,
            "limit": query.limit,
            "after": after[1] if after else None,
        }
        found = []
        for row in self._rows("list_users", parameters):
            position = row.pop("position")
            found.append((("", position), UserSummary(**row)))
        return found

    def recommendations(self, subject: UUID, window: int) -> list[ReviewItem]:
        """A person's recommendations in a window, whatever their status."""
        parameters = {**REVIEW_FILTERS, "subject": subject, "window": window}
        return [ReviewItem(**row) for row in self._rows("list_reviews", parameters)]

    def past_surveys(self, limit: int) -> list[MetricsPoint]:
        """The latest first."""
        return [MetricsPoint(**row) for row in self._rows("read_history", {"limit": limit})]

    def personas(self, subject: UUID) -> list[AssignedPersona]:
        """A person's personas by window."""
        return [
            AssignedPersona(**{**row, "evidence": [evidence_of(used) for used in row["evidence"]]})
            for row in self._rows("read_personas", {"subject": subject})
        ]

    def signals(self, subject: UUID) -> list[dict[str, Any]]:
        """A person's signals by window."""
        return [row["signals"] for row in self._rows("read_signals", {"subject": subject})]

    def metrics(self) -> Metrics:
        """What the last survey found, or what one finds now if there was none; and the last runs."""

        def read(cursor: Cursor) -> Metrics:
            kept = cursor.execute(sql.text("read_survey")).fetchone()
            if kept is None:
                return Metrics(**_measured(cursor), measured_at=None, runs=_last_runs(cursor))
            return Metrics(**kept.figures, measured_at=kept.measured_at, runs=_last_runs(cursor))

        return for_staff(self._database, read)

    def survey(self, as_of: date) -> Metrics:
        """Coverage, explainability, fairness and feedback as they are now, kept for `metrics`."""

        def measure(cursor: Cursor) -> Metrics:
            figures = {"as_of": as_of, "figures": Jsonb(_measured(cursor))}
            kept = only(cursor.execute(sql.text("keep_survey"), figures))
            return Metrics(**kept.figures, measured_at=kept.measured_at, runs=_last_runs(cursor))

        return self._database.run(measure, settings=SURVEY_SETTINGS)

    def _rows(self, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return [row._asdict() for row in for_staff(self._database, rows_of(name, parameters))]


class PostgresReviews:
    """Recommendations as operators judge them."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def waiting(self, query: ReviewQuery, after: Position | None) -> list[tuple[Position, ReviewItem]]:
        """By id; one more than the limit, if there is more."""
        try:
            last = UUID(after[0]) if after else None
        except ValueError:
            raise foreign_cursor() from None
        parameters = {
            **REVIEW_FILTERS,
            "status": query.status,
            "persona": query.persona,
            "limit": query.limit,
            "after": last,
        }
        rows = for_staff(self._database, rows_of("list_reviews", parameters))
        return [((str(row.recommendation_id), 0), ReviewItem(**row._asdict())) for row in rows]

    def judge(self, recommendation_id: UUID, status: str, deed: Deed) -> bool:
        """Set the status and keep the deed in one statement."""
        parameters = {**asdict(deed), "recommendation_id": recommendation_id, "status": status}
        row = for_staff(self._database, row_of("judge_recommendation", parameters))
        return row is not None


class PostgresAudit:
    """The record of actions and refusals."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def acted(self, deed: Deed) -> None:
        """Keep a deed."""
        for_staff(self._database, lambda cursor: cursor.execute(sql.text("note_action"), asdict(deed)))

    def denied(self, caller: UUID | None, resource: str, reason: str, request_id: str, now: datetime) -> None:
        """Keep a refusal."""
        parameters = {
            "caller": caller,
            "resource": resource.replace("\x00", "�")[:300],
            "reason": reason,
            "request_id": request_id,
            "denied_at": now,
        }
        for_staff(self._database, lambda cursor: cursor.execute(sql.text("note_denial"), parameters))

    def actions_on(self, subject: UUID) -> list[OperatorAction]:
        """The last hundred, the latest first."""
        rows = for_staff(self._database, rows_of("actions_on", {"subject": subject}))
        return [OperatorAction(**row._asdict()) for row in rows]


def _measured(cursor: Cursor) -> dict[str, Any]:
    """The figures of everybody, as JSON takes them."""

    def rows(name: str) -> list[Any]:
        return cursor.execute(sql.text(name)).fetchall()

    fairness = rows("measure_fairness")
    return {
        **rows("measure_coverage")[0]._asdict(),
        **rows("measure_explanations")[0]._asdict(),
        "personas": {row.persona: row.count for row in rows("count_personas")},
        "recommendations": {row.name: row.count for row in rows("count_recommendations")},
        "feedback": {row.name: row.count for row in rows("count_feedback")},
        "fairness": _by_cohort(fairness),
        "largest_gap": _largest_gap(fairness),
    }


def _last_runs(cursor: Cursor) -> list[JobRun]:
    return [JobRun(**row._asdict()) for row in cursor.execute(sql.text("last_runs"))]


def _by_cohort(rows: Sequence[Any]) -> dict[str, dict[str, float]]:
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        shares[row.cohort][row.persona] = row.share
    return dict(shares)


def _largest_gap(rows: Sequence[Any]) -> float | None:
    """The largest difference of one persona's share between cohorts that are large enough to say anything."""
    cohorts = {row.cohort for row in rows if row.people >= LEAST_COHORT}
    if len(cohorts) < 2:
        return None
    shares = _by_cohort([row for row in rows if row.cohort in cohorts])
    personas = {row.persona for row in rows}
    return max(
        max(shares[cohort].get(persona, 0.0) for cohort in cohorts)
        - min(shares[cohort].get(persona, 0.0) for cohort in cohorts)
        for persona in personas
    )
