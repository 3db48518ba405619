"""Generated pipelines on generated tables predict what `model.predict(pandas.read_csv(...))` does, bit for bit."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from chalicelib.predictions.publishing import Described, artifact_of
from infra.operate.publish_model import read_sample
from tests.properties import examples
from tests.unit.predictions.studio import MODEL, NOW, Studio

TRAINED_ROWS = 60
WORDS = ("north", "süd", "a,b", 'the "old" mill', "=1+1", "-", "plain", "true", "12")
TEXTS = ("city", "colour, or hue", "größe")
NUMBERS = ("age", "income")
KINDS = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, "number"),
    "rooms": "integer",
    "garden": "boolean",
    "plan": "category",
    "day": "date",
    "at": "timestamp",
    "note": "text",
}
DATES = ("day", "at")


def table(count, seed, gaps, columns):
    """Rows with an id that is no feature, their columns in an order of their own; `gaps` have missing values."""
    chance = np.random.default_rng(seed)
    moments = pd.Timestamp("2024-02-28") + pd.to_timedelta(chance.integers(0, 10**8, count), "s")
    made = {
        **{name: chance.choice(WORDS, count) for name in (*TEXTS, "plan")},
        **{name: chance.normal(40, 10, count) for name in NUMBERS},
        "rooms": chance.integers(-3, 9, count),
        "garden": chance.choice([True, False], count),
        "day": moments.strftime("%Y-%m-%d"),
        "at": moments.strftime("%Y-%m-%dT%H:%M:%S"),
        "note": [" ".join(chance.choice(WORDS, 4)) for _ in range(count)],
    }
    frame = pd.DataFrame({"id": [f"r{number}" for number in range(count)], **{name: made[name] for name in columns}})
    for name in gaps:
        lacking = (chance.random(count) < 0.2) & (np.arange(count) > 0)  # pandas guesses the type by a row
        frame[name] = frame[name].astype(object).where(~lacking, None)
    return frame[list(chance.permutation(frame.columns))]


@st.composite
def encoded(draw):
    """What makes numbers of text: an encoder, behind an imputer or not."""
    encoder = draw(
        st.sampled_from(
            [
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False),
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
                TargetEncoder(cv=KFold(2)),
            ]
        )
    )
    imputers = [None, SimpleImputer(strategy="most_frequent"), SimpleImputer(strategy="constant", fill_value="none")]
    imputer = draw(st.sampled_from(imputers))
    return make_pipeline(imputer, encoder) if imputer else encoder


@st.composite
def scaled(draw):
    """What makes more of numbers: imputer, scaler, bins, splines, functions, products."""
    imputers = [SimpleImputer(), SimpleImputer(strategy="median", add_indicator=True), KNNImputer(n_neighbors=3)]
    steps = [draw(st.sampled_from(imputers))]
    steps += draw(st.lists(st.sampled_from([StandardScaler(), MinMaxScaler(), RobustScaler()]), max_size=1))
    further = [
        PolynomialFeatures(2),
        KBinsDiscretizer(3, encode="onehot-dense", quantile_method="averaged_inverted_cdf"),
        SplineTransformer(3),
        FunctionTransformer(np.arctan),
    ]
    steps += draw(st.lists(st.sampled_from(further), max_size=1))
    return make_pipeline(*steps)


@st.composite
def prepared(draw, columns, dated, *, deep=True):
    """A ColumnTransformer of the columns; `deep` ones may hold others."""
    of_kind = {kind: [name for name in columns if KINDS[name] == kind and name != "note"] for kind in KINDS.values()}
    steps = []
    if numbers := of_kind["number"] + of_kind["integer"]:
        steps.append(("numbers", draw(scaled()), numbers))
    if texts := of_kind["text"] + of_kind["category"] + ([] if dated else of_kind["date"] + of_kind["timestamp"]):
        steps.append(("texts", draw(encoded()), texts))
    if dated and (dates := of_kind["date"] + of_kind["timestamp"]):
        steps.append(("dates", make_pipeline(FunctionTransformer(np.float64), StandardScaler()), dates))
    if flags := of_kind["boolean"]:
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
        steps.append(("flags", encoder, flags))
    if "note" in columns:
        vectorizers = [TfidfVectorizer(), CountVectorizer(ngram_range=(1, 2)), HashingVectorizer(n_features=64)]
        steps.append(("notes", draw(st.sampled_from(vectorizers)), "note"))
    made = ColumnTransformer(steps, sparse_threshold=0)
    if deep and draw(st.booleans()):
        made = ColumnTransformer([("inner", made, list(columns))], sparse_threshold=0)
    return made


@st.composite
def pipelines(draw, columns, dated, *, classifies):
    """A pipeline, alone, in a stack, in a vote or in a grid search; or an ensemble of trees on bare numbers."""
    boosting = HistGradientBoostingClassifier if classifies else HistGradientBoostingRegressor
    boosted = boosting(max_iter=4, min_samples_leaf=5, random_state=0)
    if not classifies and {KINDS[name] for name in columns} <= {"number", "integer"}:
        event("bare")
        forest = RandomForestRegressor(n_estimators=31, random_state=0)
        return draw(st.sampled_from([forest, HistGradientBoostingRegressor(max_iter=31, min_samples_leaf=5)]))
    last = (
        [LogisticRegression(max_iter=50), boosted, RandomForestClassifier(n_estimators=4, random_state=0)]
        if classifies
        else [Ridge(), boosted, DecisionTreeRegressor(max_depth=4, random_state=0)]
    )
    made = [make_pipeline(draw(prepared(columns, dated)), draw(st.sampled_from(last))) for _ in range(2)]
    around = draw(st.sampled_from(["alone", "stack", "vote", "grid"]))
    event(around)
    if around == "alone":
        others = (
            [CalibratedClassifierCV(GaussianNB(), cv=2), CalibratedClassifierCV(GaussianNB(), cv=2, method="isotonic")]
            if classifies
            else [KMeans(3, n_init=1, random_state=0), IsolationForest(n_estimators=4, random_state=0)]
        )
        return make_pipeline(draw(prepared(columns, dated)), draw(st.sampled_from([*last, *others])))
    named = list(zip("ab", made, strict=True))
    if around == "stack":
        return StackingClassifier(named, cv=2) if classifies else StackingRegressor(named, cv=2)
    if around == "vote":
        return VotingClassifier(named, voting="soft") if classifies else VotingRegressor(named)
    if around == "grid":
        return GridSearchCV(make_pipeline(made[0]), {"pipeline__columntransformer__n_jobs": [None, 1]}, cv=2)
    raise ValueError(around)


@st.composite
def cases(draw):
    """Columns, those of them that have gaps, whether dates are dates, and a pipeline for them."""
    known = draw(st.sampled_from([sorted(KINDS), sorted(KINDS), [*NUMBERS, "rooms"]]))
    columns = tuple(draw(st.lists(st.sampled_from(known), min_size=1, max_size=6, unique=True)))
    dated = draw(st.booleans())
    may_lack = [name for name in columns if name != "note" and not (dated and name in DATES)]
    gaps = draw(st.lists(st.sampled_from(may_lack), unique=True)) if may_lack else []
    labels = draw(st.sampled_from([None, ["=high", "low, or none"], [10, 20], [True, False]]))
    return columns, gaps, dated, labels, draw(pipelines(columns, dated, classifies=labels is not None))


def read(text, columns, *, dated):
    """The table as `pandas.read_csv` gives it, told what few rows do not."""
    types = dict.fromkeys((name for name in columns if name in (*TEXTS, "plan")), "str")
    dates = [name for name in columns if name in DATES] if dated else False
    frame = pd.read_csv(io.BytesIO(text), parse_dates=dates, dtype=types)
    # read as categories, a column without a value would have numbers for them
    return frame.astype({"plan": "category"}) if "plan" in columns else frame


def lines_of(frame):
    return "\n".join(map(json.dumps, frame.to_dict(orient="records"))).encode()


def parquet_of(frame, dated):
    frame = frame.assign(**{name: pd.to_datetime(frame[name]) for name in DATES if dated and name in frame})
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), out)
    return out.getvalue()


def trained(case, seed):
    columns, gaps, dated, labels, pipeline = case
    text = table(TRAINED_ROWS, seed, gaps, columns).to_csv(index=False).encode()
    chance = np.random.default_rng(seed)
    target = chance.normal(size=TRAINED_ROWS) if labels is None else np.array(labels)[np.arange(TRAINED_ROWS) % 2]
    return pipeline.fit(read(text, columns, dated=dated)[list(columns)], target), text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Bins whose width:UserWarning")
@examples(20)
@given(cases(), st.integers(0, 10_000), st.integers(1, 50))
def test_a_generated_pipeline_predicts_as_with_pandas_in_every_format(tmp_path_factory, case, seed, count):
    columns, gaps, dated, _, _ = case
    estimator, known = trained(case, seed)
    studio, sample = Studio(), tmp_path_factory.mktemp("sample") / "sample.csv"
    sample.write_bytes(known)
    told = {name: KINDS[name] for name in columns if name == "plan" or (dated and name in DATES)}
    described = Described(sample=read_sample(sample), types=told)
    artifact = artifact_of(estimator, columns, studio.place_of(MODEL), None, NOW, described)
    studio.place(MODEL, artifact.content, artifact.manifest)
    frame = table(count, seed + 1, gaps, columns)
    text = frame.to_csv(index=False).encode()
    wanted = estimator.predict(read(text, columns, dated=dated)[list(columns)])
    sent = {"csv": text, "jsonl": lines_of(frame), "parquet": parquet_of(frame, dated)}

    for form, data in sent.items():
        studio.objects.put(f"s3://data/in/rows.{form}", data)
        place = f"s3://output/out/{form}.parquet"
        studio.predict(data_s3_uri=f"s3://data/in/rows.{form}", output_s3_uri=place, feature_columns=columns)
        found = pq.read_table(io.BytesIO(studio.objects.get(place))).column("price").to_numpy()
        np.testing.assert_array_equal(found, wanted, err_msg=form)
