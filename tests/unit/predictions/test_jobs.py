"""Jobs: one token, one job; the caller's actions in each state."""

import itertools
from contextlib import suppress

import pytest

from chalicelib.errors import Conflict, Forbidden, InvalidInput, NotFound, UpstreamUnavailable
from chalicelib.predictions.jobs import PredictionJobs
from chalicelib.predictions.models import PredictionJobsQuery, PreviewRequest, SplitRows
from tests.fakes.clock import Clock
from tests.fakes.predictions import MemoryHolder, MemoryJobs, MemoryNews, MemoryWorkflow
from tests.unit.predictions.studio import ALLOWED, DATA, MODEL, OUTPUT, Machine, csv_of, rows, trained


@pytest.fixture
def ready(studio):
    studio.publish(trained("linear"))
    studio.objects.put(DATA, csv_of(rows(5)))
    return studio


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def news():
    return MemoryNews()


@pytest.fixture
def jobs(ready, clock, news):
    numbers = itertools.count(1)
    store = MemoryJobs()
    told, holder = news.about(store), MemoryHolder(lambda asked: ready.service().respond(asked, lambda: 900))
    new_id = (f"id-{number}" for number in numbers).__next__
    return PredictionJobs(ready.objects, store, MemoryWorkflow(), ALLOWED, clock, new_id, told, holder)


def test_a_job_is_submitted_and_its_run_started(jobs, ready):
    job = jobs.submit(ready.request())

    assert (job.job_id, job.state, job.attempt, job.output_s3_uri) == ("id-1", "queued", 1, OUTPUT)
    assert jobs.workflow.started == [("id-1-1", "id-1")]


def test_the_same_token_twice_is_one_job_and_one_run(jobs, ready):
    first = jobs.submit(ready.request(client_token="today"))
    second = jobs.submit(ready.request(client_token="today"))

    assert first == second
    assert jobs.workflow.started == [(f"{first.job_id}-1", first.job_id)]


def test_the_same_token_after_the_output_exists_is_still_that_job(jobs, ready):
    first = jobs.submit(ready.request(client_token="today"))
    jobs.store.update(first.job_id, {"state": "succeeded"}, states=["queued"])
    ready.objects.put(OUTPUT, b"done")

    assert jobs.submit(ready.request(client_token="today")).state == "succeeded"
    assert len(jobs.workflow.started) == 1


def test_a_token_of_another_request_is_refused(jobs, ready):
    jobs.submit(ready.request(client_token="today"))
    with pytest.raises(Conflict) as refused:
        jobs.submit(ready.request(client_token="today", prediction_column_name="cost"))
    assert refused.value.code == "token_reused"


def test_a_job_that_was_stored_but_not_started_is_started_by_the_same_token(jobs, ready):
    first = jobs.submit(ready.request(client_token="today"))
    jobs.workflow.started.clear()

    assert jobs.submit(ready.request(client_token="today")).job_id == first.job_id
    assert len(jobs.workflow.started) == 1


def test_an_engine_that_does_not_start_leaves_a_failed_job(jobs, ready, monkeypatch):
    def refuse(name, job_id):
        raise UpstreamUnavailable("later")

    monkeypatch.setattr(jobs.workflow, "start", refuse)
    with pytest.raises(UpstreamUnavailable):
        jobs.submit(ready.request())
    assert jobs.get("id-1").error.code == "not_started"


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"data_s3_uri": "s3://data/in/none.csv"}, NotFound, "no_such_object"),
        ({"model_s3_uri": "s3://models/none.skops"}, NotFound, "no_such_object"),
        ({"data_s3_uri": "s3://other/in/none.csv"}, Forbidden, "not_allowed"),
        ({"output_s3_uri": "s3://output/out/there.csv"}, Conflict, "output_exists"),
    ],
)
def test_what_can_be_seen_at_once_is_refused_at_once(jobs, ready, changes, kind, code):
    ready.objects.put("s3://output/out/there.csv", b"precious")
    with pytest.raises(kind) as refused:
        jobs.submit(ready.request(**changes))
    assert refused.value.code == code
    assert jobs.store.jobs == {}


