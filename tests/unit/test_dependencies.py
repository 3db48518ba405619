"""The dependency rule, read from every import: those under TYPE_CHECKING and inside functions included.

    errors, settings <- workload <- adapters/<same workload> <- wiring <- app

`entry` imports nothing of a workload. Inside a workload, a service is a module that imports ports: models and
values import neither, and app.py imports no service. Nothing imports in a circle, so ports import no service.
"""

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"entry", "adapters", "wiring"}
SDKS = {"boto3", "botocore", "psycopg"}
OUTSIDE = {"local", "tests", "benchmarks", "infra"}
CLIENTS = {"urllib.request", "http.client", "requests", "httpx"}
NEUTRAL = {"errors", "settings", "deadline", "parallel"}
"""Modules of chalicelib itself: values and functions that know no workload and no room."""


def sources(root: Path) -> dict[str, str]:
    """Every module of `chalicelib` by its dotted name, and app.py, with their texts."""
    files = [root / "app.py", *sorted((root / "chalicelib").rglob("*.py"))]
    return {
        ".".join(it.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): it.read_text() for it in files
    }


@functools.cache
def imports_of(text: str) -> frozenset[str]:
    """Every name that a module imports, wherever in it: the modules, and what is taken from them."""
    return frozenset(_names(text))


def _names(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(modules: Mapping[str, str]) -> list[str]:
    """What breaks the rule, a line each."""
    rooms = {name.split(".")[1] for name in modules if name.count(".") > 1}
    workloads = rooms - ROOMS
    graph = {name: {to for to in imports_of(text) if to in modules and to != name} for name, text in modules.items()}
    above = services(graph)
    found = [
        f"{name}: {to}: {why}"
        for name, text in modules.items()
        for to in imports_of(text)
        for why in [_breach(name, to, workloads, above)]
        if why
    ]
    return sorted(found) + [f"circle: {' -> '.join(circle)}" for circle in circles(graph)]


def _breach(name: str, to: str, workloads: set[str], above: set[str]) -> str:
    room, owner = place(name, workloads)
    top = to.split(".")[0]
    if top in OUTSIDE:
        return "is not deployed"
    if name == "app":
        return "app.py imports models, never services" if place(to, workloads)[0] in workloads and to in above else ""
    if top == "chalice" and room != "entry":
        return "only the edge knows Chalice"
    if (top in SDKS or any(to == client or to.startswith(client + ".") for client in CLIENTS)) and room != "adapters":
        return "only adapters reach outside"
    if top != "chalicelib" or to == "chalicelib":
        return ""
    target, its_owner = place(to, workloads)
    if target == "":
        return "" if to.split(".")[1] in NEUTRAL else "is no module of a room"
    if room == "":
        return "is above it"
    if owner and its_owner and owner != its_owner:
        return "belongs to another workload"
    allowed = {"entry": {"entry"}, "adapters": {"adapters", *({owner} & workloads)}, "wiring": ROOMS | workloads}
    if target not in allowed.get(room, {room}):
        return "is above it"
    if name.rpartition(".")[2] in {"models", "values"} and (to in above or to.endswith(".ports")):
        return "models and values import neither ports nor services"
    return ""


def services(graph: Mapping[str, set[str]]) -> set[str]:
    """The modules that import a workload's ports, directly or indirectly: they hold ports, and so are services."""
    found = {name for name, imports in graph.items() if any(to.endswith(".ports") for to in imports)}
    while grown := {name for name, imports in graph.items() if imports & found} - found:
        found |= grown
    return found


def place(name: str, workloads: set[str]) -> tuple[str, str]:
    """The room of a module below chalicelib, "" for those in none; and the workload that it belongs to, or ""."""
    parts = name.split(".")[1:]
    room = parts[0] if parts and parts[0] in ROOMS | workloads else ""
    if room in {"adapters", "wiring"} and len(parts) > 1 and parts[1] in workloads:
        return room, parts[1]
    return room, room if room in workloads else ""


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The circles of a graph, one for each module that begins one."""
    found, done = [], set[str]()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            found.append([*path[path.index(name) :], name])
        elif name not in done:
            for to in sorted(graph[name]):
                walk(to, [*path, name])
            done.add(name)

    for name in graph:
        walk(name, [])
    return found


def test_the_application_keeps_the_rule() -> None:
    assert breaches(sources(ROOT)) == []


BREAKS = {
    "a circle": (
        "chalicelib.flights.keys",
        "from chalicelib.flights.models import LatestQuery",
        "chalicelib.flights.models",
        "import chalicelib.flights.keys",
    ),
    "a circle for the type checker alone": (
        "chalicelib.flights.keys",
        "if TYPE_CHECKING:\n    from chalicelib.flights.models import LatestQuery",
        "chalicelib.flights.models",
        "def late():\n    import chalicelib.flights.keys",
    ),
    "a workload that imports another": ("chalicelib.flights.keys", "import chalicelib.uploads.keys"),
    "a workload that imports its adapter": ("chalicelib.flights.keys", "import chalicelib.adapters.flights.runs"),
    "a workload that imports the edge": ("chalicelib.flights.keys", "from chalicelib.entry import telemetry"),
    "a workload that knows Chalice": ("chalicelib.flights.keys", "from chalice import Chalice"),
    "a workload that reaches outside": ("chalicelib.flights.keys", "def f():\n    import boto3"),
    "an adapter of another workload": ("chalicelib.adapters.flights.runs", "import chalicelib.adapters.uploads.outbox"),
    "an adapter that imports another workload": ("chalicelib.adapters.flights.runs", "import chalicelib.uploads.keys"),
    "a shared adapter that knows a workload": ("chalicelib.adapters.aws", "import chalicelib.uploads.keys"),
    "an edge that knows a workload": ("chalicelib.entry.meter", "from chalicelib.spendsense.ports import Survey"),
    "models that import a service": ("chalicelib.flights.models", "from chalicelib.flights.review import Review"),
    "models that import a port": ("chalicelib.flights.models", "import chalicelib.flights.ports"),
    "a port that imports a service": ("chalicelib.flights.ports", "def f():\n    import chalicelib.flights.review"),
    "an application that imports a service": ("app", "from chalicelib.flights.review import Review"),
    "errors that import something": ("chalicelib.errors", "import chalicelib.flights.keys"),
    "what is not deployed": ("chalicelib.wiring.flights", "import local.cloud"),
    "a new module in no room": ("chalicelib.flights.keys", "import chalicelib.helpers"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_found(name: str) -> None:
    modules = dict(sources(ROOT))
    before = set(breaches(modules))
    given = BREAKS[name]
    for module, line in zip(given[::2], given[1::2], strict=True):
        modules[module] += f"\n{line}\n"
    assert set(breaches(modules)) - before, name
