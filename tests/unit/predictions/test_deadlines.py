"""Near the deadline: each step ends while it still can, and what is handed over gets parts that fit."""

from concurrent.futures import Executor, Future

import pytest

from chalicelib.predictions import estimators as models
from chalicelib.predictions import scan
from chalicelib.predictions.deadline import MARGIN_S, OutOfTime, ScoringDeadline
from chalicelib.predictions.estimators import LoadedModel
from tests.unit.predictions.studio import DATA, OUTPUT, OUTPUT_PARQUET, PARQUET, Machine, csv_of, parquet_of, rows


@pytest.fixture
def blocks(ready, monkeypatch):
    """Many blocks."""
    monkeypatch.setattr(models, "GRID_BYTES", 100)
    monkeypatch.setattr(scan, "READ_BYTES", 1000)
    return ready


@pytest.fixture
def slow(monkeypatch):
    """Every block takes the clock so many seconds."""

    def slow_down(clock, seconds):
        predict = LoadedModel.columns

        def columns(self, names, matrix):
            clock.advance(seconds=seconds)
            return predict(self, names, matrix)

        monkeypatch.setattr(LoadedModel, "columns", columns)

    return slow_down


def test_a_loop_ends_while_its_longest_turn_still_fits_twice():
    left = [900.0]
    deadline = ScoringDeadline(lambda: left[0])
    for left[0] in (890.0, 690.0, 2 * 200 + MARGIN_S):  # turns of 10, 200 and 230 s
        if left[0] > 2 * 230 + MARGIN_S:
            deadline.check()
        else:
            with pytest.raises(OutOfTime):
                deadline.check()


class UnderWay(Future):
    """A result that is there by the time that one has waited for it."""

    def done(self):
        return False


def test_a_block_that_would_end_too_late_is_not_waited_for():
    left = [900.0]
    deadline = ScoringDeadline(lambda: left[0])
    done, under_way = Future(), UnderWay()
    done.set_result("scored")
    under_way.set_result("too late")
    left[0] = 450.0  # the first block took that long
    assert scan._wait(deadline, done) == "scored"
    with pytest.raises(OutOfTime):
        scan._wait(deadline, under_way)
    left[0] = 50.0
    with pytest.raises(OutOfTime):
        scan._wait(deadline, done)


class AtOnce(Executor):
    """Every block is done by the time that anybody asks."""

    def submit(self, work, *arguments):
        done = Future()
        done.set_result(work(*arguments))
        return done


def test_what_is_done_is_written_however_long_it_took(ready, slow, monkeypatch):
    monkeypatch.setattr(scan, "ThreadPoolExecutor", lambda *_, **__: AtOnce())
    machine = Machine(ready, single_call_bytes=1 << 30)
    machine.submit()
    (part,) = machine.parts()
    slow(machine.clock, 800)
    began = machine.clock()

    machine.steps.score(part, lambda: 900 - (machine.clock() - began).total_seconds())

    machine.complete()
    assert ready.objects.get(OUTPUT).count(b"\n") == 501


@pytest.mark.parametrize(("single", "part"), [(1 << 30, 1 << 20), (0, 1 << 30)])
def test_a_slow_model_gets_parts_that_fit_into_a_functions_time(blocks, slow, single, part):
    machine = Machine(blocks, single_call_bytes=single, part_bytes=part)
    slow(machine.clock, 60)

    machine.submit()

    size = len(blocks.objects.get(DATA))
    parts = machine.parts()
    assert all(part.stop - part.start < 650 for part in parts)  # six blocks of 100 bytes
    assert len(parts) >= size // 650


def test_a_slow_model_gets_fewer_row_groups(blocks, slow):
    blocks.objects.put(PARQUET, parquet_of(rows(1000), group_rows=100))
    machine = Machine(blocks, single_call_bytes=1 << 30)
    slow(machine.clock, 100)
    machine.submit(data_s3_uri=PARQUET)
    assert [part.rows for part in machine.parts()] == [300, 300, 400]  # three groups are begun in 300 s, or four


def test_a_quick_model_keeps_its_parts(blocks, slow):
    machine = Machine(blocks, single_call_bytes=1 << 30)
    slow(machine.clock, 0.001)
    machine.submit()
    assert len(machine.parts()) == 1


def test_a_call_that_is_handed_over_for_its_time_ends_as_a_job(blocks, slow):
    machine = Machine(blocks, single_call_bytes=1 << 30)
    slow(machine.clock, 60)

    def submit(request):
        return machine.jobs.submit(request).job_id

    began = machine.clock()
    answer = blocks.service(submit=submit, workers=1).predict(
        blocks.request(), lambda: 900 - (machine.clock() - began).total_seconds()
    )
    assert answer.reason == "too long for one call"
    for part in machine.parts():
        began = machine.clock()
        machine.steps.score(part, lambda began=began: 900 - (machine.clock() - began).total_seconds())
    machine.complete()
    assert machine.jobs.get("job").state == "succeeded"
    assert blocks.objects.get(OUTPUT).count(b"\n") == 501


def test_a_plan_near_its_deadline_fails_clean(blocks):
    machine = Machine(blocks)
    machine.submit()
    with pytest.raises(OutOfTime):
        machine.plan(5)
    assert machine.jobs.get("job").error.code == "out_of_time"
    assert blocks.objects.get("s3://scratch/jobs/job/plan.json") is None


@pytest.mark.parametrize("output", [OUTPUT, OUTPUT_PARQUET])
def test_putting_together_near_its_deadline_fails_clean(blocks, output):
    blocks.objects.put(DATA, csv_of(rows(300)))
    machine = Machine(blocks)
    machine.submit(output_s3_uri=output)
    for part in machine.parts():
        machine.score(part)
    with pytest.raises(OutOfTime):
        machine.complete(5)
    assert machine.jobs.get("job").error.code == "out_of_time"
    assert blocks.objects.get(output) is None
