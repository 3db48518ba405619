"""Score data that is too large for the distributed map with SageMaker Batch Transform and the same artifact.

    python -m infra.operate.batch_transform s3://MODELS/price.skops s3://DATA/rows/ s3://OUTPUT/rows/ \\
        --name price --role ROLE_ARN --image IMAGE_URI --key KEY_ARN --table JOBS_TABLE --column prediction

This command verifies the model's manifest before anything starts. The container (AWS's scikit-learn image, or any with
the same toolkit) gets the same artifact, the manifest and this application's engine, and each of its workers verifies
them again. Its input is CSV split by lines: both refuse data with newlines inside fields. `--dry-run` prints the calls
without making them.
"""

import argparse
import io
import json
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.predictions.jobs import DynamoJobs
from chalicelib.adapters.predictions.objects import S3Objects
from chalicelib.adapters.predictions.signing import signing_key
from chalicelib.errors import OmnibusError
from chalicelib.predictions.places import ObjectUri, parse_uri
from chalicelib.predictions.ports import ModelFloors, PredictionObjects, Verifier
from chalicelib.predictions.trust import MANIFEST_SUFFIX, Manifest, read_artifact, read_manifest

ROOT = Path(__file__).resolve().parents[2]
INFERENCE = ROOT / "infra" / "sagemaker"
ENGINE = (
    "errors.py",
    "__init__.py",
    "adapters/__init__.py",
    "adapters/aws.py",
    "adapters/predictions/__init__.py",
    "adapters/predictions/signing.py",
    "predictions",
)


def bundle(
    objects: PredictionObjects, verifier: Verifier, floors: ModelFloors, model: ObjectUri
) -> tuple[bytes, Manifest]:
    """The `model.tar.gz` that SageMaker unpacks into the container, and the verified manifest.

    It contains the unchanged artifact and envelope, and the code that verifies and scores. Raises Unprocessable.
    """
    manifest = read_manifest(objects, verifier, floors, model)
    beside = objects.pin(ObjectUri(model.bucket, model.key + MANIFEST_SUFFIX))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        _add(archive, "model", read_artifact(objects, model, manifest))
        _add(archive, "model" + MANIFEST_SUFFIX, objects.read(beside, 0, beside.bytes))
        for path in sorted(INFERENCE.glob("*")):
            if path.is_file():
                _add(archive, f"code/{path.name}", path.read_bytes())
        for part in ENGINE:
            source = ROOT / "chalicelib" / part
            for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
                _add(archive, f"code/{path.relative_to(ROOT)}", path.read_bytes())
    return out.getvalue(), manifest


def calls(options: argparse.Namespace, bundle_uri: str, manifest: Manifest) -> list[tuple[str, dict[str, Any]]]:
    """The SageMaker operations in order, with their arguments."""
    environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "OMNIBUS_MODEL_URI": options.model,
        "OMNIBUS_SIGNING_KEY_ARN": options.key,
        "OMNIBUS_PREDICTION_COLUMN": options.column,
    }
    name = f"{options.name}-{manifest.sha256[:12]}"
    container = {"Image": options.image, "ModelDataUrl": bundle_uri, "Environment": environment}
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": options.data}}
    return [
        ("create_model", {"ModelName": name, "ExecutionRoleArn": options.role, "PrimaryContainer": container}),
        (
            "create_transform_job",
            {
                "TransformJobName": name,
                "ModelName": name,
                "BatchStrategy": "MultiRecord",
                "MaxPayloadInMB": 6,
                "TransformInput": {"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
                "TransformOutput": {"S3OutputPath": options.output, "Accept": "text/csv", "AssembleWith": "Line"},
                "TransformResources": {"InstanceType": options.instance, "InstanceCount": options.instances},
            },
        ),
    ]


def main(arguments: Sequence[str] | None = None, tell: Callable[[str], None] = print) -> int:
    """Run the command line; return 1 if it fails."""
    options = _parser().parse_args(arguments)
    try:
        model = parse_uri("model", options.model)
        objects = S3Objects(boto3.client("s3"))
        floors = DynamoJobs(boto3.client("dynamodb"), options.table)
        content, manifest = bundle(objects, signing_key(options.key), floors, model)
        place = ObjectUri(model.bucket, f"{model.key}.{manifest.sha256[:12]}.transform.tar.gz")
        steps = calls(options, str(place), manifest)
        tell(f"verified    {model}: {manifest.estimator}, sha256 {manifest.sha256}")
        if options.dry_run:
            tell(json.dumps([{name: given} for name, given in steps], indent=2))
            return 0
        with objects.create(place, overwrite=True) as output:
            output.write(content)
        sagemaker = boto3.client("sagemaker")
        for name, given in steps:
            answer: Mapping[str, Any] = getattr(sagemaker, name)(**given)
            tell(f"{name:12}{answer.get('TransformJobArn') or answer.get('ModelArn')}")
    except (OmnibusError, ValueError, OSError, BotoCoreError, ClientError) as error:
        print(f"batch_transform: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m infra.operate.batch_transform", description=summary)
    parser.add_argument("model", help="s3://bucket/key of a published model")
    parser.add_argument("data", help="s3://bucket/prefix/ of CSV without headers: the features, in the model's order")
    parser.add_argument("output", help="s3://bucket/prefix/ for the scored files")
    parser.add_argument("--name", required=True, help="prefix of the SageMaker model's and job's names")
    parser.add_argument("--role", required=True, help="ARN of the execution role: s3 and kms:Verify")
    parser.add_argument("--image", required=True, help="URI of the scikit-learn inference image of your region")
    parser.add_argument("--key", required=True, help="ARN of the model-signing key")
    parser.add_argument("--table", required=True, help="the table of prediction jobs, which holds the models' floors")
    parser.add_argument("--column", default="prediction", help="name of the new column; default: prediction")
    parser.add_argument("--instance", default="ml.m5.xlarge")
    parser.add_argument("--instances", type=int, default=4)
    parser.add_argument("--dry-run", action="store_true", help="verify, and print the calls")
    return parser


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    sys.exit(main())
