"""`make invoke`: every function's sample event, invoked in the local cloud, and what it answers."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local import samples
from local.cloud import Cloud
from local.demo.upload_client import browser, open_session
from local.invoke import Invocation, invoke, main
from tests.cloud.test_flights import Flights
from tests.cloud.test_predictions import Predictions
from tests.cloud.test_spendsense import Caller, sign_in
from tests.cloud.test_uploads import item
from tests.unit.predictions.studio import FEATURES, csv_of, rows

pytestmark = pytest.mark.cloud

JPEG = b"\xff\xd8\xff\xe0" + bytes(2_000)


def sent(cloud: Cloud, function: str) -> Invocation:
    """The function's sample, invoked; it must not have failed."""
    event = samples.filled(samples.read_event(samples.sample_of(function)), cloud)
    done = invoke(cloud, function, event)
    assert not done.failed, (done.answer, done.log)
    return done


def test_the_rest_function_looks_at_every_dependency(cloud: Cloud) -> None:
    answer = sent(cloud, "api_handler").answer
    assert answer["statusCode"] == 200
    report = json.loads(answer["body"])
    assert report["status"] == "ok", report
    assert len(report["dependencies"]) > 1


def test_concerts(cloud: Cloud) -> None:
    estimate = sent(cloud, "predict_tickets").answer["result"]
    assert len(estimate["values"]) == 1
    assert estimate["values"][0] > 0
    assert sent(cloud, "refresh_venue_popularity").answer["venues"] > 0


def test_flights(cloud: Cloud) -> None:
    flights = Flights(cloud)
    flights.turn_the_clock()
    tracking_id = sent(cloud, "ingest_flights").answer["tracking_id"]
    flights.settled(tracking_id, "VALIDATED")
    for function in ("process_flights", "validate_flights"):
        assert sent(cloud, function).answer is None, "what a bucket's event gives nobody reads"
        assert flights.settled(tracking_id, "VALIDATED")["tracking_id"] == tracking_id


def test_a_snapshot_is_released_from_quarantine(cloud: Cloud) -> None:
    flights = Flights(cloud)
    flights.turn_the_clock()
    flights.control(extra={"rows": [["short"]] * 200})
    tracking_id = sent(cloud, "ingest_flights").answer["tracking_id"]
    flights.control(extra={"rows": []})
    flights.settled(tracking_id, "QUARANTINED")
    assert tracking_id in json.dumps(sent(cloud, "release_flights").answer["result"])
    assert flights.settled(tracking_id, "RELEASED", "VALIDATED")


def test_a_prediction_in_one_call(cloud: Cloud) -> None:
    predictions = Predictions(cloud)
    predictions.publish()
    predictions.put("rows.csv", csv_of(rows(200)))
    answer = sent(cloud, "predict_batch").answer
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["rows"]) == (200, 200), body
    assert predictions.read(body["output_s3_uri"]).startswith(f"id,{','.join(FEATURES)},predicted".encode())


def test_a_prediction_job_step_by_step(cloud: Cloud) -> None:
    predictions = Predictions(cloud)
    model, output = predictions.publish(), predictions.output("rows.csv")
    predictions.s3.delete_object(Bucket=predictions.models, Key=model.split("/", 3)[3] + ".manifest.json")
    job_id = predictions.submit(predictions.event(model, predictions.put("rows.csv", csv_of(rows(300))), output))
    assert predictions.ended(job_id)["state"] == "failed", "nothing runs it now but we"
    predictions.publish()

    assert sent(cloud, "predict_plan").answer["parts"] == 1
    assert sent(cloud, "predict_part").answer["rows"] == 300
    assert sent(cloud, "predict_complete").answer["rows"] == 300
    assert predictions.call("GET", f"/{job_id}").json()["state"] == "succeeded"
    assert predictions.exists(output)


