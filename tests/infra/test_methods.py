"""Methods that a path lacks: API Gateway itself refuses them, and says which there are."""

import json
from typing import Any

from infra.template.methods import ANY, INTEGRATION, refusing_other_methods


def template(*methods: str) -> dict[str, Any]:
    proxy = {INTEGRATION: {"type": "aws_proxy"}}
    api = {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "api", "DefinitionBody": {"paths": {}}}}
    api["Properties"]["DefinitionBody"]["paths"]["/things"] = dict.fromkeys(methods, proxy)  # type: ignore[index]
    return {"Outputs": {}, "Resources": {"RestAPI": api, "Other": {"Type": "AWS::S3::Bucket"}}}


def path_of(changed: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = changed["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]["/things"]
    return found


def test_every_path_refuses_what_it_lacks_and_names_what_it_has() -> None:
    integration = path_of(refusing_other_methods(template("post", "get", "options")))[ANY][INTEGRATION]
    assert (integration["type"], integration["passthroughBehavior"]) == ("mock", "never")
    assert {json.loads(text)["statusCode"] for text in integration["requestTemplates"].values()} == {405}
    answer = integration["responses"]["default"]
    assert answer["statusCode"] == "405"
    assert answer["responseParameters"] == {"method.response.header.Allow": "'GET,OPTIONS,POST'"}
    error = json.loads(answer["responseTemplates"]["application/json"])["error"]
    assert (error["code"], error["message"]) == ("method_not_allowed", "This path takes GET, OPTIONS, POST.")
    assert error["request_id"] == "$context.requestId"


def test_what_was_there_stays_as_it_was() -> None:
    before = template("get")
    changed = refusing_other_methods(before)
    assert path_of(changed)["get"] == path_of(before)["get"]
    assert ANY not in path_of(before), "the template that is given is not changed"
    assert changed["Resources"]["Other"] == before["Resources"]["Other"]
    assert changed["Resources"]["RestAPI"]["Properties"]["StageName"] == "api"
