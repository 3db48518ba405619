"""A job's steps: the same bytes as a single call, even with repeated, failed or resumed steps."""

import gzip
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from chalicelib.errors import Conflict, InvalidInput, OmnibusError, UpstreamUnavailable
from chalicelib.predictions import scan, tables
from chalicelib.predictions.places import ObjectUri
from tests.properties import examples
from tests.unit.predictions.studio import DATA, OUTPUT, Machine, Studio, csv_of, rows, trained


@pytest.fixture
def ready(studio, monkeypatch):
    monkeypatch.setattr("chalicelib.predictions.estimators.GRID_BYTES", 100)
    monkeypatch.setattr(scan, "READ_BYTES", 1000)
    studio.publish(trained("linear"))
    studio.objects.put(DATA, csv_of(rows(200)))
    return studio


@pytest.fixture
def machine(ready):
    return Machine(ready)


def single_call(studio, **changes):
    """The bytes of a single call; the output is free again afterwards."""
    request = studio.request(**changes)
    studio.service().predict(request, lambda: 900)
    bucket, _, key = request.output_s3_uri.removeprefix("s3://").partition("/")
    return studio.objects.content.pop(ObjectUri(bucket, key))


def test_a_job_makes_the_bytes_of_a_single_call(ready, machine):
    expected = single_call(ready)

    done = machine.run()

    assert ready.objects.get(OUTPUT) == expected
    assert (done.rows, done.bytes) == (200, len(expected))
    job = machine.jobs.get("job")
    assert (job.state, job.rows_done, job.rows_total, job.output_bytes) == ("succeeded", 200, 200, len(expected))
    assert job.parts_done == job.parts_total > 10


FIELD = st.text('ab,"\n1', max_size=8)
LINES = st.lists(st.tuples(FIELD, st.floats(-9, 9), st.floats(-9, 9), st.booleans()), min_size=1, max_size=60)


@pytest.mark.slow
@examples(40, HealthCheck.function_scoped_fixture)
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from([1, 37, 100, 1000]))
def test_newlines_and_marks_at_the_borders_of_parts_change_nothing(monkeypatch, lines, end, last, grid):
    monkeypatch.setattr("chalicelib.predictions.estimators.GRID_BYTES", grid)
    monkeypatch.setattr(scan, "READ_BYTES", 64)
    studio = Studio()
    studio.publish(trained("linear"))
    text = "id,x,y" + end
    for name, x, y, blank in lines:
        text += '"' + name.replace('"', '""') + f'",{x!r},{y!r}' + end + end * blank
    studio.objects.put(DATA, (text if last else text.rstrip("\r\n")).encode())
    expected = single_call(studio)

    done = Machine(studio, part_bytes=200).run()

    assert studio.objects.get(OUTPUT) == expected
    assert done.rows == len(lines)


def test_gzip_out_is_the_same_too(ready, machine):
    output = "s3://output/out/rows.csv.gz"
    expected = single_call(ready, output_s3_uri=output)
    machine.run(output_s3_uri=output)
    assert ready.objects.get(output) == expected
    assert gzip.decompress(expected).count(b"\n") == 201


def test_gzip_in_is_one_part(ready, machine):
    data = "s3://data/in/rows.csv.gz"
    ready.objects.put(data, gzip.compress(csv_of(rows(50))))
    expected = single_call(ready, data_s3_uri=data)

    done = machine.run(data_s3_uri=data)

    assert ready.objects.get(OUTPUT) == expected
    assert done.rows == 50
    assert machine.jobs.get("job").rows_total == 50


@pytest.mark.parametrize("output", ["s3://output/out/rows.parquet", OUTPUT])
def test_parquet_is_the_same_too(ready, machine, monkeypatch, output):
    monkeypatch.setattr(tables, "MAX_BATCH_ROWS", 30)
    words = pa.array([None if number % 7 == 0 else f"word {number % 3}" for number in range(200)])
    out = io.BytesIO()
    table = pa.table({"x": rows(200)[:, 0], "name": words, "y": rows(200)[:, 1], "n": np.arange(200)})
    pq.write_table(table, out, row_group_size=50)
    ready.objects.put("s3://data/in/rows.parquet", out.getvalue())
    asked = {"data_s3_uri": "s3://data/in/rows.parquet", "output_s3_uri": output}
    expected = single_call(ready, **asked)

    machine.run(**asked)

    assert machine.jobs.get("job").parts_total > 1
    assert ready.objects.get(output) == expected


def test_csv_to_parquet_is_the_same_too(ready, machine):
    output = "s3://output/out/rows.parquet"
    expected = single_call(ready, output_s3_uri=output)
    machine.run(output_s3_uri=output)
    assert ready.objects.get(output) == expected
    assert pq.read_table(io.BytesIO(expected)).num_rows == 200


