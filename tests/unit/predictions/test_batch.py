"""The single call: every format, every refusal by its code and status, and nothing partial at the output."""

import gzip
import io
from dataclasses import replace

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import RandomForestRegressor

from chalicelib.entry.invocations import proxy_status
from chalicelib.errors import (
    Forbidden,
    OmnibusError,
    RateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from chalicelib.predictions import scan, tables
from chalicelib.predictions.deadline import OutOfTime
from chalicelib.predictions.estimators import MIB
from chalicelib.predictions.models import HandedOver, PredictionOutcome
from chalicelib.predictions.places import checked_order
from chalicelib.predictions.reuse import FinishedWork
from chalicelib.predictions.trust import MANIFEST_SUFFIX
from tests.fakes.clock import Clock
from tests.fakes.predictions import MemoryJobs
from tests.unit.predictions.studio import (
    ALLOWED,
    CSV_GZ,
    DATA,
    MODEL,
    OUTPUT,
    OUTPUT_GZ,
    OUTPUT_PARQUET,
    PARQUET,
    Machine,
    csv_of,
    parquet_of,
    refusal,
    rows,
    trained,
)


def test_csv_gets_one_more_column_and_keeps_every_byte(ready):
    outcome = ready.predict()

    scored = ready.objects.get(OUTPUT)
    assert outcome == PredictionOutcome(
        rows=500,
        bytes=len(scored),
        model_sha256=ready.models.open(parse("model"), ready.request()).manifest.sha256,
        output_s3_uri=OUTPUT,
        seconds=0.0,
        peak_mib=100.0,
    )
    assert ready.meter.counted == [(500, 0.0)]
    before, after = ready.objects.get(DATA).splitlines(), scored.splitlines()
    assert [line.rsplit(b",", 1)[0] for line in after] == before
    assert after[0] == b"id,x,y,price"
    np.testing.assert_array_equal(pd.read_csv(io.BytesIO(scored))["price"], trained("linear").predict(rows(500)))


def parse(what):
    from chalicelib.predictions.places import parse_uri

    return parse_uri(what, {"model": MODEL, "data": DATA}[what])


@pytest.mark.parametrize("grid", [64, 1000, 1 << 20])
def test_the_result_does_not_depend_on_chunks_and_threads(ready, monkeypatch, grid):
    monkeypatch.setattr("chalicelib.predictions.estimators.GRID_BYTES", grid)
    monkeypatch.setattr(scan, "READ_BYTES", 333)
    ready.predict()
    once = ready.objects.get(OUTPUT)

    monkeypatch.setattr(scan, "READ_BYTES", 77)
    ready.service(workers=1).predict(ready.request(overwrite=True), lambda: 900)

    assert ready.objects.get(OUTPUT) == once
    assert once.count(b"\n") == 501


@pytest.mark.parametrize("kind", ["linear", "forest of 40"])
@pytest.mark.parametrize("mib", [9, 20, 64, 65, 200, 5000])
def test_blocks_share_the_data_evenly_so_that_processors_finish_together(studio, kind, mib):
    estimator = RandomForestRegressor(40, max_depth=2, random_state=0).fit(rows(50), rows(50)[:, 0])
    studio.publish(trained(kind) if kind == "linear" else estimator)
    model = studio.models.open(parse("model"), studio.request())
    grid = model.grid(mib * MIB + 17)
    blocks = -(-(mib * MIB + 17) // grid)
    assert MIB <= grid <= (4 if kind == "linear" else 8) * MIB
    assert blocks % (16 if kind == "linear" else 4) == 0 or grid == MIB


def test_gzip_in_and_out(ready):
    ready.objects.put(CSV_GZ, gzip.compress(csv_of(rows(200))) + gzip.compress(b"r,1,2\nr,3,4\n"))

    outcome = ready.predict(data_s3_uri=CSV_GZ, output_s3_uri=OUTPUT_GZ)

    text = gzip.decompress(ready.objects.get(OUTPUT_GZ))
    assert outcome.rows == 202
    assert text.splitlines()[0] == b"id,x,y,price"
    assert text.splitlines()[-1].startswith(b"r,3,4,")


def test_parquet_in_and_out(ready, monkeypatch):
    monkeypatch.setattr(tables, "MAX_BATCH_ROWS", 64)
    names = pa.array([f"n{number}" for number in range(250)])
    ready.objects.put(PARQUET, parquet_of(rows(250), name=names))

    outcome = ready.predict(data_s3_uri=PARQUET, output_s3_uri=OUTPUT_PARQUET)

    table = pq.read_table(io.BytesIO(ready.objects.get(OUTPUT_PARQUET)))
    assert outcome.rows == 250
    assert table.column_names == ["x", "y", "name", "price"]
    assert table["name"].to_pylist() == names.to_pylist()
    np.testing.assert_array_equal(table["price"], trained("linear").predict(rows(250)))


def test_parquet_to_csv_and_back(ready):
    ready.objects.put(PARQUET, parquet_of(rows(50), name=pa.array(['a,"b"'] * 50)))
    ready.predict(data_s3_uri=PARQUET)
    frame = pd.read_csv(io.BytesIO(ready.objects.get(OUTPUT)))
    assert list(frame.columns) == ["x", "y", "name", "price"]
    assert set(frame["name"]) == {'a,"b"'}
    np.testing.assert_allclose(frame["price"], trained("linear").predict(rows(50)), rtol=0, atol=0)

    ready.objects.put(DATA, b'id,x,y\n"a\nb",1,2\n\nc,,4\n'.replace(b",,", b",3,"))
    ready.predict(output_s3_uri=OUTPUT_PARQUET)
    table = pq.read_table(io.BytesIO(ready.objects.get(OUTPUT_PARQUET)))
    assert table.schema.types == [pa.string(), pa.float64(), pa.float64(), pa.float64()]
    assert table["id"].to_pylist() == ["a\nb", "c"]


def test_integers_of_parquet_become_floats_as_numpy_makes_them(ready):
    large = np.array([2**53 + 1, -(2**62) - 1], np.int64)
    out = io.BytesIO()
    pq.write_table(pa.table({"x": large, "y": pa.array([1, 0], pa.uint8())}), out)
    ready.objects.put(PARQUET, out.getvalue())

    ready.predict(data_s3_uri=PARQUET, output_s3_uri=OUTPUT_PARQUET)

    table = pq.read_table(io.BytesIO(ready.objects.get(OUTPUT_PARQUET)))
    assert table["x"].to_pylist() == large.tolist()
    expected = trained("linear").predict(np.column_stack([large.astype(float), [1.0, 0.0]]))
    np.testing.assert_array_equal(table["price"], expected)


def test_probabilities_are_a_column_a_class_and_labels_are_no_formulas(studio):
    studio.publish(trained("classifier"))
    studio.objects.put(DATA, csv_of(rows(300)))

    studio.predict(probabilities=True)

    text = studio.objects.get(OUTPUT)
    assert text.splitlines()[0] == b'id,x,y,price,price_=high,"price_low,er",price_mid'
    frame = pd.read_csv(io.BytesIO(text))
    assert set(frame["price"]) == {"'=high", "low,er", "mid"}
    probabilities = trained("classifier").predict_proba(rows(300))
    np.testing.assert_array_equal(frame[["price_=high", "price_low,er", "price_mid"]], probabilities)


def test_probabilities_in_parquet_have_the_labels_as_they_are(studio):
    studio.publish(trained("classifier"))
    studio.objects.put(DATA, csv_of(rows(300)))

    studio.predict(probabilities=True, output_s3_uri=OUTPUT_PARQUET)

    table = pq.read_table(io.BytesIO(studio.objects.get(OUTPUT_PARQUET)))
    assert table.column_names[3:] == ["price", "price_=high", "price_low,er", "price_mid"]
    assert table["price"].to_pylist() == trained("classifier").predict(rows(300)).tolist()
    probabilities = trained("classifier").predict_proba(rows(300))
    np.testing.assert_array_equal(np.column_stack(table.columns[4:]), probabilities)


def test_labels_may_be_true_and_false(studio):
    studio.publish(trained("booleans"))
    studio.objects.put(DATA, csv_of(rows(30)))
    studio.predict(probabilities=True)
    studio.predict(probabilities=True, output_s3_uri=OUTPUT_PARQUET)

    expected = trained("booleans").predict(rows(30))
    frame = pd.read_csv(io.BytesIO(studio.objects.get(OUTPUT)))
    assert list(frame.columns)[3:] == ["price", "price_False", "price_True"]
    np.testing.assert_array_equal(frame["price"], expected)
    assert pq.read_table(io.BytesIO(studio.objects.get(OUTPUT_PARQUET)))["price"].to_pylist() == expected.tolist()


def test_truth_is_spelled_alike_whatever_the_data_came_in(studio):
    studio.publish(trained("booleans"))
    studio.objects.put(DATA, b"x,y\n" + b"".join(f"{x},{y}\n".encode() for x, y in rows(30)))
    studio.objects.put(PARQUET, parquet_of(rows(30)))
    studio.predict()
    from_csv = studio.objects.get(OUTPUT)
    studio.predict(data_s3_uri=PARQUET, overwrite=True)
    assert studio.objects.get(OUTPUT).replace(b'"', b"") == from_csv  # Arrow writes words in quotation marks


def test_wide_tables_and_many_classes_come_in_smaller_pieces(studio, monkeypatch):
    def pieces(added, columns=3):
        file = pq.ParquetFile(io.BytesIO(wide[columns]))
        table = tables.ParquetTable(file, file.schema_arrow)
        return [batch.num_rows for batch in tables.read_batches(table, range(1), added)]

    wide = {3: parquet_of(rows(2000), group_rows=2000, z=np.ones(2000))}
    wide[300] = parquet_of(rows(2000), group_rows=2000, **{f"c{number}": np.ones(2000) for number in range(298)})
    monkeypatch.setattr(tables, "BATCH_BYTES", 100_000)

    assert pieces(1)[0] == 2000
    assert (max(pieces(100)) - 1) * 100 * 24 < 100_000
    assert max(pieces(1, 300)) * 300 * 8 < 100_000
    assert sum(pieces(1, 300)) == 2000

    studio.publish(trained("linear"))
    studio.objects.put(DATA, csv_of(rows(5)))
    request = studio.request()
    task = scan.open_task(checked_order(request, ALLOWED), studio.objects, studio.models)
    assert replace(task, added=("p",) * 1000).grid * 50 < task.grid == task.model.grid(task.data.bytes)


def test_labels_of_numbers_stay_numbers(studio):
    studio.publish(trained("numbers"))
    studio.objects.put(DATA, csv_of(rows(30)))
    studio.predict()
    assert {line.rsplit(b",", 1)[1] for line in studio.objects.get(OUTPUT).splitlines()[1:]} == {b"0", b"1"}


@pytest.mark.parametrize("kind", ["linear", "forest", "boosting"])
def test_every_kind_of_model_predicts_what_it_predicts(studio, kind):
    studio.publish(trained(kind))
    studio.objects.put(DATA, csv_of(rows(700, seed=5)))
    studio.predict()
    frame = pd.read_csv(io.BytesIO(studio.objects.get(OUTPUT)))
    np.testing.assert_array_equal(frame["price"], trained(kind).predict(rows(700, seed=5)))


def test_a_model_that_takes_gaps_gets_them(studio):
    studio.publish(trained("boosting"))
    studio.objects.put(DATA, b"id,x,y\na,,1\nb,2,NA\n")
    studio.predict()
    expected = trained("boosting").predict([[np.nan, 1], [2, np.nan]])
    np.testing.assert_array_equal(pd.read_csv(io.BytesIO(studio.objects.get(OUTPUT)))["price"], expected)


@pytest.mark.parametrize(
    ("data", "scored"),
    [
        (b"id,x,y\na,1,2", b"id,x,y,price\na,1,2,"),
        (b"\xef\xbb\xbfid,x,y\r\na,1,2\r\n", b"\xef\xbb\xbfid,x,y,price\r\na,1,2,"),
        (b"id,id,x,y\na,b,1,2\n", b"id,id,x,y,price\na,b,1,2,"),
        (b"y,x\n2,1\n", b"y,x,price\n2,1,"),
        (b'"i,d",x,y\n"a\n""b""",1,2\n', b'"i,d",x,y,price\n"a\n""b""",1,2,'),
        (b"id,x,y\ngr\xfcn,1,2\n", b"id,x,y,price\ngr\xfcn,1,2,"),
    ],
)
def test_headers_and_rows_of_every_kind(ready, data, scored):
    ready.objects.put(DATA, data)
    assert ready.predict().rows == 1
    price = f"{float(trained('linear').predict([[1.0, 2.0]])[0])!r}".encode()
    end = data[len(data.rstrip(b"\r\n")) :]
    assert ready.objects.get(OUTPUT) == scored + price + end


def test_data_that_changes_while_it_is_read_is_refused(ready):
    def change(pinned, start):
        if str(pinned.uri) == DATA and start:
            ready.objects.put(DATA, csv_of(rows(499)))

    ready.objects.on_read = change
    error = refusal(ready)
    assert (error.code, proxy_status(error)) == ("object_changed", 400)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RateLimited("slow down"), 429),
        (UpstreamUnavailable("later"), 503),
        (UpstreamTimeout("later"), 503),
        (OmnibusError("what"), 500),
        (Forbidden("no", code="access_denied"), 400),
    ],
)
def test_faults_of_s3_pass_through_and_leave_nothing(ready, error, status):
    def fail(written):
        if written:
            raise error

    ready.objects.on_write = fail
    assert refusal(ready) is error
    assert proxy_status(error) == status


