"""Alarms, dead letters, the day's runs and jobs, and the credits that are left, for operators.

The answer names a part that cannot be read, and shows the others.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, convert

from chalicelib.entry import telemetry
from chalicelib.errors import OmnibusError


class Welcome(Struct, frozen=True, kw_only=True):
    """Links to the console, if there is one, and to the description of this API."""

    service: str
    openapi: str
    console: str | None


class AlarmState(Struct, frozen=True, kw_only=True):
    """An alarm of the stack; docs/runbook.md has a section for each."""

    name: str
    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    reason: str
    since: datetime | None


class DeadLetters(Struct, frozen=True, kw_only=True):
    """The number of messages in a dead-letter queue; `make redrive` sends them to the function again."""

    queue: str
    function: Annotated[str, Meta(description="The function whose dead letters they are.")]
    messages: int


class RunsToday(Struct, frozen=True, kw_only=True):
    """The runs of a UTC day by what became of them so far; `GET /flights/runs` lists them."""

    day: str
    runs: int
    validated: int
    quarantined: int
    failed: int


class JobsToday(Struct, frozen=True, kw_only=True):
    """Prediction jobs: how many are under way, and how those that began today (UTC) ended; of the newest 500."""

    active: int
    begun: int
    succeeded: int
    failed: int


class CreditsLeft(Struct, frozen=True, kw_only=True):
    """The credits and polls that OpenSky still allows today; `GET /flights/guard` has more."""

    credits_left: int
    daily_credits: int
    polls_left: int


class Operations(Struct, frozen=True, kw_only=True):
    """The state of the deployment; a null part is unknown, and `problems` says why."""

    stage: str
    alarms: list[AlarmState] | None
    dead_letters: list[DeadLetters] | None
    runs: RunsToday | None = None
    jobs: JobsToday | None = None
    credits: CreditsLeft | None = None
    problems: dict[str, str]


Answer = Sequence[Mapping[str, Any]] | Mapping[str, Any]
Question = Callable[[], Answer]


class Watch:
    """Asks its questions concurrently; each has the name of its field of `Operations`."""

    def __init__(self, *, stage: str, **questions: Question) -> None:
        self._stage = stage
        self._questions = questions

    def operations(self) -> Operations:
        """The state of the deployment."""
        from concurrent.futures import ThreadPoolExecutor  # no function needs it to start

        with ThreadPoolExecutor(max_workers=len(self._questions)) as pool:
            asked = {name: pool.submit(_ask, name, question) for name, question in self._questions.items()}
        found = {name: future.result() for name, future in asked.items()}
        problems = {name: answer for name, answer in found.items() if isinstance(answer, str)}
        known = {name: None if name in problems else answer for name, answer in found.items()}
        return convert({"stage": self._stage, "problems": problems, **known}, Operations)


def _ask(name: str, question: Question) -> Answer | str:
    try:
        return question()
    except OmnibusError as error:
        return error.message
    except Exception:  # noqa: BLE001  # the rest of the answer stands
        telemetry.logger.exception("reading %s failed", name)
        return "could not be read"
