"""The console in AWS: a private bucket behind CloudFront, and what a deployment puts there."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.deployment.console import publish
from infra.deployment.release import Site
from infra.deployment.stages import Stage

Template = dict[str, Any]
REGION = "us-east-1"


def properties(packaged: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = packaged["Resources"][name]["Properties"]
    return found


def test_only_distributions_of_this_account_read_the_bucket(packaged: Template) -> None:
    statements = {it["Sid"]: it for it in properties(packaged, "ConsoleBucketPolicy")["PolicyDocument"]["Statement"]}
    read = statements["OnlyDistributions"]
    assert read["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert read["Action"] == ["s3:GetObject"]
    assert read["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert "OnlyTls" in statements
    assert all(properties(packaged, "ConsoleBucket")["PublicAccessBlockConfiguration"].values())
    access = properties(packaged, "ConsoleAccess")["OriginAccessControlConfig"]
    assert (access["SigningBehavior"], access["OriginAccessControlOriginType"]) == ("always", "s3")


def test_the_api_is_below_the_same_address_unchanged(packaged: Template) -> None:
    config = properties(packaged, "ConsoleDistribution")["DistributionConfig"]
    (behaviour,) = config["CacheBehaviors"]
    assert behaviour["PathPattern"] == "/api/*", "the REST API's stage: nothing is rewritten"
    assert properties(packaged, "RestAPI")["StageName"] == "api"
    assert set(behaviour["AllowedMethods"]) >= {"GET", "POST", "PUT", "DELETE", "OPTIONS"}
    assert "CustomErrorResponses" not in config, "they would turn the API's 403 into a page"
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


def test_the_content_policy_allows_no_script_but_our_own(packaged: Template) -> None:
    policy = properties(packaged, "ConsoleHeaders")["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    text, addresses = policy["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    rules = dict(rule.strip().split(" ", 1) for rule in text.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert not {"unsafe-inline", "unsafe-eval", "*"} & set(text.replace("'", "").split())
    assert all(f"${{{name}}}" in rules["connect-src"] for name in addresses)


def test_the_root_of_the_api_knows_the_console(packaged: Template) -> None:
    variables = properties(packaged, "RestAPI")["Variables"]
    assert variables == {"console": {"Fn::Sub": "https://${ConsoleDistribution.DomainName}/"}}


# -- what a deployment puts there


class Cognito:
    """An application of a user pool; like Cognito's, an update forgets what it is not given."""

    def __init__(self) -> None:
        self.client: dict[str, Any] = {
            "UserPoolId": "pool",
            "ClientId": "client",
            "ClientName": "people",
            "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"],
            "IdTokenValidity": 60,
        }
        self.updates = 0

    def describe_user_pool_client(self, **_named: str) -> dict[str, Any]:
        return {"UserPoolClient": {**self.client, "CreationDate": datetime.now(UTC)}}

    def update_user_pool_client(self, **given: Any) -> None:
        assert "CreationDate" not in given, "Cognito refuses what it answers with, but does not take"
        self.client = given
        self.updates += 1


@pytest.fixture
def aws() -> Iterator[Any]:
    cognito = Cognito()
    with mock_aws():
        yield lambda service: cognito if service == "cognito-idp" else boto3.client(service, region_name=REGION)


class Stack:
    def parameters(self) -> dict[str, str]:
        return {"Release": "0123456789abcdef"}


class Deployed(Site):
    """A site whose stack is there already."""

    @property
    def stack(self) -> Any:
        return Stack()


@pytest.fixture
def outputs(aws: Any) -> dict[str, str]:
    aws("s3").create_bucket(Bucket="console")
    return {
        "ConsoleUrl": "https://d1.cloudfront.net",
        "ConsoleBucket": "console",
        "ConsoleSignIn": "https://omnibus.auth.us-east-1.amazoncognito.com",
        "UserPoolId": "pool",
        "UserPoolClientId": "client",
        "WebsocketUrl": "wss://sockets/api",
    }


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "console" / "assets").mkdir(parents=True)
    (tmp_path / "console" / "index.html").write_text("<title>Omnibus</title>")
    (tmp_path / "console" / "assets" / "main-1.js").write_text("1")
    return tmp_path


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def site(aws: Any, told: list[str]) -> Site:
    return Deployed(Stage(name="dev", stack="omnibus-dev"), aws, told.append)


def test_the_files_are_published_with_their_types_and_how_long_they_last(
    site: Site, aws: Any, outputs: dict[str, str], package: Path, told: list[str]
) -> None:
    publish(site, outputs, package)
    page = aws("s3").get_object(Bucket="console", Key="index.html")
    script = aws("s3").get_object(Bucket="console", Key="assets/main-1.js")
    assert (page["ContentType"], page["CacheControl"]) == ("text/html; charset=utf-8", "no-cache")
    assert script["ContentType"] == "text/javascript; charset=utf-8"
    assert "immutable" in script["CacheControl"]
    found = json.load(aws("s3").get_object(Bucket="console", Key="config.json")["Body"])
    assert found == {
        "api": "/api",
        "socket": "wss://sockets/api",
        "stage": "dev",
        "release": "0123456789",
        "client": "client",
        "signIn": {"kind": "hosted", "domain": outputs["ConsoleSignIn"]},
    }
    assert told == ["  console: https://d1.cloudfront.net"]


def test_cognitos_pages_lead_back_and_nothing_else_of_the_application_changes(
    site: Site, aws: Any, outputs: dict[str, str], package: Path
) -> None:
    cognito = aws("cognito-idp")
    publish(site, outputs, package)
    assert cognito.client["CallbackURLs"] == cognito.client["LogoutURLs"] == ["https://d1.cloudfront.net/"]
    assert cognito.client["AllowedOAuthFlows"] == ["code"]
    assert cognito.client["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH"]
    assert cognito.client["IdTokenValidity"] == 60
    publish(site, outputs, package)
    assert cognito.updates == 1, "nothing to change the second time"


def test_a_package_without_a_console_leaves_what_is_there(
    site: Site, outputs: dict[str, str], tmp_path: Path, told: list[str]
) -> None:
    publish(site, outputs, tmp_path)
    assert told == ["  no console: the package or the stack has none"]
