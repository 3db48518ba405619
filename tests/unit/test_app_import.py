"""Importing app.py is everybody's cold start, so it loads nothing heavy; a fresh process proves it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = (
    "boto3",
    "botocore.session",
    "pandas",
    "numpy",
    "pyarrow",
    "sklearn",
    "scipy",
    "psycopg",
    "skops",
    "joblib",
    "segno",
)


def test_importing_app_loads_nothing_heavy() -> None:
    script = f"import app, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]"), done.stdout


def test_importing_app_leaves_garbage_collection_on_and_spares_it_what_is_loaded() -> None:
    script = "import app, gc; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"], done.stdout
