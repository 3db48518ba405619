"""Turn a fitted model into an artifact with a manifest, and describe its content before it is signed."""

import hashlib
import importlib.metadata
import io
import pickle  # nosec B403  # unpickles what it has just pickled
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa

from chalicelib.errors import InvalidInput, OmnibusError
from chalicelib.predictions.estimators import TRUSTED_TYPES, classes_of, load
from chalicelib.predictions.inputs import Inputs, column_of, frame_of, matrix_of
from chalicelib.predictions.kinds import takes, typed, typed_all
from chalicelib.predictions.models import MAX_FEATURES, FeatureType, ModelFeature, ModelInput
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.trees import trees_in
from chalicelib.predictions.trust import Label, Manifest

ModelFormat = Literal["skops", "joblib", "onnx"]

LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops", "joblib", "pandas")
IN_FUNCTIONS = (
    "sklearn",
    "numpy",
    "scipy",
    "joblib",
    "pandas",
    "builtins",
    "copyreg",
    "collections",
    "functools",
    "_codecs",
)
"""Modules that the functions have, so that what a joblib file names of them can be loaded there."""
TRIED_ROWS, GAPS_ROWS = 1000, 20
MAKE: Mapping[ModelInput, Any] = {"array": matrix_of, "frame": frame_of, "column": column_of}


class Artifact(msgspec.Struct, frozen=True):
    """A model ready to be signed: its bytes, its manifest, and what they hold in words, line by line."""

    content: bytes
    manifest: Manifest
    report: tuple[str, ...]


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A publisher's description of a model: a sample of its data, types that replace inferred ones, figures, a name."""

    sample: Any = None
    types: Mapping[str, FeatureType] = {}
    metrics: Mapping[str, float] = {}
    published_by: str | None = None


class Trial(msgspec.Struct, frozen=True):
    """Rows that a model predicts, with the features in the form that it needs."""

    features: tuple[ModelFeature, ...]
    input: ModelInput
    arrays: list[Any]
    predicted: Any


def artifact_of(
    estimator: Any,
    features: Sequence[str],
    uri: ObjectUri,
    form: ModelFormat | None,
    now: datetime,
    described: Described | None = None,
) -> Artifact:
    """The artifact of a fitted scikit-learn estimator, loaded back once to prove that it works.

    Without a `form`, it is skops if skops restores the whole estimator, otherwise joblib. Without a sample, every
    feature is a number. Raises InvalidInput ("unpublishable") with the reason.
    """
    from joblib import parallel_config

    told = described or Described()
    if not hasattr(estimator, "predict"):
        raise unpublishable(f"is a {type(estimator).__qualname__}, which cannot predict", "a fitted estimator")
    with parallel_config(backend="sequential"):  # threads add the trees of a forest up in an order of their own
        trial = try_out(estimator, features, told)
    content, chosen, reason = _dump(estimator, form)
    manifest = _manifest(
        content,
        uri,
        now,
        told,
        format=chosen,
        estimator=f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        features=trial.features,
        output_dtype=str(trial.predicted.dtype),
        classes=_labels(estimator),
        input=trial.input,
    )
    model = load(manifest, content)
    again = model.columns(["check"], model.inputs(trial.arrays, trial.features, 0))[0].values
    if not _same(again, trial.predicted):
        raise unpublishable(f"predicts otherwise once it is read back from {chosen}", "the same predictions")
    return Artifact(content, manifest, tuple(_report(estimator, manifest, told, trial, reason)))


