"""Taking in a bank's rows for one person."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from msgspec import structs

from chalicelib.spendsense.bank import BankStatement, BankTransaction
from chalicelib.spendsense.fields import forget
from chalicelib.spendsense.models import Imported, ImportQuery, Operator, PreviewRow
from chalicelib.spendsense.ports import Announcements, Ledger
from chalicelib.spendsense.statements import from_csv, from_json
from chalicelib.spendsense.tables import unknown_kind

PREVIEWED = 100


class Imports:
    """Reads files, stores their rows, and notifies the jobs; importing a file twice changes nothing."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        announcements: Announcements,
        clock: Callable[[], datetime],
        tell: Callable[[UUID], object] = lambda subject: None,
    ) -> None:
        self._ledger = ledger
        self._announcements = announcements
        self._clock = clock
        self._tell = tell

    def take(self, subject: UUID, raw: bytes, content_type: str, query: ImportQuery, by: Operator) -> Imported:
        """Import a file of `subject`: JSON (all sections) or CSV (the section that `query` names).

        With `dry_run`, nothing is stored, and the answer shows the first rows as interpreted.
        Invalid rows are reported one by one and left out; if any row is new, the person's features are computed again.
        NotFound without a profile, InvalidInput for a file that cannot be read at all.
        """
        statement = self._read(raw, content_type, query)
        imported = self._ledger.save(subject, statement, self._clock(), by, keep=not query.dry_run)
        if query.dry_run:
            return structs.replace(imported, preview=[_previewed(row) for row in statement.transactions[:PREVIEWED]])
        if any(imported.saved.values()):
            self._announcements.announce("Transactions Ingested", {"subject": str(subject)})
            self._tell(subject)
        return imported

    def _read(self, raw: bytes, content_type: str, query: ImportQuery) -> BankStatement:
        kind = content_type.partition(";")[0].strip().lower()
        today = self._clock().date()
        try:
            if kind == "application/json":
                return from_json(raw, today, query)
            if kind == "text/csv":
                return from_csv(raw, query, today)
        finally:
            forget()
        raise unknown_kind(kind)


def _previewed(row: BankTransaction) -> PreviewRow:
    return PreviewRow(
        line=row.line,
        account_id=row.account,
        posted_on=row.posted_on,
        amount_cents=row.amount_cents,
        name=row.name,
        merchant=row.merchant or None,
        category=row.category.detailed,
        pending=row.pending,
    )
