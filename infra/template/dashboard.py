"""The dashboard: for each workload, its business figures and the health of its functions.

Business figures are metrics that the code emits, and the number and duration of routes' responses, which metric
filters take from the existing log. A test runs the code and compares the names.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infra.template.names import ALARM, FUNCTION, QUEUE, REST_API, STACK, TABLE, Resources, name_of, of_type
from infra.template.workloads import Workload

CONDITION = "HasDashboard"
WIDTH, HEIGHT, ACROSS = 8, 6, 24
MOST_ALARMS = 100
"""The maximum in one widget."""
MOST_LINES = 10
"""More lines in one graph are hard to tell apart; further lines go into further graphs."""
ROUTES_NAMESPACE = f"{STACK}/Rest"
STATE_MACHINE = "AWS::StepFunctions::StateMachine"
SOCKETS = "AWS::ApiGatewayV2::Api"

Widget = dict[str, Any]
Metric = list[Any]


def with_dashboard(template: Mapping[str, Any], workloads: Sequence[Workload]) -> dict[str, Any]:
    """The template with a dashboard of its functions, queues, tables and alarms."""
    resources: Resources = template["Resources"]
    body = {"start": "-PT12H", "periodOverride": "inherit", "widgets": _placed(_sections(resources, workloads))}
    dashboard = {
        "Type": "AWS::CloudWatch::Dashboard",
        "Condition": CONDITION,
        "Properties": {
            "DashboardName": {"Ref": "AWS::StackName"},
            "DashboardBody": {"Fn::Sub": json.dumps(body, separators=(",", ":"))},
        },
    }
    return {**template, "Resources": {**resources, "Dashboard": dashboard, **_filters(workloads)}}


def _filters(workloads: Iterable[Workload]) -> dict[str, Any]:
    """Metric filters that count and time the workloads' routes; they match each response's log line, without errors."""
    return {
        f"{name}Filter": {
            "Type": "AWS::Logs::MetricFilter",
            "Condition": CONDITION,
            "Properties": {
                "LogGroupName": {"Ref": "ApiHandlerLogGroup"},
                "FilterPattern": f'{{ $.route = "{route}" && $.status < 400 }}',
                "MetricTransformations": [
                    {
                        "MetricNamespace": {"Fn::Sub": ROUTES_NAMESPACE},
                        "MetricName": name,
                        "MetricValue": "$.ms",
                        "Unit": "Milliseconds",
                    }
                ],
            },
        }
        for workload in workloads
        for name, route in workload.described.routes.items()
    }


def _sections(resources: Resources, workloads: Iterable[Workload]) -> Iterable[list[Widget]]:
    yield [_text(f"# {STACK}\n`docs/runbook.md` says what to do about an alarm."), *_alarms(resources)]
    for workload in workloads:
        own = {name: resource for name, resource in resources.items() if name in workload.resources}
        yield [_text(f"## {workload.described.title}"), *_business(workload), *_services(own)]


def _business(workload: Workload) -> Iterable[Widget]:
    described = workload.described
    for title, stat in (("Answers", "SampleCount"), ("Answers, ms (p95)", "p95")):
        yield from _graphs(title, [[ROUTES_NAMESPACE, name, {"stat": stat}] for name in described.routes])
    for emitted in described.metrics:
        own = emitted.metrics.items()
        yield from _graphs(
            emitted.title, [[emitted.namespace, name, "service", STACK, {"stat": stat}] for name, stat in own]
        )


def _services(own: Resources) -> Iterable[Widget]:
    """The graphs of a workload's functions, queues, tables, state machines and APIs."""
    names = [name_of(function) for function in of_type(own, FUNCTION).values()]

    def each(metric: str, stat: str) -> list[Metric]:
        return [
            ["AWS/Lambda", metric, "FunctionName", f"{STACK}-{name}", {"stat": stat, "label": name}] for name in names
        ]

    yield from _graphs("Invocations", each("Invocations", "Sum"))
    yield from _graphs("Errors and throttles", [*each("Errors", "Sum"), *each("Throttles", "Sum")])
    yield from _graphs("Duration, ms (p95)", each("Duration", "p95"))
    yield from _graphs("At once", each("ConcurrentExecutions", "Maximum"))
    depth = "ApproximateNumberOfMessagesVisible"
    yield from _graphs(
        "Waiting messages",
        [
            ["AWS/SQS", depth, "QueueName", f"${{{name}.QueueName}}", {"stat": "Maximum", "label": name}]
            for name in of_type(own, QUEUE)
        ],
    )
    yield from _graphs(
        "Tables: units read and written",
        [
            ["AWS/DynamoDB", metric, "TableName", f"${{{name}}}", {"stat": "Sum", "label": f"{name} {verb}"}]
            for name in of_type(own, TABLE)
            for metric, verb in (("ConsumedReadCapacityUnits", "read"), ("ConsumedWriteCapacityUnits", "written"))
        ],
    )
    for kind, graphs in (STATE_MACHINE, _workflow), (REST_API, _rest), (SOCKETS, _sockets):
        for name in of_type(own, kind):
            yield from graphs(name)


