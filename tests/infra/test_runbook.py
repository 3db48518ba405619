"""The runbook is complete, and its commands exist: links, targets, modules, AWS's operations and their options."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from infra.template.alarms import RUNBOOK
from infra.template.names import ALARM

Template = dict[str, Any]
ROOT = Path(__file__).parents[2]
TEXT = (ROOT / RUNBOOK).read_text(encoding="utf-8")
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
COMMANDS = "\n".join(body for kind, body in BLOCK.findall(TEXT) if kind == "sh")
QUERIES = [body for kind, body in BLOCK.findall(TEXT) if kind == "text"]
COMMAND_LINE = {"deploy": "codedeploy", "s3api": "s3"}
"""What the command line calls otherwise than botocore."""
GLOBAL_OPTIONS = {"query", "output", "cli-binary-format", "max-items"}
OUR_FIELDS = {
    *("level", "message", "exception", "function_request_id", "route", "status", "ms"),
    *("integration_status", "integration_ms", "error", "method", "subject"),
}


def slug(heading: str) -> str:
    """The anchor that Markdown gives a heading."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def sections(chapter: str) -> dict[str, str]:
    """The sections of a chapter, by anchor."""
    body = re.split(r"^# ", TEXT, flags=re.MULTILINE)
    (own,) = [part for part in body if part.startswith(chapter)]
    parts = re.split(r"^### (.+)$", own, flags=re.MULTILINE)[1:]
    return {slug(name): text for name, text in zip(parts[::2], parts[1::2], strict=True)}


def calls() -> list[tuple[str, str, list[str]]]:
    """Every call of the AWS CLI: service, operation, options."""
    found = re.findall(r"\baws ([a-z0-9]+) ([a-z0-9-]+)((?:[^\n|;)]|\)(?= ))*)", COMMANDS)
    without_texts = [
        (service, operation, re.sub(r"'[^']*'|\"[^\"]*\"", "", rest)) for service, operation, rest in found
    ]
    return [
        (service, operation, re.findall(r"(?<!\S)--([a-z0-9-]+)", rest)) for service, operation, rest in without_texts
    ]


def test_each_alarm_has_its_section_and_each_section_an_alarm(packaged: Template) -> None:
    named = set()
    for name, resource in packaged["Resources"].items():
        if resource["Type"] == ALARM:
            description = resource["Properties"]["AlarmDescription"]
            place, _, anchor = description.rpartition("#")
            assert place.endswith(RUNBOOK), name
            named.add(anchor)
    assert named == set(sections("Alarms"))


@pytest.mark.parametrize("anchor", list(sections("Alarms")))
def test_each_alarm_is_explained(anchor: str) -> None:
    text = sections("Alarms")[anchor]
    for wanted in ("means", "look", "do"):
        assert f"**{wanted}**" in text.lower(), wanted
    assert "```" in text or "(#" in text, "nothing to type, and nowhere to go"


def test_the_procedures_are_there() -> None:
    wanted = ("redrive", "replay", "release", "cancel", "rotate", "restore", "roll-back", "stop-everything")
    anchors = " ".join(sections("Procedures"))
    assert [word for word in wanted if word not in anchors] == []
    assert sum(anchor.startswith("rotate") for anchor in sections("Procedures")) == 4
    assert sum(anchor.startswith("restore") for anchor in sections("Procedures")) == 3
    assert all("```" in text or anchor == "see-what-it-costs" for anchor, text in sections("Procedures").items())


