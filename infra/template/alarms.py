"""Alarms for each function, queue, dead-letter queue and table; alarms.yaml has the rest.

They are generated from the template: resources that are added later get alarms too, with their real limits. An alarm
on a share of a limit divides by the limit's parameter, if it has one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from infra.template.names import ALARM, DEAD_LETTERS, FUNCTION, QUEUE, STACK, TABLE, Resources, name_of, of_type
from infra.template.workloads import Workload, by_workload

CONDITION = "AlarmsOn"
RUNBOOK = "docs/runbook.md"
MOST_METRICS = 10
"""CloudWatch's maximum in one alarm; more metrics need several alarms."""

Item = TypeVar("Item")


def with_alarms(template: Mapping[str, Any], workloads: Sequence[Workload]) -> dict[str, Any]:
    """The template with alarms for its functions, queues and tables; the alarms of alarms.yaml are unchanged."""
    resources: Resources = template["Resources"]
    alarms: dict[str, Any] = {}
    for logical, function in of_type(resources, FUNCTION).items():
        alarms |= _of_function(logical, function)
    for logical in of_type(resources, QUEUE):
        alarms |= _of_dead_letters(logical) if logical.endswith(DEAD_LETTERS) else _of_queue(logical)
    for of_many in (
        _of_slow_functions,
        _of_throttled_functions,
        _of_expiring_dead_letters,
        _of_waiting_events,
        _of_tables,
    ):
        alarms |= of_many(resources, workloads)
    return {**template, "Resources": {**resources, **alarms}}


def alarm(name: str, meaning: str, section: str, **properties: Any) -> dict[str, Any]:
    """An alarm that notifies the alarms' topic; `section` is its heading in the runbook."""
    return {
        "Type": ALARM,
        "Condition": CONDITION,
        "Properties": {
            "AlarmName": {"Fn::Sub": f"{STACK}-{name}"},
            "AlarmDescription": f"{meaning} {RUNBOOK}#{section}",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "AlarmsTopic"}],
            "OKActions": [{"Ref": "AlarmsTopic"}],
            **properties,
        },
    }


def _of_function(logical: str, function: Mapping[str, Any]) -> dict[str, Any]:
    name = name_of(function)
    # One error that a retry fixes raises no alarm.
    properties = {"MetricName": "Errors", "Statistic": "Sum", **_above(0, period=60, of=3, at_least=2)}
    errors = alarm(
        f"{name}-errors", f"{name} raises errors or times out.", "errors", **_function_metric(logical), **properties
    )
    return {f"{logical}ErrorsAlarm": errors}


def _of_slow_functions(resources: Resources, workloads: Sequence[Workload]) -> dict[str, Any]:
    """An alarm for each workload on the share of its timeout that each function uses."""
    functions = of_type(resources, FUNCTION)
    found = {}
    for workload, names in by_workload(functions, workloads).items():
        for number, some in _in_tens(names):
            shares = [f"FILL(longest{place}, 0) / (10 * ${{Limit{place}}})" for place in range(len(some))]
            limits = {f"Limit{place}": functions[name]["Properties"]["Timeout"] for place, name in enumerate(some)}
            share = {
                "Id": "share",
                "Expression": {"Fn::Sub": [f"MAX([{', '.join(shares)}])", limits]},
                "Label": "% of the timeout",
                "ReturnData": True,
            }
            longest = [
                _stat(f"longest{place}", _function_metric(name), "Duration", "Maximum", 300)
                for place, name in enumerate(some)
            ]
            found[f"{workload.capitalize()}Duration{number}Alarm"] = alarm(
                _numbered(f"{workload}-duration", number),
                "An invocation took more than 80 % of its function's timeout.",
                "duration",
                Metrics=[share, *longest],
                **_above(80),
            )
    return found


