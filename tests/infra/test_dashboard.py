"""The dashboard: every workload is on it, by metrics that the code, the filters or AWS really make."""

import json
import logging
import re
from dataclasses import replace
from typing import Any

import pytest
from chalice.test import Client

import app as application
from chalicelib.entry import telemetry
from infra.package import read_fragments
from infra.template.dashboard import MOST_ALARMS, MOST_LINES, ROUTES_NAMESPACE, with_dashboard
from infra.template.names import ALARM, FUNCTION, STACK, name_of, of_type
from infra.template.workloads import workloads
from tests.infra.metrics import AWS, emitted

Template = dict[str, Any]
WORKLOADS = workloads(read_fragments())


@pytest.fixture(scope="session")
def body(packaged: Template) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(packaged["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    return loaded


def metrics(body: dict[str, Any]) -> list[list[Any]]:
    return [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", ())]


def test_each_function_belongs_to_one_workload_and_is_on_the_dashboard(
    packaged: Template, body: dict[str, Any]
) -> None:
    functions = of_type(packaged["Resources"], FUNCTION)
    owned = [name for workload in WORKLOADS for name in workload.resources]
    assert [owned.count(name) for name in functions] == [1] * len(functions)
    found = [name_of(function) for function in functions.values()]
    shown = {(metric[1], metric[3]) for metric in metrics(body) if metric[0] == "AWS/Lambda"}
    for name in found:
        for metric in ("Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"):
            assert (metric, f"{STACK}-{name}") in shown


def test_each_workload_has_business_and_service_metrics(body: dict[str, Any]) -> None:
    sections: dict[str, set[str]] = {}
    title = ""
    for widget in body["widgets"]:
        if widget["type"] == "text":
            title = widget["properties"]["markdown"].removeprefix("## ")
        for metric in widget["properties"].get("metrics", ()):
            sections.setdefault(title, set()).add("service" if metric[0].startswith("AWS/") else "business")
    for workload in WORKLOADS:
        described = workload.described
        business = {"business"} if described.routes or described.metrics else set()
        assert sections[described.title] == {"service"} | business


def test_every_metric_of_the_code_is_shown_and_no_other(
    body: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {
        (metric[0], metric[1], (metric[2],))
        for metric in metrics(body)
        if metric[0] not in AWS and metric[0] != ROUTES_NAMESPACE
    }
    assert ours == emitted(lambda: capsys.readouterr().out)
    values = {metric[3] for metric in metrics(body) if metric[2] == "service"}
    assert values == {"${AWS::StackName}"}


def test_every_metric_of_aws_is_one_that_it_has(body: dict[str, Any]) -> None:
    for metric in metrics(body):
        if metric[0] in AWS:
            assert metric[1] in AWS[metric[0]], metric


def test_every_route_that_is_counted_is_one_of_app_py() -> None:
    declared = {f"{method} {contract.path}" for contract in application.app.contracts for method in contract.methods}
    counted = [route for workload in WORKLOADS for route in workload.described.routes.values()]
    assert set(counted) <= declared
    assert len(counted) == len(set(counted))


def test_the_filters_make_the_metrics_of_routes_that_are_shown(packaged: Template, body: dict[str, Any]) -> None:
    made = {}
    for resource in packaged["Resources"].values():
        if resource["Type"] == "AWS::Logs::MetricFilter":
            (transformation,) = resource["Properties"]["MetricTransformations"]
            assert transformation["MetricNamespace"] == {"Fn::Sub": ROUTES_NAMESPACE}
            made[transformation["MetricName"]] = resource["Properties"]["FilterPattern"]
            assert resource["Properties"]["LogGroupName"] == {"Ref": "ApiHandlerLogGroup"}
    shown = {metric[1] for metric in metrics(body) if metric[0] == ROUTES_NAMESPACE}
    assert set(made) == shown == {name for workload in WORKLOADS for name in workload.described.routes}


def test_a_filter_matches_the_line_that_an_answer_writes(packaged: Template) -> None:
    """The line that the application logs has the fields that filters read, under the names that they read."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(telemetry.logger.registered_formatter.format(record))

    handler = Lines()
    telemetry.logger.addHandler(handler)
    try:
        with Client(application.app, stage_name="dev") as client:
            client.http.get("/health")
    finally:
        telemetry.logger.removeHandler(handler)
    (line,) = [json.loads(line) for line in lines if '"invocation done"' in line]
    pattern = packaged["Resources"]["ChatRepliesFilter"]["Properties"]["FilterPattern"]
    fields = set(re.findall(r"\$\.(\w+)", pattern))
    assert fields == {"route", "status"}
    assert fields | {"ms"} <= set(line)
    assert line["route"] == "GET /health"
    assert line["status"] < 400
    assert isinstance(line["ms"], float)


def test_all_alarms_are_shown(packaged: Template, body: dict[str, Any]) -> None:
    shown = [arn for widget in body["widgets"] if widget["type"] == "alarm" for arn in widget["properties"]["alarms"]]
    declared = {
        resource["Properties"]["AlarmName"]["Fn::Sub"]
        for resource in packaged["Resources"].values()
        if resource["Type"] == ALARM
    }
    assert sorted(arn.rpartition(":alarm:")[2] for arn in shown) == sorted(declared)


def test_no_two_widgets_lie_on_each_other_and_all_fit(body: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken, widget["properties"].get("title")
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_everything_that_the_dashboard_names_is_in_the_template(packaged: Template, body: dict[str, Any]) -> None:
    named = set(re.findall(r"\$\{(?!AWS::)(\w+)", json.dumps(body)))
    assert named <= set(packaged["Resources"])
    assert "PredictionsStateMachine" in named


def test_no_widget_has_more_alarms_than_cloudwatch_takes(packaged: Template) -> None:
    some = next(each for each in packaged["Resources"].values() if each["Type"] == ALARM)
    many = {f"Another{number}": some for number in range(MOST_ALARMS)}
    more = with_dashboard({**packaged, "Resources": {**packaged["Resources"], **many}}, WORKLOADS)
    widgets = json.loads(more["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
    sizes = [len(widget["properties"]["alarms"]) for widget in widgets if widget["type"] == "alarm"]
    assert len(sizes) >= 2
    assert max(sizes) == MOST_ALARMS
    assert sum(sizes) == MOST_ALARMS + sum(each["Type"] == ALARM for each in packaged["Resources"].values())


def test_a_graph_has_as_many_lines_as_one_can_tell_apart(packaged: Template, body: dict[str, Any]) -> None:
    assert max(len(widget["properties"].get("metrics", ())) for widget in body["widgets"]) <= MOST_LINES
    flights = next(workload for workload in WORKLOADS if workload.name == "flights")
    many = {f"Another{number}": packaged["Resources"]["ProcessFlights"] for number in range(2 * MOST_LINES)}
    more = with_dashboard(
        {**packaged, "Resources": {**packaged["Resources"], **many}},
        [replace(flights, resources=flights.resources | set(many))],
    )
    widgets = json.loads(more["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
    titles = [widget["properties"].get("title") for widget in widgets]
    assert {"Invocations", "Invocations (2)", "Invocations (3)"} <= set(titles)
