"""The catalogue of predictions: published models, data files and finished output.

Light on purpose: the REST function imports this, and has neither Arrow nor scikit-learn.
"""

import base64
import binascii
import csv
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from chalicelib.errors import Conflict, NotFound, OmnibusError
from chalicelib.predictions.models import (
    DataFile,
    DataFileForm,
    DataFilePage,
    DataFileRequest,
    DataFilesQuery,
    ModelFeature,
    PredictionJob,
    PredictionModel,
    PredictionModelPage,
    PredictionModelsQuery,
    PredictionOutput,
)
from chalicelib.predictions.places import AllowLists, ObjectUri, layout_of, parse_uri
from chalicelib.predictions.ports import ModelFloors, PredictionObjects, PredictionShelf, Verifier
from chalicelib.predictions.trust import MANIFEST_SUFFIX, Manifest, read_manifest

LINK_S = 900
MAX_DATA_BYTES = 5 * 1024**3
"""The size limit of one POST to S3."""
SHOWN_BYTES, SHOWN_ROWS = 64 * 1024, 20
CONTENT_TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True)
class PredictionCatalogue:
    """Lists models and data, permits uploads, shows output. `new_id` keeps uploads of one name apart."""

    objects: PredictionObjects
    shelf: PredictionShelf
    verifier: Verifier
    floors: ModelFloors
    allowed: AllowLists
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def models(self, query: PredictionModelsQuery) -> PredictionModelPage:
        """Models whose manifests are good, in the order of their keys; a page may have fewer than asked for."""
        place = self.allowed.models.places[0]
        listed, after = self.shelf.listed(place, query.limit * 2, query.after)
        found = []
        for stored in listed:
            if stored.uri.key.endswith(MANIFEST_SUFFIX):
                uri = ObjectUri(place.bucket, stored.uri.key.removesuffix(MANIFEST_SUFFIX))
                try:
                    found.append(self._view(uri, read_manifest(self.objects, self.verifier, self.floors, uri)))
                except OmnibusError as error:
                    if error.status >= 500 or error.status == 429:
                        raise
        return PredictionModelPage(models=found, next=after)

    def model(self, model_id: str) -> PredictionModel:
        """One model; NotFound ("no_such_model")."""
        try:
            uri = parse_uri("model_id", base64.urlsafe_b64decode(model_id + "=" * (-len(model_id) % 4)).decode())
            self.allowed.models.check("model_id", uri)
            return self._view(uri, read_manifest(self.objects, self.verifier, self.floors, uri))
        except (OmnibusError, binascii.Error, ValueError) as error:
            if isinstance(error, OmnibusError) and (error.status >= 500 or error.status == 429):
                raise
            raise NotFound(f"There is no model {model_id[:80]!r}.", code="no_such_model") from error

    def _view(self, uri: ObjectUri, manifest: Manifest) -> PredictionModel:
        created = datetime.fromisoformat(manifest.created_at)
        shared = {
            name: getattr(manifest, name)
            for name in PredictionModel.__struct_fields__
            if name in Manifest.__struct_fields__ and name not in ("features", "created_at", "classes")
        }
        return PredictionModel(
            model_id=base64.urlsafe_b64encode(str(uri).encode()).decode().rstrip("="),
            name=re.sub(r"\.(skops|joblib|onnx)$", "", uri.key.rsplit("/", 1)[-1]),
            model_s3_uri=str(uri),
            features=[ModelFeature(it) if isinstance(it, str) else it for it in manifest.features],
            classes=None if manifest.classes is None else list(manifest.classes),
            created_at=created,
            age_days=round((self.clock() - created).total_seconds() / 86_400, 2),
            **shared,
        )

    def permit(self, request: DataFileRequest) -> DataFileForm:
        """A form that uploads one data file; InvalidInput ("unknown_format") if its name tells no format."""
        place = self.allowed.data.places[0]
        uri = ObjectUri(place.bucket, f"{place.key}uploads/{self.new_id()}/{request.name}")
        layout = layout_of("name", uri, None)
        kind = "application/gzip" if layout.gzip else CONTENT_TYPES[layout.format]
        url, fields = self.shelf.form(uri, kind, MAX_DATA_BYTES, LINK_S)
        return DataFileForm(
            url=url,
            fields=dict(fields),
            data_s3_uri=str(uri),
            content_type=kind,
            max_bytes=MAX_DATA_BYTES,
            expires_in=LINK_S,
        )

    def data(self, query: DataFilesQuery) -> DataFilePage:
        """Data files, in the order of their keys."""
        listed, after = self.shelf.listed(self.allowed.data.places[0], query.limit, query.after)
        return DataFilePage(files=[DataFile(str(it.uri), it.bytes, it.modified_at) for it in listed], next=after)

    def output(self, job: PredictionJob) -> PredictionOutput:
        """A link to a job's output and its first rows; Conflict ("not_succeeded") before there is one."""
        if job.state != "succeeded":
            raise Conflict(f"The job is {job.state}; it has no output.", code="not_succeeded")
        uri = parse_uri("output_s3_uri", job.output_s3_uri)
        pinned = self.objects.pin(uri)
        start = self.objects.read(pinned, 0, min(SHOWN_BYTES, pinned.bytes))
        columns, rows = _first_rows(uri, start, whole=pinned.bytes <= SHOWN_BYTES)
        return PredictionOutput(
            output_s3_uri=str(uri),
            url=self.shelf.link(uri, LINK_S),
            expires_in=LINK_S,
            bytes=pinned.bytes,
            columns=columns,
            rows=rows,
        )


def _first_rows(uri: ObjectUri, start: bytes, *, whole: bool) -> tuple[list[str] | None, list[list[str]] | None]:
    layout = layout_of("output_s3_uri", uri, "csv")
    if layout.format == "parquet":
        return None, None
    if layout.gzip:
        start = zlib.decompressobj(wbits=31).decompress(start, SHOWN_BYTES)
    text = start.decode("utf-8", "replace").removeprefix("\ufeff")
    text = text if whole and not layout.gzip else text.rpartition("\n")[0]
    if layout.format == "jsonl":
        records = [msgspec.json.decode(line) for line in text.splitlines()[:SHOWN_ROWS] if line]
        names = list(dict.fromkeys(name for record in records for name in record))
        return names, [["" if record.get(name) is None else str(record[name]) for name in names] for record in records]
    csv.field_size_limit(SHOWN_BYTES)
    columns, *rows = [row for row, _ in zip(csv.reader(io.StringIO(text)), range(SHOWN_ROWS + 1), strict=False)] or [[]]
    return columns, rows