def test_links_lead_somewhere() -> None:
    anchors = {slug(heading) for heading in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= anchors
    for document in re.findall(r"docs/[\w-]+\.md", TEXT):
        assert (ROOT / document).exists(), document


def test_make_has_the_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = set(re.findall(r"\bmake ([a-z-]+)", COMMANDS)) | set(re.findall(r"`make ([a-z-]+)", TEXT))
    assert used >= {"redrive", "deploy", "cost"}
    assert used <= targets


def test_our_modules_are_there_and_take_the_options() -> None:
    used = re.findall(r"python -m (infra\.[\w.]+)([^\n]*)", COMMANDS)
    assert {name for name, _ in used} == {"infra.operate.publish_model", "infra.operate.copy_table"}
    for name, rest in used:
        spec = importlib.util.find_spec(name)
        assert spec is not None, name
        assert spec.origin is not None
        source = Path(spec.origin).read_text(encoding="utf-8")
        for option in re.findall(r"--[a-z-]+", rest):
            assert f'"{option}"' in source, (name, option)


def test_aws_has_the_operations_and_options() -> None:
    session = botocore.session.get_session()
    seen = calls()
    assert len(seen) >= 50
    for service, operation, options in seen:
        if service == "s3" or (service, operation) == ("logs", "tail"):
            continue  # the command line's own, without a model
        model = session.get_service_model(COMMAND_LINE.get(service, service))
        if operation == "wait":
            continue
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in operations, f"aws {service} {operation}"
        shape = model.operation_model(operations[operation]).input_shape
        members = {xform_name(name, "-") for name in (shape.members if shape else ())}
        assert set(options) - GLOBAL_OPTIONS <= members, f"aws {service} {operation}"
        required = {xform_name(name, "-") for name in (shape.required_members if shape else ())}
        assert required <= set(options), f"aws {service} {operation}"


def test_the_names_of_the_stack_are_those_of_the_template(packaged: Template) -> None:
    text = json.dumps(packaged)
    known = set(re.findall(r"\$\{AWS::StackName\}-([A-Za-z0-9_-]+?)(?:-\$\{|[^A-Za-z0-9_-])", text))
    used = set(re.findall(r"\$STACK-([a-z][a-z0-9_-]*)", TEXT))
    assert len(used) > 10
    assert {name.removesuffix("-restored").removesuffix("-") for name in used} <= known


def test_the_parameters_and_outputs_that_it_names_exist(packaged: Template) -> None:
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][A-Za-z]*)+)(?:=\w+)?`", TEXT))
    named |= set(re.findall(r"OMNIBUS_PARAMETER_(\w+)", TEXT))
    assert len(named) > 15
    assert named - {"OutOfMemory"} <= set(packaged["Parameters"]) | set(packaged["Outputs"])


def test_what_is_given_for_one_deployment_is_kept_by_the_stack(packaged: Template) -> None:
    given_once = set(re.findall(r"OMNIBUS_PARAMETER_(\w+)", TEXT))
    assert given_once
    forgotten = {name for name in given_once if not packaged["Parameters"][name].get("NoEcho")}
    assert forgotten == set(), "the next deployment would go back to the default"


def test_stopping_reaches_every_limit_and_starting_restores_it(packaged: Template) -> None:
    text = sections("Procedures")["stop-everything"]
    limits = {}
    for each in packaged["Resources"]["RestAPI"]["Properties"]["MethodSettings"]:
        method = f"{each['ResourcePath'].removeprefix('/')}/{each['HttpMethod']}"
        rates = [each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"]]
        limits[method] = [packaged["Parameters"][it["Ref"]]["Default"] if isinstance(it, dict) else it for it in rates]
    (stopped,) = re.findall(r"^for method in (.+); do$", text, re.MULTILINE)
    assert set(re.findall(r"'([^']+)'", stopped)) == set(limits)
    (restored,) = re.findall(r"<<END\n(.*?)^END$", text, re.MULTILINE | re.DOTALL)
    assert {line.split()[0]: list(map(int, line.split()[1:])) for line in restored.splitlines()} == limits
    sockets = [packaged["Parameters"][name]["Default"] for name in ("SocketRate", "SocketBurst")]
    for rate, burst in ([0, 0], sockets):
        assert f"ThrottlingRateLimit={rate},ThrottlingBurstLimit={burst}" in text


def test_queues_are_asked_until_they_answer() -> None:
    """A short poll asks some of SQS's machines, and may find nothing where there is something."""
    receives = [options for service, operation, options in calls() if operation == "receive-message"]
    assert len(receives) == 2
    assert all("wait-time-seconds" in options for options in receives)


def test_the_outputs_that_it_reads_exist(packaged: Template) -> None:
    assert set(re.findall(r"OutputKey=='(\w+)'", TEXT)) <= set(packaged["Outputs"])


def test_queries_ask_for_fields_that_are_logged() -> None:
    assert len(QUERIES) >= 8
    for query in QUERIES:
        bare = re.sub(r'"[^"]*"|/[^/]*/', "", query)
        assert "sort by" not in bare, "it is `sort name desc`"
        named = set(re.findall(r" as (\w+)", bare))
        words = set(re.findall(r"(?<![@\w.])[a-z_]+\b", bare)) - named
        keywords = {
            "fields",
            "filter",
            "sort",
            "limit",
            "stats",
            "count",
            "by",
            "bin",
            "max",
            "pct",
            "desc",
            "display",
            "as",
            "in",
        }
        assert words - keywords - {"and", "or", "like", "ispresent", "m"} <= OUR_FIELDS, query
