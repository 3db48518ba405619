"""API Gateway serves the latest deployment: a release, a parameter, a route."""

from typing import Any

import pytest

from infra.template.plain import plain
from infra.template.redeployment import REST_API, SOCKET_DEPLOYMENT, of_release, with_socket_redeployment
from infra.template.stack import released

Template = dict[str, Any]


def of_kind(template: Template, kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def alone(packaged: Template, *kinds: str) -> Template:
    """The template with nothing but the resources of these kinds."""
    kept = {name: each for name, each in packaged["Resources"].items() if each["Type"] in kinds}
    return {**packaged, "Resources": kept, "Outputs": {}}


@pytest.mark.slow
def test_another_release_deploys_the_rest_api_anew(packaged: Template) -> None:
    """SAM names the deployment after the API's text: the parameters in it, such as ChatApiKey, do not change that."""
    rest = alone(packaged, REST_API)
    names = [
        set(of_kind(plain(of_release(rest, release)), "AWS::ApiGateway::Deployment"))
        for release in ("one", "one", "two")
    ]
    assert names[0] == names[1] != names[2]


def test_the_packaged_api_is_that_of_the_packaged_release(packaged: Template) -> None:
    (properties,) = of_kind(packaged, REST_API).values()
    assert properties["DefinitionBody"]["info"]["version"] == packaged["Parameters"]["Release"]["Default"]
    assert released(packaged, [])["Parameters"]["Release"] != packaged["Parameters"]["Release"]


def test_the_rest_api_is_served_by_the_stage_that_has_the_limits_and_by_no_other(transformed: Template) -> None:
    """Unasked, SAM makes a stage called Stage as well, by the deployment: without throttling, logs and plan."""
    assert len(of_kind(transformed, "AWS::ApiGateway::Stage")) == 1
    for name, properties in of_kind(transformed, "AWS::ApiGateway::Deployment").items():
        assert "StageName" not in properties, name


def test_sockets_are_deployed_anew_when_a_route_or_an_integration_changes(packaged: Template) -> None:
    def deployment(template: Template) -> str:
        (name,) = of_kind(template, SOCKET_DEPLOYMENT)
        (stage,) = of_kind(template, "AWS::ApiGatewayV2::Stage").values()
        assert stage["DeploymentId"] == {"Ref": name}
        return name

    def changed(name: str, **properties: str) -> Template:
        resource = packaged["Resources"][name]
        other = {**resource, "Properties": {**resource["Properties"], **properties}}
        return {**packaged, "Resources": {**packaged["Resources"], name: other}}

    def named(template: Template) -> str:
        return deployment(with_socket_redeployment(template))

    own = deployment(packaged)
    assert own.startswith("WebsocketAPIDeployment")
    assert own != "WebsocketAPIDeployment"
    names = [
        named(packaged),
        named(changed("WebsocketMessageRoute", RouteKey="other")),
        named(changed("WebsocketMessageAPIIntegration", IntegrationUri="other")),
    ]
    assert len(set(names)) == 3
    assert named(changed("WebsocketAPI", Name="other")) == names[0]