def try_out(estimator: Any, features: Sequence[str], told: Described) -> Trial:
    """Find how the estimator takes its features: predict the sample, then again without each feature in turn."""
    names = tuple(features)
    if len(names) > MAX_FEATURES or not all(0 < len(name) <= 128 for name in names):
        raise unpublishable("has features that no request can name", f"at most {MAX_FEATURES} of 1 to 128 characters")
    if len(set(names)) != len(names):
        raise unpublishable("has two features of one name", "each name once")
    fitted = getattr(estimator, "feature_names_in_", None)
    count = getattr(estimator, "n_features_in_", None)
    if (fitted is not None and tuple(fitted) != names) or (fitted is None and count not in (None, len(names))):
        known = f"{count} features" if fitted is None else ", ".join(map(str, fitted[:50]))
        raise unpublishable("was fitted with other features", f"{known}, in this order")
    form: ModelInput = "frame" if fitted is not None else "array" if count is not None else "column"
    if told.sample is None and _learnt_from_text(estimator):
        raise unpublishable("learnt from text or dates", "a sample of its data: give --sample")
    columns = _columns(names, told.sample)
    failures: list[Exception] = []
    for kinds in _guesses(columns, names, told.types, numbers_only=form == "array"):
        guess = tuple(
            ModelFeature(name, kind, missing=column.null_count > 0)
            for name, kind, column in zip(names, kinds, columns, strict=True)
        )
        try:
            arrays = typed_all(columns, guess, 0)
            _one_each(estimator, MAKE[form](arrays, guess, 0))
        except OmnibusError as error:
            if error.code == "unpublishable":
                raise
            raise unpublishable(f"does not fit the sample: {error.message}", "a sample of its data") from error
        except Exception as error:  # noqa: BLE001  # whatever a model raises
            failures.append(error)
            continue
        found = tuple(
            msgspec.structs.replace(it, missing=_may_be_missing(estimator.predict, MAKE[form], arrays, guess, place))
            for place, it in enumerate(guess)
        )
        return Trial(found, form, arrays, _one_each(estimator, MAKE[form](arrays, found, 0)))
    what = "the sample" if told.sample is not None else "rows of zeros; give --sample if they are no numbers"
    raise unpublishable(f"does not predict {what} ({failures[0]})", "a sample that it predicts") from failures[0]


def _learnt_from_text(estimator: Any) -> bool:
    """Whether any part of the estimator has categories or a vocabulary."""
    seen: dict[int, Any] = {}
    pending = [estimator]
    while pending:
        part = pending.pop()
        if isinstance(part, list | tuple):
            pending += part
        elif isinstance(part, dict):
            pending += part.values()
        elif type(part).__module__.startswith("sklearn.") and id(part) not in seen:
            seen[id(part)] = part
            if hasattr(part, "vocabulary_") or any(known.dtype.kind in "OUM" for known in _categories(part)):
                return True
            pending += getattr(part, "__dict__", {}).values()
    return False


def _categories(part: Any) -> list[Any]:
    return [np.asarray(known) for known in vars(part).get("categories_", ())] if hasattr(part, "__dict__") else []


def _one_each(estimator: Any, inputs: Inputs) -> Any:
    predicted = np.asarray(estimator.predict(inputs))
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    if predicted.shape != (len(inputs),):
        many = f"predicts {predicted.shape[1]} values" if predicted.ndim == 2 else "does not predict one value"
        raise unpublishable(f"{many} for each row", "one value for each row; publish one model for each output")
    return predicted


def _may_be_missing(
    predict: Callable[[Inputs], Any],
    make: Any,
    arrays: Sequence[pa.Array],
    features: Sequence[ModelFeature],
    place: int,
) -> bool:
    """Whether the estimator predicts rows without the feature; a Pipeline's tags do not tell."""
    few = [array.slice(0, GAPS_ROWS) for array in arrays]
    few[place] = pa.nulls(len(few[place]), few[place].type)
    gaps = [msgspec.structs.replace(it, missing=it.missing or at == place) for at, it in enumerate(features)]
    try:
        predicted = np.asarray(predict(make(few, gaps, 0)))
    except Exception:  # noqa: BLE001  # whatever a model raises
        return False
    return predicted.dtype.kind != "f" or not bool(np.isnan(predicted).any())


def _columns(names: Sequence[str], sample: pa.Table | None) -> list[pa.Array]:
    if sample is None:
        return [pa.array([0.0, 0.0])] * len(names)
    lacking = [name for name in names if name not in sample.column_names]
    if lacking:
        raise InvalidInput.of("sample", f"lacks {', '.join(lacking[:20])}", "every feature", code="unpublishable")
    if sample.num_rows == 0:
        raise InvalidInput.of("sample", "has no rows", "at least one", code="unpublishable")
    return [sample.slice(0, TRIED_ROWS).column(name).combine_chunks() for name in names]