@pytest.mark.parametrize("output", [OUTPUT, "s3://output/out/rows.csv.gz", "s3://output/out/rows.parquet"])
def test_probabilities_are_the_same_too(ready, machine, output):
    ready.publish(trained("classifier"))
    asked = {"output_s3_uri": output, "probabilities": True}
    expected = single_call(ready, **asked)
    machine.run(**asked)
    assert machine.jobs.get("job").parts_total > 1
    assert ready.objects.get(output) == expected


def test_small_data_is_one_part(ready):
    machine = Machine(ready, single_call_bytes=1 << 30)
    machine.submit()
    assert len(machine.parts()) == 1


def test_every_step_may_run_twice(ready, machine):
    expected = single_call(ready)
    machine.submit()
    parts = machine.parts()
    assert machine.parts() == parts
    for part in [*parts, *parts]:
        machine.score(part)

    first = machine.complete()
    second = machine.complete()
    machine.store.jobs["job"]["state"] = "completing"  # as if the first had ended before it could say so
    third = machine.complete()

    assert first == second == third
    assert ready.objects.get(OUTPUT) == expected
    assert machine.jobs.get("job").state == "succeeded"


def test_a_part_that_is_done_is_not_scored_again(ready, machine, monkeypatch):
    machine.submit()
    part = machine.parts()[0]
    first = machine.score(part)
    monkeypatch.setattr("chalicelib.predictions.distributed.score_span", None)
    assert machine.score(part) == first


def test_a_fault_that_may_pass_leaves_the_job_running_and_its_parts(ready, machine):
    expected = single_call(ready)
    machine.submit()
    first, *others = machine.parts()
    machine.score(first)

    def fail(pinned, start):
        raise UpstreamUnavailable("later")

    ready.objects.on_read, healthy = fail, ready.objects.on_read
    with pytest.raises(UpstreamUnavailable):
        machine.score(others[0])
    assert machine.jobs.get("job").state == "running"

    ready.objects.on_read = healthy
    for part in others:
        machine.score(part)
    machine.complete()
    assert ready.objects.get(OUTPUT) == expected


def test_a_bad_row_fails_the_job_by_name_and_nothing_appears(ready, machine):
    lines = csv_of(rows(200)).splitlines()
    lines[150] = b"bad,1,oops"
    ready.objects.put(DATA, b"\n".join(lines))
    machine.submit()

    for part in machine.parts():
        if part.first_row < 150 <= part.first_row + part.rows:
            with pytest.raises(InvalidInput):
                machine.score(part)

    job = machine.jobs.get("job")
    assert (job.state, job.error.code) == ("failed", "non_numeric_feature")
    assert job.error.message.startswith("row 150, column 'y': is 'oops'")
    assert ready.objects.get(OUTPUT) is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_data"),
        (b"id,x,y\n", "empty_data"),
        (b'id,x,y\na,1,2\nb"b,1,2\n', "malformed_csv"),
        (b"id,x\na,1\n", "missing_column"),
    ],
)
def test_what_a_single_call_refuses_the_plan_refuses(ready, machine, data, code):
    machine.submit()
    ready.objects.put(DATA, data)
    with pytest.raises(InvalidInput) as refused:
        machine.plan()
    assert refused.value.code == code
    assert machine.jobs.get("job").error.code == code


def test_a_failed_job_that_is_taken_up_again_keeps_its_parts(ready, machine, monkeypatch):
    expected = single_call(ready)
    machine.submit()
    parts = machine.parts()
    for part in parts[:5]:
        machine.score(part)
    machine.jobs.workflow.failures["run:job-1"] = "Lambda.Unknown"
    machine.jobs.redrive("job")

    scored = []
    whole = scan.score_span
    monkeypatch.setattr(
        "chalicelib.predictions.distributed.score_span",
        lambda task, span, *rest, **named: scored.append(span) or whole(task, span, *rest, **named),
    )
    assert machine.parts() == parts
    for part in parts:
        machine.score(part)
    machine.complete()

    assert len(scored) == len(parts) - 5
    assert ready.objects.get(OUTPUT) == expected


def test_a_job_whose_data_changed_is_not_taken_up_again(ready, machine):
    machine.submit()
    parts = machine.parts()
    ready.objects.put(DATA, csv_of(rows(200, seed=9)))

    with pytest.raises(Conflict) as refused:
        machine.score(parts[0])
    assert refused.value.code == "object_changed"
    with pytest.raises(Conflict) as refused:
        machine.plan()
    assert refused.value.code == "object_changed"


def test_a_model_that_is_published_anew_does_not_mix_into_a_job(ready, machine):
    machine.submit()
    first, second, *_ = machine.parts()
    machine.score(first)
    ready.publish(trained("boosting"))

    with pytest.raises(InvalidInput) as refused:
        machine.score(second)
    assert refused.value.code == "model_digest"


