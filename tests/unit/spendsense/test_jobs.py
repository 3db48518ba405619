"""The jobs' own decisions: when to stop, the batch size, the announcements."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.errors import UpstreamTimeout, UpstreamUnavailable
from chalicelib.spendsense.jobs import RESERVE_S, InsightJobs
from chalicelib.spendsense.orders import JobName, JobOrder
from chalicelib.spendsense.values import JobProgress
from tests.fakes.clock import Clock
from tests.fakes.spendsense_aws import FakeAnnouncements

ORDER = JobOrder("run", date(2026, 11, 21))


class Work:
    """A pipeline with so many people left, who take too long together beyond `most` at once."""

    def __init__(self, left: int, most: int = 1_000) -> None:
        self.left = left
        self.most = most
        self.sizes: list[int] = []
        self.done = 0
        self.is_finished = False
        self.forgotten: list[datetime] = []

    def begin(self, job: Any, order: Any, now: Any) -> JobProgress:
        return JobProgress(0, self.done, self.is_finished)

    def advance(self, job: Any, order: Any, size: int, now: Any) -> int:
        self.sizes.append(size)
        if size > self.most:
            raise UpstreamTimeout("too long")
        batch = min(size, self.left)
        self.left -= batch
        self.done += batch
        return batch

    def finish(self, job: Any, order: Any, now: Any) -> JobProgress:
        self.is_finished = True
        return JobProgress(len(self.sizes), self.done, True)

    def forget(self, before: Any, size: int) -> int:
        self.forgotten.append(before)
        return max(0, 3 - len(self.forgotten))


def jobs(
    work: Work, announcements: FakeAnnouncements, counted: list[Any] | None = None, size: int = 100
) -> InsightJobs:
    return InsightJobs(
        pipeline=work,
        announcements=announcements,
        clock=Clock(),
        count=lambda name, value: counted.append((name, value)) if counted is not None else None,
        batch={"compute_features": size, "assign_persona": size, "generate_recommendations": size},
    )


def test_batches_until_nobody_is_left() -> None:
    work, announcements, counted = Work(250), FakeAnnouncements(), []  # type: ignore[var-annotated]
    outcome = jobs(work, announcements, counted).run("compute_features", ORDER, lambda: 300.0)
    assert (outcome.users, work.sizes) == (250, [100, 100, 100, 100])
    assert counted == [("compute_features.users", 250)]
    assert announcements.made == [("Features Computed", {"run_id": "run", "as_of": "2026-11-21"})]


def test_it_stops_in_time_and_announces_nothing() -> None:
    work, announcements = Work(250), FakeAnnouncements()
    left = iter([300.0, RESERVE_S + 1, RESERVE_S - 1])
    with pytest.raises(UpstreamUnavailable):
        jobs(work, announcements).run("compute_features", ORDER, lambda: next(left))
    assert (work.done, announcements.made, work.is_finished) == (200, [], False)


@pytest.mark.parametrize(("most", "sizes"), [(30, [100, 25, 25]), (1, [100, 25, 6, 1, 1])])
def test_what_takes_too_long_is_cut_smaller(most: int, sizes: list[int]) -> None:
    work = Work(1, most)
    jobs(work, FakeAnnouncements()).run("compute_features", ORDER, lambda: 300.0)
    assert work.sizes == sizes


def test_one_person_who_takes_too_long_is_told() -> None:
    with pytest.raises(UpstreamTimeout):
        jobs(Work(1, 0), FakeAnnouncements()).run("compute_features", ORDER, lambda: 300.0)


def test_a_run_that_is_over_is_not_run_again() -> None:
    work, announcements = Work(5), FakeAnnouncements()
    runner = jobs(work, announcements)
    runner.run("compute_features", ORDER, lambda: 300.0)
    again = runner.run("compute_features", ORDER, lambda: 300.0)
    assert (again.already_done, len(announcements.made)) == (True, 1)


@pytest.mark.parametrize(
    ("job", "order", "surveyed"),
    [
        ("generate_recommendations", ORDER, [ORDER.as_of]),
        ("generate_recommendations", JobOrder("run", ORDER.as_of, subject=UUID(int=1)), []),
        ("compute_features", ORDER, []),
    ],
)
def test_coverage_is_surveyed_when_a_run_for_everybody_is_over(
    job: JobName, order: JobOrder, surveyed: list[date]
) -> None:
    seen: list[date] = []
    work = Work(5)

    def survey(as_of: date) -> None:
        assert not work.is_finished  # whoever sees a run that is over sees what it came to
        seen.append(as_of)

    runner = InsightJobs(
        pipeline=work,
        announcements=FakeAnnouncements(),
        clock=Clock(),
        count=lambda name, value: None,
        survey=survey,
    )
    runner.run(job, order, lambda: 300.0)
    assert seen == surveyed


@pytest.mark.parametrize(
    ("job", "order", "times"),
    [
        ("generate_recommendations", ORDER, 3),  # until nothing is left
        ("generate_recommendations", JobOrder("run", ORDER.as_of, subject=UUID(int=1)), 0),
        ("assign_persona", ORDER, 0),
    ],
)
def test_old_records_are_deleted_when_a_run_for_everybody_is_over(job: JobName, order: JobOrder, times: int) -> None:
    work = Work(5)
    runner = InsightJobs(
        pipeline=work,
        announcements=FakeAnnouncements(),
        clock=Clock(),
        count=lambda name, value: None,
        retention_days=30,
    )
    runner.run(job, order, lambda: 300.0)
    assert work.forgotten == [Clock()() - timedelta(days=30)] * times


def test_old_records_wait_when_there_is_no_time_left() -> None:
    work, left = Work(0), iter([300.0, RESERVE_S - 1])
    outcome = jobs(work, FakeAnnouncements()).run("generate_recommendations", ORDER, lambda: next(left))
    assert (outcome.already_done, work.forgotten) == (False, [])