def test_a_job_that_is_not_there(jobs):
    for act in (jobs.get, jobs.cancel, jobs.redrive):
        with pytest.raises(NotFound) as refused:
            act("nothing")
        assert refused.value.code == "no_such_job"
        with pytest.raises(NotFound):
            act("x" * 3000)  # longer than a key may be


def test_progress_counts_parts_and_rows(jobs, ready):
    jobs.submit(ready.request())
    jobs.store.update("id-1", {"state": "running", "parts_total": 3, "rows_total": 9}, states=["queued"])
    jobs.store.add_part("id-1", 2, 4)
    jobs.store.add_part("id-1", 2, 4)

    job = jobs.get("id-1")
    assert (job.rows_done, job.rows_total, job.parts_done, job.parts_total) == (4, 9, 1, 3)


def test_a_run_that_broke_down_is_noticed(jobs, ready, clock):
    jobs.submit(ready.request())
    jobs.workflow.failures["run:id-1-1"] = "States.Timeout"
    clock.advance(minutes=1)

    job = jobs.get("id-1")
    assert (job.state, job.error.code, job.error.message) == ("failed", "workflow_failed", "States.Timeout")
    assert job.updated_at == clock.now


def test_a_job_whose_run_nobody_started_can_be_taken_up(jobs, ready, clock, monkeypatch):
    class Killed(BaseException):
        """The function's end, which no code sees."""

    def killed(name, job_id):
        raise Killed

    with monkeypatch.context() as patch, suppress(Killed):
        patch.setattr(jobs.workflow, "start", killed)
        jobs.submit(ready.request())
    clock.advance(seconds=30)
    assert jobs.get("id-1").state == "queued"
    clock.advance(seconds=31)
    assert jobs.get("id-1").error.code == "not_started"
    assert jobs.redrive("id-1").attempt == 2


def test_a_job_that_runs_is_not_given_up_because_its_run_was_not_noted(jobs, ready, clock):
    jobs.submit(ready.request())
    jobs.store.update("id-1", {"state": "running", "run": None}, states=["queued"])
    clock.advance(minutes=10)
    assert jobs.get("id-1").state == "running"


def test_a_look_at_a_job_that_is_just_taken_up_again_does_not_see_its_old_run(jobs, ready, monkeypatch):
    jobs.submit(ready.request())
    jobs.workflow.failures["run:id-1-1"] = "broke"
    seen = []
    start = jobs.workflow.start

    def look_and_start(name, job_id):
        seen.append(jobs.get(job_id).state)
        return start(name, job_id)

    monkeypatch.setattr(jobs.workflow, "start", look_and_start)
    assert jobs.redrive("id-1").state == "queued"
    assert seen == ["queued"]


def test_cancelling_stops_the_run_and_twice_is_once(jobs, ready):
    jobs.submit(ready.request())
    assert jobs.cancel("id-1").state == "cancelled"
    assert jobs.cancel("id-1").state == "cancelled"
    assert set(jobs.workflow.stopped) == {"run:id-1-1"}


def test_of_two_who_cancel_at_once_both_are_told_that_it_is_cancelled(jobs, ready, monkeypatch):
    jobs.submit(ready.request())
    update = jobs.store.update

    def after_another(job_id, changes, states):
        update(job_id, changes, states=states)
        return update(job_id, changes, states=states)

    monkeypatch.setattr(jobs.store, "update", after_another)
    assert jobs.cancel("id-1").state == "cancelled"