@pytest.mark.parametrize("nth", [1, 3, 5])
def test_faults_of_s3_pass_through_arrow_too(ready, nth):
    ready.objects.put(PARQUET, parquet_of(rows(60_000), group_rows=20_000))
    reads = iter(range(1, nth + 1))

    def fail(pinned, start):
        if str(pinned.uri) == PARQUET and next(reads) == nth:
            raise RateLimited("slow down")

    ready.objects.on_read = fail
    assert refusal(ready, data_s3_uri=PARQUET).code == "rate_limited"


def test_what_is_too_large_for_one_call_becomes_a_job(ready):
    answer = ready.service(single_call_bytes=100).predict(ready.request(), lambda: 900)

    assert answer == HandedOver(job_id="job-1", reason="too large for one call")
    assert ready.submitted == [ready.request()]
    assert ready.objects.get(OUTPUT) is None


def test_near_its_deadline_a_call_becomes_a_job(ready):
    answer = ready.predict(seconds_left=5)

    assert answer == HandedOver(job_id="job-1", reason="too long for one call")
    assert ready.objects.get(OUTPUT) is None


def test_near_its_deadline_what_cannot_be_split_fails_clean(ready):
    ready.objects.put(CSV_GZ, gzip.compress(csv_of(rows(20))))
    with pytest.raises(OutOfTime) as failed:
        ready.predict(seconds_left=5, data_s3_uri=CSV_GZ)
    assert proxy_status(failed.value) == 500
    assert ready.submitted == []
    assert ready.objects.get(OUTPUT) is None


