"""Settings of the database and of retention reach the services that need them."""

from datetime import timedelta
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from chalicelib.settings import Settings
from chalicelib.wiring import Services
from tests.environment import ENVIRONMENT


class Vault:
    """One secret, as RDS manages it: without a host."""

    def read(self, arn: str) -> dict[str, Any]:
        return {"username": "ann", "password": "secret"}

    def forget(self, arn: str) -> None:
        raise NotImplementedError


def test_the_host_and_the_retention_of_the_stack() -> None:
    given = {
        "OMNIBUS_SPENDSENSE_DATABASE_HOST": "proxy.example.com",
        "OMNIBUS_SPENDSENSE_DATABASE_NAME": "people",
        "OMNIBUS_SPENDSENSE_RETENTION_DAYS": "30",
    }
    services = Services(Settings.from_environ({**ENVIRONMENT, **given}))
    services.shared.secrets = Vault()
    found = conninfo_to_dict(services.spendsense.database._target.read())
    assert (found["host"], found["dbname"], found["user"]) == ("proxy.example.com", "people", "ann")
    assert services.spendsense.jobs._retention == timedelta(days=30)