@pytest.mark.parametrize("state", ["completing", "succeeded", "failed"])
def test_what_is_completing_or_has_ended_is_not_cancelled(jobs, ready, state):
    jobs.submit(ready.request())
    jobs.store.jobs["id-1"]["state"] = state
    with pytest.raises(Conflict) as refused:
        jobs.cancel("id-1")
    assert refused.value.code == "not_cancellable"
    assert jobs.workflow.stopped == []


def test_a_failed_job_is_taken_up_again_under_a_new_name(jobs, ready):
    jobs.submit(ready.request())
    jobs.workflow.failures["run:id-1-1"] = "broke"

    job = jobs.redrive("id-1")

    assert (job.state, job.attempt, job.error) == ("queued", 2, None)
    assert jobs.workflow.started[-1] == ("id-1-2", "id-1")


@pytest.mark.parametrize("state", ["running", "succeeded", "cancelled"])
def test_only_failed_jobs_are_taken_up_again(jobs, ready, state):
    jobs.submit(ready.request())
    jobs.store.jobs["id-1"]["state"] = state
    with pytest.raises(Conflict) as refused:
        jobs.redrive("id-1")
    assert refused.value.code == "not_failed"


def test_pages_are_newest_first(jobs, ready, clock):
    for _ in range(5):
        jobs.submit(ready.request())
        clock.advance(seconds=1)

    first = jobs.page(PredictionJobsQuery(limit=2))
    second = jobs.page(PredictionJobsQuery(limit=2, after=first.next))
    third = jobs.page(PredictionJobsQuery(limit=2, after=second.next))

    assert [[job.job_id for job in page.jobs] for page in (first, second, third)] == [
        ["id-5", "id-4"],
        ["id-3", "id-2"],
        ["id-1"],
    ]
    assert third.next is None


def test_the_days_jobs_by_how_they_ended(jobs, ready, clock):
    jobs.submit(ready.request())
    clock.advance(days=1)
    today = [jobs.submit(ready.request()).job_id for _ in range(4)]
    for job_id, state in zip(today, ("succeeded", "failed", "failed"), strict=False):
        jobs.store.update(job_id, {"state": state}, states=["queued"])

    assert jobs.today() == {"active": 2, "begun": 4, "succeeded": 1, "failed": 2}


def finish(jobs, ready, job, rows=500):
    """What the steps leave behind."""
    place = ready.place_of(job.output_s3_uri)
    ready.objects.content[place], ready.objects.marks[place] = b"id,x,y,price\na,1,2,3\n", job.job_id
    jobs.store.update(job.job_id, {"state": "succeeded", "rows_total": rows}, states=["queued"])


def test_the_same_work_is_not_done_again(jobs, ready):
    first = jobs.submit(ready.request())
    finish(jobs, ready, first)

    again = jobs.submit(ready.request(client_token="another", overwrite=True))

    assert (again.job_id, again.reused, again.state) == (first.job_id, True, "succeeded")
    assert len(jobs.workflow.started) == 1
    assert jobs.submit(ready.request(fresh=True, overwrite=True)).job_id != first.job_id


@pytest.mark.parametrize("changed", ["data", "model", "request", "output", "failed"])
def test_other_work_is_done(jobs, ready, changed):
    first = jobs.submit(ready.request())
    finish(jobs, ready, first)
    if changed == "data":
        ready.objects.put(DATA, ready.objects.get(DATA) + b"r,1,2\n")
    if changed == "model":
        ready.objects.put(MODEL, b"another model")
    if changed == "output":
        ready.objects.marks[ready.place_of(OUTPUT)] = "somebody else"
    if changed == "failed":
        jobs.store.update(first.job_id, {"state": "failed"}, states=["succeeded"])
    more = {"prediction_column_name": "p"} if changed == "request" else {}
    assert jobs.submit(ready.request(overwrite=True, **more)).job_id != first.job_id


