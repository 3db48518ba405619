"""The jobs' work in PostgreSQL: claim people, compute, settle, all in one transaction a batch."""

from datetime import datetime
from typing import NamedTuple

from chalicelib.adapters.postgres import Cursor, Postgres, only
from chalicelib.adapters.spendsense.roles import STAFF, for_staff
from chalicelib.adapters.spendsense.rules_sql import assignment, generation
from chalicelib.spendsense import sql
from chalicelib.spendsense.catalogue import AdviceCatalogue
from chalicelib.spendsense.jobs import REFRESH_DAYS
from chalicelib.spendsense.orders import JobName, JobOrder
from chalicelib.spendsense.values import JobProgress

BATCH_SETTINGS = {
    **STAFF,
    # Together they fit into the reserve that a run keeps, so that no function ends before its batch does. Should one be
    # killed all the same, the server notices, and gives its people back.
    "statement_timeout": "40000",
    "lock_timeout": "15000",
    "client_connection_check_interval": "2000",
    "work_mem": "64MB",
    # Compiling costs more than it saves here. Estimates after five joins are poor, and hashing forgives them: a nested
    # loop picked by one would not end, a merge by user alone compares each row with each merchant.
    "jit": "off",
    "enable_nestloop": "off",
    "enable_mergejoin": "off",
}


class Stage(NamedTuple):
    """A job's three statements, by what each does."""

    claim: str
    work: str
    settle: str


class PostgresPipeline:
    """Runs the jobs; a batch locks its people until it commits."""

    def __init__(self, database: Postgres, catalogue: AdviceCatalogue) -> None:
        self._database = database
        self._stages: dict[JobName, Stage] = {
            "compute_features": Stage(
                sql.text("claim_features"), sql.text("compute_features"), sql.text("settle_features")
            ),
            "assign_persona": Stage(
                sql.text("claim_persona"),
                assignment(sql.text("assign_persona"), catalogue),
                sql.text("settle_persona"),
            ),
            "generate_recommendations": Stage(
                sql.text("claim_recommendations"),
                generation(sql.text("generate_recommendations"), catalogue),
                sql.text("settle_recommendations"),
            ),
        }

    def begin(self, job: JobName, order: JobOrder, now: datetime) -> JobProgress:
        """The run's progress; a fresh run of compute_features makes due what its order asks for."""

        def start(cursor: Cursor) -> JobProgress:
            parameters = {
                "run_id": order.run_id,
                "job": job,
                "as_of": order.as_of,
                "subject": order.subject,
                "now": now,
            }
            run = only(cursor.execute(sql.text("begin_run"), parameters))
            if run.fresh and job == "compute_features":
                cursor.execute(
                    sql.text("make_due"),
                    {
                        "everyone": order.everyone,
                        "nightly": order.nightly,
                        "as_of": order.as_of,
                        "refresh_days": REFRESH_DAYS,
                    },
                )
            return JobProgress(run.batches, run.users, run.finished)

        return for_staff(self._database, start)

    def advance(self, job: JobName, order: JobOrder, size: int, now: datetime) -> int:
        """One batch, in one transaction; the number of people in it."""
        stage = self._stages[job]

        def batch(cursor: Cursor) -> int:
            users = _claim(cursor, stage.claim, {"subject": order.subject, "size": size})
            if not users:
                return 0
            parameters = {"users": users, "as_of": order.as_of, "run_id": order.run_id, "now": now}
            changed = [row.user_id for row in cursor.execute(stage.work, parameters)]
            cursor.execute(stage.settle, {**parameters, "changed": changed})
            counted = {"run_id": order.run_id, "job": job, "count": len(users)}
            cursor.execute(sql.text("count_batch"), counted)
            return len(users)

        return self._database.run(batch, settings=BATCH_SETTINGS)

    def finish(self, job: JobName, order: JobOrder, now: datetime) -> JobProgress:
        """Record the end of the run; the last stage also writes a trace for people without consent."""

        def end(cursor: Cursor) -> JobProgress:
            parameters = {"run_id": order.run_id, "job": job, "now": now}
            if job == "generate_recommendations" and order.subject is None:
                cursor.execute(sql.text("trace_missing_consent"), parameters)
            run = only(cursor.execute(sql.text("finish_run"), parameters))
            return JobProgress(run.batches, run.users, run.finished)

        return for_staff(self._database, end)

    def forget(self, before: datetime, size: int) -> int:
        """Delete runs and refusals from before then, at most `size` of each; how many."""
        parameters = {"before": before, "size": size}

        def delete(cursor: Cursor) -> int:
            return sum(
                cursor.execute(sql.text(name), parameters).rowcount for name in ("forget_denials", "forget_runs")
            )

        return for_staff(self._database, delete)


def _claim(cursor: Cursor, claim: str, parameters: dict[str, object]) -> list[int]:
    """People to work on: first those whose rows are not locked, which divides them among runs; then the rest.

    People whose rows another run or a writer holds may become due, or no longer be due, so the last ones are awaited.
    """
    for wait in (" SKIP LOCKED", ""):
        if users := [row.user_id for row in cursor.execute(claim + wait, parameters)]:
            return users
    return []
