"""The services of the predictions."""

import os
import time
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chalicelib.adapters.predictions.jobs import DynamoJobs
from chalicelib.adapters.predictions.objects import S3Objects
from chalicelib.predictions.jobs import PredictionJobs
from chalicelib.predictions.news import JobNews
from chalicelib.predictions.places import AllowList, AllowLists, ObjectUri
from chalicelib.wiring.shared import Shared, now

if TYPE_CHECKING:
    from chalicelib.predictions.batch import BatchPredictions
    from chalicelib.predictions.catalogue import PredictionCatalogue
    from chalicelib.predictions.distributed import DistributedPredictions
    from chalicelib.predictions.estimators import Models
    from chalicelib.predictions.models import DirectRequest
    from chalicelib.predictions.ports import Verifier

ANSWER_S = 25.0
"""A function that loads scikit-learn needs six seconds to start."""

LIBRARIES = ("joblib", "pandas", "skops.io", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline")
"""Libraries that most models need."""


class PredictionServices:
    """Calls, jobs and their steps; each is built on first use."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._client = shared.client
        self._settings = shared.settings.predictions

    def respond(self, asked: "DirectRequest", seconds_left: Callable[[], float]) -> Any:
        """The answer of the single call, built at the call: a wrong setting becomes its error."""
        return self.batch.respond(asked, seconds_left)

    @cached_property
    def batch(self) -> "BatchPredictions":
        from chalicelib.entry.meter import ScoringMeter
        from chalicelib.predictions.batch import BatchPredictions
        from chalicelib.predictions.reuse import FinishedWork

        return BatchPredictions(
            objects=self.objects,
            models=self.models,
            allowed=self.places,
            clock=time.monotonic,
            meter=ScoringMeter(),
            workers=self._settings.workers or os.cpu_count() or 1,
            single_call_bytes=self._settings.single_call_bytes,
            submit=lambda request: self.jobs.submit(request).job_id,
            finished=FinishedWork(self.objects, self.store, now, lambda: uuid4().hex),
        )

    def load(self) -> None:
        """Import the models' libraries and build the services, which open no connection."""
        for name in LIBRARIES:
            import_module(name)
        _ = self.batch, self.steps

    @cached_property
    def steps(self) -> "DistributedPredictions":
        from chalicelib.entry.meter import ScoringMeter
        from chalicelib.predictions.distributed import DistributedPredictions

        return DistributedPredictions(
            objects=self.objects,
            models=self.models,
            store=self.store,
            allowed=self.places,
            scratch=self._settings.scratch_bucket,
            clock=now,
            meter=ScoringMeter(),
            workers=self._settings.workers or os.cpu_count() or 1,
            part_bytes=self._settings.part_bytes,
            single_call_bytes=self._settings.single_call_bytes,
            news=self.news,
        )

    @cached_property
    def jobs(self) -> PredictionJobs:
        from chalicelib.adapters.predictions.function import ScoringFunction
        from chalicelib.adapters.predictions.state_machine import StateMachine

        client = self._client("lambda", read_timeout=ANSWER_S, max_attempts=1)
        return PredictionJobs(
            objects=self.objects,
            store=self.store,
            workflow=StateMachine(self._client("stepfunctions"), self._settings.state_machine_arn),
            allowed=self.places,
            clock=now,
            new_id=lambda: uuid4().hex,
            news=self.news,
            holder=ScoringFunction(client, self._settings.function),
        )

    @cached_property
    def catalogue(self) -> "PredictionCatalogue":
        from chalicelib.adapters.predictions.shelf import S3Shelf
        from chalicelib.predictions.catalogue import PredictionCatalogue

        return PredictionCatalogue(
            objects=self.objects,
            shelf=S3Shelf(self._client("s3", max_attempts=2, signature_version="s3v4")),
            verifier=self.verifier,
            floors=self.store,
            allowed=self.places,
            clock=now,
            new_id=lambda: uuid4().hex,
        )

    @cached_property
    def models(self) -> "Models":
        from chalicelib.predictions.estimators import Models

        return Models(self.objects, self.verifier, self.store)

    @cached_property
    def verifier(self) -> "Verifier":
        from chalicelib.adapters.predictions.signing import signing_key

        return signing_key(self._settings.signing_key_arn, self._client)

    @cached_property
    def news(self) -> JobNews:
        from chalicelib.adapters.bus import BusAnnouncements

        events = BusAnnouncements(self._client("events"), "default", "predictions")
        return JobNews(self.store, events, self._shared.connections.post)

    @cached_property
    def objects(self) -> S3Objects:
        return S3Objects(self._client("s3", max_attempts=2))

    @cached_property
    def store(self) -> DynamoJobs:
        return DynamoJobs(self._client("dynamodb"), self._settings.jobs_table)

    @cached_property
    def places(self) -> AllowLists:
        def allowed(what: str, pairs: tuple[tuple[str, str], ...]) -> AllowList:
            return AllowList(what, tuple(ObjectUri(*pair) for pair in pairs))

        return AllowLists(
            models=allowed("models", self._settings.models),
            data=allowed("data", self._settings.data),
            output=allowed("output", self._settings.output),
        )