def _of_throttled_functions(resources: Resources, workloads: Sequence[Workload]) -> dict[str, Any]:
    """Two alarms for each workload: one for functions with callers, and one for functions with events.

    Lambda retries throttled events for as long as EventAge allows, and refuses throttled callers.
    """
    functions = of_type(resources, FUNCTION)
    total = {"Id": "total", "Expression": "SUM(METRICS())", "Label": "throttled", "ReturnData": True}
    found = {}
    for kind, patience in (("callers", 1), ("events", 3)):
        own = [
            name
            for name, function in functions.items()
            if ("DeadLetterQueue" in function["Properties"]) is (kind == "events")
        ]
        for workload, names in by_workload(own, workloads).items():
            for number, some in _in_tens(names):
                throttles = [
                    _stat(f"throttles{place}", _function_metric(name), "Throttles", "Sum", 300)
                    for place, name in enumerate(some)
                ]
                found[f"{workload.capitalize()}Throttled{kind.capitalize()}{number}Alarm"] = alarm(
                    _numbered(f"{workload}-throttled-{kind}", number),
                    "Lambda throttles a function.",
                    "throttles",
                    Metrics=[total, *throttles],
                    **_above(0, of=patience),
                )
    return found


def _of_dead_letters(logical: str) -> dict[str, Any]:
    letters = _queue_metric(logical, "ApproximateNumberOfMessagesVisible")
    name = _dashed(logical.removesuffix(DEAD_LETTERS))
    meaning = "Events that failed at every attempt wait for `make redrive`."
    return {f"{logical}Alarm": alarm(f"{name}-dead", meaning, "dead-letters", **letters, **_above(0, period=60))}


def _of_queue(logical: str) -> dict[str, Any]:
    age = _queue_metric(logical, "ApproximateAgeOfOldestMessage")
    depth = _queue_metric(logical, "ApproximateNumberOfMessagesVisible")
    name = _dashed(logical)
    return {
        f"{logical}AgeAlarm": alarm(
            f"{name}-age",
            "The oldest message has waited for more than five minutes.",
            "queue-age",
            **age,
            **_above(300, period=60, of=3),
        ),
        f"{logical}DepthAlarm": alarm(
            f"{name}-depth",
            "More messages are waiting than one consumer can take.",
            "queue-depth",
            **depth,
            **_above(100, period=60, of=5),
        ),
    }


def _of_expiring_dead_letters(resources: Resources, workloads: Sequence[Workload]) -> dict[str, Any]:
    """An alarm for each workload before SQS deletes dead-letter messages that have not been redriven."""
    queues = {name: queue for name, queue in of_type(resources, QUEUE).items() if name.endswith(DEAD_LETTERS)}
    found = {}
    for workload, names in by_workload(queues, workloads).items():
        kept = queues[names[0]]["Properties"]["MessageRetentionPeriod"]
        for number, some in _in_tens(names):
            ages = [
                _stat(f"age{place}", _queue_metric(name), "ApproximateAgeOfOldestMessage", "Maximum", 3600)
                for place, name in enumerate(some)
            ]
            found[f"{workload.capitalize()}{DEAD_LETTERS}Age{number}Alarm"] = alarm(
                _numbered(f"{workload}-dead-age", number),
                "Dead-letter messages are about to be deleted: more than 80 % of their retention is over.",
                "dead-letters-age",
                Metrics=[_share("100 * MAX(METRICS()) / {limit}", kept), *ages],
                **_above(80),
            )
    return found


def _of_waiting_events(resources: Resources, workloads: Sequence[Workload]) -> dict[str, Any]:
    """An alarm for each workload on the age of its asynchronous functions' events; there are no stream iterators."""
    functions = {
        name: function
        for name, function in of_type(resources, FUNCTION).items()
        if "DeadLetterQueue" in function["Properties"]
    }
    meaning = "Events have waited for a function for more than half of their maximum age."
    found = {}
    for workload, names in by_workload(functions, workloads).items():
        limit = functions[names[0]]["Properties"]["EventInvokeConfig"]["MaximumEventAgeInSeconds"]
        share = _share("MAX(METRICS()) / (10 * {limit})", limit)
        for number, some in _in_tens(names):
            ages = [
                _stat(f"age{place}", _function_metric(name), "AsyncEventAge", "Maximum", 300)
                for place, name in enumerate(some)
            ]
            found[f"{workload.capitalize()}EventAge{number}Alarm"] = alarm(
                _numbered(f"{workload}-event-age", number), meaning, "event-age", Metrics=[share, *ages], **_above(50)
            )
    return found


