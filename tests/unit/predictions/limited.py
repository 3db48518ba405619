"""Scores files in a process that may take no more memory than the function; the output is counted, not kept.

Each argument is a case: the data, the output's extension, the features' names and the kind of model.
"""

import json
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

LIMIT_BYTES = 1400 * 1024 * 1024


def main(data: str, out: str, names: str, kind: str) -> dict[str, Any]:
    """What scoring gives: rows and bytes, or the code of the refusal; and the most memory that it took."""
    import numpy as np
    import pyarrow as pa
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    from benchmarks.scoring_files import BUCKET, FileObjects, FileOutput, engine
    from chalicelib.entry.meter import ScoringMeter
    from chalicelib.errors import OmnibusError
    from chalicelib.predictions.estimators import load
    from chalicelib.predictions.models import PredictionRequest
    from chalicelib.predictions.places import ObjectUri
    from chalicelib.predictions.publishing import Described, artifact_of

    class Counted(FileOutput):
        size = 0

        def write(self, data: Any) -> int:
            self.size += len(data)
            return len(data)

        def written(self) -> Any:
            from chalicelib.predictions.ports import Written

            return Written(self._uri, self.size, "")

    class Discarding(FileObjects):
        @contextmanager
        def create(self, uri: ObjectUri, **more: Any) -> Iterator[Counted]:
            yield Counted(uri, None)  # type: ignore[arg-type]

    features = tuple(names.split(","))
    told = None
    if kind == "text":
        from pandas import DataFrame

        frame = DataFrame({name: ["a", "b", None] for name in features})
        encoder = OneHotEncoder(handle_unknown="ignore")
        estimator: Any = make_pipeline(encoder, LinearRegression()).fit(frame, [1, 2, 3])
        told = Described(sample=pa.Table.from_pandas(frame))
    else:
        estimator = LinearRegression().fit(np.eye(len(features) + 1, len(features)), range(len(features) + 1))
    artifact = artifact_of(estimator, features, ObjectUri(BUCKET, "m"), None, datetime.now(UTC), told)
    service = engine(load(artifact.manifest, artifact.content), 2, objects=Discarding())
    request = PredictionRequest(
        model_s3_uri="s3://files/m",
        data_s3_uri=f"s3://files/{data}",
        output_s3_uri=f"s3://files/out.{out}",
        prediction_column_name="p",
        feature_columns=features,
        overwrite=True,
    )
    try:
        outcome = service.predict(request, lambda: 900.0)
        answer: dict[str, Any] = {"rows": outcome.rows, "bytes": outcome.bytes}
    except OmnibusError as error:
        answer = {"code": error.code, "message": error.message}
    return {**answer, "peak_mib": round(ScoringMeter().peak_mib())}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT_BYTES, LIMIT_BYTES))
    for case in sys.argv[1:]:
        sys.stdout.write(json.dumps(main(*case.split())) + "\n")
        sys.stdout.flush()
