"""The table of all parameters: `python -m infra.template.parameters build/check/sam.json docs/parameters.md`."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

AS_PACKAGED = {
    "Runtime": "the package's",
    "Architecture": "the package's",
    "Release": "from the package",
    "LogRetention": "7 in dev, 30 in staging, 90 in prod",
}
"""Defaults that the package sets, not the template."""

HEAD = """# Parameters

All parameters of the template. `make parameters` writes this page from the packaged template, and a test compares them.
Set a stage's values in `infra/stages/<stage>.toml` and its secrets in `<stage>.secrets.toml`; the others have their
defaults. The meaning names the unit of sizes and times. A switch is `ENABLED` or `DISABLED`.

Functions take up changed parameters with the next `Release`, which `make deploy` derives from package and parameters.
The stage's `[tags]` apply to everything in the stack; `Owner` and `CostCentre` apply to resources that cost money.
[quality-checks.md](quality-checks.md) lists the thresholds for `FlightsThresholds`.

The limits of a function are `MEMORY,TIMEOUT,RESERVED,PROVISIONED`: 128 to 10240 MB, 1 to 900 seconds, the reserved
concurrency (0: no reservation) and the provisioned concurrency. A stage's file may name only those that differ:
`IngestFlightsLimits = {memory = 1024, reserved = 20}`.

`RetryAttempts` includes the first attempt: 3 attempts are 2 retries of an asynchronous invocation, the maximum in
Lambda. The queue of upload notifications has its own setting, `UploadNoticeAttempts`, because a desktop waits for them.

| parameter | type | default | meaning |
|---|---|---|---|
"""


def table(template: Mapping[str, Any]) -> str:
    """The page that describes the template's parameters."""
    return HEAD + "\n".join(_rows(template["Parameters"])) + "\n"


def _rows(parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, parameter in parameters.items():
        cells = (f"`{name}`", _kind(parameter), _default(name, parameter), parameter.get("Description", ""))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(parameter: Mapping[str, Any]) -> str:
    if allowed := parameter.get("AllowedValues"):
        return ", ".join(str(value) or "nothing" for value in allowed)
    low, high = parameter.get("MinValue"), parameter.get("MaxValue")
    if low is not None:
        return f"number from {low}" + (f" to {high}" if high is not None else "")
    names = {"String": "text", "Number": "number", "CommaDelimitedList": "comma-separated texts"}
    return str(names.get(parameter["Type"], parameter["Type"])) + (", secret" if parameter.get("NoEcho") else "")


def _default(name: str, parameter: Mapping[str, Any]) -> str:
    if name in AS_PACKAGED:
        return AS_PACKAGED[name]
    if "Default" not in parameter:
        return "none, required"
    return f"`{parameter['Default']}`" if parameter["Default"] != "" else "nothing"


def main() -> None:
    """Write the page about the packaged template."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packaged", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.write_text(table(json.loads(options.packaged.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
