"""Profiles, consent and open sockets in PostgreSQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.adapters.postgres import Cursor, Postgres, only
from chalicelib.adapters.spendsense.roles import for_person, for_staff, row_of, rows_of
from chalicelib.spendsense import sql
from chalicelib.spendsense.models import ConsentRecord, OwnProgress, Profile, ProfileChange
from chalicelib.spendsense.values import Listener


class PostgresPeople:
    """Profiles, and with each a standing that the jobs go by."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def find(self, subject: UUID) -> Profile | None:
        """The profile, if there is one."""
        parameters = {"subject": subject}
        row = for_person(self._database, subject, row_of("find_profile", parameters))
        return row and Profile(**row._asdict())

    def register(self, subject: UUID, change: ProfileChange, now: datetime) -> tuple[Profile, bool]:
        """Create or change it; return whether it is new."""
        parameters = {
            "subject": subject,
            "display_name": change.display_name,
            "currency": change.currency,
            "now": now,
        }

        def save(cursor: Cursor) -> tuple[Profile, bool]:
            row = only(cursor.execute(sql.text("register_profile"), parameters))
            standing = only(cursor.execute(sql.text("keep_standing"), row._asdict()))
            profile = Profile(
                user_id=subject,
                display_name=change.display_name,
                currency=change.currency,
                consented=standing.consented,
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
            return profile, row.is_new

        return for_person(self._database, subject, save)

    def erase(self, subject: UUID) -> bool:
        """Delete everything about a person, once no job works on it."""

        def delete(cursor: Cursor) -> bool:
            cursor.execute(sql.text("lock_standing"), {"subject": subject})
            return cursor.execute(sql.text("erase_person"), {"subject": subject}).rowcount > 0

        return for_person(self._database, subject, delete)


class PostgresConsents:
    """Consent as a history of records, and the standing that follows from the last."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def history(self, subject: UUID) -> list[ConsentRecord] | None:
        """The latest first."""

        def read(cursor: Cursor) -> list[ConsentRecord] | None:
            if cursor.execute(sql.text("person_exists"), {"subject": subject}).fetchone() is None:
                return None
            rows = cursor.execute(sql.text("consent_history"), {"subject": subject})
            return [ConsentRecord(**row._asdict()) for row in rows]

        return for_person(self._database, subject, read)

    def record(self, subject: UUID, record: ConsentRecord) -> bool:
        """Store a record; a revoking one erases derived data, and no running job can restore it."""

        def keep(cursor: Cursor) -> bool:
            standing = cursor.execute(sql.text("lock_standing"), {"subject": subject}).fetchone()
            if standing is None:
                return False
            parameters = {
                "user_id": standing.user_id,
                "granted": record.granted,
                "policy_version": record.policy_version,
                "recorded_at": record.recorded_at,
            }
            cursor.execute(sql.text("record_consent"), parameters)
            if not record.granted:
                cursor.execute(sql.text("erase_derived"), parameters)
            return True

        return for_person(self._database, subject, keep)


class PostgresListeners:
    """Sockets with their people, and each one's last message."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def keep(self, listener: Listener, now: datetime, until: datetime, most: int) -> bool | None:
        """Remember it, and forget the person's expired ones."""
        parameters = {
            "subject": listener.subject,
            "connection_id": listener.id,
            "endpoint": listener.endpoint,
            "now": now,
            "expires_at": until,
            "most": most,
        }
        row = for_person(self._database, listener.subject, row_of("keep_listener", parameters))
        return row and bool(row.kept)

    def news(self, subject: UUID | None, now: datetime) -> list[tuple[Listener, OwnProgress]]:
        """Whom to tell what."""
        work = rows_of("take_news", {"subject": subject, "now": now})
        rows = for_person(self._database, subject, work) if subject else for_staff(self._database, work)
        return [(Listener(row.subject, row.connection_id, row.endpoint), progress_of(row)) for row in rows]

    def forget(self, listener: Listener) -> None:
        """Delete it."""
        parameters = {"subject": listener.subject, "connection_id": listener.id}
        for_person(
            self._database, listener.subject, lambda cursor: cursor.execute(sql.text("forget_listener"), parameters)
        )


def progress_of(row: Any) -> OwnProgress:
    """A standing as its person sees it."""
    due = row.features_due or row.persona_due or row.recommendations_due
    return OwnProgress(
        consented=row.consented,
        features_due=row.features_due,
        persona_due=row.persona_due,
        recommendations_due=row.recommendations_due,
        as_of=row.as_of,
        is_current=row.consented and not due,
    )
