"""Models in memory: loaded from verified bytes, kept by their digest across warm calls."""

import importlib.metadata
import io
import logging
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from chalicelib.errors import OmnibusError, Unprocessable
from chalicelib.predictions.columns import NewColumn
from chalicelib.predictions.forests import MANY_TREES, sum_of_trees
from chalicelib.predictions.inputs import Inputs, column_of, frame_of, matrix_of
from chalicelib.predictions.models import ModelFeature, PredictionRequest
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.ports import ModelFloors, PredictionObjects, Verifier
from chalicelib.predictions.scoring import MakeInputs
from chalicelib.predictions.trees import broken_tree, trees_in
from chalicelib.predictions.trust import Manifest, model_refused, read_artifact, read_manifest

TRUSTED_TYPES = (
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""What skops may construct beyond its own list. The two tree types are there because the signature is verified first,
and because `broken_tree` checks what skops cannot. Types that a file asks for never extend this."""

MIB = 1024 * 1024
GRID_BYTES, GRID_PIECES, FRAMES_GRID_PIECES = 4 * MIB, 16, 4
TREES_GRID_BYTES, TREES_GRID_PIECES = 8 * MIB, 4
SMALLEST_GRID_BYTES = MIB
"""Blocks have at most the bytes, and their number is a multiple of the pieces, so that processors finish together. An
ensemble pays for each of its trees in each block: blocks of 10,000 rows cost a forest a quarter. A pipeline on a
DataFrame pays for each of its steps."""
MAX_UNPACKED_BYTES = 1024 * MIB
"""The memory that a function of 1769 MB has besides its libraries; beyond it, Lambda would kill the function."""
CACHE_BYTES = 256 * 1024 * 1024
FLOATS: Mapping[str, Any] = {"tensor(float)": np.float32, "tensor(double)": np.float64}
TENSORS: Mapping[str, Any] = {**FLOATS, "tensor(int64)": np.int64, "tensor(bool)": np.bool_, "tensor(string)": object}

Function = Callable[[Inputs], npt.NDArray[Any]]


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model: `predict` gives a value for each row, `probabilities` a column for each class.

    `inputs` makes what they take of columns that have the types of `features`.
    """

    manifest: Manifest
    predict: Function
    probabilities: Function | None
    features: tuple[ModelFeature, ...]
    inputs: MakeInputs = matrix_of
    has_many_trees: bool = False

    def grid(self, data_bytes: int) -> int:
        """The size of a block, in bytes, for data of that size; every reader of the data uses the same."""
        largest, pieces = GRID_BYTES, GRID_PIECES if self.inputs is matrix_of else FRAMES_GRID_PIECES
        if self.has_many_trees:
            largest, pieces = TREES_GRID_BYTES, TREES_GRID_PIECES
        rounds = -(-data_bytes // (pieces * largest))
        return min(largest, max(SMALLEST_GRID_BYTES, -(-data_bytes // (pieces * rounds))))

    @cached_property
    def one_thread_each(self) -> Callable[[], object]:
        """A function that limits OpenMP and BLAS to one thread: here, blocks run in parallel.

        It is made once for a model, after its libraries are loaded: the search for them takes 10 ms.
        """
        from threadpoolctl import ThreadpoolController

        return partial(ThreadpoolController().limit, limits=1)

    def added_names(self, name: str, *, probabilities: bool) -> list[str]:
        """The names of the columns that are asked for; Unprocessable if the model has no probabilities."""
        names = [name]
        if probabilities:
            if self.probabilities is None or not self.manifest.classes:
                raise Unprocessable.of("probabilities", "the model gives none", "false", code="no_probabilities")
            names += [f"{name}_{label}" for label in self.manifest.classes]
        return names

    def columns(self, names: Sequence[str], inputs: Inputs) -> list[NewColumn]:
        """The new columns for the rows of `inputs`; `names` are those of `added_names`.

        Raises Unprocessable: "model_output", and "model_mismatch" if the predictions' type is not the manifest's.
        """
        values = _one_value_a_row(self.predict(inputs), len(inputs))
        if str(values.dtype) != self.manifest.output_dtype:
            raise model_refused(f"it answers {values.dtype}, not {self.manifest.output_dtype}", "model_mismatch")
        added = [NewColumn(names[0], values)]
        if len(names) > 1 and self.probabilities is not None:
            table = np.asarray(self.probabilities(inputs))
            if table.shape != (len(inputs), len(names) - 1):
                raise model_refused("its probabilities are not one for each class", "model_output")
            added += [NewColumn(name, table[:, index]) for index, name in enumerate(names[1:])]
        return added


@dataclass
class Models:
    """Opens models that are trusted; the last few stay in memory, by digest."""

    objects: PredictionObjects
    verifier: Verifier
    floors: ModelFloors
    _kept: "OrderedDict[str, LoadedModel]" = field(default_factory=OrderedDict)

    def open(self, uri: ObjectUri, request: PredictionRequest) -> LoadedModel:
        """The model at `uri`, if it is trusted and fits the request.

        Raises Unprocessable: all of `read_manifest`, `read_artifact` and `load`, "model_digest", "features_mismatch".
        """
        manifest = read_manifest(self.objects, self.verifier, self.floors, uri)
        if request.model_sha256 not in (None, manifest.sha256):
            raise Unprocessable.of(
                "model_sha256", f"the model there is {manifest.sha256}", "the model asked for", code="model_digest"
            )
        if request.feature_columns != manifest.names:
            raise Unprocessable.of(
                "feature_columns",
                f"are {len(request.feature_columns)} that are not the model's",
                f"{', '.join(manifest.names[:50])}, in this order",
                code="features_mismatch",
            )
        return self._loaded(uri, manifest)

    def open_any(self, uri: ObjectUri) -> LoadedModel:
        """The model at `uri`, if it is trusted; raises as `open` does."""
        return self._loaded(uri, read_manifest(self.objects, self.verifier, self.floors, uri))

    def _loaded(self, uri: ObjectUri, manifest: Manifest) -> LoadedModel:
        model = self._kept.get(manifest.sha256)
        if model is None or model.manifest != manifest:
            model = load(manifest, read_artifact(self.objects, uri, manifest))
            self._kept[manifest.sha256] = model
        self._kept.move_to_end(manifest.sha256)
        while len(self._kept) > 1 and sum(kept.manifest.bytes for kept in self._kept.values()) > CACHE_BYTES:
            self._kept.popitem(last=False)
        return model


def load(manifest: Manifest, content: bytes) -> LoadedModel:
    """The model in `content`, whose manifest has been verified and whose digest is the manifest's.

    Raises Unprocessable: "model_unsafe", "model_library", "model_unreadable", "model_mismatch", "model_output".
    """
    if manifest.format == "onnx":
        return _load_onnx(manifest, content)
    require_library("scikit-learn", manifest)
    try:
        estimator = _load_skops(content) if manifest.format == "skops" else _load_joblib(content)
    except OmnibusError:
        raise
    except Exception as error:
        logging.getLogger(__name__).warning("a signed model cannot be loaded", exc_info=True)
        raise model_refused("its file cannot be read back", "model_unreadable") from error
    if problem := broken_tree(estimator):
        raise model_refused(problem, "model_unsafe")
    return from_estimator(estimator, manifest)


def require_library(name: str, manifest: Manifest) -> None:
    """Unprocessable ("model_library") unless the library here has the manifest's major and minor version."""
    here = importlib.metadata.version(name)
    there = manifest.libraries.get(name, "none")
    if here.split(".")[:2] != there.split(".")[:2]:
        raise model_refused(f"it was made with {name} {there}, here is {here}: publish it again", "model_library")


def _load_skops(content: bytes) -> Any:
    import skops.io

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise model_refused(f"it unpacks to more than {MAX_UNPACKED_BYTES} bytes", "model_unsafe")
    foreign = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED_TYPES))
    if foreign:
        raise model_refused(f"it holds types that are not trusted: {', '.join(foreign)}", "model_unsafe")
    return skops.io.loads(content, trusted=list(TRUSTED_TYPES))


def _load_joblib(content: bytes) -> Any:
    import joblib

    return joblib.load(io.BytesIO(content))


def from_estimator(estimator: Any, manifest: Manifest) -> LoadedModel:
    """A fitted scikit-learn estimator as a LoadedModel; it runs on the thread that calls it.

    Raises Unprocessable: "model_mismatch" if its features or classes are not the manifest's.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and tuple(names) != manifest.names:
        raise model_refused("the names that it was fitted with are not its manifest's", "model_mismatch")
    if manifest.input != "column" and int(getattr(estimator, "n_features_in_", -1)) != len(manifest.features):
        raise model_refused("it was not fitted with as many features as its manifest says", "model_mismatch")
    labels = classes_of(estimator)
    if labels != manifest.classes:
        raise model_refused("its classes are not its manifest's", "model_mismatch")
    serial = {name: 1 for name in estimator.get_params() if name == "n_jobs" or name.endswith("__n_jobs")}
    estimator.set_params(**serial)

    features, trees = features_of(manifest, estimator), sum_of_trees(estimator)
    numeric = all(it.type == "number" or (trees and it.type in ("integer", "boolean")) for it in features)

    def framed(function: Function) -> Function:
        if names is None or not numeric:
            return function
        from pandas import DataFrame

        return lambda matrix: function(DataFrame(matrix, columns=names, copy=False))

    return LoadedModel(
        manifest,
        trees if trees and numeric else framed(estimator.predict),
        framed(estimator.predict_proba) if hasattr(estimator, "predict_proba") else None,
        features,
        column_of if manifest.input == "column" else matrix_of if numeric else frame_of,
        has_many_trees=sum(1 for _ in trees_in(estimator)) >= MANY_TREES,
    )


def features_of(manifest: Manifest, estimator: Any) -> tuple[ModelFeature, ...]:
    """The manifest's features; of version 1, the model's own word tells whether any of them may be missing."""
    from sklearn.utils import get_tags

    if manifest.version > 1:
        return tuple(it for it in manifest.features if isinstance(it, ModelFeature))
    gaps = bool(get_tags(estimator).input_tags.allow_nan)
    return tuple(ModelFeature(name, missing=gaps) for name in manifest.names)


def classes_of(estimator: Any) -> tuple[Any, ...] | None:
    """The labels that a classifier can answer with, in the order of its probabilities; None for a regressor."""
    labels = getattr(estimator, "classes_", None)
    return None if labels is None else tuple(np.asarray(labels).tolist())


def _load_onnx(manifest: Manifest, content: bytes) -> LoadedModel:
    try:
        import onnxruntime
    except ImportError:
        raise model_refused("ONNX models need onnxruntime, which is not installed here", "model_library") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise model_refused("its file cannot be read back", "model_unreadable") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    features = tuple(ModelFeature(it) if isinstance(it, str) else it for it in manifest.features)
    single = len(inputs) == 1 and inputs[0].type in FLOATS and inputs[0].name not in manifest.names[1:]
    if single and inputs[0].shape[1:] and inputs[0].shape[1] not in (None, len(features)):
        raise model_refused("it does not take as many features as its manifest says", "model_mismatch")
    if not single and (
        {it.name for it in inputs} != set(manifest.names) or not {it.type for it in inputs} <= set(TENSORS)
    ):
        raise model_refused("it takes neither one matrix of floats nor one input for each feature", "model_output")

    def feed(rows: Inputs) -> dict[str, Any]:
        if single:
            return {inputs[0].name: rows.astype(FLOATS[inputs[0].type])}
        return {it.name: _tensor(rows[it.name], it.type) for it in inputs}

    def output(index: int) -> Function:
        return lambda rows: np.asarray(session.run([outputs[index].name], feed(rows))[0])

    return LoadedModel(
        manifest,
        output(0),
        output(1) if len(outputs) > 1 and outputs[1].type.startswith("tensor") else None,
        features,
        matrix_of if single else frame_of,
    )


def _tensor(column: Any, kind: str) -> npt.NDArray[Any]:
    """One feature as an ONNX input; text that is missing is empty."""
    if kind == "tensor(string)":
        return column.astype(object).fillna("").to_numpy().reshape(-1, 1)  # type: ignore[no-any-return]
    return column.to_numpy().astype(TENSORS[kind]).reshape(-1, 1)  # type: ignore[no-any-return]


def _one_value_a_row(values: Any, rows: int) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (rows,):
        raise model_refused("it does not give one value for each row", "model_output")
    return array
