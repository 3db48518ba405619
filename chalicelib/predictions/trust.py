"""Trust in models: a model loads only if our key signed its manifest and its bytes match the manifest.

Loading a pickle runs code, and a forged tree can crash the process that predicts with it. A model is therefore parsed
only if (1) the signature over the manifest is valid, (2) the manifest is for this place, which excludes other signed
models, (3) its serial is not below the floor of its publisher, which excludes older models of this place, and (4) the
SHA-256 of the bytes, read from one pinned version, matches the manifest. Writers of the model bucket have no key and
cannot write the floors.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.errors import InvalidInput, NotFound, Unprocessable
from chalicelib.predictions.models import MAX_FEATURES, ModelFeature, ModelInput, Name
from chalicelib.predictions.places import ObjectUri
from chalicelib.predictions.ports import ModelFloors, PredictionObjects, Signer, Verifier

MANIFEST_SUFFIX = ".manifest.json"
MAX_MANIFEST_BYTES = 1024 * 1024
MAX_MODEL_BYTES = 1024 * 1024 * 1024
NEWEST_VERSION = 2
PURPOSE = b"omnibus model manifest v1\n"
"""The prefix of every signed message, so that nothing else that the key signs can pass for a manifest."""

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?![\s\S])")]
Label = str | bool | int | float


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What its publisher states of a model; the signature covers all of it.

    Version 1 has the names of features that are all numbers; version 2 has features with types, and `input` tells
    whether the model takes them as an array, as a DataFrame, or as one column of text. `serial` grows with each
    publication at a place; manifests that were signed before there were serials have none.
    """

    version: Literal[1, 2]
    uri: str
    sha256: Digest
    bytes: Annotated[int, Meta(ge=1, le=MAX_MODEL_BYTES)]
    format: Literal["skops", "joblib", "onnx"]
    estimator: str
    libraries: dict[str, str]
    features: Annotated[tuple[Name | ModelFeature, ...], Meta(min_length=1, max_length=MAX_FEATURES)]
    output_dtype: str
    classes: tuple[Label, ...] | None = None
    created_at: str
    input: ModelInput | None = None
    metrics: dict[str, float] = {}
    published_by: str | None = None
    serial: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the model's order."""
        return tuple(it if isinstance(it, str) else it.name for it in self.features)


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class SignedManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The manifest as it lies beside the model: its JSON as text, the signature over it in base64, the key's name."""

    payload: str
    signature: str
    key: str


def seal(manifest: Manifest, signer: Signer) -> bytes:
    """The manifest's JSON, signed, as the content of the object beside the model."""
    payload = msgspec.json.encode(manifest)
    signature = base64.b64encode(signer.sign(PURPOSE + payload)).decode()
    return msgspec.json.format(
        msgspec.json.encode(SignedManifest(payload.decode(), signature, signer.key_name)), indent=2
    )


def unseal(content: bytes, verifier: Verifier, uri: ObjectUri) -> Manifest:
    """The manifest for the model at `uri`, its signature verified before its content is used.

    Raises Unprocessable: "manifest_malformed", "signature_invalid", "manifest_newer", "manifest_of_another_model".
    """
    try:
        envelope = msgspec.json.decode(content, type=SignedManifest)
        signature = base64.b64decode(envelope.signature, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error, ValueError, RecursionError):
        raise model_refused("its manifest is not a signed manifest", "manifest_malformed") from None
    payload = envelope.payload.encode("utf-8", "surrogatepass")
    if not verifier.verify(PURPOSE + payload, signature):
        raise model_refused("the signature of its manifest is not by the model-signing key", "signature_invalid")
    try:
        if (version := msgspec.json.decode(payload, type=_Versioned).version) > NEWEST_VERSION:
            raise model_refused(
                f"its manifest has version {version}, this application reads up to {NEWEST_VERSION}", "manifest_newer"
            )
        manifest = msgspec.json.decode(payload, type=Manifest)
    except msgspec.DecodeError as error:
        raise model_refused(f"its manifest is not one of version 1 or 2 ({error})", "manifest_malformed") from None
    if manifest.uri != str(uri):
        raise model_refused(f"its manifest was signed for {manifest.uri}", "manifest_of_another_model")
    return manifest


def read_manifest(objects: PredictionObjects, verifier: Verifier, floors: ModelFloors, uri: ObjectUri) -> Manifest:
    """The verified manifest of the model at `uri`.

    Raises Unprocessable: "manifest_missing", "model_superseded", and what `unseal` raises.
    """
    beside = ObjectUri(uri.bucket, uri.key + MANIFEST_SUFFIX)
    try:
        pinned = objects.pin(beside)
    except NotFound:
        raise model_refused(f"there is no manifest at {beside}", "manifest_missing") from None
    if pinned.bytes > MAX_MANIFEST_BYTES:
        raise model_refused(f"its manifest has more than {MAX_MANIFEST_BYTES} bytes", "manifest_malformed")
    manifest = unseal(objects.read(pinned, 0, pinned.bytes), verifier, uri)
    floor = floors.floor(uri)
    if floor is not None and (manifest.serial is None or manifest.serial < floor):
        raise model_refused(f"its serial is {manifest.serial}, the one published last has {floor}", "model_superseded")
    return manifest


def read_artifact(objects: PredictionObjects, uri: ObjectUri, manifest: Manifest) -> bytes:
    """The model's bytes, if they match the manifest; Unprocessable "model_mismatch" otherwise."""
    pinned = objects.pin(uri)
    if pinned.bytes != manifest.bytes:
        raise model_refused(f"it has {pinned.bytes} bytes, its manifest says {manifest.bytes}", "model_mismatch")
    content = objects.read(pinned, 0, pinned.bytes)
    check_content(content, manifest)
    return content


def check_content(content: bytes, manifest: Manifest) -> None:
    """Unprocessable ("model_mismatch") unless the bytes match the manifest."""
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), manifest.sha256):
        raise model_refused("its SHA-256 is not its manifest's", "model_mismatch")


def model_refused(reason: str, code: str) -> InvalidInput:
    """The error of a model that is not loaded, for this reason."""
    return Unprocessable.of("model_s3_uri", f"the model is refused: {reason}", "a model as it was published", code=code)
