"""Typed features: the results of `model.predict(pandas.read_csv(...))`, in every format, for every pipeline."""

import io
import json
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from chalicelib.errors import InvalidInput, OmnibusError
from chalicelib.predictions.publishing import Described, artifact_of
from infra.operate.publish_model import read_sample
from tests.properties import examples
from tests.unit.predictions.studio import DATA, MODEL, NOW, OUTPUT, Studio, refusal

PLACE = "s3://data/in/rows"
NAMES = ("city", "colour", "age", "rooms", "garden", "note")


def table(count, seed=0, *, gaps=True):
    """A table as people have them: text of few values and of many, numbers, integers, booleans, gaps."""
    chance = np.random.default_rng(seed)
    words = ["north road", "south, bank", 'the "old" mill', "Zürich", "=1+1", "plain"]
    frame = pd.DataFrame(
        {
            "id": [f"r{number}" for number in range(count)],
            "city": chance.choice(["Bern", "Zürich", "Genève", "Lugano"], count),
            "colour": chance.choice(["red", "blue", 'dark "x"', "a,b"], count),
            "age": chance.normal(40, 10, count).round(3),
            "rooms": chance.integers(1, 9, count),
            "garden": chance.choice([True, False], count),
            "note": [" ".join(chance.choice(words, 3)) for _ in range(count)],
        }
    )
    if gaps:
        for column in ("city", "age"):
            frame.loc[chance.random(count) < 0.2, column] = None
    return frame


def target(frame):
    return frame["age"].fillna(40) * 2 + frame["rooms"] * 3 + (frame["city"] == "Bern") * 10


def prepared(encoder, *, notes=False):
    """Imputers, scalers and an encoder, each on its own columns."""
    steps = [
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "rooms"]),
        ("texts", make_pipeline(SimpleImputer(strategy="most_frequent"), encoder), ["city", "colour"]),
        ("flags", "passthrough", ["garden"]),
    ]
    if notes:
        steps.append(("notes", TfidfVectorizer(), "note"))
    return ColumnTransformer(steps)


ONE_HOT = OneHotEncoder(handle_unknown="ignore")
ORDINAL = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
REGRESSORS = {
    "ridge": make_pipeline(prepared(ONE_HOT), Ridge()),
    "ordinal tree": make_pipeline(prepared(ORDINAL), DecisionTreeRegressor(max_depth=4, random_state=0)),
    "target encoder": make_pipeline(prepared(TargetEncoder(cv=KFold(2))), LinearRegression()),
    "boosting": make_pipeline(prepared(ORDINAL), HistGradientBoostingRegressor(max_iter=5, random_state=0)),
    "polynomial": make_pipeline(prepared(ONE_HOT), PolynomialFeatures(2), Ridge()),
    "text": make_pipeline(prepared(ONE_HOT, notes=True), Ridge()),
    "nested": make_pipeline(make_column_transformer((prepared(ONE_HOT), list(NAMES))), Ridge()),
    "stacking": StackingRegressor(
        [("a", make_pipeline(prepared(ONE_HOT), Ridge())), ("b", make_pipeline(prepared(ORDINAL), LinearRegression()))],
        cv=2,
    ),
    "grid": GridSearchCV(make_pipeline(prepared(ONE_HOT), Ridge()), {"ridge__alpha": [0.1, 1]}, cv=2),
}
CLASSIFIERS = {
    "logistic": make_pipeline(prepared(ONE_HOT), LogisticRegression(max_iter=500)),
    "forest": make_pipeline(prepared(ORDINAL), RandomForestClassifier(n_estimators=5, random_state=0, n_jobs=2)),
    "voting": VotingClassifier(
        [
            ("a", make_pipeline(prepared(ONE_HOT), LogisticRegression(max_iter=500))),
            ("b", make_pipeline(prepared(ORDINAL), HistGradientBoostingClassifier(max_iter=5, random_state=0))),
        ],
        voting="soft",
    ),
}


def fitted(name):
    frame = table(300, seed=1)
    if name in REGRESSORS:
        return clone(REGRESSORS[name]).fit(frame[list(NAMES)], target(frame))
    labels = np.where(target(frame) > 100, "=high", np.where(target(frame) > 90, "mid, low", "low"))
    return clone(CLASSIFIERS[name]).fit(frame[list(NAMES)], labels)


def publish(studio, estimator, frame, tmp_path, form=None, **told):
    sample = tmp_path / "sample.csv"
    frame.to_csv(sample, index=False)
    names = tuple(estimator.feature_names_in_)
    described = Described(sample=read_sample(sample), **told)
    artifact = artifact_of(estimator, names, studio.place_of(MODEL), form, NOW, described)
    studio.place(MODEL, artifact.content, artifact.manifest)
    return artifact


