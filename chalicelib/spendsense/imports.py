"""Taking in a bank's rows for one person."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chalicelib.errors import InvalidInput
from chalicelib.spendsense.bank import BankStatement
from chalicelib.spendsense.models import Imported, ImportQuery, Operator
from chalicelib.spendsense.ports import Announcements, Ledger
from chalicelib.spendsense.statements import from_csv, from_json


class Imports:
    """Reads files, keeps their rows, and tells the jobs; the same file twice changes nothing."""

    def __init__(self, *, ledger: Ledger, announcements: Announcements, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._announcements = announcements
        self._clock = clock

    def take(self, subject: UUID, raw: bytes, content_type: str, query: ImportQuery, by: Operator) -> Imported:
        """Keep what a file says of `subject`: JSON (all sections at once) or CSV (the section that `query` names).

        Rows that are wrong are told one by one and left out; if any is news, the person's features are computed anew.
        NotFound without a profile, InvalidInput for a file that cannot be read at all.
        """
        imported = self._ledger.save(subject, self._read(raw, content_type, query), self._clock(), by)
        if any(imported.saved.values()):
            self._announcements.announce("Transactions Ingested", {"subject": str(subject)})
        return imported

    def _read(self, raw: bytes, content_type: str, query: ImportQuery) -> BankStatement:
        kind = content_type.partition(";")[0].strip().lower()
        today = self._clock().date()
        if kind == "application/json":
            return from_json(raw, today)
        if kind == "text/csv":
            return from_csv(raw, query.section, today)
        raise InvalidInput.of("Content-Type", f"is {kind!r}", "application/json or text/csv")
