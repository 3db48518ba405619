"""The ticket model that is shipped with the application: a skops file, and a manifest that vouches for it.

The manifest repeats, for functions without scikit-learn, what the file says: the encoder's venue types, the order of
the features, the version. Loading checks that the two agree, so there is one encoder.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import msgspec

from chalicelib import concerts
from chalicelib.concerts.models import TICKET_FEATURES
from chalicelib.concerts.values import ErrorBands, Estimates
from chalicelib.errors import UpstreamRejected

MODEL_FOLDER = Path(concerts.__file__).parent / "model"
ARTIFACT = "ticket_sales.skops"
MANIFEST = "manifest.json"

TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
"""Types beyond skops' own list that this model is made of."""


class ArtifactMismatch(Exception):
    """The model file is not the one that its manifest describes."""


@cache
def manifest(folder: Path = MODEL_FOLDER) -> dict[str, Any]:
    """Facts about the model that are known without loading it."""
    found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return found


def error_bands(folder: Path = MODEL_FOLDER) -> ErrorBands:
    """The model's errors, measured during training."""
    return msgspec.convert(manifest(folder)["interval"], ErrorBands)


class ArtifactTicketModel:
    """Answers TicketModel in this process; the file is loaded at the first question."""

    def __init__(self, folder: Path = MODEL_FOLDER) -> None:
        self._folder = folder

    @property
    def version(self) -> str:
        return str(manifest(self._folder)["version"])

    def load(self) -> None:
        """Load the model now, not at the first estimate."""
        _ = self._model

    def estimate(self, rows: Sequence[Sequence[float | None]]) -> Estimates:
        """The model's revenue for each row of features; UpstreamRejected if one is not a finite number."""
        import numpy as np

        values = self._model.predict(np.asarray(rows, dtype=np.float64))
        if not np.isfinite(values).all():
            raise UpstreamRejected("The ticket model answered with something that is not a number.")
        return Estimates(values.tolist(), "embedded", self.version)

    @cached_property
    def _model(self) -> Any:
        import skops.io

        content = (self._folder / ARTIFACT).read_bytes()
        described = manifest(self._folder)
        if hashlib.sha256(content).hexdigest() != described["sha256"]:
            raise ArtifactMismatch("the model file's digest is not its manifest's")
        bundle = skops.io.loads(content, trusted=TRUSTED)
        venue_types = [str(name) for name in bundle["encoder"].categories_[0]]
        said = (bundle["features"], venue_types, bundle["version"])
        if said != (described["features"], described["venue_types"], described["version"]):
            raise ArtifactMismatch("the model file and its manifest disagree")
        if bundle["features"] != list(TICKET_FEATURES):
            raise ArtifactMismatch("the model was trained on other features")
        return bundle["model"]
