"""The composition root: settings in, services out.

Every service is built when it is first asked for, and once: a function pays only for what it uses. The imports are
inside, because an adapter brings its SDK along and every function shares app.py.
"""

import os
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.settings import Settings, with_file

if TYPE_CHECKING:
    from chalicelib.health import Health


def now() -> datetime:
    """The clock of the running application, in UTC."""
    return datetime.now(UTC)


class Services:
    """What app.py calls; a property for each service, built on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def health(self) -> "Health":
        from chalicelib.health import Health

        return Health(token=self.settings.health_token, checks={})


def bootstrap() -> Services:
    """The services for this process's environment; SettingsError if it is incomplete."""
    environ = with_file(os.environ)
    for name, value in environ.items():
        os.environ.setdefault(name, value)  # boto3 reads its own variables from there
    return Services(Settings.from_environ(environ))
