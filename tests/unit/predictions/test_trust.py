"""Refused models, none of whose code runs."""

import hashlib
import io
import os
import pickle
import zipfile

import joblib
import msgspec
import numpy as np
import pytest
import skops.io

from chalicelib.errors import Conflict, InvalidInput, Unprocessable
from chalicelib.predictions import estimators as models
from chalicelib.predictions.estimators import load
from chalicelib.predictions.places import ObjectUri, parse_uri
from chalicelib.predictions.publishing import artifact_of
from chalicelib.predictions.trees import broken_tree
from chalicelib.predictions.trust import MANIFEST_SUFFIX, PURPOSE, SignedManifest, seal
from tests.fakes.predictions import MemoryKey
from tests.unit.predictions.studio import DATA, FEATURES, MODEL, NOW, OUTPUT, csv_of, rows, trained

URI = parse_uri("uri", MODEL)


def open_model(studio, **changes):
    return studio.models.open(URI, studio.request(**changes))


def refusal(studio, **changes):
    with pytest.raises(Unprocessable) as refused:
        open_model(studio, **changes)
    return refused.value


class Canary:
    """Unpickling it makes a directory."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "it ran"


@pytest.mark.parametrize("kind", ["linear", "forest", "boosting"])
@pytest.mark.parametrize("form", ["skops", "joblib"])
def test_a_published_model_predicts_what_the_estimator_does(studio, kind, form):
    studio.publish(trained(kind), form=form)
    matrix = rows(50, seed=1)

    model = open_model(studio)

    np.testing.assert_array_equal(model.columns(["p"], matrix)[0].values, trained(kind).predict(matrix))


def test_a_pickle_that_would_run_code_does_not(studio, canary):
    evil = pickle.dumps(Canary(str(canary)))
    honest = artifact_of(trained("linear"), FEATURES, URI, "joblib", NOW).manifest
    forged = msgspec.structs.replace(honest, sha256=hashlib.sha256(evil).hexdigest(), bytes=len(evil))
    studio.place(MODEL, evil, forged, key=MemoryKey(b"the writer of the bucket has another key"))

    assert refusal(studio).code == "signature_invalid"
    assert not canary.exists()
    pickle.loads(evil)
    assert canary.exists(), "the canary would have sung"


def test_a_pickle_in_the_place_of_a_signed_model_does_not_run(studio, canary):
    studio.publish(trained("linear"), form="joblib")
    size = len(studio.objects.get(MODEL))
    evil = pickle.dumps(Canary(str(canary)))
    studio.objects.put(MODEL, evil + b"\0" * (size - len(evil)))

    assert refusal(studio).code == "model_mismatch"
    assert not canary.exists()


def test_skops_refuses_types_that_are_not_on_the_fixed_list_even_if_they_are_signed(studio, canary):
    content = skops.io.dumps({"model": trained("linear"), "foreign": np.random.default_rng, "more": io.StringIO})
    manifest = artifact_of(trained("linear"), FEATURES, URI, "skops", NOW).manifest
    studio.place(
        MODEL,
        content,
        msgspec.structs.replace(manifest, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)),
    )

    error = refusal(studio)
    assert error.code == "model_unsafe"
    assert "types that are not trusted" in error.message


def test_a_forged_tree_is_refused(studio):
    forest = joblib.load(io.BytesIO(joblib_bytes(trained("forest"))))
    tree = forest.estimators_[2].tree_
    tree.children_left[0] = 1_000_000
    content = skops.io.dumps(forest)
    manifest = artifact_of(trained("forest"), FEATURES, URI, "skops", NOW).manifest
    forged = msgspec.structs.replace(manifest, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))

    studio.place(MODEL, content, forged, key=MemoryKey(b"not our key"))
    assert refusal(studio).code == "signature_invalid"

    studio.place(MODEL, content, forged)
    error = refusal(studio)
    assert error.code == "model_unsafe"
    assert "outside its tree" in error.message


def joblib_bytes(estimator):
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [("left", 10_000, "child"), ("right", 0, "child"), ("feature_idx", 7, "feature"), ("feature_idx", -1, "feature")],
)
def test_a_forged_boosting_tree_is_refused(column, value, problem):
    boosting = joblib.load(io.BytesIO(joblib_bytes(trained("boosting"))))
    assert broken_tree(boosting) is None
    boosting._predictors[3][0].nodes[column][0] = value

    assert problem in broken_tree(boosting)


def test_a_manifest_with_another_digest_is_refused(studio):
    studio.publish(trained("linear"))
    content = bytearray(studio.objects.get(MODEL))
    content[-1] ^= 1
    studio.objects.put(MODEL, bytes(content))

    assert refusal(studio).code == "model_mismatch"


def test_a_new_model_beside_the_manifest_of_the_old_one_is_refused(studio):
    studio.publish(trained("linear"))
    stale = studio.objects.get(MODEL + MANIFEST_SUFFIX)
    studio.publish(trained("forest"))
    studio.objects.put(MODEL + MANIFEST_SUFFIX, stale)

    assert refusal(studio).code == "model_mismatch"


def test_a_caller_who_names_the_digest_gets_no_other_version(studio):
    studio.publish(trained("linear"))
    wanted = open_model(studio).manifest.sha256
    studio.publish(trained("forest"))

    assert refusal(studio, model_sha256=wanted).code == "model_digest"


def test_a_model_that_is_swapped_between_check_and_use_is_refused(studio):
    studio.publish(trained("linear"))
    size = len(studio.objects.get(MODEL))

    def swap(pinned, start):
        if pinned.uri == URI:
            studio.objects.put(MODEL, b"x" * size)

    studio.objects.on_read = swap
    with pytest.raises(Conflict) as refused:
        open_model(studio)
    assert refused.value.code == "object_changed"


def test_a_signed_model_cannot_take_the_place_of_another(studio):
    studio.publish(trained("forest"), uri="s3://models/other.skops")
    for suffix in ("", MANIFEST_SUFFIX):
        studio.objects.put(MODEL + suffix, studio.objects.get("s3://models/other.skops" + suffix))

    assert refusal(studio).code == "manifest_of_another_model"


def put_back(studio, serial):
    """What a writer of the bucket can do: put the files of an earlier publication back."""
    artifact = artifact_of(trained("linear"), FEATURES, URI, "skops", NOW)
    studio.place(MODEL, artifact.content, msgspec.structs.replace(artifact.manifest, serial=serial))


@pytest.mark.parametrize("serial", [None, 6])
def test_an_older_model_does_not_come_back_below_the_floor(studio, serial):
    studio.floors.raise_floor(URI, 7)
    put_back(studio, serial)

    assert refusal(studio).code == "model_superseded"


@pytest.mark.parametrize(("serial", "floor"), [(None, None), (6, None), (7, 7), (8, 7)])
def test_a_model_at_its_floor_is_loaded(studio, serial, floor):
    if floor is not None:
        studio.floors.raise_floor(URI, floor)
    put_back(studio, serial)

    assert open_model(studio).manifest.serial == serial


def test_the_floor_of_one_place_says_nothing_of_another(studio):
    studio.floors.raise_floor(ObjectUri("models", "other.skops"), 7)
    put_back(studio, None)

    assert open_model(studio).manifest.serial is None


def test_a_signature_over_the_payload_alone_is_no_manifest(studio):
    studio.publish(trained("linear"))
    envelope = msgspec.json.decode(studio.objects.get(MODEL + MANIFEST_SUFFIX), type=SignedManifest)
    other_purpose = studio.key.sign(envelope.payload.encode())
    assert studio.key.verify(PURPOSE + envelope.payload.encode(), other_purpose) is False


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"not json", b"\xff\xfe", b'{"payload":"{}","signature":"?","key":""}', b"[" * 100_000],
)
def test_what_is_no_envelope_is_refused(studio, content):
    studio.publish(trained("linear"))
    studio.objects.put(MODEL + MANIFEST_SUFFIX, content)

    assert refusal(studio).code == "manifest_malformed"


def test_a_manifest_that_is_missing_or_huge_is_refused(studio):
    studio.publish(trained("linear"))
    studio.objects.put(MODEL + MANIFEST_SUFFIX, b"x" * (1024 * 1024 + 1))
    assert refusal(studio).code == "manifest_malformed"

    del studio.objects.content[ObjectUri("models", "price.skops" + MANIFEST_SUFFIX)]
    assert refusal(studio).code == "manifest_missing"


def test_a_model_of_another_scikit_learn_is_refused(studio):
    artifact = artifact_of(trained("linear"), FEATURES, URI, "skops", NOW)
    older = msgspec.structs.replace(artifact.manifest, libraries={"scikit-learn": "0.24.2"})
    studio.place(MODEL, artifact.content, older)

    assert refusal(studio).code == "model_library"


def test_a_model_that_answers_in_another_type_than_its_manifest_says_is_refused(studio):
    artifact = artifact_of(trained("linear"), FEATURES, URI, "skops", NOW)
    studio.place(MODEL, artifact.content, msgspec.structs.replace(artifact.manifest, output_dtype="int64"))
    studio.objects.put(DATA, csv_of(rows(5)))

    with pytest.raises(Unprocessable) as refused:
        studio.predict()
    assert refused.value.code == "model_mismatch"
    assert "float64, not int64" in refused.value.message
    assert studio.objects.get(OUTPUT) is None


def test_features_must_be_the_models_in_its_order(studio):
    studio.publish(trained("linear"))
    assert refusal(studio, feature_columns=("y", "x")).code == "features_mismatch"
    assert refusal(studio, feature_columns=("x",)).code == "features_mismatch"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(studio, monkeypatch):
    monkeypatch.setattr(models, "MAX_UNPACKED_BYTES", 1_000_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"0" * 1_000_001)
    content = buffer.getvalue()
    manifest = artifact_of(trained("linear"), FEATURES, URI, "skops", NOW).manifest
    signed = msgspec.structs.replace(manifest, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))

    with pytest.raises(InvalidInput) as refused:
        load(signed, content)
    assert refused.value.code == "model_unsafe"
    assert len(content) < 10_000


def test_a_signed_file_that_is_no_model_is_refused_without_a_traceback(studio):
    manifest = artifact_of(trained("linear"), FEATURES, URI, "skops", NOW).manifest
    with pytest.raises(InvalidInput) as refused:
        load(manifest, b"not a zip")
    assert refused.value.code == "model_unreadable"
    assert "Zip" not in refused.value.message


def test_a_warm_call_reads_the_manifest_but_not_the_model_again(studio):
    studio.publish(trained("linear"))
    first = open_model(studio)
    studio.objects.reads.clear()

    assert open_model(studio) is first
    assert [str(uri) for uri, _, _ in studio.objects.reads] == [MODEL + MANIFEST_SUFFIX]


def test_a_model_fitted_on_named_columns_gets_named_columns(studio):
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = pd.DataFrame(rows(100), columns=list(FEATURES))
    pipeline = make_pipeline(make_column_transformer((StandardScaler(), ["y"]), remainder="passthrough"), Ridge())
    pipeline.fit(frame, frame["x"] * 2)
    studio.publish(pipeline)

    values = open_model(studio).columns(["p"], rows(9, seed=2))[0].values

    np.testing.assert_array_equal(values, pipeline.predict(pd.DataFrame(rows(9, seed=2), columns=list(FEATURES))))


def test_the_report_of_an_artifact_says_what_is_in_it():
    report = "\n".join(artifact_of(trained("forest"), FEATURES, URI, "skops", NOW).report)

    for fact in (
        "RandomForestRegressor",
        MODEL,
        "skops",
        "  x  number     may be missing",
        "float64",
        "5, all sound",
        "sklearn.tree._tree.Tree",
    ):
        assert fact in report


def test_a_model_that_gives_more_than_one_value_a_row_is_refused(studio):
    from sklearn.linear_model import LinearRegression

    with pytest.raises(InvalidInput, match="predicts 2 values for each row"):
        artifact_of(LinearRegression().fit(rows(9), rows(9)), FEATURES, URI, "skops", NOW)


def test_what_skops_cannot_read_back_is_not_published():
    from sklearn.neighbors import KNeighborsRegressor

    neighbours = KNeighborsRegressor().fit(rows(20), rows(20)[:, 0])
    with pytest.raises(InvalidInput) as refused:
        artifact_of(neighbours, FEATURES, URI, "skops", NOW)
    assert refused.value.code == "unpublishable"


def test_the_manifest_is_text_that_a_person_can_read(studio):
    artifact = artifact_of(trained("classifier"), FEATURES, URI, "skops", NOW)
    sealed = msgspec.json.decode(seal(artifact.manifest, studio.key))

    payload = msgspec.json.decode(sealed["payload"])
    assert payload["classes"] == ["=high", "low,er", "mid"]
    assert [feature["name"] for feature in payload["features"]] == ["x", "y"]
    assert sealed["key"] == "the tests' key"
