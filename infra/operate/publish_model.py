"""Sign and publish a model: `python -m infra.operate.publish_model MODEL s3://BUCKET/KEY --features a,b,c --stage dev`.

MODEL is a fitted scikit-learn estimator in a joblib or skops file, or an ONNX file, that you made yourself: the command
loads it for conversion, and loading a joblib file runs the code in it. `--sample rows.csv` (or .parquet, .jsonl) gives
the types of its features; without it, all are numbers. The artifact is skops if its types are trusted, else joblib,
and the command says why. It tests the model on the sample, and on rows without each feature; loads the artifact back,
prints its content and asks for confirmation; signs its manifest for that key; writes the model, then the manifest; and
raises the key's floor, which excludes all models published there before.
"""

import argparse
import getpass
import importlib.metadata
import io
import itertools
import json
import os
import pickle  # nosec B403  # its errors are caught
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.predictions.jobs import DynamoJobs
from chalicelib.adapters.predictions.objects import S3Objects
from chalicelib.adapters.predictions.signing import signing_key
from chalicelib.errors import OmnibusError
from chalicelib.predictions.estimators import TRUSTED_TYPES
from chalicelib.predictions.kinds import MISSING_TEXTS
from chalicelib.predictions.places import ObjectUri, layout_of, parse_uri
from chalicelib.predictions.ports import ModelFloors, PredictionObjects, Signer
from chalicelib.predictions.publishing import Artifact, Described, artifact_of, onnx_artifact
from chalicelib.predictions.trust import MANIFEST_SUFFIX, seal
from infra.deployment.problems import DeploymentError
from infra.deployment.stages import read_stage

SAMPLE_ROWS = 1000


def read_artifact(
    path: Path,
    features: Sequence[str],
    uri: ObjectUri,
    form: Any,
    now: datetime,
    classes: Sequence[str] = (),
    described: Described | None = None,
) -> Artifact:
    """The artifact of a model file; by default, its features are the estimator's own."""
    if path.suffix == ".onnx":
        if not features:
            raise ValueError("an ONNX file names no features: give --features, in the model's order")
        return onnx_artifact(path.read_bytes(), features, classes, uri, now, described)
    estimator = _load(path)
    names = tuple(features) or tuple(getattr(estimator, "feature_names_in_", ()))
    if not names:
        raise ValueError("the estimator was fitted without names: give --features, in the model's order")
    return artifact_of(estimator, names, uri, form, now, described)


def read_sample(path: Path) -> Any:
    """The first rows of a CSV, Parquet or JSON Lines file, read as for scoring."""
    import pyarrow as pa
    from pyarrow import csv, parquet
    from pyarrow import json as arrow_json

    layout = layout_of("sample", ObjectUri("sample", path.name), None)
    try:
        if layout.format == "parquet":
            return next(parquet.ParquetFile(path).iter_batches(SAMPLE_ROWS, use_threads=False))
        with pa.input_stream(path, compression="gzip" if layout.gzip else None) as stream:
            lines = b"".join(itertools.islice(io.BufferedReader(stream), SAMPLE_ROWS))
        if layout.format == "jsonl":
            return arrow_json.read_json(io.BytesIO(lines))
        options = csv.ConvertOptions(null_values=MISSING_TEXTS, strings_can_be_null=True)
        quoting = csv.ParseOptions(newlines_in_values=True)
        table = csv.read_csv(io.BytesIO(lines), parse_options=quoting, convert_options=options)
        dates = {it.name: pa.string() for it in table.schema if pa.types.is_temporal(it.type)}
        options.column_types = dates  # as pandas reads them; the model decides whether they are dates
        return csv.read_csv(io.BytesIO(lines), parse_options=quoting, convert_options=options) if dates else table
    except (pa.ArrowException, StopIteration) as error:
        raise ValueError(f"the sample cannot be read: {error}") from error


def publish(
    objects: PredictionObjects,
    signer: Signer,
    floors: ModelFloors,
    uri: ObjectUri,
    artifact: Artifact,
    now: datetime,
    *,
    overwrite: bool,
) -> None:
    """Sign the artifact's manifest, write both, and raise the floor, which excludes earlier models.

    Between the two writes, functions refuse the model and never use a wrong one. The serial is the time in ms, or the
    floor plus one if this machine's clock is behind.
    """
    serial = max(int(now.timestamp() * 1000), (floors.floor(uri) or 0) + 1)
    sealed = seal(msgspec.structs.replace(artifact.manifest, serial=serial), signer)
    with objects.create(uri, overwrite=overwrite) as output:
        output.write(artifact.content)
    with objects.create(ObjectUri(uri.bucket, uri.key + MANIFEST_SUFFIX), overwrite=overwrite) as output:
        output.write(sealed)
    floors.raise_floor(uri, serial)


