"""The functions that SageMaker's scikit-learn toolkit calls in its container, with the same verification and engine."""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from chalicelib.adapters.predictions.signing import signing_key
from chalicelib.predictions.estimators import LoadedModel, load
from chalicelib.predictions.features import Columns
from chalicelib.predictions.places import parse_uri
from chalicelib.predictions.scoring import Scorer
from chalicelib.predictions.trust import MANIFEST_SUFFIX, check_content, unseal


def model_fn(model_dir: str) -> LoadedModel:
    """The model in the container, with its signature and its bytes verified as everywhere else."""
    folder = Path(model_dir)
    verifier = signing_key(os.environ["OMNIBUS_SIGNING_KEY_ARN"])
    place = parse_uri("OMNIBUS_MODEL_URI", os.environ["OMNIBUS_MODEL_URI"])
    manifest = unseal((folder / f"model{MANIFEST_SUFFIX}").read_bytes(), verifier, place)
    content = (folder / "model").read_bytes()
    check_content(content, manifest)
    return load(manifest, content)


def input_fn(body: Any, content_type: str) -> bytes:
    """The rows of one request."""
    if content_type.partition(";")[0].strip() != "text/csv":
        raise ValueError(f"the content type is {content_type}; expected text/csv")
    return body.encode() if isinstance(body, str) else bytes(body)


def predict_fn(rows: bytes, model: LoadedModel) -> bytes:
    """The rows with their predictions; Transform sends no header, and the columns are the model's features."""
    names = model.manifest.names
    columns = Columns(names, tuple(range(len(names))), model.features)
    added = [os.environ.get("OMNIBUS_PREDICTION_COLUMN", "prediction")]
    scorer = Scorer(columns, lambda inputs: model.columns(added, inputs), model.inputs)
    return bytes(scorer.score(rows, 0)[0])


def output_fn(scored: bytes, order_of: str) -> tuple[bytes, str]:
    """The answer to one request."""
    return scored, "text/csv"
