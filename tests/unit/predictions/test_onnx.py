"""Models as ONNX: scikit-learn's with text inputs, LightGBM's and XGBoost's, whose libraries no function has."""

import io
from typing import Any

import numpy as np
import onnxmltools
import pandas as pd
import pytest
import skl2onnx
from onnxmltools.convert.common import data_types as other_types
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chalicelib.errors import InvalidInput
from chalicelib.predictions.publishing import Described, onnx_artifact
from infra.operate.publish_model import read_sample
from tests.unit.predictions.studio import DATA, FEATURES, NOW, OUTPUT, csv_of, rows, trained

PLACE = "s3://models/price.onnx"


def publish(studio, converted: Any, features=FEATURES, classes=(), **told):
    content = converted.SerializeToString()
    artifact = onnx_artifact(content, features, classes, studio.place_of(PLACE), NOW, Described(**told))
    studio.place(PLACE, artifact.content, artifact.manifest)
    return artifact


def scored(studio, **changes):
    studio.predict(model_s3_uri=PLACE, **changes)
    return pd.read_csv(io.BytesIO(studio.objects.get(OUTPUT)))


def test_an_onnx_model_predicts(studio):
    publish(studio, skl2onnx.to_onnx(trained("linear"), rows(1).astype(np.float32)))
    studio.objects.put(DATA, csv_of(rows(20)))
    np.testing.assert_allclose(scored(studio)["price"], trained("linear").predict(rows(20)), rtol=1e-4, atol=1e-5)


def test_an_onnx_classifier_gives_probabilities_of_the_classes_that_its_publisher_names(studio):
    estimator = trained("numbers")
    converted = skl2onnx.to_onnx(estimator, rows(1).astype(np.float32), options={"zipmap": False})
    publish(studio, converted, classes=("no", "yes"))
    studio.objects.put(DATA, csv_of(rows(20)))

    found = scored(studio, probabilities=True)

    assert list(found.columns) == ["id", "x", "y", "price", "price_no", "price_yes"]
    np.testing.assert_allclose(found.iloc[:, 4:], estimator.predict_proba(rows(20)), rtol=1e-4, atol=1e-5)
    with pytest.raises(InvalidInput) as refused:
        publish(studio, converted, classes=("no", "yes", "maybe"))
    assert refused.value.code == "model_output"
    with pytest.raises(InvalidInput) as refused:
        publish(studio, converted, features=(*FEATURES, "z"))
    assert refused.value.code == "model_mismatch"


def test_a_pipeline_with_text_inputs_predicts_its_labels(studio, tmp_path):
    """An input for each column; a category never seen, and a gap in text, are none of the categories."""
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"city": chance.choice(["Bern", "Zürich", "Genève"], 60), "age": chance.normal(40, 9, 60)})
    labels = np.where(frame["city"] == "Bern", "=cheap", np.where(frame["age"] > 40, "dear, very", "fair"))
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["city"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
    )
    model = make_pipeline(columns, LogisticRegression()).fit(frame, labels)
    inputs = [("city", StringTensorType([None, 1])), ("age", FloatTensorType([None, 1]))]
    converted = skl2onnx.to_onnx(model, initial_types=inputs, options={"zipmap": False})
    sample = tmp_path / "sample.csv"
    frame.to_csv(sample, index=False)
    names = ("city", "age")
    artifact = publish(studio, converted, names, tuple(model.classes_.tolist()), sample=read_sample(sample))
    assert [(it.type, it.missing) for it in artifact.manifest.features] == [("text", True), ("number", True)]

    sent = pd.concat([frame, pd.DataFrame({"city": ["Atlantis", None, "Bern"], "age": [30.0, 50.0, None]})])
    wanted = model.predict(sent)
    for form in ("csv", "jsonl"):
        text = sent.to_csv(index=False) if form == "csv" else sent.to_json(orient="records", lines=True)
        studio.objects.put(f"s3://data/in/rows.{form}", text.encode())
        found = scored(studio, data_s3_uri=f"s3://data/in/rows.{form}", feature_columns=names, overwrite=True)
        assert [label.removeprefix("'") for label in found["price"]] == list(wanted), form


@pytest.mark.parametrize("classifies", [False, True])
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosted_trees_of_other_libraries_predict_by_onnx(studio, library, classifies):
    matrix = rows(200).astype(np.float32)
    target = matrix @ np.array([1, 2], np.float32)
    if library == "lightgbm":
        from lightgbm import LGBMClassifier, LGBMRegressor

        model = (LGBMClassifier if classifies else LGBMRegressor)(n_estimators=5, verbose=-1)
    else:
        from xgboost import XGBClassifier, XGBRegressor

        model = (XGBClassifier if classifies else XGBRegressor)(n_estimators=5, base_score=0.5)
    model.fit(matrix, (target > 0).astype(int) if classifies else target)
    options = {"zipmap": False} if library == "lightgbm" else {}
    convert = getattr(onnxmltools, f"convert_{library}")
    converted = convert(
        model, initial_types=[("rows", other_types.FloatTensorType([None, 2]))], target_opset=15, **options
    )
    publish(studio, converted, classes=("0", "1") if classifies else ())
    studio.objects.put(DATA, csv_of(rows(50, seed=1)))

    found = scored(studio, probabilities=classifies)

    wanted = model.predict(rows(50, seed=1).astype(np.float32))
    np.testing.assert_allclose(found["price"], wanted, rtol=1e-4, atol=1e-5)
    if classifies:
        probabilities = model.predict_proba(rows(50, seed=1).astype(np.float32))
        np.testing.assert_allclose(found[["price_0", "price_1"]], probabilities, rtol=1e-4, atol=1e-5)


def test_a_model_of_another_library_is_refused_by_name_as_it_is(studio):
    from lightgbm import LGBMRegressor

    from chalicelib.predictions.publishing import artifact_of

    model = LGBMRegressor(n_estimators=2, verbose=-1).fit(rows(50), rows(50)[:, 0])
    with pytest.raises(InvalidInput, match=r"uses \w+ of lightgbm.*models of other libraries as ONNX"):
        artifact_of(model, FEATURES, studio.place_of(PLACE), None, NOW)
