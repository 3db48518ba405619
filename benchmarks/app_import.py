"""Importing app.py in a fresh process, against a bare `import chalice` and against FastAPI with Mangum.

Every function shares app.py, so this is part of everybody's cold start. The child times the import itself, without the
interpreter's own start; bytecode is warm for all, as the release ships it. The last rows say what one class of a kind
costs when its module is imported: the reason why values that app.py loads are Structs.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure

ROUNDS = 15
TIMED = "import time; started = time.perf_counter(); {code}; print(1000 * (time.perf_counter() - started))"
IMPORTS = {
    "app": "import app",
    "chalice": "import chalice",
    "chalice + msgspec + Powertools Logger": "import chalice, msgspec, aws_lambda_powertools.logging",
    "FastAPI + Mangum": "import fastapi, mangum",
}
HEAVY = ("boto3", "botocore.session", "pandas", "numpy", "pyarrow", "sklearn", "psycopg")
CLASSES = {
    "Struct": "class Value(Struct, frozen=True):\n  a: int = 1\n  b: str | None = None",
    "frozen dataclass": "@dataclass(frozen=True)\nclass Value:\n  a: int = 1\n  b: str | None = None",
}


def import_ms(code: str, bytecode: str) -> float:
    """What a child says that its import took, ms; its compiled modules are kept in `bytecode`."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.run(
        [sys.executable, "-c", TIMED.format(code=code)],
        cwd=measure.ROOT,
        env={**environ, "PYTHONPYCACHEPREFIX": bytecode},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(child.stdout)


def main() -> None:
    arguments = measure.arguments(__doc__)
    report = measure.Report("app_import")
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    with tempfile.TemporaryDirectory() as bytecode:
        for code in IMPORTS.values():
            import_ms(code, bytecode)  # compiles
        for _ in range(ROUNDS):
            for name, code in IMPORTS.items():
                times[name].append(import_ms(code, bytecode))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        report.medians[f"import: {name}"] = round(median, 2)
        if name != "app":
            report.ratios[f"import: {name}"] = round(median / medians["app"], 3)
    cases = {name: _twenty(source) for name, source in CLASSES.items()}
    report.compare("20 classes", cases, ours="Struct", rounds=ROUNDS)
    loaded = f"import app, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    child = subprocess.run([sys.executable, "-c", loaded], cwd=measure.ROOT, capture_output=True, text=True, check=True)
    if child.stdout.strip() != "[]":
        raise SystemExit(f"importing app loads {child.stdout.strip()}")
    report.show(arguments.json)


def _twenty(source: str) -> measure.Case:
    program = compile("\n".join([source] * 20), "classes", "exec")
    setup = "from dataclasses import dataclass\nfrom msgspec import Struct"

    def define() -> None:
        scope: dict[str, object] = {}
        exec(setup, scope)
        exec(program, scope)

    return define


if __name__ == "__main__":
    main()
