"""Check a stage's parameters, and report everything that is missing, unknown or malformed together.

Three layers of rules: the template's declarations (types, allowed values, patterns, lengths), the stage's requirements,
and the application's own checks of the resulting environment.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.flights.ingest import poll_cost
from chalicelib.settings import Settings, SettingsError
from infra.deployment.intrinsics import Known, pseudo_parameters, references, resolve
from infra.deployment.problems import DeploymentError
from infra.deployment.stages import Stage, as_text
from infra.template.functions import LIMITS_PATTERN, is_limits, limits_of, limits_text
from infra.template.names import BUCKET, FUNCTION, QUEUE, Template

OF_THE_STAGE = {
    "account": "Number of the stage's AWS account; the stage is deployed into no other.",
    "region": "The stage's region, e.g. eu-west-1.",
}
"""Settings of a stage's file that are not parameters."""
TOGETHER = (
    ("OpenSkyClientId", "OpenSkyClientSecret"),
    ("ChatAgentId", "ChatAgentAliasId"),
)
"""Parameters that must be given together or not at all."""
STACK_NAME = re.compile(r"[a-z][a-z0-9-]*")
"""CloudFormation allows capitals; the names of buckets, which begin with the stack's, do not."""
NAMED = {BUCKET: ("BucketName", 63), FUNCTION: ("FunctionName", 64)}
"""The name property of each kind of resource, and AWS's maximum length."""
VARIABLES_BYTES = 4096
"""Lambda's limit for one function's variables."""
LONGEST_REFERENCE = "x" * 100
"""As long as the ARN of a secret that the stack will create."""


def check(stage: Stage, template: Template, kept: frozenset[str] = frozenset()) -> tuple[dict[str, str], list[str]]:
    """The parameters in CloudFormation's form, and all their problems.

    `kept` are secrets of the running stack, which need not be given again.
    """
    declared = template.get("Parameters", {})
    texts: dict[str, str] = {}
    problems = list(_misplaced(stage, declared))
    for name, value in stage.given.items():
        if name not in declared:
            problems.append(f"{name}: the template has no such parameter{_meant(name, declared)}")
            continue
        try:
            limits = isinstance(value, dict) and is_limits(declared[name])
            texts[name] = limits_text(value, declared[name]["Default"]) if limits else as_text(value)
        except ValueError as error:
            problems.append(f"{name}: is {_shown(name, value, declared)}; expected {error}")
    problems += [problem for name in texts for problem in _against_declaration(name, texts[name], declared[name])]
    problems += _missing(stage, declared, texts, kept)
    problems += _at_odds(declared, texts, kept)
    if not problems:
        names = known(stage, template, texts)
        problems += [*_against_names(stage, template, names), *_against_variables(template, names)]
        problems += _against_queues(template, names)
        problems += list(_against_application(template, names)) or _against_credits(template, names)
    return texts, problems


def with_defaults(declared: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, str]:
    """Every parameter's text: the stage's, or the template's default."""
    return {name: texts.get(name, str(each.get("Default", ""))) for name, each in declared.items()}


def known(stage: Stage, template: Template, texts: Mapping[str, str]) -> Known:
    """Values of the template's names for a stage whose resources do not exist yet."""
    account, region = stage.account or "000000000000", stage.region or "eu-west-1"
    return Known(
        parameters=values(template, texts),
        pseudo=pseudo_parameters(stage.stack, account, region),
        conditions=template.get("Conditions", {}),
        mappings=template.get("Mappings", {}),
        stand_in="not-made-yet",
    )


def values(template: Template, texts: Mapping[str, str]) -> dict[str, Any]:
    """The value of `Ref` for each parameter, with lists as lists."""
    declared = template.get("Parameters", {})
    return {
        name: text.split(",") if "List" in declared[name]["Type"] else text
        for name, text in with_defaults(declared, texts).items()
    }


def environment(template: Template, logical_id: str) -> dict[str, Any]:
    """A function's variables in the template: its own, merged over those of all functions."""
    shared = template.get("Globals", {}).get("Function", {})
    own = template["Resources"][logical_id]["Properties"]
    return {**_variables(shared), **_variables(own)}