def test_a_call_that_was_answered_before_is_answered_by_its_output(ready):
    first = ready.predict()
    ready.objects.reads.clear()

    again = ready.predict(overwrite=True, client_token="another")

    assert again == msgspec.structs.replace(first, reused=True)
    assert ready.objects.reads == []
    assert ready.meter.counted == [(500, 0.0)]
    assert not ready.predict(fresh=True, overwrite=True).reused
    assert len(ready.meter.counted) == 2


@pytest.mark.parametrize("changed", ["data", "model", "manifest", "request", "output"])
def test_a_call_for_other_work_is_scored(ready, changed):
    ready.predict()
    if changed == "data":
        ready.objects.put(DATA, csv_of(rows(500, seed=1)))
    if changed == "model":
        ready.publish(trained("boosting"))
    if changed == "manifest":  # the same model, published with other features, say
        ready.objects.put(MODEL + MANIFEST_SUFFIX, ready.objects.get(MODEL + MANIFEST_SUFFIX) + b"\n")
    if changed == "output":
        ready.objects.marks[ready.place_of(OUTPUT)] = "somebody else"
    more = {"prediction_column_name": "p"} if changed == "request" else {}
    assert not ready.predict(overwrite=True, **more).reused


def test_a_job_is_answered_by_the_output_of_a_call_and_a_call_by_that_of_a_job(ready):
    machine = Machine(ready)
    service = ready.service(finished=FinishedWork(ready.objects, machine.store, machine.clock, lambda: "call-1"))
    service.predict(ready.request(), lambda: 900.0)
    job = machine.submit()
    assert (job.job_id, job.reused, job.submitted_by, job.rows_total) == ("call-1", True, "call", 500)
    assert machine.jobs.get("call-1").state == "succeeded"

    other = "s3://output/out/other.csv"
    machine.run(output_s3_uri=other)
    assert service.predict(ready.request(output_s3_uri=other), lambda: 900.0).reused


def test_a_call_succeeds_though_it_cannot_be_stored(ready, caplog):
    class Throttled(MemoryJobs):
        def add(self, job_id, document):
            raise RateLimited("slow down")

    service = ready.service(finished=FinishedWork(ready.objects, Throttled(), Clock(), lambda: "call-1"))
    assert service.predict(ready.request(), lambda: 900.0).rows == 500
    assert "cannot store the call" in caplog.text
