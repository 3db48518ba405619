"""SpendSense's events and the pool's settings, on AWS's own shapes."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.adapters.bus import BusAnnouncements
from chalicelib.adapters.secrets import Secrets
from chalicelib.adapters.spendsense.identity import SecretPools
from chalicelib.errors import RateLimited, UpstreamRejected, UpstreamUnavailable
from chalicelib.spendsense.identity import Pool


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def test_an_event_names_its_source_its_kind_and_its_bus() -> None:
    client = boto3.client("events")
    detail = {"run_id": "night", "as_of": "2026-11-21"}
    entry = {
        "Source": "spendsense",
        "DetailType": "Features Computed",
        "Detail": json.dumps(detail, separators=(",", ":")),
        "EventBusName": "default",
    }
    with Stubber(client) as bus:
        bus.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{}]}, {"Entries": [entry]})
        BusAnnouncements(client, "default", "spendsense").announce("Features Computed", detail)
        bus.assert_no_pending_responses()


class Refusing:
    """A bus that answers, but took nothing; or that raises."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def put_events(self, **_: Any) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}, UpstreamUnavailable),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"), RateLimited),
        (EndpointConnectionError(endpoint_url="https://events"), UpstreamUnavailable),
    ],
)
def test_an_event_that_was_not_taken_is_told(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        BusAnnouncements(Refusing(answer), "default", "spendsense").announce("Features Computed", {})


def test_the_pool_is_what_the_secret_says(aws: None) -> None:
    secrets = boto3.client("secretsmanager")
    content = {"issuer": "https://issuer.example", "client_ids": ["one", "two"]}
    arn = secrets.create_secret(Name="pool", SecretString=json.dumps(content))["ARN"]
    assert SecretPools(Secrets(secrets), arn).pool() == Pool("https://issuer.example", frozenset({"one", "two"}))


def test_settings_are_read_anew_at_most_once_a_minute(aws: None) -> None:
    """Else every token of another application would cost a call."""
    secrets = boto3.client("secretsmanager")
    now = [1000.0]

    def rotate(client_id: str) -> None:
        content = json.dumps({"issuer": "https://issuer.example", "client_ids": [client_id]})
        secrets.put_secret_value(SecretId=arn, SecretString=content)

    arn = secrets.create_secret(Name="pool")["ARN"]
    rotate("one")
    pools = SecretPools(Secrets(secrets), arn, clock=lambda: now[0])
    assert pools.pool().client_ids == {"one"}
    rotate("two")
    assert pools.pool().client_ids == {"one"}
    assert pools.renewed().client_ids == pools.pool().client_ids == {"two"}
    rotate("three")
    now[0] += 59
    assert pools.renewed().client_ids == {"two"}
    now[0] += 1
    assert pools.renewed().client_ids == {"three"}


def test_settings_that_cannot_be_read_anew_stay_as_they_were() -> None:
    """Else one token of another application would shut everybody out for as long as Secrets Manager is throttled."""

    class Throttled:
        def __init__(self) -> None:
            self.kept: dict[str, object] | None = {"issuer": "https://issuer.example", "client_ids": ["one"]}

        def read(self, arn: str) -> dict[str, object]:
            if self.kept is None:
                raise UpstreamUnavailable("the secret is not available")
            return self.kept

        def forget(self, arn: str) -> None:
            self.kept = None

    pools = SecretPools(Throttled(), "arn", clock=lambda: 0.0)
    known = pools.pool()
    with pytest.raises(UpstreamUnavailable):
        pools.renewed()
    assert pools.pool() == pools.renewed() == known


@pytest.mark.parametrize("content", [{"SecretBinary": b"{}"}, {"SecretString": "[]"}, {"SecretString": "words"}])
def test_a_secret_that_is_no_object(aws: None, content: dict[str, Any]) -> None:
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="other", **content)["ARN"]
    with pytest.raises(UpstreamRejected, match="not a JSON object"):
        Secrets(client).read(arn)


@pytest.mark.parametrize("content", [{}, {"issuer": "x"}, {"issuer": 5, "client_ids": []}, {"client_ids": ["a"]}])
def test_a_secret_that_is_no_pool(aws: None, content: dict[str, Any]) -> None:
    secrets = boto3.client("secretsmanager")
    arn = secrets.create_secret(Name="pool", SecretString=json.dumps(content))["ARN"]
    with pytest.raises(UpstreamRejected):
        SecretPools(Secrets(secrets), arn).pool()