def _workflow(name: str) -> Iterable[Widget]:
    started, succeeded, failed = ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed")
    own = ["StateMachineArn", f"${{{name}}}"]
    yield from _graphs("Jobs", _of_service("AWS/States", own, "Sum", started, succeeded, failed))
    yield from _graphs("Jobs, ms (p95)", _of_service("AWS/States", own, "p95", "ExecutionTime"))


def _rest(_name: str) -> Iterable[Widget]:
    rest = ["ApiName", STACK, "Stage", "api"]
    latency = [line for stat in ("p50", "p95") for line in _of_service("AWS/ApiGateway", rest, stat, "Latency")]
    yield from _graphs("REST requests", _of_service("AWS/ApiGateway", rest, "Sum", "Count", "4XXError", "5XXError"))
    yield from _graphs("REST latency, ms", latency)


def _sockets(name: str) -> Iterable[Widget]:
    own = ["ApiId", f"${{{name}}}", "Stage", "api"]
    errors = ("ClientError", "IntegrationError", "ExecutionError")
    yield from _graphs("Sockets", _of_service("AWS/ApiGateway", own, "Sum", "ConnectCount", "MessageCount"))
    yield from _graphs("Socket errors", _of_service("AWS/ApiGateway", own, "Sum", *errors))


def _of_service(namespace: str, dimensions: Sequence[str], stat: str, *names: str) -> list[Metric]:
    return [[namespace, name, *dimensions, {"stat": stat}] for name in names]


def _alarms(resources: Resources) -> Iterable[Widget]:
    names = sorted(each["Properties"]["AlarmName"]["Fn::Sub"] for each in of_type(resources, ALARM).values())
    place = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:"
    for start in range(0, len(names), MOST_ALARMS):
        alarms = [place + name for name in names[start : start + MOST_ALARMS]]
        properties = {"title": "Alarms", "alarms": alarms, "states": ["ALARM"]}
        yield {"type": "alarm", "width": ACROSS, "height": HEIGHT, "properties": properties}


def _text(markdown: str) -> Widget:
    return {"type": "text", "width": ACROSS, "height": 2, "properties": {"markdown": markdown}}


def _graphs(title: str, metrics: Sequence[Metric]) -> Iterable[Widget]:
    """As many graphs as the metrics need; none without metrics."""
    for start in range(0, len(metrics), MOST_LINES):
        properties = {
            "title": f"{title} ({start // MOST_LINES + 1})" if start else title,
            "metrics": metrics[start : start + MOST_LINES],
            "view": "timeSeries",
            "period": 300,
            "region": "${AWS::Region}",
            "yAxis": {"left": {"min": 0}},
        }
        yield {"type": "metric", "width": WIDTH, "height": HEIGHT, "properties": properties}


def _placed(sections: Iterable[list[Widget]]) -> list[Widget]:
    """All widgets with their positions: from left to right, wrapping to the next row."""
    placed: list[Widget] = []
    x = y = row = 0
    for section in sections:
        if x:
            x, y = 0, y + row
        for widget in section:
            if x + widget["width"] > ACROSS:
                x, y = 0, y + row
            row = widget["height"]
            placed.append({**widget, "x": x, "y": y})
            x += widget["width"]
    return placed