def test_a_cancelled_job_goes_no_further(ready, machine):
    machine.submit()
    parts = machine.parts()
    machine.jobs.cancel("job")

    for act in (
        lambda: machine.score(parts[0]),
        lambda: machine.complete(),
        lambda: machine.plan(),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "cancelled"
    assert ready.objects.get(OUTPUT) is None
    assert machine.jobs.get("job").state == "cancelled"


def test_a_step_of_a_job_that_has_ended_is_out_of_turn(ready, machine):
    machine.run()
    with pytest.raises(Conflict) as refused:
        machine.plan()
    assert refused.value.code == "out_of_turn"  # not "cancelled", on which the run would end as if all were well


def test_an_output_that_came_first_is_not_replaced(ready, machine):
    machine.submit()
    for part in machine.parts():
        machine.score(part)
    ready.objects.put(OUTPUT, b"precious")

    with pytest.raises(Conflict) as refused:
        machine.complete()
    assert refused.value.code == "output_exists"
    assert ready.objects.get(OUTPUT) == b"precious"
    assert machine.jobs.get("job").error.code == "output_exists"


def test_a_part_near_its_deadline_fails_clean(ready, machine):
    machine.submit()
    part = machine.parts()[0]
    with pytest.raises(OmnibusError) as failed:
        machine.score(part, 5)
    assert failed.value.code == "out_of_time"
    assert ready.objects.get("s3://scratch/jobs/job/parts/00001") is None


def test_a_job_that_broke_after_its_output_was_written_is_taken_up_again(ready, machine):
    expected = single_call(ready)
    machine.run()
    machine.store.jobs["job"].update(state="completing")  # written, and the table then refused to be told
    machine.workflow.failures["run:job-1"] = "States.Timeout"
    machine.jobs.redrive("job")

    for part in machine.parts():
        machine.score(part)
    machine.complete()

    assert machine.jobs.get("job").state == "succeeded"
    assert ready.objects.get(OUTPUT) == expected


def test_a_part_of_an_old_run_does_not_fail_the_job_that_is_taken_up_again(ready, machine):
    machine.submit()
    part = machine.parts()[0]
    machine.workflow.failures["run:job-1"] = "broke"
    machine.jobs.redrive("job")

    with pytest.raises(Conflict):
        machine.score(part)

    assert machine.jobs.get("job").state == "queued"


def test_a_part_that_the_scratch_bucket_forgot_is_scored_again(ready, machine):
    expected = single_call(ready)
    machine.submit()
    parts = machine.parts()
    for part in parts:
        machine.score(part)
    del ready.objects.content[ObjectUri("scratch", "jobs/job/parts/00002")]

    for part in parts:
        machine.score(part)
    machine.complete()

    assert ready.objects.get(OUTPUT) == expected


def test_rows_of_gzip_are_told_even_if_they_were_not_counted(ready, machine):
    data = "s3://data/in/rows.csv.gz"
    ready.objects.put(data, gzip.compress(csv_of(rows(50))))
    machine.submit(data_s3_uri=data)
    (part,) = machine.parts()
    machine.score(part)
    machine.store.get = lambda job_id: {**machine.store.jobs[job_id], "parts_done": 0, "rows_done": 0}

    assert machine.score(part).rows == 50
    assert machine.complete().rows == 50


@pytest.mark.parametrize("output", [OUTPUT, "s3://output/out/rows.parquet"])
@pytest.mark.parametrize("blank", [250, 1000])
def test_blocks_and_parts_of_blank_lines_alone_are_no_rows(ready, machine, output, blank):
    ready.objects.put(DATA, csv_of(rows(20)) + b"\n" * blank + b"last,1,2\n" + b"\n" * blank)
    expected = single_call(ready, output_s3_uri=output)

    done = machine.run(output_s3_uri=output)

    assert done.rows == 21
    assert ready.objects.get(output) == expected


def test_row_groups_make_no_more_parts_than_a_map_takes(ready, machine, monkeypatch):
    monkeypatch.setattr("chalicelib.predictions.distributed.MAX_PARTS", 10)
    data = "s3://data/in/rows.parquet"
    ones, out = np.ones(50_000), io.BytesIO()
    pq.write_table(pa.table({"x": ones, "y": ones}), out, row_group_size=500, use_dictionary=False, compression="zstd")
    ready.objects.put(data, out.getvalue())
    machine.submit(data_s3_uri=data)

    assert len(machine.parts()) <= 11


def test_an_unknown_failure_is_for_the_engine_to_retry(ready, machine, monkeypatch):
    machine.submit()
    part = machine.parts()[0]
    monkeypatch.setattr("chalicelib.predictions.distributed.score_span", None)
    with pytest.raises(TypeError):
        machine.score(part)
    assert machine.jobs.get("job").state == "running"