def written(frame, form):
    """The frame in a format, as pandas writes it."""
    if form == "parquet":
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), out, row_group_size=37)
        return out.getvalue()
    if form == "jsonl":
        return frame.to_json(orient="records", lines=True, force_ascii=False, double_precision=15).encode()
    return frame.to_csv(index=False).encode()


def read_back(data, form):
    if form == "parquet":
        return pd.read_parquet(io.BytesIO(data))
    if form == "jsonl":
        return pd.DataFrame([json.loads(line) for line in data.splitlines()])
    return pd.read_csv(io.BytesIO(data))


@pytest.mark.parametrize("name", [*REGRESSORS, *CLASSIFIERS])
def test_every_pipeline_predicts_what_pandas_and_predict_do(studio: Studio, tmp_path, name):
    estimator = fitted(name)
    frame = table(200, seed=2)
    names = list(estimator.feature_names_in_)
    publish(studio, estimator, frame, tmp_path)
    text = written(frame, "csv")
    studio.objects.put(DATA, text)

    studio.predict(feature_columns=tuple(names))

    sent = pd.read_csv(io.BytesIO(text))
    wanted = estimator.predict(sent[names])
    found = read_back(studio.objects.get(OUTPUT), "csv")["price"].to_numpy()
    if wanted.dtype.kind == "f":
        np.testing.assert_array_equal(found, wanted)
    else:
        assert [label.removeprefix("'") for label in found] == list(wanted)
    lines = studio.objects.get(OUTPUT).splitlines()
    assert all(line.startswith(sent_line + b",") for line, sent_line in zip(lines, text.splitlines(), strict=True))


@pytest.mark.slow
@examples(5)
@given(st.integers(0, 10_000), st.integers(1, 60), st.booleans(), st.sampled_from(["ridge", "boosting", "logistic"]))
def test_any_table_predicts_as_with_pandas_in_every_format(tmp_path_factory, seed, count, gaps, name):
    studio, estimator = Studio(), FITTED[name]
    names = list(estimator.feature_names_in_)
    publish(studio, estimator, table(100, seed=3), tmp_path_factory.mktemp("sample"))
    frame = table(count, seed, gaps=gaps)
    sent = pd.read_csv(io.BytesIO(written(frame, "csv")))
    wanted = estimator.predict(sent[names].astype({"city": "str"}))
    for form in ("csv", "parquet", "jsonl"):
        studio.objects.put(f"{PLACE}.{form}", written(frame, form))
        for out in ("csv", "parquet", "jsonl"):
            place = f"s3://output/out/{form}.{out}"
            studio.predict(data_s3_uri=f"{PLACE}.{form}", output_s3_uri=place, feature_columns=tuple(names))
            found = read_back(studio.objects.get(place), out)["price"].to_numpy()
            assert [str(it).removeprefix("'") for it in found] == [str(it) for it in wanted], (form, out)


FITTED = {name: fitted(name) for name in ("ridge", "boosting", "logistic")}


def test_the_manifest_holds_types_and_gaps(studio, tmp_path):
    artifact = publish(studio, FITTED["ridge"], table(100, seed=3), tmp_path, metrics={"r2": 0.9}, published_by="ada")

    found = {feature.name: (feature.type, feature.missing) for feature in artifact.manifest.features}
    assert found == {
        "city": ("text", True),
        "colour": ("text", True),
        "age": ("number", True),
        "rooms": ("integer", True),
        "garden": ("boolean", False),
        "note": ("text", True),
    }
    assert (artifact.manifest.version, artifact.manifest.input, artifact.manifest.metrics) == (2, "frame", {"r2": 0.9})
    report = "\n".join(artifact.report)
    assert "rooms   integer    may be missing" in report
    assert "trusted     skops" in report


def test_probabilities_of_typed_rows(studio, tmp_path):
    estimator, frame = FITTED["logistic"], table(50, seed=4)
    publish(studio, estimator, frame, tmp_path)
    studio.objects.put(DATA, written(frame, "csv"))
    studio.predict(feature_columns=tuple(NAMES), probabilities=True)
    found = read_back(studio.objects.get(OUTPUT), "csv")
    sent = pd.read_csv(io.BytesIO(written(frame, "csv")))
    np.testing.assert_array_equal(found.iloc[:, -3:].to_numpy(), estimator.predict_proba(sent[list(NAMES)]))


