"""The dashboard: for each workload what it does for people, and how its functions are.

Business figures are metrics that the code emits, and the answers of routes, counted and timed by filters over the log
that is written anyway. A test runs the code and compares the names.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from infra.template.alarms import ALARM, QUEUE, TABLE
from infra.template.functions import FUNCTION
from infra.template.workloads import WORKLOADS, of_resource

CONDITION = "HasDashboard"
WIDTH, HEIGHT, ACROSS = 8, 6, 24
SERVICE = "${AWS::StackName}"
"""The value of the dimension `service` of every metric that the code emits."""
MOST_ALARMS = 100
"""A widget takes no more."""
ROUTES_NAMESPACE = "${AWS::StackName}/Rest"

ROUTES: Mapping[str, Mapping[str, str]] = {
    "concerts": {
        "ChatReplies": "POST /chat",
        "VenueRankings": "POST /venues/popularity",
        "TicketPredictions": "POST /tickets/predict",
        "TicketBatches": "POST /tickets/predict/batch",
        "Recommendations": "POST /recommendations",
    },
    "predictions": {"JobsSubmitted": "POST /predictions"},
    "flights": {"LatestFlights": "GET /flights/latest"},
    "spendsense": {
        "InsightsRead": "GET /api/v1/users/me/insights",
        "RecommendationsRead": "GET /api/v1/users/me/recommendations",
        "FeedbackGiven": "POST /api/v1/feedback",
    },
    "uploads": {"SessionsOpened": "POST /sessions", "UploadsPermitted": "GET /upload-url"},
}
"""Routes whose answers are counted, by the metric's name: its SampleCount is how many, its value the milliseconds."""


class Emitted(Struct, frozen=True):
    """Metrics of the code that belong on one graph."""

    title: str
    namespace: str
    metrics: Mapping[str, str]
    """Name -> statistic."""


EMITTED: Mapping[str, Sequence[Emitted]] = {
    "concerts": (),
    "predictions": (
        Emitted("Rows scored", "Omnibus/Predictions", {"RowsScored": "Sum"}),
        Emitted("Seconds of scoring", "Omnibus/Predictions", {"ScoringSeconds": "Sum"}),
    ),
    "flights": (
        Emitted("Quality score, %", "FlightDataPipeline/Quality", {"OverallQualityScore": "Average"}),
        Emitted(
            "Checks",
            "FlightDataPipeline/Quality",
            {"PassedChecks": "Average", "FailedChecks": "Average", "UnknownChecks": "Average"},
        ),
        Emitted("Rows judged", "FlightDataPipeline/Quality", {"RecordsValidated": "Sum"}),
        Emitted(
            "Rows converted", "FlightDataPipeline/Processing", {"RecordsProcessed": "Sum", "RecordsRejected": "Sum"}
        ),
        Emitted("Conversion, ms", "FlightDataPipeline/Processing", {"ProcessingTime": "p95"}),
        Emitted("Judging, ms", "FlightDataPipeline/Quality", {"ValidationTime": "p95"}),
        Emitted("Bytes saved by Parquet, %", "FlightDataPipeline/Processing", {"FileSizeReduction": "Average"}),
        Emitted("Polls that brought a snapshot", "FlightDataPipeline/Ingestion", {"SnapshotsFetched": "Sum"}),
        Emitted("OpenSky", "FlightDataPipeline/Ingestion", {"CreditsUsed": "Maximum", "BreakerOpen": "Maximum"}),
    ),
    "spendsense": (
        Emitted(
            "People done, by stage",
            "Omnibus",
            {"compute_features.users": "Sum", "assign_persona.users": "Sum", "generate_recommendations.users": "Sum"},
        ),
        Emitted(
            "Coverage, %",
            "Omnibus/Spendsense",
            {"PersonaCoverage": "Minimum", "BehaviourCoverage": "Minimum", "TraceCoverage": "Minimum"},
        ),
        Emitted("People, and runs", "Omnibus/Spendsense", {"People": "Maximum", "RunsForEverybody": "Sum"}),
    ),
    "uploads": (Emitted("Uploads decided", "Omnibus", {"UploadsCompleted": "Sum", "UploadsRejected": "Sum"}),),
    "gateway": (Emitted("Records put aside", "Omnibus", {"RecordsParked": "Sum"}),),
}

Widget = dict[str, Any]
Metric = list[Any]


def with_dashboard(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with the dashboard of its own functions, queues, tables and alarms."""
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    body = {"start": "-PT12H", "periodOverride": "inherit", "widgets": _placed(_sections(resources))}
    dashboard = {
        "Type": "AWS::CloudWatch::Dashboard",
        "Condition": CONDITION,
        "Properties": {
            "DashboardName": {"Fn::Sub": "${AWS::StackName}"},
            "DashboardBody": {"Fn::Sub": json.dumps(body)},
        },
    }
    return {**template, "Resources": {**resources, "Dashboard": dashboard, **_filters()}}


def _filters() -> dict[str, Any]:
    """What counts and times the routes: each answer's log line is matched, errors left out."""
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
        for routes in ROUTES.values()
        for name, route in routes.items()
    }