def main(
    arguments: Sequence[str] | None = None,
    tell: Callable[[str], None] = print,
    confirm: Callable[[str], str] = input,
) -> int:
    """Run the command line; return 1 if it fails or the user declines."""
    options = _parser().parse_args(arguments)
    try:
        uri = parse_uri("place", options.place)
        features = tuple(filter(None, options.features.split(",")))
        classes = tuple(filter(None, options.classes.split(",")))
        described = Described(
            sample=options.sample and read_sample(options.sample),
            types=dict(pair.partition("=")[::2] for pair in filter(None, options.types.split(","))),
            metrics={name: float(value) for name, value in (pair.split("=") for pair in options.metric)},
            published_by=getpass.getuser(),
        )
        now = datetime.now(UTC)
        artifact = read_artifact(options.model, features, uri, options.format, now, classes, described)
        outputs = {} if options.key and options.table else _outputs(options.stage, options.home)
        key = options.key or outputs["ModelSigningKeyArn"]
        floors = DynamoJobs(boto3.client("dynamodb"), options.table or outputs["PredictionJobsTable"])
        tell("\n".join([*artifact.report, f"key         {key}"]))
        if not options.yes and confirm("Sign and publish this? [y/N] ").strip().lower() != "y":
            tell("nothing was published")
            return 1
        objects = S3Objects(boto3.client("s3"))
        publish(objects, signing_key(key), floors, uri, artifact, now, overwrite=options.overwrite)
    except (OmnibusError, DeploymentError, ValueError, OSError, TypeError, BotoCoreError, ClientError) as error:
        print(f"publish_model: {error}", file=sys.stderr)
        return 1
    tell(f"published   {uri} and its manifest")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.operate.publish_model", description="Sign and publish a model."
    )
    parser.add_argument("model", type=Path, help="a .joblib, .skops or .onnx file that you made")
    parser.add_argument("place", help="s3://bucket/key, its destination")
    parser.add_argument("--features", default="", help="comma-separated names of the features, in the model's order")
    parser.add_argument("--classes", default="", help="comma-separated labels of an ONNX classifier, in order")
    parser.add_argument("--sample", type=Path, help="a few rows of its data, for the features' types")
    parser.add_argument("--types", default="", help="types that differ from the sample: name=category,other=date")
    parser.add_argument("--metric", action="append", default=[], metavar="NAME=VALUE", help="a figure to show with it")
    parser.add_argument("--format", choices=["skops", "joblib"], help="default: skops if its types are trusted")
    parser.add_argument("--stage", default="local", help="stage whose key signs: local, dev, staging or prod")
    parser.add_argument("--key", help="the key's ARN, if not the stack's")
    parser.add_argument("--table", help="the table of prediction jobs, which holds the floors, if not the stack's")
    parser.add_argument("--home", type=Path, default=Path(".local"), help="the local cloud's folder")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing model")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _outputs(stage: str, home: Path) -> Mapping[str, str]:
    """The outputs of a stage's stack; for the local cloud, this also sets its environment."""
    if stage == "local":
        cloud = json.loads((home / "cloud.json").read_text(encoding="utf-8"))
        os.environ.update(cloud["environment"])
        return dict(cloud["outputs"])
    described = read_stage(stage, {})
    if described.region:
        os.environ["AWS_DEFAULT_REGION"] = described.region
    stack = boto3.client("cloudformation").describe_stacks(StackName=described.stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _load(path: Path) -> Any:
    """The estimator in a publisher's file; ValueError says what is wrong and what to do."""
    here = importlib.metadata.version("scikit-learn")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Trying to unpickle estimator")
        try:
            return _load_file(path)
        except ModuleNotFoundError as error:
            raise ValueError(
                f"the model needs {error.name}, which is missing here and in the functions: convert it to ONNX"
            ) from error
        except AttributeError as error:
            raise ValueError(
                f"the model uses your own code ({error}): build it only from scikit-learn's parts"
            ) from error
        except UserWarning as error:
            there = getattr(error, "original_sklearn_version", "another version")
            raise ValueError(
                f"the model was trained with scikit-learn {there}; this machine and the functions have {here}:"
                f" train it with {here}"
            ) from error
        except (EOFError, zlib.error, pickle.UnpicklingError, zipfile.BadZipFile, KeyError, IndexError) as error:
            raise ValueError(f"{path} is cut short or damaged: save the model again ({error})") from error


def _load_file(path: Path) -> Any:
    if path.suffix == ".skops":
        import skops.io

        return skops.io.load(path, trusted=list(TRUSTED_TYPES))
    import joblib

    return joblib.load(path)


if __name__ == "__main__":
    sys.exit(main())
