"""The running local cloud from another account of the same machine: nothing but the deployed APIs answers it."""

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.cloud import Cloud

pytestmark = pytest.mark.cloud

CALLS = {
    "lambda": ("list_functions", {}),
    "s3": ("list_buckets", {}),
    "sqs": ("list_queues", {}),
    "secretsmanager": ("list_secrets", {}),
    "dynamodb": ("list_tables", {}),
    "iam": ("list_users", {}),
    "stepfunctions": ("list_state_machines", {}),
    "sts": ("get_caller_identity", {}),
    "cognito-idp": ("list_user_pools", {"MaxResults": 5}),
    "cloudformation": ("list_stacks", {}),
}
UNKNOWN = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI")


def client(cloud: Cloud, service: str, key: str, secret: str, token: str | None = None) -> Any:
    sdk: Any = boto3
    return sdk.client(
        service,
        endpoint_url=cloud.aws_endpoint_url,
        region_name=cloud.region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def status(url: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None) -> int:
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}), data=body)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize(("key", "secret"), [("test", "test"), ("000000000000", "test"), UNKNOWN])
@pytest.mark.parametrize("service", CALLS)
def test_no_guessed_key_opens_a_service(cloud: Cloud, service: str, key: str, secret: str) -> None:
    operation, arguments = CALLS[service]
    with pytest.raises(ClientError) as refused:
        getattr(client(cloud, service, key, secret), operation)(**arguments)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 401, 403}


def test_the_key_of_a_function_cannot_be_derived_from_its_name(cloud: Cloud) -> None:
    named = cloud.client("lambda").get_function_configuration(FunctionName=cloud.functions["api_handler"])
    digest = hashlib.sha256(f"{named['FunctionArn']}:{named['Role']}".encode()).hexdigest()
    secret, token = (hashlib.sha256(f"{part}:{digest}".encode()).hexdigest() for part in ("secret", "token"))
    assert status(f"{cloud.rest_url}/health") == 200  # so that it has one
    with pytest.raises(ClientError):
        client(cloud, "sts", f"ASIA{digest[:16].upper()}", secret, token).get_caller_identity()


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config", "/2015-03-31/functions/"])
def test_nothing_is_reset_or_read_without_a_signature(cloud: Cloud, path: str) -> None:
    assert status(f"{cloud.aws_endpoint_url}{path}", "POST", body=b"{}") == 403
    assert status(f"{cloud.rest_url}/health") == 200


def test_no_page_of_another_site_reaches_the_apis_by_its_own_name(cloud: Cloud) -> None:
    assert status(f"{cloud.rest_url}/health", headers={"Host": "evil.example"}) == 403


@pytest.mark.parametrize("service", ["redshift_data_url", "sagemaker_runtime_url"])
def test_our_own_services_answer_who_knows_their_path(cloud: Cloud, service: str) -> None:
    """The warehouse's engine runs statements as its superuser, and so programs of this machine."""
    base = getattr(cloud, service).rsplit("/", 1)[0]
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=x", "X-Amz-Target": "RedshiftData.ExecuteStatement"}
    asked = json.dumps({"Sql": "SELECT 1", "Database": "concerts", "WorkgroupName": "omnibus"}).encode()
    for path in ("", "/", "/guess", "/endpoints/ticket-sales/invocations", "/_control"):
        assert status(f"{base}{path}", "POST", headers, asked) in {400, 403}
