"""Create a workload with a tested route, schedule and table: `make new-workload NAME=weather`.

New files are copied from infra/skeleton, which has "weather" for the name; `INSERTIONS` says where existing files
get new lines. `tests/infra/test_new_workload.py` does this in a copy of the tree and runs the tests there.
"""

import argparse
import json
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.package import ROOT

SKELETON = ROOT / "infra" / "skeleton"
EXAMPLE = "weather"
NAME = re.compile(r"[a-z][a-z0-9]{2,19}")
FUNCTION = f"take_{EXAMPLE}"
LIKE = "refresh_venue_popularity"
"""A scheduled function whose policy is the starting point for the new one."""
EVERY = ("Logs", "Traces", "Insights", "Key", "DeadLetters")
TABLE = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${AWS::StackName}-weather-readings"


class WorkloadError(Exception):
    """The workload cannot be created; the message gives the reason."""


@dataclass(frozen=True)
class Insertion:
    """Lines for an existing file, inserted before the first line that begins with `before`."""

    path: str
    before: str
    text: str


INSERTIONS = (
    Insertion("app.py", "from chalicelib.wiring import", "from chalicelib.weather.models import WeatherReading\n"),
    Insertion(
        "app.py",
        "# -- sockets",
        '''# -- weather


@app.schedule(Rate(1, unit=Rate.HOURS))
def take_weather(event: CloudWatchEvent) -> Any:
    """Take a reading."""
    return report_or_raise(lambda: to_builtins(services().weather.watch.take()))


@app.route("/weather/latest", cors=CORS, returns=WeatherReading, tag="weather")
def latest_weather() -> WeatherReading:
    """The latest reading."""
    return services().weather.watch.latest()


''',
    ),
    Insertion(
        "chalicelib/settings.py",
        "class Settings(",
        '''class WeatherSettings(Struct, frozen=True, kw_only=True):
    """The table of weather readings."""

    readings_table: str = variable("OMNIBUS_WEATHER_READINGS_TABLE")


''',
    ),
    Insertion(
        "chalicelib/settings.py",
        "    uploads: UploadsSettings",
        "    weather: WeatherSettings = section(WeatherSettings)\n",
    ),
    Insertion(
        "chalicelib/wiring/services.py",
        "    from chalicelib.wiring.uploads import",
        "    from chalicelib.wiring.weather import WeatherServices\n",
    ),
    Insertion(
        "chalicelib/wiring/services.py",
        "    @cached_property\n    def operators(",
        """    @cached_property
    def weather(self) -> "WeatherServices":
        from chalicelib.wiring.weather import WeatherServices

        return WeatherServices(self.shared)

""",
    ),
    Insertion(
        "chalicelib/wiring/services.py",
        '            "uploads": lambda',
        '            "weather": lambda: self.weather.readings.latest(),\n',
    ),
    Insertion(
        "tests/environment.py",
        '    "OMNIBUS_UPLOADS_BUCKET"',
        '    "OMNIBUS_WEATHER_READINGS_TABLE": "weather-readings",\n',
    ),
)