@pytest.mark.parametrize("kind", [None, "category"])
def test_categories_that_the_model_takes_from_the_type(studio, tmp_path, kind):
    frame = table(200, seed=5)[["city", "age"]].astype({"city": "category"})
    model = HistGradientBoostingRegressor(max_iter=5, categorical_features="from_dtype").fit(
        frame, frame["age"].fillna(1)
    )
    publish(studio, model, frame.astype({"city": "str"}), tmp_path, types={"city": kind} if kind else {})
    studio.objects.put(DATA, b"city,age\nBern,3\nLugano,5\nParis,6\n,\n")
    studio.predict(feature_columns=("city", "age"))
    seen = pd.DataFrame({"city": pd.Categorical(["Bern", "Lugano", "Paris", None]), "age": [3.0, 5, 6, np.nan]})
    np.testing.assert_array_equal(read_back(studio.objects.get(OUTPUT), "csv")["price"], model.predict(seen))


def test_one_column_of_text(studio, tmp_path):
    words = ["good day", "bad day", "good night", "bad night"] * 5
    model = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(words, [word[:3] for word in words])
    sample = tmp_path / "sample.csv"
    sample.write_text("say\ngood day\nbad\n")
    artifact = artifact_of(model, ["say"], studio.place_of(MODEL), None, NOW, Described(sample=read_sample(sample)))
    assert artifact.manifest.input == "column"
    studio.place(MODEL, artifact.content, artifact.manifest)
    studio.objects.put(DATA, b"id,say\n1,bad bad\n2,good\n")
    studio.predict(feature_columns=("say",))
    assert studio.objects.get(OUTPUT) == b"id,say,price\n1,bad bad,bad\n2,good,goo\n"


@pytest.mark.parametrize(
    ("column", "value", "code", "message"),
    [
        ("age", "forty", "non_numeric_feature", "row 2, column 'age': is 'forty'; expected a number"),
        ("age", "1,234", "non_numeric_feature", "row 2, column 'age': is '1,234'; expected a number"),
        ("rooms", "3.5", "wrong_type", "row 2, column 'rooms': is '3.5'; expected an integer"),
        ("rooms", "0x1F", "wrong_type", "row 2, column 'rooms': is '0x1F'; expected an integer"),
        ("garden", "yes", "wrong_type", "row 2, column 'garden': is 'yes'; expected true or false"),
        (
            "garden",
            "",
            "missing_value",
            "row 2, column 'garden': is missing; expected a value: this model takes",
        ),
        ("age", "inf", "infinite_value", "row 2, column 'age': is infinite"),
    ],
)
def test_errors_name_row_column_value_and_type(studio, tmp_path, column, value, code, message):
    publish(studio, FITTED["ridge"], table(100, seed=3), tmp_path)
    frame = table(5, seed=6, gaps=False).astype(object)
    frame.loc[1, column] = value
    studio.objects.put(DATA, frame.to_csv(index=False).encode())
    error = refusal(studio, feature_columns=NAMES)
    assert (error.code, error.message[: len(message)]) == (code, message)
    if code != "infinite_value":
        lines = "\n".join(json.dumps(row) for row in frame.to_dict(orient="records"))
        studio.objects.put(f"{PLACE}.jsonl", lines.encode())
        found = refusal(studio, data_s3_uri=f"{PLACE}.jsonl", output_s3_uri=OUTPUT, feature_columns=NAMES)
        assert (found.code, found.message[: len(message)]) == (code, message)


@pytest.mark.parametrize("spelled", ["", "NA", "None", "<NA>", "-", "null", " NaN "])
def test_spellings_of_missing_numbers(studio, tmp_path, spelled):
    publish(studio, FITTED["ridge"], table(100, seed=3), tmp_path)
    frame = table(2, seed=6, gaps=False).astype(object)
    texts = []
    for missing in (spelled, ""):
        frame.loc[1, "age"] = missing
        texts.append(frame.to_csv(index=False).encode())
    found = []
    for text in texts:
        studio.objects.put(DATA, text)
        studio.predict(feature_columns=NAMES, overwrite=True)
        found.append(read_back(studio.objects.get(OUTPUT), "csv")["price"].tolist())
    assert found[0] == found[1]


def test_integers_with_a_fraction_of_zeros_and_a_category_never_seen(studio, tmp_path):
    publish(studio, FITTED["ridge"], table(100, seed=3), tmp_path)
    frame = table(4, seed=7, gaps=False)
    frame["city"] = "Atlantis"
    text = frame.astype({"rooms": float}).to_csv(index=False).encode()
    assert b".0," in text
    studio.objects.put(DATA, text)
    studio.predict(feature_columns=NAMES)
    wanted = FITTED["ridge"].predict(frame[list(NAMES)])
    np.testing.assert_array_equal(read_back(studio.objects.get(OUTPUT), "csv")["price"], wanted)