def _of_tables(resources: Resources, workloads: Sequence[Workload]) -> dict[str, Any]:
    """An alarm for each workload on its tables and their indexes."""
    tables = of_type(resources, TABLE)
    total = {"Id": "total", "Expression": "SUM(METRICS())", "Label": "throttled", "ReturnData": True}
    found = {}
    for workload, names in by_workload(tables, workloads).items():
        for number, some in _in_tens([*_dimensions_of(tables, names)], at_once=MOST_METRICS // 2):
            throttles = [
                _stat(f"{kind}{place}", {"Namespace": "AWS/DynamoDB", "Dimensions": dimensions}, metric, "Sum", 300)
                for place, dimensions in enumerate(some)
                for kind, metric in (("read", "ReadThrottleEvents"), ("write", "WriteThrottleEvents"))
            ]
            found[f"{workload.capitalize()}TablesThrottled{number}Alarm"] = alarm(
                _numbered(f"{workload}-tables", number),
                "DynamoDB throttles reads or writes of a table or an index.",
                "table-throttles",
                Metrics=[total, *throttles],
                **_above(0, of=2),
            )
    return found


def _in_tens(items: Sequence[Item], at_once: int = MOST_METRICS) -> Iterator[tuple[str, Sequence[Item]]]:
    """Groups of as many as one alarm takes, each with its number; the first has none."""
    for start in range(0, len(items), at_once):
        yield str(start // at_once + 1) if start else "", items[start : start + at_once]


def _numbered(name: str, number: str) -> str:
    return f"{name}-{number}" if number else name


def _dimensions_of(tables: Resources, names: Iterable[str]) -> list[list[dict[str, Any]]]:
    found = []
    for name in names:
        own = {"Name": "TableName", "Value": {"Ref": name}}
        found.append([own])
        for index in tables[name]["Properties"].get("GlobalSecondaryIndexes", ()):
            found.append([own, {"Name": "GlobalSecondaryIndexName", "Value": index["IndexName"]}])
    return found


def _above(threshold: float, *, period: int | None = None, of: int = 1, at_least: int | None = None) -> dict[str, Any]:
    """Alarm if `at_least` of the last `of` periods breach (default: all); metric math has its own periods."""
    return {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": threshold,
        "EvaluationPeriods": of,
        "DatapointsToAlarm": at_least or of,
        **({"Period": period} if period else {}),
    }


def _function_metric(logical: str) -> dict[str, Any]:
    return {"Namespace": "AWS/Lambda", "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": logical}}]}


def _queue_metric(logical: str, metric: str = "") -> dict[str, Any]:
    queue = {
        "Namespace": "AWS/SQS",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [logical, "QueueName"]}}],
    }
    return {**queue, "MetricName": metric, "Statistic": "Maximum"} if metric else queue


def _stat(key: str, metric: Mapping[str, Any], name: str, statistic: str, period: int) -> dict[str, Any]:
    """One metric of an expression."""
    return {
        "Id": key,
        "MetricStat": {"Metric": {**metric, "MetricName": name}, "Stat": statistic, "Period": period},
        "ReturnData": False,
    }


def _share(expression: str, limit: Any) -> dict[str, Any]:
    """The alarm's expression: percent of a limit, which is a number or comes from a parameter."""
    text: Any = expression.format(limit=limit)
    if isinstance(limit, Mapping):
        text = {"Fn::Sub": [expression.format(limit="${Limit}"), {"Limit": limit}]}
    return {"Id": "share", "Expression": text, "Label": "% of the limit", "ReturnData": True}


def _dashed(logical: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in logical).removeprefix("-")
