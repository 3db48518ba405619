"""Which functions, tables and queues belong to which workload, for alarms, the dashboard and the cost table."""

from collections.abc import Mapping

from msgspec import Struct


class Workload(Struct, frozen=True):
    """A workload's functions, as app.py names them, and the prefixes of its logical ids in the template."""

    title: str
    functions: tuple[str, ...]
    prefixes: tuple[str, ...]

    def owns(self, logical_id: str) -> bool:
        """Does a resource belong to this workload, by its logical id?"""
        return logical_id.startswith(self.prefixes)


WORKLOADS: Mapping[str, Workload] = {
    "concerts": Workload("Concerts", ("predict_tickets", "refresh_venue_popularity"), ("Chat", "RefreshVenue")),
    "predictions": Workload(
        "Predictions", ("predict_batch", "predict_plan", "predict_part", "predict_complete"), ("Prediction", "Predict")
    ),
    "flights": Workload(
        "Flights",
        ("ingest_flights", "process_flights", "validate_flights", "release_flights"),
        ("Flights", "IngestFlights", "ProcessFlights", "ValidateFlights"),
    ),
    "spendsense": Workload(
        "SpendSense",
        ("compute_features", "recompute_features", "assign_persona", "generate_recommendations", "migrate"),
        ("Spendsense", "ComputeFeatures", "RecomputeFeatures", "AssignPersona", "GenerateRecommendations"),
    ),
    "uploads": Workload(
        "Uploads",
        ("upload_completed", "notify_uploads"),
        ("Upload", "NotifyUploads"),
    ),
    "gateway": Workload(
        "REST and sockets",
        ("api_handler", "websocket_connect", "websocket_message", "websocket_disconnect"),
        ("Rest", "Websocket"),
    ),
}
"""In the order of app.py; REST and the sockets serve all of them."""


def of_resource(logical_id: str) -> str:
    """The workload that owns a resource; LookupError if none does."""
    for name, workload in WORKLOADS.items():
        if workload.owns(logical_id):
            return name
    raise LookupError(f"{logical_id} belongs to no workload: add its prefix to infra/template/workloads.py")
