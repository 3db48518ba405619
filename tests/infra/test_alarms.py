"""The alarms of the packaged template: they cover everything, use existing metrics, and notify somebody."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.package import ROOT, read_fragments
from infra.template.alarms import MOST_METRICS, with_alarms
from infra.template.functions import limits_of
from infra.template.names import ALARM, FUNCTION, QUEUE, TABLE
from infra.template.workloads import Workload, workloads
from tests.infra.metrics import AWS, Metric, emitted

Template = dict[str, Any]
SERVICE = [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
NAME = re.compile(r"\$\{(?!AWS::)([A-Za-z0-9]+)")


def of_type(template: Template, kind: str) -> dict[str, Any]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def alarms(template: Template) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in of_type(template, ALARM).items()}


def stats(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The metrics of an alarm, each with namespace, name, dimensions and period."""
    if "MetricName" in properties:
        yield {key: properties[key] for key in ("Namespace", "MetricName", "Dimensions", "Period")}
    for metric in properties.get("Metrics", ()):
        if "MetricStat" in metric:
            yield {**metric["MetricStat"]["Metric"], "Period": metric["MetricStat"]["Period"]}


def refers_to(value: Any) -> set[str]:
    """Every resource or parameter that a value names."""
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            return {value["Ref"]}
        if set(value) == {"Fn::GetAtt"}:
            return {value["Fn::GetAtt"][0]}
        return set().union(*(refers_to(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*map(refers_to, value))
    return set(NAME.findall(value)) if isinstance(value, str) else set()


@pytest.mark.slow
def test_every_function_is_watched_for_errors_slowness_and_throttles(packaged: Template) -> None:
    found = alarms(packaged)
    functions = of_type(packaged, FUNCTION)
    assert functions
    watched = [(stat["MetricName"], json.dumps(stat["Dimensions"])) for each in found.values() for stat in stats(each)]
    for name, function in functions.items():
        own = json.dumps([{"Name": "FunctionName", "Value": {"Ref": name}}])
        assert [watched.count((metric, own)) for metric in ("Errors", "Duration", "Throttles")] == [1, 1, 1], name
        if "DeadLetterQueue" in function["Properties"]:
            queue = function["Properties"]["DeadLetterQueue"]["TargetArn"]["Fn::GetAtt"][0]
            assert f"{queue}Alarm" in found


def test_a_duration_is_judged_by_the_functions_own_timeout(packaged: Template) -> None:
    watching = [each for each in alarms(packaged).values() if each["AlarmDescription"].endswith("#duration")]
    for properties in watching:
        expression, limits = properties["Metrics"][0]["Expression"]["Fn::Sub"]
        names = [stat["Dimensions"][0]["Value"]["Ref"] for stat in stats(properties)]
        timeouts = [limits_of(packaged["Parameters"][f"{name}Limits"]["Default"])["timeout"] for name in names]
        for place, (name, timeout) in enumerate(zip(names, timeouts, strict=True)):
            assert limits[f"Limit{place}"] == packaged["Resources"][name]["Properties"]["Timeout"]
            expression = expression.replace(f"${{Limit{place}}}", str(timeout))
        for place, timeout in enumerate(timeouts):
            for share, alarming in ((0.79, False), (0.81, True)):
                longest = {f"longest{other}": 0.0 for other in range(len(names))}
                longest[f"longest{place}"] = share * timeout * 1000
                functions = {"MAX": max, "FILL": lambda value, _missing: value}
                assert (eval(expression, {**functions, **longest}) > properties["Threshold"]) is alarming, names[place]


def test_callers_who_are_turned_away_are_told_of_at_once_and_events_that_wait_later(packaged: Template) -> None:
    for properties in alarms(packaged).values():
        if properties["AlarmDescription"].endswith("#throttles"):
            names = [stat["Dimensions"][0]["Value"]["Ref"] for stat in stats(properties)]
            waiting = {"DeadLetterQueue" in packaged["Resources"][name]["Properties"] for name in names}
            assert (properties["EvaluationPeriods"] == 3) is waiting.pop()
            assert waiting == set()


def test_a_rollback_can_be_decided_while_the_canary_runs(packaged: Template) -> None:
    minutes = packaged["Parameters"]["CanaryMinutes"]["Default"]
    canaries = {name: it for name, it in alarms(packaged).items() if name.endswith("CanaryAlarm")}
    assert canaries
    for name, properties in canaries.items():
        assert properties["Period"] * properties["EvaluationPeriods"] <= 60 * minutes, name


def test_every_dead_letter_queue_is_watched_for_letters_and_for_their_age(packaged: Template) -> None:
    queues = {name for name in of_type(packaged, QUEUE) if name.endswith("DeadLetters")}
    aged = set()
    for properties in alarms(packaged).values():
        if properties["AlarmDescription"].endswith("#dead-letters-age"):
            aged |= set().union(*(refers_to(stat["Dimensions"]) for stat in stats(properties)))
            assert refers_to(properties["Metrics"][0]["Expression"]["Fn::Sub"][1]) == {"DeadLetterRetention"}
    assert aged == queues
    for queue in queues:
        assert alarms(packaged)[f"{queue}Alarm"]["Threshold"] == 0


def test_every_other_queue_is_watched_for_the_age_of_its_oldest_message(packaged: Template) -> None:
    queues = {name for name in of_type(packaged, QUEUE) if not name.endswith("DeadLetters")}
    assert queues
    for queue in queues:
        for kind, metric in (("Age", "ApproximateAgeOfOldestMessage"), ("Depth", "ApproximateNumberOfMessagesVisible")):
            (stat,) = stats(alarms(packaged)[f"{queue}{kind}Alarm"])
            assert (stat["MetricName"], refers_to(stat["Dimensions"])) == (metric, {queue})


def test_the_events_of_every_asynchronous_function_are_watched_for_their_age(packaged: Template) -> None:
    functions = {n for n, it in of_type(packaged, FUNCTION).items() if "DeadLetterQueue" in it["Properties"]}
    watching = [each for each in alarms(packaged).values() if each["AlarmDescription"].endswith("#event-age")]
    places = [stat["Dimensions"] for watched in watching for stat in stats(watched)]
    assert set().union(*map(refers_to, places)) == functions
    for watched in watching:
        share = ["MAX(METRICS()) / (10 * ${Limit})", {"Limit": {"Ref": "EventAge"}}]
        assert watched["Metrics"][0]["Expression"] == {"Fn::Sub": share}


def test_every_table_and_index_is_watched_for_throttles(packaged: Template) -> None:
    watched = {
        (metric["MetricName"], json.dumps(metric["Dimensions"], sort_keys=True))
        for properties in alarms(packaged).values()
        for metric in stats(properties)
        if metric["Namespace"] == "AWS/DynamoDB"
    }
    expected = set()
    for name, table in of_type(packaged, TABLE).items():
        own = {"Name": "TableName", "Value": {"Ref": name}}
        indexes = [index["IndexName"] for index in table["Properties"].get("GlobalSecondaryIndexes", ())]
        places = [[own], *([own, {"Name": "GlobalSecondaryIndexName", "Value": index}] for index in indexes)]
        expected |= {
            (metric, json.dumps(place, sort_keys=True))
            for place in places
            for metric in ("ReadThrottleEvents", "WriteThrottleEvents")
        }
    assert watched == expected


def test_every_alarm_tells_the_topic_and_can_be_switched_off(packaged: Template) -> None:
    for name, resource in of_type(packaged, ALARM).items():
        properties = resource["Properties"]
        assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": "AlarmsTopic"}], name
        assert resource["Condition"].startswith("AlarmsOn"), name
        assert properties["AlarmName"]["Fn::Sub"].startswith("${AWS::StackName}-"), name
    names = [properties["AlarmName"]["Fn::Sub"] for properties in alarms(packaged).values()]
    assert len(names) == len(set(names))


def test_only_alarms_on_schedules_take_silence_for_trouble(packaged: Template) -> None:
    silent = {name for name, it in alarms(packaged).items() if it["TreatMissingData"] != "notBreaching"}
    conditional = {name for name, it in of_type(packaged, ALARM).items() if it["Condition"] != "AlarmsOn"}
    assert silent == conditional == {"SnapshotsMissingAlarm", "RunMissingAlarm"}


def test_alarms_on_silence_are_judged_before_a_new_stacks_topic_has_confirmed_subscribers(packaged: Template) -> None:
    # A new stack is silent, and CloudWatch acts on changes alone: who confirms later is told when it is OK.
    # An alarm that waited for anything slow would tell those who had confirmed by then.
    for name in ("SnapshotsMissingAlarm", "RunMissingAlarm"):
        resource = packaged["Resources"][name]
        assert {each for each in refers_to(resource["Properties"]) if "AWS::" not in each} == {"AlarmsTopic"}, name
        assert "DependsOn" not in resource, name
        (section,) = re.findall(r"#([\w-]+)$", resource["Properties"]["AlarmDescription"])
        heading = section.replace("-", " ").capitalize()
        explained = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8").partition(f"### {heading}\n")[2]
        assert "**A new stack** begins in ALARM" in explained.partition("\n### ")[0], name
    assert "DependsOn" not in packaged["Resources"]["AlarmsTopic"]


def test_cloudwatch_takes_every_alarm(packaged: Template) -> None:
    for name, properties in alarms(packaged).items():
        periods = {stat["Period"] for stat in stats(properties)}
        assert len(periods) == 1, f"{name}: the metrics of an expression must have one period"
        (period,) = periods
        longest = 7 * 86_400 if period >= 3600 else 86_400
        assert period * properties["EvaluationPeriods"] <= longest, name
        assert properties.get("DatapointsToAlarm", 1) <= properties["EvaluationPeriods"], name
        assert len(list(stats(properties))) <= 10, name
        if "Metrics" in properties:
            assert [metric["ReturnData"] for metric in properties["Metrics"]].count(True) == 1, name


def test_everything_that_an_alarm_names_is_in_the_template(packaged: Template) -> None:
    known = {*packaged["Resources"], *packaged["Parameters"]}
    for name, properties in alarms(packaged).items():
        named = {each for each in refers_to(properties) if not each.startswith("AWS::")}
        named = {each.partition(".")[0] for each in named if not each.startswith("Limit")}
        assert named <= known, name


def test_every_metric_that_an_alarm_names_exists(packaged: Template, capsys: pytest.CaptureFixture[str]) -> None:
    ours: set[Metric] = emitted(lambda: capsys.readouterr().out)
    checked = 0
    for name, properties in alarms(packaged).items():
        for stat in stats(properties):
            namespace, metric = stat["Namespace"], stat["MetricName"]
            if namespace in AWS:
                assert metric in AWS[namespace], name
            else:
                assert (namespace, metric, ("service",)) in ours, name
                assert stat["Dimensions"] == SERVICE, name
                checked += 1
    assert checked >= 6


def test_metrics_carry_the_stack_that_they_are_of(packaged: Template) -> None:
    shared = packaged["Globals"]["Function"]["Environment"]["Variables"]
    assert shared["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}


def with_more(packaged: Template, some: str, count: int) -> dict[str, Any]:
    """The alarms of a template that has so many more resources like one of flights', as its fragment would own them."""
    more = {f"More{number}{some}": packaged["Resources"][some] for number in range(count)}
    bare = {name: each for name, each in packaged["Resources"].items() if each["Type"] != ALARM}
    owners = tuple(
        Workload(each.name, each.described, each.resources | set(more)) if each.name == "flights" else each
        for each in workloads(read_fragments())
    )
    return alarms(with_alarms({**packaged, "Resources": {**bare, **more}}, owners))


@pytest.mark.parametrize(
    ("some", "metric"),
    [
        ("FlightsRunsTable", "ReadThrottleEvents"),
        ("ProcessFlightsDeadLetters", "ApproximateAgeOfOldestMessage"),
        ("ProcessFlights", "AsyncEventAge"),
    ],
)
def test_what_has_more_metrics_than_an_alarm_takes_has_several_alarms(
    packaged: Template, some: str, metric: str
) -> None:
    found = with_more(packaged, some, 25)
    several = [each for each in found.values() if len(each.get("Metrics", ())) > 2]
    watching = [list(stats(each)) for each in several]
    places = [
        json.dumps(stat["Dimensions"], sort_keys=True)
        for watched in watching
        for stat in watched
        if stat["MetricName"] == metric
    ]
    assert sum("More" in place for place in places) >= 25
    assert len(places) == len(set(places))
    assert max(map(len, watching)) == MOST_METRICS
    assert len({each["AlarmName"]["Fn::Sub"] for each in several}) == len(several)


def test_a_table_of_no_workload_is_refused(packaged: Template) -> None:
    table = of_type(packaged, TABLE)["FlightsRunsTable"]
    with pytest.raises(LookupError, match="StrayTable belongs to no workload: declare it in a fragment"):
        with_alarms(
            {**packaged, "Resources": {**packaged["Resources"], "StrayTable": table}}, workloads(read_fragments())
        )