def _guesses(
    columns: Sequence[pa.Array], names: Sequence[str], told: Mapping[str, FeatureType], *, numbers_only: bool
) -> Iterator[tuple[FeatureType, ...]]:
    """Types to try: as the sample has them, then text as dates where it is dates, then text as categories."""
    unknown = set(told) - set(names)
    if unknown:
        raise InvalidInput.of("types", f"name {min(unknown)!r}", "features of the model", code="unpublishable")
    as_found = [told.get(name) or _kind_of(column) for name, column in zip(names, columns, strict=True)]
    if numbers_only:
        strange = [
            name for name, kind in zip(names, as_found, strict=True) if kind not in ("number", "integer", "boolean")
        ]
        if strange:
            raise unpublishable(
                f"was fitted without names, but {', '.join(strange)} are no numbers", "a model fitted on a DataFrame"
            )
        as_found = ["number"] * len(names)
    yield tuple(as_found)
    texts = [place for place, name in enumerate(names) if as_found[place] == "text" and name not in told]
    dated = {place: kind for place in texts if (kind := _kind_of_text(columns[place])) != "text"}
    yield tuple(dated.get(place, kind) for place, kind in enumerate(as_found))
    for keep in ({}, dated):
        yield tuple(keep.get(at, "category") if at in texts else kind for at, kind in enumerate(as_found))


def _kind_of(column: pa.Array) -> FeatureType:
    found = column.type
    if pa.types.is_dictionary(found):
        return "category"
    for kind in ("boolean", "timestamp", "date", "integer"):
        if getattr(pa.types, f"is_{kind}")(found):
            return kind
    return "text" if takes("text", found) and not pa.types.is_null(found) else "number"


def _kind_of_text(column: pa.Array) -> FeatureType:
    for kind in ("date", "timestamp"):
        try:
            typed(column, ModelFeature("sample", kind), 0)
        except OmnibusError:
            continue
        return kind
    return "text"