def _sections(resources: Mapping[str, Mapping[str, Any]]) -> Iterable[list[Widget]]:
    yield [_text("# ${AWS::StackName}\nWhat to do about an alarm is in `docs/runbook.md`."), *_alarms(resources)]
    for workload, declared in WORKLOADS.items():
        logical = {
            name: resource["Properties"]["FunctionName"]["Fn::Sub"]
            for name, resource in resources.items()
            if resource["Type"] == FUNCTION
        }
        functions = [text for text in logical.values() if text.removeprefix(f"{SERVICE}-") in declared.functions]
        yield [
            _text(f"## {declared.title}"),
            *_business(workload),
            *_services(workload, functions, resources),
        ]


def _business(workload: str) -> Iterable[Widget]:
    if routes := ROUTES.get(workload):
        yield _graph("Answers", [[ROUTES_NAMESPACE, name, {"stat": "SampleCount"}] for name in routes])
        yield _graph("Answers, ms (p95)", [[ROUTES_NAMESPACE, name, {"stat": "p95"}] for name in routes])
    for emitted in EMITTED[workload]:
        own = emitted.metrics.items()
        yield _graph(
            emitted.title, [[emitted.namespace, name, "service", SERVICE, {"stat": stat}] for name, stat in own]
        )


def _services(workload: str, functions: Sequence[str], resources: Mapping[str, Mapping[str, Any]]) -> Iterable[Widget]:
    def each(metric: str, stat: str) -> list[Metric]:
        return [
            ["AWS/Lambda", metric, "FunctionName", name, {"stat": stat, "label": name.removeprefix(f"{SERVICE}-")}]
            for name in functions
        ]

    yield _graph("Invocations", each("Invocations", "Sum"))
    yield _graph("Errors and throttles", [*each("Errors", "Sum"), *each("Throttles", "Sum")])
    yield _graph("Duration, ms (p95)", each("Duration", "p95"))
    yield _graph("At once", each("ConcurrentExecutions", "Maximum"))
    queues = list(_owned(resources, QUEUE, workload))
    if queues:
        depth = "ApproximateNumberOfMessagesVisible"
        named = [
            ["AWS/SQS", depth, "QueueName", f"${{{name}.QueueName}}", {"stat": "Maximum", "label": name}]
            for name in queues
        ]
        yield _graph("Messages that wait", named)
    tables = list(_owned(resources, TABLE, workload))
    if tables:
        yield _graph(
            "Tables: units read and written",
            [
                ["AWS/DynamoDB", metric, "TableName", f"${{{name}}}", {"stat": "Sum", "label": f"{name} {verb}"}]
                for name in tables
                for metric, verb in (("ConsumedReadCapacityUnits", "read"), ("ConsumedWriteCapacityUnits", "written"))
            ],
        )
    yield from OTHER_SERVICES.get(workload, list)()


def _owned(resources: Mapping[str, Mapping[str, Any]], kind: str, workload: str) -> Iterable[str]:
    return (name for name, it in resources.items() if it["Type"] == kind and of_resource(name) == workload)


def _workflow() -> list[Widget]:
    started, succeeded, failed = ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed")
    own = ["StateMachineArn", "${PredictionsStateMachine}"]
    return [
        _graph("Jobs", [["AWS/States", name, *own, {"stat": "Sum"}] for name in (started, succeeded, failed)]),
        _graph("Jobs, ms (p95)", [["AWS/States", "ExecutionTime", *own, {"stat": "p95"}]]),
    ]


def _gateways() -> list[Widget]:
    rest = ["ApiName", SERVICE, "Stage", "api"]
    sockets = ["ApiId", "${WebsocketAPI}", "Stage", "api"]

    def of(dimensions: Sequence[str], stat: str, *names: str) -> list[Metric]:
        return [["AWS/ApiGateway", name, *dimensions, {"stat": stat}] for name in names]

    return [
        _graph("REST requests", of(rest, "Sum", "Count", "4XXError", "5XXError")),
        _graph("REST latency, ms", [*of(rest, "p50", "Latency"), *of(rest, "p95", "Latency")]),
        _graph("Sockets", of(sockets, "Sum", "ConnectCount", "MessageCount")),
        _graph("Socket errors", of(sockets, "Sum", "ClientError", "IntegrationError", "ExecutionError")),
    ]


OTHER_SERVICES = {"predictions": _workflow, "gateway": _gateways}
"""What a workload has besides functions, queues and tables."""


def _alarms(resources: Mapping[str, Mapping[str, Any]]) -> Iterable[Widget]:
    names = sorted(
        resource["Properties"]["AlarmName"]["Fn::Sub"] for resource in resources.values() if resource["Type"] == ALARM
    )
    place = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:"
    for start in range(0, len(names), MOST_ALARMS):
        alarms = [place + name for name in names[start : start + MOST_ALARMS]]
        properties = {"title": "Alarms", "alarms": alarms, "states": ["ALARM"]}
        yield {"type": "alarm", "width": ACROSS, "height": HEIGHT, "properties": properties}


def _text(markdown: str) -> Widget:
    return {"type": "text", "width": ACROSS, "height": 2, "properties": {"markdown": markdown}}


def _graph(title: str, metrics: list[Metric]) -> Widget:
    properties = {
        "title": title,
        "metrics": metrics,
        "view": "timeSeries",
        "period": 300,
        "region": "${AWS::Region}",
        "yAxis": {"left": {"min": 0}},
    }
    return {"type": "metric", "width": WIDTH, "height": HEIGHT, "properties": properties}


def _placed(sections: Iterable[list[Widget]]) -> list[Widget]:
    """All widgets with their places: from left to right, on the next row where one does not fit."""
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
