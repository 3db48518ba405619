"""A stage's file, and its parameters against the packaged template: one error names every problem."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.deployment.parameters import check, runs_a_day, with_defaults
from infra.deployment.problems import DeploymentError
from infra.deployment.stages import FOLDER, Stage, as_text, read_stage

Template = dict[str, Any]
STAGES = ("dev", "staging", "prod")
SELDOM = {"IngestFlightsSchedule": "rate(1 hour)"}
"""Without an OpenSky account there are few credits a day."""


def stage(**parameters: Any) -> Stage:
    return Stage("dev", "omnibus-dev", parameters={**SELDOM, **parameters})


def problems(template: Template, **parameters: Any) -> list[str]:
    return check(stage(**parameters), template)[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dev.toml").write_text(
        'account = "123456789012"\nrequired = ["AlarmEmail", "DatabaseSecretArn or DatabaseUrl"]\n'
        '[parameters]\nCorsOrigins = ["https://a.example", "https://b.example"]\n[tags]\nteam = "data"\n'
    )
    return tmp_path


def write_secrets(folder: Path, text: str, mode: int = 0o600) -> None:
    (folder / "dev.secrets.toml").write_text(text)
    os.chmod(folder / "dev.secrets.toml", mode)


def test_a_stage_is_its_file_its_secrets_and_the_environment(folder: Path) -> None:
    write_secrets(folder, 'OperatorToken = "of-the-file-and-of-32-characters-"\nDatabaseUrl = "postgresql://file"\n')
    found = read_stage("dev", {"OMNIBUS_PARAMETER_DatabaseUrl": "postgresql://environment", "HOME": "/"}, folder)
    assert (found.stack, found.account, found.region) == ("omnibus-dev", "123456789012", None)
    assert found.required == (("AlarmEmail",), ("DatabaseSecretArn", "DatabaseUrl"))
    assert found.given == {
        "CorsOrigins": ["https://a.example", "https://b.example"],
        "OperatorToken": "of-the-file-and-of-32-characters-",
        "DatabaseUrl": "postgresql://environment",
        "Stage": "dev",
    }
    assert found.tags == {"team": "data"}


def test_secrets_that_others_may_read_are_refused(folder: Path) -> None:
    write_secrets(folder, 'OperatorToken = "x"\n', 0o644)
    with pytest.raises(DeploymentError, match="chmod 600"):
        read_stage("dev", {}, folder)


def test_a_stage_without_a_file_or_with_an_unknown_key_is_refused(folder: Path) -> None:
    with pytest.raises(DeploymentError, match=r"there is no .*prod\.toml"):
        read_stage("prod", {}, folder)
    (folder / "dev.toml").write_text('AlarmEmail = "a@b.c"\n')
    with pytest.raises(DeploymentError, match=r"unknown AlarmEmail.*under \[parameters\]"):
        read_stage("dev", {}, folder)
    (folder / "dev.toml").write_text("stack =\n")
    with pytest.raises(DeploymentError, match="is not TOML"):
        read_stage("dev", {}, folder)


@pytest.mark.parametrize("name", STAGES)
def test_the_files_of_the_tree_fit_the_template(name: str, packaged: Template) -> None:
    found = read_stage(name, {})
    declared = packaged["Parameters"]
    for names in found.required:
        assert set(names) <= {*declared, "account", "region"}, names
    assert all("missing" in problem for problem in check(found, packaged)[1])
    assert f"omnibus-{name}" == found.stack


def test_dev_needs_nothing_and_prod_names_all_that_it_needs(packaged: Template) -> None:
    assert check(read_stage("dev", {}), packaged)[1] == []
    missing = "\n".join(check(read_stage("prod", {}), packaged)[1])
    for name in ("account", "region", "AlarmEmail", "CorsOrigins", "DatabaseSecretArn", "OperatorToken"):
        assert f"{name}: is missing, and prod requires it" in missing


def test_git_ignores_secrets_and_not_their_example() -> None:
    ignored = (FOLDER.parents[1] / ".gitignore").read_text().splitlines()
    assert "infra/stages/*.secrets.toml" in ignored
    assert (FOLDER / "secrets.example.toml").exists()


def test_values_reach_cloudformation_as_text(packaged: Template) -> None:
    texts, wrong = check(
        stage(
            CorsOrigins=["https://a.example"],
            FlightsThresholds={"completeness": 0.9},
            FlightsStrictMode=True,
            IngestFlightsLimits={"memory": 1024},
        ),
        packaged,
    )
    assert wrong == []
    assert texts["IngestFlightsLimits"] == "1024,60,10,0"
    assert texts["CorsOrigins"] == "https://a.example"
    assert json.loads(texts["FlightsThresholds"]) == {"completeness": 0.9}
    assert texts["FlightsStrictMode"] == "true"
    assert texts["Stage"] == "dev"
    full = with_defaults(packaged["Parameters"], texts)
    assert full["LogLevel"] == "INFO"
    assert full.keys() == packaged["Parameters"].keys()


@given(st.lists(st.from_regex(r"[a-z0-9.:/-]+", fullmatch=True)))
def test_a_list_is_joined_as_the_application_splits_it(parts: list[str]) -> None:
    assert [part for part in as_text(parts).split(",") if part] == parts


@pytest.mark.parametrize("value", [[["nested"]], None, object()])
def test_what_has_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="a text, a number"):
        as_text(value)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"LogLevl": "DEBUG"}, "LogLevl: the template has no such parameter; is LogLevel meant?"),
        ({"LogLevel": "LOUD"}, "LogLevel: is 'LOUD'; expected one of DEBUG, INFO, WARNING, ERROR"),
        ({"UploadMaxBytes": "much"}, "UploadMaxBytes: is 'much'; expected a number"),
        ({"UploadMaxBytes": 0}, "UploadMaxBytes: is 0; expected at least 1"),
        ({"IngestFlightsLimits": {"memory": 64}}, "IngestFlightsLimits: is '64,60,10,0'; expected MEMORY,TIMEOUT,"),
        ({"IngestFlightsLimits": "512,60"}, "IngestFlightsLimits: is '512,60'; expected MEMORY,TIMEOUT,"),
        ({"IngestFlightsLimits": {"memry": 64}}, "IngestFlightsLimits: is {'memry': 64}; expected of memory, timeout"),
        ({"VpcCidr": "10.0.0.0/8"}, "VpcCidr: is '10.0.0.0/8'; expected a text like"),
        ({"ChatAgentId": "A" * 11, "ChatAgentAliasId": "B"}, "ChatAgentId: has 11 characters; expected at most 10"),
        ({"ChatAgentId": "A"}, "ChatAgentAliasId: is missing; ChatAgentId and ChatAgentAliasId go together"),
        ({"OpenSkyClientId": "me"}, "OpenSkyClientSecret: is missing"),
        ({"RedshiftCluster": "big"}, "RedshiftDbUser or RedshiftSecretArn: is missing"),
        ({"DatabaseNetwork": "existing"}, "SubnetIds: is missing; DatabaseNetwork existing requires"),
        (
            {"MigrateLimits": {"provisioned": 2}},
            "MigrateLimits: provisions 2; expected at most what it reserves, 1",
        ),
        (
            {"NotifyUploadsLimits": {"timeout": 61}},
            "NotifyUploadsLimits: has a timeout of 61; expected at most 60, after which omnibus-dev-upload",
        ),
        ({"FlightsThresholds": "0.9"}, "FlightsThresholds: is '0.9'; expected a JSON object"),
        ({"FlightsBox": "1,2,3"}, "FlightsBox: is '1,2,3'; expected lamin,lomin,lamax,lomax"),
        ({"CorsOrigins": ["app.example.com"]}, "CorsOrigins: is 'app.example.com'; expected origins such as"),
        ({"OperatorToken": "x"}, "OperatorToken: is a secret; put it into infra/stages/dev.secrets.toml"),
        ({"Stage": "prod"}, "Stage: is 'prod' in dev.toml; leave it out"),
        ({"LogLevel": [["x"]]}, "LogLevel: is [['x']]; expected a text, a number"),
    ],
)
def test_each_mistake_is_named_with_what_is_expected(packaged: Template, parameters: dict[str, Any], said: str) -> None:
    found = problems(packaged, **parameters)
    assert any(problem.startswith(said) for problem in found), found


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({}, "is 288 polls a day of 4 credits each; expected at most 400 credits"),
        ({"IngestFlightsSchedule": "rate(15 minutes)"}, ""),
        ({"IngestFlightsSchedule": "rate(10 minutes)"}, "is 144 polls a day of 4 credits each"),
        ({"IngestFlightsSchedule": "cron(0/15 6-20 * * ? *)"}, ""),
        ({"IngestFlightsSchedule": "cron(0,20,40 * * * ? *)"}, ""),
        ({"IngestFlightsSchedule": "cron(*/5 * * * ? *)"}, "is 288 polls a day"),
        ({"FlightsBox": "45,5,47,8"}, ""),
        ({"Schedules": "DISABLED"}, ""),
        ({"OpenSkyDailyCredits": 8000}, ""),
        ({"OpenSkyClientId": "me"}, ""),
    ],
)
def test_a_schedule_that_costs_more_than_the_days_credits_is_refused(
    packaged: Template, parameters: dict[str, Any], wanted: str
) -> None:
    secrets = {"OpenSkyClientSecret": "x"} if "OpenSkyClientId" in parameters else {}
    found = check(Stage("dev", "omnibus-dev", parameters=parameters, secrets=secrets), packaged)[1]
    assert [problem for problem in found if not problem.startswith("IngestFlightsSchedule: ")] == []
    assert wanted in "".join(found) if wanted else found == []


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ("rate(1 minute)", 1440),
        ("rate(5 minutes)", 288),
        ("rate(7 minutes)", 205),
        ("rate(1 hour)", 24),
        ("rate(2 days)", 1),
        ("cron(0 1 * * ? *)", 1),
        ("cron(0/5 8-17 ? * MON-FRI *)", 120),
        ("cron(0 0-23/6 * * ? *)", 4),
        ("cron(L * * * ? *)", None),
        ("at(2026-11-21T00:00:00)", None),
    ],
)
def test_how_often_a_schedule_runs_is_counted(schedule: str, runs: int | None) -> None:
    assert runs_a_day(schedule) == runs


def test_every_mistake_is_named_at_once(packaged: Template) -> None:
    found = problems(packaged, LogLevl="DEBUG", LogLevel="LOUD", UploadMaxBytes=0, RedshiftCluster="big")
    assert len(found) == 4


def test_a_secret_is_not_shown(packaged: Template) -> None:
    secret = Stage("dev", "omnibus-dev", secrets={"OperatorToken": [["hunter2"]]})
    (problem,) = check(secret, packaged)[1]
    assert "hunter2" not in problem
    assert problem.startswith("OperatorToken: is not shown")


@pytest.mark.parametrize("token", ["guessable", "x" * 31, 'quoted"' + "x" * 32])
def test_a_token_that_can_be_guessed_or_is_the_examples_is_refused(packaged: Template, token: str) -> None:
    example = tomllib.loads((FOLDER / "secrets.example.toml").read_text())
    for refused in (token, example["OperatorToken"]):
        (problem,) = check(
            Stage("dev", "omnibus-dev", parameters=SELDOM, secrets={"OperatorToken": refused}), packaged
        )[1]
        assert problem.startswith("OperatorToken: is not shown; expected at least 32")
        assert refused not in problem
    good = Stage("dev", "omnibus-dev", parameters=SELDOM, secrets={"OperatorToken": "0f" * 32})
    assert check(good, packaged)[1] == []


def test_a_secret_that_the_stack_has_is_not_asked_for_again(packaged: Template) -> None:
    wanting = Stage("staging", "omnibus-staging", required=(("OperatorToken",),), parameters=SELDOM)
    assert check(wanting, packaged)[1] != []
    assert check(wanting, packaged, frozenset({"OperatorToken"}))[1] == []
    account = Stage("dev", "omnibus-dev", parameters={**SELDOM, "OpenSkyClientId": "me"})
    assert check(account, packaged)[1] != []
    assert check(account, packaged, frozenset({"OpenSkyClientSecret"}))[1] == []
    assert check(stage(), packaged, frozenset({"OpenSkyClientSecret"}))[1] == [], "it polls unnamed"


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("Omnibus-Dev", "stack: is 'Omnibus-Dev'; expected lower-case letters, digits and hyphens"),
        ("omnibus_dev", "stack: is 'omnibus_dev'; expected lower-case"),
        ("a" * 31, f"stack: is {'a' * 31!r}; expected 1 characters less, for {'a' * 31}-predictions-scratch-"),
    ],
)
def test_a_stack_that_buckets_cannot_be_called_after_is_refused(packaged: Template, stack: str, said: str) -> None:
    found = check(Stage("dev", stack), packaged)[1]
    assert any(problem.startswith(said) for problem in found), found
    assert check(Stage("dev", "a" * 30, parameters=SELDOM), packaged)[1] == []


def test_more_variables_than_lambda_takes_are_refused(packaged: Template) -> None:
    one = {"OMNIBUS_FLIGHTS_BOX": "45,5,47,8"}
    assert problems(packaged, IngestFlightsEnvironment=one) == []
    thresholds = {f"check_{number}": 0.5 for number in range(100)}
    (problem,) = [each for each in problems(packaged, FlightsThresholds=thresholds) if "Environment" in each]
    assert "expected at most 4096" in problem