def test_spendsense(cloud: Cloud) -> None:
    assert sent(cloud, "migrate").answer["result"]["version"] >= 4
    alice = Caller(cloud, sign_in(cloud, "alice"))
    alice("DELETE", "/users/me/profile")
    alice("PUT", "/users/me/profile", {"display_name": "Alice"})
    alice("PUT", "/users/me/consent", {"granted": True, "policy_version": "2026-11"})
    for function in ("compute_features", "recompute_features", "assign_persona", "generate_recommendations"):
        outcome = sent(cloud, function).answer
        assert outcome["job"] in ("compute_features", function)
        assert datetime.fromisoformat(outcome["as_of"]).date() == datetime.now(UTC).date()
        assert outcome["run_id"]
    alice("DELETE", "/users/me/profile")


def test_uploads_and_sockets(cloud: Cloud) -> None:
    async def scene() -> None:
        async with browser(cloud.rest_url) as http:
            desktop = await open_session(http, "203.0.113.77")
            async with desktop.listening() as socket:
                key = await desktop.phone.upload(JPEG)
                await socket.hear("UPLOAD_COMPLETED")
                event = samples.filled(samples.read_event(samples.sample_of("upload_completed")), cloud)
                assert event["Records"][0]["s3"]["object"]["key"] == key
                assert (await asyncio.to_thread(sent, cloud, "upload_completed")).answer is None
                assert (await desktop.look())["status"] == "COMPLETED", "told again, it stays what it is"
                told = await asyncio.to_thread(sent, cloud, "notify_uploads")
                assert told.answer == {"batchItemFailures": []}
                assert (await asyncio.to_thread(sent, cloud, "websocket_connect")).answer["statusCode"] == 200
                assert (await asyncio.to_thread(sent, cloud, "websocket_message")).answer["statusCode"] == 200
                assert (await socket.hear("PONG"))["timestamp"]
                assert (await asyncio.to_thread(sent, cloud, "websocket_disconnect")).answer["statusCode"] == 200
                assert "wsConnectionId" not in item(cloud, desktop.id), "it is forgotten"
            await desktop.end()

    asyncio.run(scene())


class TestCommand:
    @pytest.fixture
    def run(self, cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
        def run(*arguments: str) -> tuple[int, str, str]:
            status = main([*arguments, "--home", cloud.home])
            said = capsys.readouterr()
            return status, said.out, said.err

        return run

    def test_answer_log_and_duration(self, run: Any) -> None:
        status, out, err = run("migrate")
        assert (status, err) == (0, "")
        assert '"version"' in out.partition("log:")[0]
        assert "invocation done" in out.partition("log:")[2]
        assert out.splitlines()[-1].startswith("migrate answered after ")

    def test_a_function_that_fails_is_exit_status_1(self, run: Any, tmp_path: Path) -> None:
        event = tmp_path / "event.json"
        event.write_text('{"Records": [{"no": "message"}]}')
        status, out, _ = run("notify_uploads", str(event))
        assert status == 1
        assert '"errorType"' in out.partition("log:")[0]
        assert "KeyError: 'messageId'" in out.partition("log:")[2]
        assert "notify_uploads failed after " in out

    def test_an_event_of_ones_own(self, run: Any, tmp_path: Path) -> None:
        event = tmp_path / "event.json"
        event.write_text('{"tracking_id": "states_1", "released_by": "${users.alice.username}", "reason": "to see"}')
        status, out, _ = run("release_flights", str(event))
        assert status == 0
        assert '"not_found"' in out

    def test_an_unknown_function_is_told_which_there_are(self, run: Any) -> None:
        for arguments in (["land_flights"], []):
            status, _, err = run(*arguments)
            assert status == 2
            assert "process_flights" in err
            assert "api_handler" in err

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "migrate.json"),
            ("{", "expected a JSON file"),
            ('{"a": "${buckets.none}"}', "${buckets.none}: expected an entry of cloud.json"),
            ('{"a": "${newest:flights:none/*}"}', "no object none/* yet"),
        ],
    )
    def test_a_bad_event_file(self, run: Any, tmp_path: Path, content: str | None, words: str) -> None:
        event = tmp_path / "event.json"
        if content is not None:
            event.write_text(content)
        status, _, err = run("migrate", str(event))
        assert status == 2
        assert words in err
