"""Making a fitted model into an artifact with a manifest, and telling what is in it before it is signed."""

import hashlib
import importlib.metadata
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import msgspec
import numpy as np

from chalicelib.errors import InvalidInput
from chalicelib.predictions.estimators import TRUSTED_TYPES, LoadedModel, classes_of, load
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.trees import trees_in
from chalicelib.predictions.trust import Manifest

ModelFormat = Literal["skops", "joblib", "onnx"]

LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops", "joblib")


class Artifact(msgspec.Struct, frozen=True):
    """A model ready to be signed: its bytes, its manifest, and what they hold in words, line by line."""

    content: bytes
    manifest: Manifest
    report: tuple[str, ...]


def artifact_of(estimator: Any, features: Sequence[str], uri: ObjectUri, form: ModelFormat, now: datetime) -> Artifact:
    """The artifact of a fitted scikit-learn estimator, loaded back once to prove that it works.

    Raises InvalidInput ("unpublishable") for types that skops would not read back.
    """
    content, unlisted = _dump(estimator, form)
    manifest = Manifest(
        version=1,
        uri=str(uri),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        format=form,
        estimator=f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        features=tuple(features),
        output_dtype=str(np.asarray(estimator.predict(_sample(estimator, features))).dtype),
        classes=classes_of(estimator),
        created_at=now.isoformat(timespec="seconds"),
    )
    model = load(manifest, content)
    model.columns(["check"], np.zeros((2, len(features))))
    return Artifact(content, manifest, tuple(_report(estimator, manifest, model, unlisted)))


def onnx_artifact(
    content: bytes, features: Sequence[str], classes: Sequence[str], uri: ObjectUri, now: datetime
) -> Artifact:
    """The artifact of an ONNX file; its answer to rows of zeros tells its output's type.

    `classes` are a classifier's labels in the order of its probabilities, which the file itself cannot tell; empty
    if it gives none. Raises Unprocessable if its answer is not of that many features and classes.
    """
    manifest = Manifest(
        version=1,
        uri=str(uri),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        format="onnx",
        estimator="onnx",
        libraries={"onnxruntime": importlib.metadata.version("onnxruntime")},
        features=tuple(features),
        output_dtype="unknown",
        classes=tuple(classes) or None,
        created_at=now.isoformat(timespec="seconds"),
    )
    model, rows = load(manifest, content), np.zeros((2, len(features)))
    if classes and model.probabilities is None:
        raise InvalidInput.of("classes", "are given, the model gives no probabilities", "none", code="unpublishable")
    manifest = msgspec.structs.replace(manifest, output_dtype=str(np.asarray(model.predict(rows)).dtype))
    replace(model, manifest=manifest).columns(["check", *(f"check_{label}" for label in classes)], rows)
    return Artifact(content, manifest, tuple(_common_report(manifest)))


def _dump(estimator: Any, form: ModelFormat) -> tuple[bytes, list[str]]:
    """The estimator's bytes, and the types in them that skops does not trust by itself."""
    if form == "joblib":
        import joblib

        buffer = io.BytesIO()
        joblib.dump(estimator, buffer, compress=3)
        return buffer.getvalue(), []
    import skops.io

    content = skops.io.dumps(estimator)
    unlisted = sorted(skops.io.get_untrusted_types(data=content))
    foreign = sorted(set(unlisted) - set(TRUSTED_TYPES))
    if foreign:
        raise InvalidInput.of(
            "model", f"holds {', '.join(foreign)}", "types that skops reads, or joblib", code="unpublishable"
        )
    return content, unlisted


def _sample(estimator: Any, features: Sequence[str]) -> Any:
    rows = np.zeros((2, len(features)))
    if not hasattr(estimator, "feature_names_in_"):
        return rows
    from pandas import DataFrame

    return DataFrame(rows, columns=list(features))


def _report(estimator: Any, manifest: Manifest, model: LoadedModel, unlisted: Sequence[str]) -> list[str]:
    trees = [tree for _, tree in trees_in(estimator)]
    steps = [f"{name}={type(step).__name__}" for name, step in getattr(estimator, "steps", [])]
    changed = {name: value for name, value in estimator.get_params(deep=False).items() if name != "steps"}
    lines = _common_report(manifest)
    lines.append(f"missing     {'allowed' if model.missing_allowed else 'refused'} in features")
    if steps:
        lines.append(f"steps       {', '.join(steps)}")
    if trees:
        lines.append(f"trees       {len(trees)}, all sound")
    lines.append("parameters  " + ", ".join(f"{name}={value!r}" for name, value in changed.items()))
    if manifest.format == "skops":
        lines.append("trusted     " + (", ".join(unlisted) or "nothing beyond skops' own list"))
    else:
        lines.append("trusted     everything: joblib runs what it holds, the signature is all that protects")
    return lines


def _common_report(manifest: Manifest) -> list[str]:
    lines = [
        f"model       {manifest.estimator}",
        f"place       {manifest.uri}",
        f"format      {manifest.format}, {manifest.bytes:,} bytes, sha256 {manifest.sha256}",
        f"features    {len(manifest.features)}: {', '.join(manifest.features)}",
        f"output      {manifest.output_dtype}",
        "libraries   " + ", ".join(f"{name} {version}" for name, version in manifest.libraries.items()),
    ]
    if manifest.classes is not None:
        lines.append("classes     " + ", ".join(map(str, manifest.classes)))
    return lines