def test_a_dry_run_reckons_and_starts_nothing(jobs, ready):
    job = jobs.check(ready.request())

    assert (job.state, job.estimate.rows, job.estimate.rows_are_counted) == ("checked", 5, True)
    assert [feature.name for feature in job.estimate.features] == ["x", "y"]
    assert jobs.workflow.started == jobs.page(PredictionJobsQuery()).jobs == []
    ready.objects.put(DATA, b"id,x,y\na,1,two\n")
    with pytest.raises(InvalidInput) as refused:
        jobs.check(ready.request())
    assert refused.value.code == "non_numeric_feature"


def test_a_preview_scores_records_and_split_rows(jobs, ready):
    records = {"dataframe_records": ({"x": 1.5, "y": 2, "extra": "kept out"}, {"y": 0, "x": 3})}
    split = {"dataframe_split": SplitRows(columns=("y", "x"), data=((2, 1.5), (0, 3)))}
    wanted = trained("linear").predict([[1.5, 2], [3, 0]]).tolist()
    for sent in (records, split):
        assert jobs.preview(PreviewRequest(model_s3_uri=MODEL, **sent)).predictions == wanted


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ({}, "no_rows"),
        ({"dataframe_records": ({"x": 1, "y": "two"},)}, "non_numeric_feature"),
        ({"dataframe_records": ({"x": 1},)}, "missing_value"),
        ({"dataframe_split": SplitRows(columns=("x", "y"), data=((1,),))}, "ragged_row"),
        ({"dataframe_records": ({"x": 1, "y": 2},), "probabilities": True}, "no_probabilities"),
    ],
)
def test_previews_that_are_refused(jobs, ready, rows, code):
    with pytest.raises(InvalidInput) as refused:
        jobs.preview(PreviewRequest(model_s3_uri=MODEL, **rows))
    assert refused.value.code == code


def test_probabilities_in_a_preview(jobs, ready):
    ready.publish(trained("classifier"))
    rows = ({"x": 1, "y": 2}, {"x": -3, "y": 0})
    preview = jobs.preview(PreviewRequest(model_s3_uri=MODEL, dataframe_records=rows, probabilities=True))
    assert preview.classes == ["=high", "low,er", "mid"]
    assert preview.probabilities == trained("classifier").predict_proba([[1, 2], [-3, 0]]).tolist()


def test_the_end_of_a_job_is_announced_and_its_progress_posted(ready):
    machine = Machine(ready)
    machine.jobs.watch("socket-1", "https://sockets")
    machine.jobs.watch("gone", "https://sockets")
    machine.news.gone.add("gone")

    machine.run()

    ((kind, detail),) = machine.news.events
    assert (kind, detail["state"], detail["rows_total"]) == ("Prediction Succeeded", "succeeded", 5)
    states = [message["job"]["state"] for _, message in machine.news.messages]
    assert (states[0], states[-1]) == ("running", "succeeded")
    done = [message["job"]["rows_done"] for _, message in machine.news.messages]
    assert done == sorted(done)
    assert {socket for socket, _ in machine.news.messages} == {"socket-1"} == set(machine.store.sockets)
    assert machine.jobs.get("job").model_sha256 is not None


def test_failed_and_cancelled_jobs_are_announced(ready):
    machine = Machine(ready)
    machine.submit()
    machine.jobs.cancel("job")
    other = Machine(ready)
    ready.objects.put(DATA, b"id,x,y\na,1,two\n")
    other.submit()
    with pytest.raises(InvalidInput):
        other.plan()
    told = [(kind, (detail["error"] or {}).get("code")) for kind, detail in machine.news.events + other.news.events]
    assert told == [("Prediction Cancelled", None), ("Prediction Failed", "non_numeric_feature")]


def test_jobs_of_one_state(jobs, ready):
    first = jobs.submit(ready.request())
    jobs.submit(ready.request(output_s3_uri="s3://output/out/other.csv"))
    jobs.cancel(first.job_id)
    assert [job.job_id for job in jobs.page(PredictionJobsQuery(state="cancelled")).jobs] == [first.job_id]
