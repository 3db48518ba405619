"""A stage's settings: `infra/stages/<stage>.toml`, its secrets in the same folder, and the environment.

    stack = "omnibus-prod"              # default: omnibus-<stage>
    account = "123456789012"            # the only account to deploy into; default: any
    region = "eu-west-1"                # default: that of the AWS configuration
    required = ["AlarmEmail", "DatabaseSecretArn or DatabaseUrl"]

    [parameters]                        # the template's, by name; others have the template's default
    CorsOrigins = ["https://app.example.com"]   # a list is joined with commas
    FlightsThresholds = {completeness = 0.95}   # a table becomes JSON
    IngestFlightsLimits = {memory = 1024}       # only the function's limits that differ

    [tags]                              # of the stack and everything in it
    team = "data"

Secrets are in `<stage>.secrets.toml`, which has only names and values and which git ignores, or in the environment, as
OMNIBUS_PARAMETER_<Name>, which overrides both files.
"""

import json
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.deployment.problems import DeploymentError

FOLDER = Path(__file__).resolve().parents[1] / "stages"
FROM_ENVIRON = "OMNIBUS_PARAMETER_"
KEYS = {"stack", "account", "region", "required", "parameters", "tags"}


@dataclass(frozen=True)
class Stage:
    """One stage as described by its files and the environment; values are not converted."""

    name: str
    stack: str
    account: str | None = None
    region: str | None = None
    required: tuple[tuple[str, ...], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, Any]:
        """Every given parameter, from all sources."""
        return {**self.parameters, **self.secrets, "Stage": self.name}


def read_stage(name: str, environ: Mapping[str, str], folder: Path = FOLDER) -> Stage:
    """The stage from `folder` and `environ`; DeploymentError if a file cannot be read."""
    path = folder / f"{name}.toml"
    described = _read(path)
    if unknown := sorted(set(described) - KEYS):
        raise DeploymentError(
            f"{path.name}: unknown {', '.join(unknown)}; expected {', '.join(sorted(KEYS))}."
            " The template's parameters belong under [parameters]."
        )
    secrets_path = folder / f"{name}.secrets.toml"
    secrets = _read_secrets(secrets_path) if secrets_path.exists() else {}
    exported = {key.removeprefix(FROM_ENVIRON): value for key, value in environ.items() if key.startswith(FROM_ENVIRON)}
    return Stage(
        name=name,
        stack=described.get("stack", f"omnibus-{name}"),
        account=described.get("account"),
        region=described.get("region"),
        required=tuple(tuple(each.split(" or ")) for each in described.get("required", [])),
        parameters=described.get("parameters", {}),
        secrets={**secrets, **exported},
        tags={key: str(value) for key, value in described.get("tags", {}).items()},
    )


def as_text(value: Any) -> str:
    """A value in CloudFormation's form; ValueError with the expected form if it cannot be converted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        return ",".join(as_text(part) for part in value)
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    raise ValueError("a text, a number, true or false, a list of those, or a table")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DeploymentError(f"there is no {path}: it holds the stage's parameters; see docs/deploy.md") from None
    except tomllib.TOMLDecodeError as error:
        raise DeploymentError(f"{path} is not TOML: {error}") from None


def _read_secrets(path: Path) -> dict[str, Any]:
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        raise DeploymentError(f"{path} contains secrets, and other users can read it: chmod 600 {path}")
    return _read(path)
