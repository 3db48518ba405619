"""Settings: every missing or malformed variable in one error."""

import json
from pathlib import Path

import pytest

from chalicelib.settings import Settings, SettingsError, with_file
from tests.environment import ENVIRONMENT


def test_a_complete_environment_is_read() -> None:
    settings = Settings.from_environ(
        {**ENVIRONMENT, "OMNIBUS_FLIGHTS_BOX": "45.8,5.9,47.9,10.6", "STRICT_MODE": "true"}
    )
    assert settings.stage == "dev"
    assert settings.cors_origins == {"https://app.example.com"}
    assert settings.flights.box == (45.8, 5.9, 47.9, 10.6)
    assert settings.flights.strict is True
    assert settings.flights.opensky_url == "https://opensky-network.org"


def test_one_error_names_everything_that_is_wrong() -> None:
    environ = {**ENVIRONMENT, "OMNIBUS_STAGE": "production", "OMNIBUS_FLIGHTS_DAILY_CREDITS": "many"}
    del environ["OMNIBUS_FLIGHTS_BUCKET"]
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(environ)
    message = str(caught.value)
    assert "OMNIBUS_FLIGHTS_BUCKET: is missing" in message
    assert "OMNIBUS_STAGE: is 'production'; expected one of local, dev, staging, prod" in message
    assert "OMNIBUS_FLIGHTS_DAILY_CREDITS: is 'many'; expected a number from 1 to 1e+06" in message


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OMNIBUS_FLIGHTS_BOX", "1,2,3", "lamin,lomin,lamax,lomax"),
        ("OMNIBUS_FLIGHTS_BOX", "47,5,45,10", "the minimum before the maximum"),
        ("OMNIBUS_FLIGHTS_BOX", "nan,5,45,10", "the minimum before the maximum"),
        ("OMNIBUS_FLIGHTS_THRESHOLDS", "[1]", "a JSON object"),
        ("OMNIBUS_FLIGHTS_THRESHOLDS", "{", "a JSON object"),
        ("STRICT_MODE", "yes", "true or false"),
        ("OMNIBUS_CORS_ORIGINS", "app.example.com", "origins such as"),
        ("OMNIBUS_CORS_ORIGINS", "https://app.example.com/", "without a path"),
        ("OMNIBUS_CORS_ORIGINS", "https://App.example.com", "origins such as"),
        ("OMNIBUS_CORS_ORIGINS", "*", "a list of origins ('*' is for stage local only)"),
        ("OMNIBUS_FLIGHTS_BUCKET", "", "a non-empty text"),
        ("OMNIBUS_FLIGHTS_DAILY_CREDITS", "0", "a number from 1"),
    ],
)
def test_a_malformed_variable_says_what_is_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({**ENVIRONMENT, name: value})
    assert name in str(caught.value)
    assert expected in str(caught.value)


def test_all_origins_may_call_the_local_stage() -> None:
    settings = Settings.from_environ({**ENVIRONMENT, "OMNIBUS_STAGE": "local", "OMNIBUS_CORS_ORIGINS": "*"})
    assert settings.cors_origins == {"*"}


def test_a_file_lies_beneath_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "cloud.json"
    file.write_text(json.dumps({"environment": {**ENVIRONMENT, "OMNIBUS_FLIGHTS_BUCKET": "from-file"}}))
    settings = Settings.from_environ({"OMNIBUS_ENVIRONMENT_FILE": str(file), "OMNIBUS_STAGE": "local"})
    assert settings.flights.bucket == "from-file"
    assert settings.stage == "local"


def test_of_what_boto3_reads_the_files_alone_counts(tmp_path: Path) -> None:
    file = tmp_path / "cloud.json"
    file.write_text(json.dumps({"environment": {"AWS_ACCESS_KEY_ID": "test", "OMNIBUS_STAGE": "local"}}))
    own = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SESSION_TOKEN": "mine", "OMNIBUS_STAGE": "dev"}
    place = {"OMNIBUS_ENVIRONMENT_FILE": str(file)}
    assert with_file({**own, **place}) == {"AWS_ACCESS_KEY_ID": "test", "OMNIBUS_STAGE": "dev", **place}


def test_a_deployed_function_reads_no_file() -> None:
    environ = {**ENVIRONMENT, "OMNIBUS_ENVIRONMENT_FILE": "none.json", "AWS_LAMBDA_FUNCTION_NAME": "f"}
    assert Settings.from_environ(environ).flights.bucket == "flights"


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no .*none\.json\. Start it with `make up`"):
        Settings.from_environ({"OMNIBUS_ENVIRONMENT_FILE": str(tmp_path / "none.json")})


def test_a_functions_own_variables_lie_over_the_environment() -> None:
    own = {"OMNIBUS_FLIGHTS_DAILY_CREDITS": "400", "STRICT_MODE": "true"}
    settings = Settings.from_environ(
        {**ENVIRONMENT, "OMNIBUS_FLIGHTS_DAILY_CREDITS": "4000", "OMNIBUS_ENVIRONMENT": json.dumps(own)}
    )
    assert (settings.flights.daily_credits, settings.flights.strict) == (400, True)
    assert settings.flights.bucket == ENVIRONMENT["OMNIBUS_FLIGHTS_BUCKET"]


@pytest.mark.parametrize("nothing", ["", "{}"])
def test_a_function_without_variables_of_its_own_has_the_environments(nothing: str) -> None:
    assert Settings.from_environ({**ENVIRONMENT, "OMNIBUS_ENVIRONMENT": nothing}) == Settings.from_environ(ENVIRONMENT)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("[1]", "OMNIBUS_ENVIRONMENT: is '[1]'; expected a JSON object of variables"),
        ("STRICT_MODE=true", "expected a JSON object of variables"),
        ('{"STRICT_MOOD": "true"}', "sets STRICT_MOOD, which is not a variable of the application"),
        ('{"STRICT_MODE": true}', "sets STRICT_MODE to True; expected a text in quotes"),
        ('{"STRICT_MODE": "yes"}', "STRICT_MODE: is 'yes'; expected true or false"),
    ],
)
def test_malformed_variables_of_a_function_are_named(own: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({**ENVIRONMENT, "OMNIBUS_ENVIRONMENT": own})
    assert said in str(caught.value)