def test_text_in_a_number_column_of_parquet_is_refused_by_its_type(studio, tmp_path):
    publish(studio, FITTED["ridge"], table(100, seed=3), tmp_path)
    studio.objects.put(f"{PLACE}.parquet", written(table(4).astype({"age": "str"}), "parquet"))
    error = refusal(studio, data_s3_uri=f"{PLACE}.parquet", feature_columns=NAMES)
    assert (error.code, error.message) == ("non_numeric_feature", "column 'age': is large_string; expected a number")


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("colour", "city", "age", "rooms", "garden", "note"), "features_mismatch"),
        (("town", "colour", "age", "rooms", "garden", "note"), "features_mismatch"),
        (NAMES[:-1], "features_mismatch"),
    ],
)
def test_features_renamed_or_reordered_are_refused(studio, tmp_path, names, code):
    publish(studio, FITTED["ridge"], table(100, seed=3), tmp_path)
    studio.objects.put(DATA, written(table(4), "csv"))
    assert refusal(studio, feature_columns=names).code == code


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda it: it.drop(columns="age"), "sample: lacks age"),
        (lambda it: it.iloc[:0], "sample: has no rows"),
        (lambda it: it.assign(age="old"), "does not predict the sample"),
    ],
)
def test_a_sample_that_does_not_fit(studio, tmp_path, spoil, message):
    with pytest.raises(InvalidInput, match=message):
        publish(studio, FITTED["ridge"], spoil(table(20)), tmp_path)


def test_text_without_a_sample_is_explained(studio):
    with pytest.raises(InvalidInput, match="give --sample"):
        artifact_of(FITTED["ridge"], NAMES, studio.place_of(MODEL), None, NOW)


def test_an_imputing_pipeline_takes_gaps_even_without_a_sample(studio):
    numbers = np.array([[1.0, 2], [np.nan, 3], [4, 5]])
    studio.publish(make_pipeline(SimpleImputer(), LinearRegression()).fit(numbers, [1, 2, 3]))
    studio.objects.put(DATA, b"x,y\n1,\n,4\n")
    assert studio.predict().rows == 2


def test_what_skops_distrusts_goes_as_signed_joblib_and_the_report_says_why(studio):
    from sklearn.neighbors import KNeighborsRegressor

    model = KNeighborsRegressor(algorithm="kd_tree").fit(np.arange(20.0).reshape(10, 2), np.arange(10))
    artifact = artifact_of(model, ("x", "y"), studio.place_of(MODEL), None, NOW)
    assert artifact.manifest.format == "joblib"
    assert any(line.startswith("trusted     joblib: the model holds sklearn.") for line in artifact.report)


def own_code(frame):
    return frame


def test_a_function_of_the_publishers_own_is_explained(studio):
    from sklearn.preprocessing import FunctionTransformer

    model = make_pipeline(FunctionTransformer(own_code), LinearRegression()).fit(np.eye(4, 2), range(4))
    with pytest.raises(InvalidInput, match=r"uses own_code of tests\.unit\.predictions\.test_typed"):
        artifact_of(model, ("x", "y"), studio.place_of(MODEL), None, NOW)


def test_what_cannot_predict_is_explained(studio):
    with pytest.raises(InvalidInput, match="is a StandardScaler, which cannot predict"):
        artifact_of(StandardScaler().fit(np.eye(4, 2)), ("x", "y"), studio.place_of(MODEL), None, NOW)


@pytest.mark.parametrize("names", [tuple(f"f{n}" for n in range(2001)), ("x" * 129,), ("x", "x")])
def test_features_that_no_request_can_name_are_not_published(studio, names):
    model = LinearRegression().fit(np.zeros((3, len(names))), [1, 2, 3])
    with pytest.raises(InvalidInput) as refused:
        artifact_of(model, names, studio.place_of(MODEL), None, NOW)
    assert refused.value.code == "unpublishable"


class Odd:
    """An estimator that answers oddly."""

    n_features_in_ = 2

    def __init__(self, answer):
        self.answer = answer

    def predict(self, rows):
        return self.answer(rows)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda rows: 1 / 0, "value_refused"),
        (lambda rows: np.zeros(len(rows) + 1), "model_output"),
        (lambda rows: np.zeros((len(rows), 2)), "model_output"),
    ],
)
def test_a_model_that_answers_oddly(studio, answer, code):
    from dataclasses import replace

    studio.publish(LinearRegression().fit(np.eye(4, 2), range(4)))
    model = studio.models.open(studio.place_of(MODEL), studio.request())
    studio.models._kept[model.manifest.sha256] = replace(model, predict=answer)
    studio.objects.put(DATA, b"x,y\n1,2\n3,4\n")
    assert refusal(studio).code == code


