"""Health of the application. Shallow: it answers. Deep: it checks each dependency, with a deadline each."""

import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.deadline import within
from chalicelib.entry import telemetry
from chalicelib.errors import OmnibusError

DEADLINE_S = 2.0


class HealthQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    deep: Annotated[bool, Meta(description="Check each dependency; for operators.")] = False


class Dependency(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The health of one dependency, and the duration of its check in milliseconds."""

    status: Literal["ok", "failed"]
    ms: int
    problem: str = ""


class HealthReport(Struct, frozen=True, kw_only=True):
    """The state of the application: degraded if a dependency failed."""

    status: Literal["ok", "degraded"]
    dependencies: dict[str, Dependency] = {}


class Health:
    """Checks dependencies concurrently, for operators only."""

    def __init__(self, checks: Mapping[str, Callable[[], object]], *, deadline_s: float = DEADLINE_S) -> None:
        self._checks = checks
        self._deadline_s = deadline_s

    def report(self, query: HealthQuery, admit: Callable[[], object]) -> HealthReport:
        """The report that `query` requests; `admit` raises if the caller may not have a deep one."""
        if not query.deep:
            return HealthReport(status="ok")
        admit()
        from concurrent.futures import ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(max_workers=max(1, len(self._checks)))
        with within(self._deadline_s):  # no check may outlive the answer
            running = {name: pool.submit(copy_context().run, _ask, name, check) for name, check in self._checks.items()}
        answered = wait(running.values(), timeout=self._deadline_s).done
        pool.shutdown(wait=False, cancel_futures=True)
        late = Dependency(
            status="failed", ms=round(self._deadline_s * 1000), problem=f"no answer within {self._deadline_s:g} s"
        )
        found = {name: future.result() if future in answered else late for name, future in running.items()}
        degraded = any(dependency.status == "failed" for dependency in found.values())
        return HealthReport(status="degraded" if degraded else "ok", dependencies=found)


def _ask(name: str, check: Callable[[], object]) -> Dependency:
    """Check one dependency and time the check."""
    problem = ""
    started = time.monotonic()
    try:
        check()
    except OmnibusError as error:
        problem = error.message
    except Exception:  # noqa: BLE001  # a check that fails in its own way is still only a failed dependency
        telemetry.logger.exception("the check of %s failed", name)
        problem = "failed"
    ms = round((time.monotonic() - started) * 1000)
    return Dependency(status="failed" if problem else "ok", ms=ms, problem=problem)
