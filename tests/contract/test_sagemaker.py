"""Our ticket models: the SageMaker adapter on the local runtime, that against AWS's model, the artifact itself."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.adapters.concerts.sagemaker import ENDPOINT_BODY_BYTES, SageMakerTicketModel, numbers_in
from chalicelib.adapters.concerts.ticket_artifact import MODEL_FOLDER, ArtifactMismatch, ArtifactTicketModel, manifest
from chalicelib.adapters.concerts.ticket_function import FunctionTicketModel
from chalicelib.concerts.features import TICKET_FEATURES
from chalicelib.concerts.ports import TicketModel
from chalicelib.errors import UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from local.sagemaker.server import SageMakerServer, ticket_runtime
from local.sagemaker.service import STATUS, Fault
from tests.fakes.concerts import FakeTicketModel
from tests.patience import PATIENCE_S

ROW = [float(number) for number in range(1, len(TICKET_FEATURES) + 1)]


@pytest.fixture(scope="module")
def server() -> Iterator[SageMakerServer]:
    with SageMakerServer(ticket_runtime("ticket-sales")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults(server: SageMakerServer) -> Iterator[None]:
    yield
    server.runtime.faults.clear()


def sdk_client(url: str, **config: Any) -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, **{"read_timeout": PATIENCE_S, **config}),
    )


def endpoint(server: SageMakerServer, *, budget_s: float = PATIENCE_S, **config: Any) -> SageMakerTicketModel:
    return SageMakerTicketModel(
        sdk_client(server.url, **config), "ticket-sales", budget_s=budget_s, sleep=lambda _: None
    )


class FunctionClient:
    """boto3's Lambda client as far as the adapter uses it; it runs `handler` in this process."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  # boto3's names
        assert FunctionName == "predict_tickets"
        try:
            answer: dict[str, Any] = {"Payload": io.BytesIO(msgspec.json.encode(self._handler(json.loads(Payload))))}
        except ZeroDivisionError:
            answer = {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        return answer


def by_function(handler: Any) -> FunctionTicketModel:
    return FunctionTicketModel(FunctionClient(handler), "predict_tickets")


def embedded(event: dict[str, Any]) -> dict[str, Any]:
    import app

    return app.predict_tickets(event, None)  # type: ignore[no-any-return]


@pytest.fixture(params=["fake", "sagemaker", "function", "artifact"])
def model(request: pytest.FixtureRequest, server: SageMakerServer) -> TicketModel:
    makers: dict[str, TicketModel] = {
        "fake": FakeTicketModel(),
        "sagemaker": endpoint(server),
        "function": by_function(embedded),
        "artifact": ArtifactTicketModel(),
    }
    return makers[str(request.param)]


class TestTicketModel:
    """The port's contract, on every implementation."""

    @pytest.mark.parametrize("count", [1, 3, 100])
    def test_a_number_for_each_row_in_order(self, model: TicketModel, count: int) -> None:
        rows = [[*ROW[:5], 1000.0 * (number + 1), *ROW[6:]] for number in range(count)]
        estimates = model.estimate(rows)
        assert len(estimates.values) == count
        assert all(isinstance(value, float) and value > 0 for value in estimates.values)
        alone = [model.estimate([row]).values[0] for row in rows[:3]]
        assert list(estimates.values[:3]) == pytest.approx(alone)
        assert estimates.source in {"sagemaker", "embedded"}
        assert estimates.version


def test_all_of_the_real_ones_are_the_same_model(server: SageMakerServer) -> None:
    rows = [ROW, [*ROW[:-1], 500.0]]
    expected = pytest.approx(list(ArtifactTicketModel().estimate(rows).values))
    assert list(endpoint(server).estimate(rows).values) == expected
    assert list(by_function(embedded).estimate(rows).values) == expected


class TestSageMaker:
    @pytest.mark.parametrize("error", ["ModelNotReadyException", "ServiceUnavailable", "ThrottlingException"])
    def test_what_may_pass_is_tried_again(self, server: SageMakerServer, error: str) -> None:
        server.runtime.faults[:] = [Fault(error=error, times=2)]
        before = server.runtime.invocations
        assert len(endpoint(server).estimate([ROW]).values) == 1
        assert server.runtime.faults == []
        assert server.runtime.invocations == before + 1

    @pytest.mark.parametrize("error", ["ModelNotReadyException", "ServiceUnavailable", "ThrottlingException"])
    def test_but_only_within_the_budget(self, server: SageMakerServer, error: str) -> None:
        server.runtime.faults[:] = [Fault(error=error, times=1000)]
        now = [0.0]
        model = SageMakerTicketModel(
            sdk_client(server.url),
            "ticket-sales",
            budget_s=3,
            clock=lambda: now[0],
            sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        )
        with pytest.raises(UpstreamUnavailable):
            model.estimate([ROW])
        assert 1.0 < now[0] <= 3.0
        assert server.runtime.faults[0].times < 1000 - 3

    def test_a_model_error_is_not_tried_again(self, server: SageMakerServer) -> None:
        server.runtime.faults[:] = [Fault(error="ModelError", times=5)]
        with pytest.raises(UpstreamRejected):
            endpoint(server).estimate([ROW])
        assert server.runtime.faults[0].times == 4

    def test_silence_is_a_timeout(self, server: SageMakerServer) -> None:
        server.runtime.faults[:] = [Fault(error="ServiceUnavailable", delay_s=5, times=9)]
        with pytest.raises(UpstreamTimeout):
            endpoint(server, budget_s=0.3, read_timeout=0.2).estimate([ROW])

    @pytest.mark.parametrize("body", ["much", "nan", "inf", "1e300", "", "1,2", "1\n2\n3", "1;2"])
    def test_an_answer_that_is_not_one_number_a_row(self, server: SageMakerServer, body: str) -> None:
        server.runtime.faults[:] = [Fault(body=body)]
        with pytest.raises(UpstreamRejected):
            endpoint(server).estimate([ROW])

    def test_numbers_by_lines_or_by_commas(self) -> None:
        assert numbers_in(b"1.5\n2e3\n", 2) == numbers_in(b"1.5,2e3", 2) == [1.5, 2000.0]
        with pytest.raises(UpstreamRejected):
            numbers_in(b"\xff\xfe", 1)

    def test_a_missing_endpoint_is_not_the_callers_404(self, server: SageMakerServer) -> None:
        model = SageMakerTicketModel(sdk_client(server.url), "another", budget_s=PATIENCE_S)
        with pytest.raises(UpstreamRejected):
            model.estimate([ROW])

    def test_down(self) -> None:
        model = SageMakerTicketModel(sdk_client("http://127.0.0.1:9"), "ticket-sales", budget_s=0.2)
        with pytest.raises(UpstreamUnavailable):
            model.estimate([ROW])

    def test_more_than_six_mebibytes_are_not_sent(self, server: SageMakerServer) -> None:
        before = server.runtime.invocations
        with pytest.raises(UpstreamRejected, match="6 MiB"):
            endpoint(server).estimate([[1.2345678901234567] * 21] * 20_000)
        assert server.runtime.invocations == before

    def test_ping(self, server: SageMakerServer) -> None:
        endpoint(server).ping()


class TestFunction:
    def test_a_function_that_dies(self) -> None:
        with pytest.raises(UpstreamUnavailable):
            by_function(lambda event: 1 / 0).estimate([ROW])

    @pytest.mark.parametrize(
        "answer",
        [
            {"error": {"code": "x", "message": "y"}},
            {"result": {"values": ["a"], "source": "embedded", "version": "1"}},
            {"result": {"values": [1.0, 2.0], "source": "embedded", "version": "1"}},
            [],
            None,
        ],
    )
    def test_another_answer_is_refused(self, answer: Any) -> None:
        with pytest.raises(UpstreamRejected):
            by_function(lambda event: answer).estimate([ROW])

    @pytest.mark.parametrize(
        "event", [{}, {"rows": []}, {"rows": [[1.0]]}, {"rows": [[True] * 21]}, {"rows": [[1.0] * 22]}]
    )
    def test_the_function_refuses_other_rows(self, event: dict[str, Any]) -> None:
        assert embedded(event)["error"]["code"] == "invalid_input"


class TestArtifact:
    def test_it_is_small_and_says_how_good_it_is(self) -> None:
        said = manifest()
        assert (MODEL_FOLDER / "ticket_sales.skops").stat().st_size < 1_000_000
        assert said["features"] == list(TICKET_FEATURES)
        for season in said["judged_by"].values():
            assert season["model"]["median_error"] < season["venue_mean"]["median_error"]
            assert season["model"]["r2"] > season["venue_mean"]["r2"]
        assert len(said["judged_by"]) == 3

    def test_a_file_that_its_manifest_does_not_describe_is_not_loaded(self, tmp_path: Any) -> None:
        content = (MODEL_FOLDER / "ticket_sales.skops").read_bytes()
        (tmp_path / "ticket_sales.skops").write_bytes(content + b"\x00")
        (tmp_path / "manifest.json").write_text(json.dumps(manifest()))
        with pytest.raises(ArtifactMismatch):
            ArtifactTicketModel(tmp_path).estimate([ROW])

    def test_an_encoder_of_another_order_is_not_loaded(self, tmp_path: Any) -> None:
        (tmp_path / "ticket_sales.skops").write_bytes((MODEL_FOLDER / "ticket_sales.skops").read_bytes())
        reversed_types = {**manifest(), "venue_types": manifest()["venue_types"][::-1]}
        (tmp_path / "manifest.json").write_text(json.dumps(reversed_types))
        with pytest.raises(ArtifactMismatch):
            ArtifactTicketModel(tmp_path).estimate([ROW])


class TestRuntime:
    """The local runtime against AWS's own description."""

    def test_every_error_is_declared_with_its_status(self, server: SageMakerServer) -> None:
        shapes = sdk_client(server.url).meta.service_model.operation_model("InvokeEndpoint").error_shapes
        declared = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in shapes}
        common = {"ThrottlingException", "AccessDeniedException"}  # of every service, by their code
        assert {name: status for name, status in STATUS.items() if name not in common} == declared

    @pytest.mark.parametrize("error", sorted(STATUS))
    def test_the_sdk_understands_them(self, server: SageMakerServer, error: str) -> None:
        server.runtime.faults[:] = [Fault(error=error)]
        with pytest.raises(ClientError) as caught:
            sdk_client(server.url).invoke_endpoint(EndpointName="ticket-sales", Body=b"1", ContentType="text/csv")
        assert caught.value.response["Error"]["Code"] == error
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == STATUS[error]
        if error == "ModelError":
            assert caught.value.response["OriginalStatusCode"] == 500

    @pytest.mark.parametrize(
        ("body", "content_type", "error"),
        [
            (b"1,2", "text/csv", "ModelError"),
            (b"", "text/csv", "ModelError"),
            (b"a" * 21, "text/csv", "ModelError"),
            (b",".join([b"inf"] * 21), "text/csv", "ModelError"),
            (b"{}", "application/json", "ModelError"),
            (b"1" * (ENDPOINT_BODY_BYTES + 1), "text/csv", "ValidationError"),
        ],
    )
    def test_bodies_that_it_refuses(self, server: SageMakerServer, body: bytes, content_type: str, error: str) -> None:
        with pytest.raises(ClientError) as caught:
            sdk_client(server.url).invoke_endpoint(EndpointName="ticket-sales", Body=body, ContentType=content_type)
        assert caught.value.response["Error"]["Code"] == error

    def test_a_request_must_be_signed(self, server: SageMakerServer) -> None:
        request = urllib.request.Request(f"{server.url}/endpoints/ticket-sales/invocations", data=b"1", method="POST")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=PATIENCE_S)
        assert caught.value.code == 403
        caught.value.close()
