"""Takes in a large bank file in a process that may take no more memory than the function has.

    python -m tests.contract.spendsense_limited ROWS MIB SUBJECT < URL

RLIMIT_DATA stands for Lambda's limit, as in tests/unit/limited.py.
"""

import resource
import sys
from contextlib import closing
from datetime import timedelta
from uuid import UUID

from chalicelib.adapters.postgres import Postgres
from chalicelib.adapters.spendsense.ledger import PostgresLedger
from chalicelib.spendsense.imports import Imports
from chalicelib.spendsense.models import ImportQuery, Operator
from local.people.load import FixedUrl
from tests.contract.spendsense_people import NOW, TODAY
from tests.fakes.spendsense_aws import FakeAnnouncements
from tests.patience import PATIENCE_MS


def file_of(rows: int) -> bytes:
    """So many rows of 1,500 shops in half a year, a tenth of them refunds."""
    lines = (
        f"{TODAY - timedelta(days=number % 170)},Shop {number % 1500},{'' if number % 10 else '-'}{number % 300}.50"
        for number in range(rows)
    )
    return "\n".join(("date,name,amount", *lines)).encode()


def main() -> None:
    """Write how many rows were kept."""
    rows, mib, person = int(sys.argv[1]), int(sys.argv[2]), UUID(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_DATA, (mib << 20, mib << 20))
    with closing(Postgres(FixedUrl(sys.stdin.read().strip()), statement_timeout_ms=PATIENCE_MS)) as database:
        imports = Imports(ledger=PostgresLedger(database), announcements=FakeAnnouncements(), clock=lambda: NOW)
        query = ImportQuery(account_id="main", amounts="positive_out")
        taken = imports.take(person, file_of(rows), "text/csv", query, Operator(operator=person, request_id="1"))
    sys.stdout.write(str(taken.saved["transactions"]))


if __name__ == "__main__":
    main()
