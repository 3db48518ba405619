"""Sign and publish a model: `python -m infra.operate.publish_model MODEL s3://BUCKET/KEY --features a,b,c --stage dev`.

MODEL is a fitted scikit-learn estimator in a joblib or skops file, or an ONNX file, that you made yourself: to convert
it, this command loads it, and that runs what a joblib file holds. What is published is skops unless `--format joblib`
is asked for. The command loads the artifact back, tells what is in it, asks, signs its manifest for that very place,
and puts first the model, then the manifest beside it.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.predictions.objects import S3Objects
from chalicelib.adapters.predictions.signing import signing_key
from chalicelib.errors import OmnibusError
from chalicelib.predictions.estimators import TRUSTED_TYPES
from chalicelib.predictions.places import ObjectUri, parse_uri
from chalicelib.predictions.ports import PredictionObjects, Signer
from chalicelib.predictions.publishing import Artifact, artifact_of, onnx_artifact
from chalicelib.predictions.trust import MANIFEST_SUFFIX, seal
from infra.deployment.problems import DeploymentError
from infra.deployment.stages import read_stage


def read_artifact(
    path: Path, features: Sequence[str], uri: ObjectUri, form: Any, now: datetime, classes: Sequence[str] = ()
) -> Artifact:
    """The artifact of a model file; features by default those that the estimator was fitted with."""
    if path.suffix == ".onnx":
        if not features:
            raise ValueError("an ONNX file names no features: give --features, in its order")
        return onnx_artifact(path.read_bytes(), features, classes, uri, now)
    estimator = _load(path)
    names = tuple(features) or tuple(getattr(estimator, "feature_names_in_", ()))
    if not names:
        raise ValueError("the estimator was fitted without names: give --features, in its order")
    return artifact_of(estimator, names, uri, form, now)


def publish(objects: PredictionObjects, signer: Signer, uri: ObjectUri, artifact: Artifact, *, overwrite: bool) -> None:
    """Sign the artifact's manifest and write both; between the two writes the model is refused, never mistaken."""
    sealed = seal(artifact.manifest, signer)
    with objects.create(uri, overwrite=overwrite) as output:
        output.write(artifact.content)
    with objects.create(ObjectUri(uri.bucket, uri.key + MANIFEST_SUFFIX), overwrite=overwrite) as output:
        output.write(sealed)


def main(
    arguments: Sequence[str] | None = None,
    tell: Callable[[str], None] = print,
    confirm: Callable[[str], str] = input,
) -> int:
    """Do what the command line asks for; the exit status is 1 if that was not possible, or not wanted."""
    options = _parser().parse_args(arguments)
    try:
        uri = parse_uri("place", options.place)
        features = tuple(filter(None, options.features.split(",")))
        classes = tuple(filter(None, options.classes.split(",")))
        artifact = read_artifact(options.model, features, uri, options.format, datetime.now(UTC), classes)
        key = _signing_key(options.stage, options.home) if options.key is None else options.key
        tell("\n".join([*artifact.report, f"key         {key}"]))
        if not options.yes and confirm("Sign and publish this? [y/N] ").strip().lower() != "y":
            tell("nothing was published")
            return 1
        publish(S3Objects(boto3.client("s3")), signing_key(key), uri, artifact, overwrite=options.overwrite)
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
    parser.add_argument("place", help="s3://bucket/key, where it goes")
    parser.add_argument("--features", default="", help="the features' names in the model's order, by commas")
    parser.add_argument("--classes", default="", help="an ONNX classifier's labels as of its probabilities, by commas")
    parser.add_argument("--format", choices=["skops", "joblib"], default="skops", help="default: skops")
    parser.add_argument("--stage", default="local", help="whose key signs: local, dev, staging or prod")
    parser.add_argument("--key", help="the key's ARN, if it is not the stack's")
    parser.add_argument("--home", type=Path, default=Path(".local"), help="the local cloud's folder")
    parser.add_argument("--overwrite", action="store_true", help="replace a model that is there")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _signing_key(stage: str, home: Path) -> str:
    """The key of a stage's stack, from its outputs; the local cloud's environment is taken over."""
    if stage == "local":
        cloud = json.loads((home / "cloud.json").read_text(encoding="utf-8"))
        os.environ.update(cloud["environment"])
        return str(cloud["outputs"]["ModelSigningKeyArn"])
    described = read_stage(stage, {})
    if described.region:
        os.environ["AWS_DEFAULT_REGION"] = described.region
    stack = boto3.client("cloudformation").describe_stacks(StackName=described.stack)["Stacks"][0]
    outputs: Mapping[str, str] = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return outputs["ModelSigningKeyArn"]


def _load(path: Path) -> Any:
    if path.suffix == ".skops":
        import skops.io

        return skops.io.load(path, trusted=list(TRUSTED_TYPES))
    import joblib

    return joblib.load(path)


if __name__ == "__main__":
    sys.exit(main())
