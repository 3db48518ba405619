"""The table of all parameters: `python -m infra.template.parameters build/check/sam.json docs/parameters.md`."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

AS_PACKAGED = {
    "Runtime": "that of the package",
    "Architecture": "that of the package",
    "Release": "names the package",
    "LogRetention": "7 in dev, 30 in staging, 90 in prod",
}
"""Defaults that the package decides, not the template."""

HEAD = """# Parameters

Every parameter of the template, as `make parameters` writes it from the packaged one; a test holds this page to it.
A stage's values are in `infra/stages/<stage>.toml`, its secrets beside it; what is not given has the default. Sizes and
times have their unit in the meaning. A switch is `ENABLED` or `DISABLED`.

After a change of parameters alone, functions take it up with the next `Release`: `make deploy` names one by package and
parameters. Stack tags, which everything in the stack gets, are in the stage's `[tags]`; `Owner` and `CostCentre` are on
what costs money. The thresholds that `FlightsThresholds` may name are in [quality-checks.md](quality-checks.md).

The limits of a function are `MEMORY,TIMEOUT,RESERVED,PROVISIONED`: 128 to 10240 MB, 1 to 900 seconds, how many of it
may run at once (0: as many as the account has) and how many are kept warm. A stage's file may name those that differ:
`IngestFlightsLimits = {memory = 1024, reserved = 20}`.

`RetryAttempts` counts attempts, the first included: 3 of them are 2 retries of an asynchronous invocation, the most
that Lambda allows. The queue of the upload notices has a number of its own, `UploadNoticeAttempts`: there a desktop is
waited for.

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
    names = {"String": "text", "Number": "number", "CommaDelimitedList": "texts, by commas"}
    return str(names.get(parameter["Type"], parameter["Type"])) + (", secret" if parameter.get("NoEcho") else "")


def _default(name: str, parameter: Mapping[str, Any]) -> str:
    if name in AS_PACKAGED:
        return AS_PACKAGED[name]
    if "Default" not in parameter:
        return "none: must be given"
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