@pytest.mark.parametrize("out", ["csv", "jsonl", "parquet"])
def test_a_prediction_that_is_no_number_stays_none(studio, out):
    from dataclasses import replace

    studio.publish(LinearRegression().fit(np.eye(4, 2), range(4)))
    model = studio.models.open(studio.place_of(MODEL), studio.request())
    studio.models._kept[model.manifest.sha256] = replace(model, predict=lambda rows: np.full(len(rows), np.nan))
    studio.objects.put(DATA, b"x,y\n1,2\n3,4\n")
    studio.predict(output_s3_uri=f"s3://output/out/rows.{out}")
    assert read_back(studio.objects.get(f"s3://output/out/rows.{out}"), out)["price"].isna().all()


def test_dates_reach_a_model_that_takes_them_as_dates(studio, tmp_path):
    frame = pd.DataFrame({"day": pd.to_datetime(["2026-01-01", "2026-02-03"]), "n": [1.0, 2.0]})
    from sklearn.preprocessing import FunctionTransformer

    days = make_pipeline(FunctionTransformer(np.float64, feature_names_out=None), StandardScaler())
    model = make_pipeline(ColumnTransformer([("day", days, ["day"]), ("n", "passthrough", ["n"])]), LinearRegression())
    model.fit(frame, [1.0, 2.0])
    sample = tmp_path / "sample.csv"
    frame.to_csv(sample, index=False)
    described = Described(sample=read_sample(sample))
    artifact = artifact_of(model, ("day", "n"), studio.place_of(MODEL), "joblib", NOW, described)
    assert artifact.manifest.features[0].type == "date"
    studio.place(MODEL, artifact.content, artifact.manifest)
    studio.objects.put(DATA, b"day,n\n2026-01-15,1\n2026-02-03,2\n")
    studio.predict(feature_columns=("day", "n"))
    later = frame.assign(day=pd.to_datetime(["2026-01-15", "2026-02-03"]))
    np.testing.assert_array_equal(read_back(studio.objects.get(OUTPUT), "csv")["price"], model.predict(later))
    studio.objects.put(DATA, b"day,n\n15.1.2026,1\n")
    error = refusal(without_output(studio), feature_columns=("day", "n"))
    assert error.message.startswith("row 1, column 'day': is '15.1.2026'; expected a date such as 2026-01-31")


def without_output(studio):
    studio.objects.content = {uri: data for uri, data in studio.objects.content.items() if uri.bucket != "output"}
    return studio


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("timestamp", "2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10)),
        ("timestamp", "2026-01-31 12:00", datetime(2026, 1, 31, 12)),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("number", "true", 1.0),
        ("integer", "3.0", 3),
        ("integer", "-", None),
        ("text", "-", "-"),
        ("text", "NA", None),
    ],
)
def test_what_texts_mean(kind, text, value):
    from chalicelib.predictions.kinds import parse_text

    assert parse_text(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [("timestamp", "2026-13-01"), ("date", "20260131"), ("integer", "1e400"), ("boolean", "2"), ("number", "1_000")],
)
def test_what_texts_do_not_mean(kind, text):
    from chalicelib.predictions.kinds import parse_text

    with pytest.raises(ValueError, match=r".*"):
        parse_text(kind, text)


def test_manifests_of_the_old_form_are_accepted_and_newer_ones_refused(studio):
    import msgspec

    from chalicelib.predictions.trust import MANIFEST_SUFFIX, PURPOSE

    studio.publish(LinearRegression().fit(np.eye(4, 2), range(4)))
    content = studio.objects.get(MODEL + MANIFEST_SUFFIX)
    payload = msgspec.json.decode(msgspec.json.decode(content)["payload"])
    studio.objects.put(DATA, b"x,y\n1,2\n")

    def sealed(**changes):
        import base64

        changed = msgspec.json.encode({**payload, **changes})
        signature = base64.b64encode(studio.key.sign(PURPOSE + changed)).decode()
        return msgspec.json.encode({"payload": changed.decode(), "signature": signature, "key": "k"})

    studio.objects.put(MODEL + MANIFEST_SUFFIX, sealed(version=1, features=["x", "y"], input=None))
    assert studio.predict().rows == 1
    studio.objects.put(MODEL + MANIFEST_SUFFIX, sealed(version=3, surprise=1))
    with pytest.raises(OmnibusError) as refused:
        studio.predict(overwrite=True)
    assert refused.value.code == "manifest_newer"
