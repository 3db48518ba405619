"""`chalice.test.Client` as people use it, with an AWS account of their own in the environment."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import EndpointConnectionError
from chalice.test import Client

import app as application
from tests.environment import ENVIRONMENT

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1:4566"
OURS = {**ENVIRONMENT, "OMNIBUS_STAGE": "local", "AWS_ACCESS_KEY_ID": "test", "AWS_ENDPOINT_URL": HERE}
FOREIGN = {
    "AWS_ACCESS_KEY_ID": "AKIAFOREIGN",
    "AWS_SECRET_ACCESS_KEY": "foreign",
    "AWS_SESSION_TOKEN": "foreign",
    "AWS_PROFILE": "work",
    "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.eu-central-1.amazonaws.com",
    "HTTP_PROXY": "http://192.0.2.1:3128",
    "http_proxy": "http://192.0.2.1:3128",
}
ROOT = Path(__file__).parents[2]


class Request(NamedTuple):
    url: str
    signature: str
    proxy: object


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request to AWS that was about to leave."""
    requests: list[Request] = []

    def intercept(session: Any, request: Any) -> Any:
        signature = request.headers["Authorization"]
        text = signature.decode() if isinstance(signature, bytes) else signature
        requests.append(Request(request.url, text, session._proxy_config.proxy_url_for(request.url)))
        raise EndpointConnectionError(endpoint_url=request.url)

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", intercept)
    return requests


@pytest.mark.filterwarnings("ignore:CognitoUserPoolAuthorizer:UserWarning")
def test_nothing_reaches_the_account_of_whoever_tests(
    sent: list[Request], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cloud.json").write_text(json.dumps({"environment": OURS}))
    for name in [name for name in os.environ if name.startswith(("AWS_", "OMNIBUS_"))]:
        monkeypatch.delenv(name)
    for name, value in {**FOREIGN, "OMNIBUS_ENVIRONMENT_FILE": str(tmp_path / "cloud.json")}.items():
        monkeypatch.setenv(name, value)

    with Client(application.app, stage_name="local", project_dir=str(ROOT)) as client:
        # DynamoDB, then another service: the clients are made at different invocations.
        for path in ("/flights/runs/states_1", "/api/v1/users/me/profile", "/flights/latest"):
            assert client.http.get(path).status_code in {401, 503}
        assert client.http.get("/health?deep=1", headers={"X-Operator-Token": "a guess"}).status_code == 503

    services = {request.signature.split("/")[3] for request in sent}
    assert {"dynamodb", "secretsmanager"} <= services
    assert [request.url for request in sent if not request.url.startswith(f"{HERE}/")] == []
    assert [request for request in sent if "Credential=test/" not in request.signature] == []
    assert {request.proxy for request in sent} == {None}