def begin(name: str, root: Path = ROOT) -> list[Path]:
    """Write the workload into the tree at `root`; return the new and changed files, or raise WorkloadError."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise WorkloadError(f"NAME: is {name!r}; expected 3 to 20 lower-case letters and digits, e.g. {EXAMPLE}")
    new = {root / _named(path.relative_to(SKELETON).as_posix().removesuffix(".txt"), name): path for path in _files()}
    if there := sorted(str(path.relative_to(root)) for path in new if path.exists()):
        raise WorkloadError(f"{name}: {', '.join(there)} exists already; choose another name")
    changed = _inserted(name, root)  # before anything is written
    for path, source in new.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_named(source.read_text(encoding="utf-8"), name), encoding="utf-8")
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
    return [*new, *changed, *_configured(name, root)]


def tidy(written: list[Path], root: Path = ROOT) -> None:
    """Sort the imports and format the written files, and update docs/parameters.md."""
    python = [str(path) for path in written if path.suffix == ".py"]
    module = [sys.executable, "-m"]
    for command in (
        ["ruff", "check", "--quiet", "--select", "I", "--fix", *python],
        ["ruff", "format", "--quiet", *python],
        ["infra.package", "--stage", "dev", "--code-only", "--out", "build/check"],
        ["infra.template.parameters", "build/check/sam.json", "docs/parameters.md"],
    ):
        subprocess.run([*module, *command], cwd=root, check=True, stdout=subprocess.DEVNULL)


def _files() -> Iterator[Path]:
    return (path for path in sorted(SKELETON.rglob("*.txt")) if path.is_file())


def _named(text: str, name: str) -> str:
    """A text of the skeleton, for the workload of that name."""
    for example in (EXAMPLE, EXAMPLE.capitalize(), EXAMPLE.upper()):
        own = {EXAMPLE: name, EXAMPLE.upper(): name.upper()}.get(example, name.capitalize())
        text = text.replace(example, own)
    return text


def _inserted(name: str, root: Path) -> dict[Path, str]:
    """The texts of the existing files, with their new lines."""
    texts: dict[Path, str] = {}
    for insertion in INSERTIONS:
        path = root / insertion.path
        text = texts.get(path) or path.read_text(encoding="utf-8")
        place = f"\n{text}".find(f"\n{insertion.before}")
        if place < 0:
            raise WorkloadError(f"{insertion.path}: no line begins with {insertion.before!r}; nothing was written")
        texts[path] = text[:place] + _named(insertion.text, name) + text[place:]
    return texts


def _configured(name: str, root: Path) -> Iterator[Path]:
    """Chalice's configuration with the function, the policies, and the event for `make invoke`."""
    folder, function = root / ".chalice", _named(FUNCTION, name)
    config = _read(folder / "config.json")
    config["lambda_functions"][function] = {
        "lambda_memory_size": 256,
        "lambda_timeout": 60,
        "reserved_concurrency": 1,
        "iam_policy_file": f"policy-{function}.json",
    }
    yield _write(folder / "config.json", config)
    like = _read(folder / f"policy-{LIKE}.json")
    own = [statement for statement in like["Statement"] if statement["Sid"] in EVERY]
    statements = json.loads(json.dumps(own).replace(LIKE, function))
    policy = {**like, "Statement": [*statements, _allowed("Save", "dynamodb:PutItem", name)]}
    yield _write(folder / f"policy-{function}.json", policy)
    rest = _read(folder / "policy-api_handler.json")
    yield _write(
        folder / "policy-api_handler.json",
        {**rest, "Statement": [*rest["Statement"], _allowed("Read", "dynamodb:Query", name)]},
    )
    events = root / "local" / "events"
    yield _write(events / f"{function}.json", _read(events / f"{LIKE}.json"))


def _allowed(verb: str, action: str, name: str) -> dict[str, Any]:
    return {
        "Sid": f"{verb}{name.capitalize()}Readings",
        "Effect": "Allow",
        "Action": [action],
        "Resource": {"Fn::Sub": _named(TABLE, name)},
    }


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def main() -> int:
    """Create the workload that the command line names, and print the next steps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", help=f"one word, e.g. {EXAMPLE}")
    options = parser.parse_args()
    try:
        written = begin(options.name)
    except WorkloadError as error:
        print(f"new-workload: {error}", file=sys.stderr)
        return 1
    tidy(written)
    for path in written:
        print(f"  {path.relative_to(ROOT)}")
    print(f"now: .venv/bin/python -m pytest -q tests/*/test_{options.name}.py tests/unit/{options.name} tests/infra")
    print("then replace the example code; CONTRIBUTING.md says what belongs where")
    return 0


if __name__ == "__main__":
    sys.exit(main())