def _variables(properties: Mapping[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables


def _misplaced(stage: Stage, declared: Mapping[str, Any]) -> Iterator[str]:
    for name in stage.parameters:
        if declared.get(name, {}).get("NoEcho"):
            yield f"{name}: is a secret; put it into infra/stages/{stage.name}.secrets.toml, which git ignores"
    if "Stage" in stage.parameters and stage.parameters["Stage"] != stage.name:
        yield f"Stage: is {stage.parameters['Stage']!r} in {stage.name}.toml; leave it out, the file's name gives it"


def _meant(name: str, declared: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(declared), n=1)
    return f"; is {close[0]} meant?" if close else ""


def _shown(name: str, value: Any, declared: Mapping[str, Any]) -> str:
    return "not shown" if declared[name].get("NoEcho") else repr(value)


def _against_declaration(name: str, text: str, declared: Mapping[str, Any]) -> Iterator[str]:
    shown = _shown(name, text, {name: declared})
    if declared["Type"] == "Number":
        yield from _against_range(name, text, declared)
    allowed = [str(each) for each in declared.get("AllowedValues", [])]
    if allowed and text not in allowed:
        yield f"{name}: is {shown}; expected one of {', '.join(each or 'nothing' for each in allowed)}"
    pattern = LIMITS_PATTERN if is_limits(declared) else declared.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, text):
        yield f"{name}: is {shown}; expected {declared.get('ConstraintDescription', f'a text like {pattern}')}"
    if len(text) > int(declared.get("MaxLength", len(text))):
        yield f"{name}: has {len(text)} characters; expected at most {declared['MaxLength']}"
    if len(text) < int(declared.get("MinLength", 0)):
        yield f"{name}: has {len(text)} characters; expected at least {declared['MinLength']}"


def _against_range(name: str, text: str, declared: Mapping[str, Any]) -> Iterator[str]:
    try:
        number = float(text)
    except ValueError:
        yield f"{name}: is {text!r}; expected a number"
        return
    low, high = declared.get("MinValue"), declared.get("MaxValue")
    if low is not None and number < float(low):
        yield f"{name}: is {text}; expected at least {low}"
    if high is not None and number > float(high):
        yield f"{name}: is {text}; expected at most {high}"


def _missing(
    stage: Stage, declared: Mapping[str, Any], texts: Mapping[str, str], kept: frozenset[str]
) -> Iterator[str]:
    present = {name for name, text in texts.items() if text} | kept
    present |= {name for name in OF_THE_STAGE if getattr(stage, name)}
    for name, each in declared.items():
        if "Default" not in each and name not in present:
            yield f"{name}: is missing; {_described(each)}"
    for names in stage.required:
        if present.isdisjoint(names):
            yield f"{' or '.join(names)}: is missing, and {stage.name} requires it; " + " ".join(
                OF_THE_STAGE.get(name) or _described(declared.get(name, {})) for name in names
            )


def _described(declared: Mapping[str, Any]) -> str:
    return str(declared.get("Description", "expected " + str(declared.get("Type", "a text"))))


def _at_odds(declared: Mapping[str, Any], texts: Mapping[str, str], kept: frozenset[str]) -> Iterator[str]:
    """Rules between parameters, for those that the template has."""
    full = with_defaults(declared, texts)
    for names in TOGETHER:
        missing = [name for name in names if not full.get(name) and name not in kept]
        if missing and any(full.get(name) for name in names):
            yield f"{', '.join(missing)}: is missing; {' and '.join(names)} go together"
    if full.get("RedshiftCluster") and not (full.get("RedshiftDbUser") or full.get("RedshiftSecretArn")):
        yield "RedshiftDbUser or RedshiftSecretArn: is missing; a RedshiftCluster needs one"
    for name in (name for name, each in declared.items() if is_limits(each)):
        limits = limits_of(full[name]) if re.fullmatch(LIMITS_PATTERN, full[name]) else {}
        if limits and 0 < limits["reserved"] < limits["provisioned"]:
            yield f"{name}: provisions {limits['provisioned']}; expected at most what it reserves, {limits['reserved']}"
    if full.get("DatabaseNetwork") == "existing":
        for name in ("SubnetIds", "SecurityGroupIds"):
            if full[name] == declared[name].get("Default"):
                yield f"{name}: is missing; DatabaseNetwork existing requires it"


def _against_names(stage: Stage, template: Template, names: Known) -> Iterator[str]:
    """The stack's name is the prefix of all names, so it must satisfy the rules for all of them."""
    if not STACK_NAME.fullmatch(stage.stack):
        yield f"stack: is {stage.stack!r}; expected lower-case letters, digits and hyphens, as in buckets' names"
    for kind, (key, most) in NAMED.items():
        called = [
            str(resolve(each["Properties"][key], names))
            for each in template.get("Resources", {}).values()
            if each["Type"] == kind and key in each.get("Properties", {})
        ]
        longest = max(called, key=len, default="")
        if len(longest) > most:
            yield f"stack: is {stage.stack!r}; expected {len(longest) - most} characters less, for {longest}"


def _against_variables(template: Template, names: Known) -> Iterator[str]:
    """The function with the most variables must stay within Lambda's limit."""
    guessed = replace(names, stand_in=LONGEST_REFERENCE)
    sizes = {}
    for logical, each in template.get("Resources", {}).items():
        if each["Type"] == FUNCTION:
            variables = {key: str(resolve(value, guessed)) for key, value in environment(template, logical).items()}
            sizes[logical] = len(json.dumps(variables, separators=(",", ":")).encode())
    largest = max(sizes, key=lambda logical: sizes[logical], default="")
    if largest and sizes[largest] > VARIABLES_BYTES:
        yield (
            f"{largest}Environment, and the parameters that are variables of every function: are {sizes[largest]} bytes"
            f" together; expected at most {VARIABLES_BYTES}"
        )


def _against_queues(template: Template, names: Known) -> Iterator[str]:
    """Lambda does not read from a queue whose visibility timeout is shorter than the function's timeout."""
    resources = template.get("Resources", {}).values()
    queues = {
        str(resolve(each["Properties"]["QueueName"], names)): each["Properties"].get("VisibilityTimeout", 30)
        for each in resources
        if each["Type"] == QUEUE
    }
    for each in (each["Properties"] for each in resources if each["Type"] == FUNCTION):
        read = [event["Properties"]["Queue"] for event in each.get("Events", {}).values() if event["Type"] == "SQS"]
        for queue in (str(resolve(arn, names)).rpartition(":")[2] for arn in read):
            timeout = int(resolve(each["Timeout"], names))
            if timeout > queues[queue]:
                yield (
                    f"{' and '.join(references(each['Timeout']))}: has a timeout of {timeout}; expected at most"
                    f" {queues[queue]}, after which {queue} shows a message again"
                )


def _against_credits(template: Template, names: Known) -> Iterator[str]:
    """Polling must not need more credits a day than OpenSky gives, or it stops hours before midnight."""
    parameters = names.parameters
    if parameters.get("Schedules") != "ENABLED" or "IngestFlightsSchedule" not in parameters:
        return
    settings = Settings.from_environ(
        {name: str(resolve(value, names)) for name, value in environment(template, "APIHandler").items()}
    ).flights
    schedule = str(parameters["IngestFlightsSchedule"])
    runs, cost = runs_a_day(schedule), poll_cost(settings.box)
    if runs is not None and runs * cost > settings.daily_credits:
        yield (
            f"IngestFlightsSchedule: {schedule} is {runs} polls a day of {cost} credits each; expected at most"
            f" {settings.daily_credits} credits. Poll less often, poll a FlightsBox, or give OpenSkyClientId"
        )


def runs_a_day(schedule: str) -> int | None:
    """Runs on one day of a schedule's expression, for days with runs; None if the expression is not understood."""
    if rate := re.fullmatch(r"rate\(([1-9]\d*) (minute|hour|day)s?\)", schedule):
        return max(1, 1440 // (int(rate[1]) * {"minute": 1, "hour": 60, "day": 1440}[rate[2]]))
    if cron := re.fullmatch(r"cron\((\S+) (\S+)( \S+){4}\)", schedule):
        minutes, hours = _moments(cron[1], 60), _moments(cron[2], 24)
        return minutes * hours if minutes and hours else None
    return None


def _moments(field: str, of: int) -> int:
    """Number of minutes or hours in a field of a cron expression; 0 if the field is not understood."""
    named: set[int] = set()
    for part in field.split(","):
        found = re.fullmatch(r"(\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", part)
        if found is None:
            return 0
        first = int(found[2] or 0)
        last = int(found[3]) if found[3] else of - 1 if found[1] == "*" or found[4] else first
        named.update(range(first, last + 1, int(found[4] or 1)))
    return len(named)


def _against_application(template: Template, names: Known) -> Iterator[str]:
    """The application's problems with the complete environment, in the template's terms."""
    written = environment(template, "APIHandler")
    try:
        Settings.from_environ({name: str(resolve(value, names)) for name, value in written.items()})
    except SettingsError as error:
        for line in str(error).splitlines()[1:]:
            variable, _, problem = line.strip().partition(": ")
            sources = [each for each in references(written.get(variable)) if each in names.parameters]
            yield f"{' and '.join(sources) or variable}: {problem}"


def read_template(path: Any) -> dict[str, Any]:
    """The packaged template; DeploymentError if there is none."""
    try:
        template: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DeploymentError(f"there is no {path}: run `make package` first") from None
    return template