def _same(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _labels(estimator: Any) -> tuple[Label, ...] | None:
    labels = classes_of(estimator)
    strange = sorted({type(it).__name__ for it in labels or () if not isinstance(it, str | bool | int | float)})
    if strange:
        raise unpublishable(f"has classes of type {', '.join(strange)}", "text, numbers or booleans as classes")
    return labels


def onnx_artifact(
    content: bytes,
    features: Sequence[str],
    classes: Sequence[str],
    uri: ObjectUri,
    now: datetime,
    described: Described | None = None,
) -> Artifact:
    """The artifact of an ONNX file; its answer to the sample, or to rows of zeros, tells its output's type.

    `classes` are a classifier's labels in the order of its probabilities, which the file itself cannot tell; empty
    if it gives none. Raises Unprocessable if its answer is not of that many features and classes.
    """
    told = described or Described()
    columns = _columns(features, told.sample)
    kinds = next(_guesses(columns, features, told.types, numbers_only=False))
    manifest = _manifest(
        content,
        uri,
        now,
        told,
        format="onnx",
        estimator="onnx",
        libraries={"onnxruntime": importlib.metadata.version("onnxruntime")},
        features=tuple(ModelFeature(name, kind) for name, kind in zip(features, kinds, strict=True)),
        output_dtype="unknown",
        classes=tuple(classes) or None,
    )
    model = load(manifest, content)
    if classes and model.probabilities is None:
        raise InvalidInput.of("classes", "are given, the model gives no probabilities", "none", code="unpublishable")
    arrays = typed_all(columns, model.features, 0)
    found = tuple(
        msgspec.structs.replace(it, missing=_may_be_missing(model.predict, model.inputs, arrays, model.features, place))
        for place, it in enumerate(model.features)
    )
    rows = model.inputs(arrays, found, 0)
    predicted = np.asarray(model.predict(rows))
    manifest = msgspec.structs.replace(manifest, output_dtype=str(predicted.dtype), features=found)
    replace(model, manifest=manifest).columns(["check", *(f"check_{label}" for label in classes)], rows)
    return Artifact(content, manifest, tuple(_common_report(manifest, told)))


def _manifest(content: bytes, uri: ObjectUri, now: datetime, told: Described, **found: Any) -> Manifest:
    """The manifest of an artifact, from what is `found` in its model and what its publisher stated."""
    return Manifest(
        version=2,
        uri=str(uri),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        created_at=now.isoformat(timespec="seconds"),
        metrics=dict(told.metrics),
        published_by=told.published_by,
        **found,
    )


def _dump(estimator: Any, form: ModelFormat | None) -> tuple[bytes, ModelFormat, str]:
    """The estimator's bytes, their format, and why it is that one."""
    if form == "joblib":
        return (
            _dump_joblib(estimator),
            "joblib",
            "as asked; joblib runs what it holds, the signature is all that protects",
        )
    import skops.io

    try:
        content = skops.io.dumps(estimator)
        unlisted = sorted(skops.io.get_untrusted_types(data=content))
        foreign = ", ".join(sorted(set(unlisted) - set(TRUSTED_TYPES)))
    except Exception as error:  # noqa: BLE001  # whatever skops raises
        foreign = f"what skops cannot write ({error})"
    if not foreign:
        return content, "skops", "it trusts " + (", ".join(unlisted) or "nothing beyond skops' own list")
    if form == "skops":
        raise unpublishable(f"holds {foreign}", "types that skops reads, or joblib")
    why = f"the model holds {foreign}; joblib runs what it holds, the signature is all that protects"
    return _dump_joblib(estimator), "joblib", why


def _dump_joblib(estimator: Any) -> bytes:
    """The estimator's bytes; InvalidInput if they need modules that the functions do not have."""
    import joblib

    buffer = io.BytesIO()
    try:
        joblib.dump(estimator, buffer, compress=3)
        named = _named(estimator)
    except Exception as error:  # pickling runs the model's own code
        raise unpublishable(f"cannot be pickled ({error})", "a model of scikit-learn's own parts") from error
    for module, name in sorted(named):
        if module.partition(".")[0] not in IN_FUNCTIONS:
            raise unpublishable(
                f"uses {name} of {module}, which the functions do not have",
                "scikit-learn, NumPy, SciPy and pandas alone; models of other libraries as ONNX",
            )
    return buffer.getvalue()


def _named(estimator: Any) -> set[tuple[str, str]]:
    """The modules and names that the estimator's pickle imports."""
    found: set[tuple[str, str]] = set()

    class Watcher(pickle.Unpickler):
        def find_class(self, module: str, name: str, /) -> Any:
            found.add((module, name))
            return super().find_class(module, name)

    Watcher(io.BytesIO(pickle.dumps(estimator))).load()  # of what is in memory already
    return found


def unpublishable(problem: str, expected: str) -> InvalidInput:
    """The error of a model that cannot be published."""
    return InvalidInput.of("model", problem, expected, code="unpublishable")


def _report(estimator: Any, manifest: Manifest, told: Described, trial: Trial, reason: str) -> list[str]:
    trees = [tree for _, tree in trees_in(estimator)]
    steps = [f"{name}={type(step).__name__}" for name, step in getattr(estimator, "steps", [])]
    changed = {name: value for name, value in estimator.get_params(deep=False).items() if name != "steps"}
    lines = _common_report(manifest, told)
    lines.append(f"input       {trial.input}")
    if steps:
        lines.append(f"steps       {', '.join(steps)}")
    if trees:
        lines.append(f"trees       {len(trees)}, all sound")
    lines.append("parameters  " + " ".join(", ".join(f"{name}={value!r}" for name, value in changed.items()).split()))
    lines.append(f"trusted     {manifest.format}: {reason}")
    return lines


def _common_report(manifest: Manifest, told: Described) -> list[str]:
    lines = [
        f"model       {manifest.estimator}",
        f"place       {manifest.uri}",
        f"format      {manifest.format}, {manifest.bytes:,} bytes, sha256 {manifest.sha256}",
        f"features    {len(manifest.features)}",
        *_feature_table(manifest, told.sample),
        f"output      {manifest.output_dtype}",
        "libraries   " + ", ".join(f"{name} {version}" for name, version in manifest.libraries.items()),
    ]
    if manifest.classes is not None:
        lines.append("classes     " + ", ".join(map(str, manifest.classes)))
    if manifest.metrics:
        lines.append("metrics     " + ", ".join(f"{name} {value:g}" for name, value in manifest.metrics.items()))
    return lines


def _feature_table(manifest: Manifest, sample: pa.Table | None) -> Iterator[str]:
    """A line for each feature: its name, type, gaps, and what the sample has of it."""
    features = [it for it in manifest.features if isinstance(it, ModelFeature)]
    wide = max(len(it.name) for it in features)
    for it in features:
        shown = ""
        if sample is not None:
            column = sample.column(it.name)
            few = [str(value)[:20] for value in column.drop_null().slice(0, 200).unique().to_pylist()[:3]]
            gaps = f"; {column.null_count} of {len(column)} missing" if column.null_count else ""
            shown = f"  {', '.join(few)}{gaps}"
        yield f"  {it.name:{wide}}  {it.type:9}  {'may be missing' if it.missing else 'never missing '}{shown}".rstrip()
