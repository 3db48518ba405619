"""The tools of the Model Context Protocol: the same services and models as the routes, of all workloads."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct

from chalicelib.concerts import models as concerts
from chalicelib.concerts.tools import Tool
from chalicelib.entry.mcp import McpCaller, McpServer, McpTool
from chalicelib.flights import models as flights
from chalicelib.flights.reports import QualityReport
from chalicelib.predictions import models as predictions
from chalicelib.spendsense import models as spendsense
from chalicelib.uploads import models as uploads

if TYPE_CHECKING:
    from chalicelib.wiring.services import Workloads

MCP_INSTRUCTIONS = (
    "Omnibus answers about concerts (venues, artists, programme, ticket sales), about live and past air traffic with "
    "the quality of its data, about a signed-in user's own money, and, for operators, about prediction jobs and "
    "reviews. "
    "Find ids with the find_ tools first. Null is unknown, not zero. Money is a decimal text in the currency "
    "next to it. Days are ISO dates. Errors are JSON with a code and a sentence that gives the expected value."
)
CONCERT_ANSWERS: dict[str, type[Struct]] = {
    "popular_venues": concerts.PopularityReport,
    "predict_ticket_sales": concerts.TicketPrediction,
    "recommend_concerts": concerts.Recommendations,
    "find_concerts": concerts.ConcertPage,
    "concert_details": concerts.Concert,
    "find_artists": concerts.ArtistPage,
    "artist_details": concerts.ArtistDetail,
    "find_venues": concerts.VenuePage,
    "venue_details": concerts.VenueDetail,
    "season_totals": concerts.SeasonTotals,
    "list_genres": concerts.Genres,
}


class AircraftTrack(flights.TrackQuery, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=flights.PERIOD):
    """An aircraft by its ICAO address, as latest_flights gives it."""

    icao24: str


class OneRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A snapshot's run by its tracking id."""

    tracking_id: str


class OneJob(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prediction job by its id."""

    job_id: str


class OneUpload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An upload session and its owner token."""

    session_id: uploads.SessionId
    owner_token: str


def mcp_server(services: "Workloads") -> McpServer:
    """The server of all tools."""
    return McpServer(
        [
            *_concerts(services),
            *_flights(services),
            *_spendsense(services),
            *_predictions(services),
            *_uploads(services),
        ],
        origins=services.settings.cors_origins,
        spend=lambda address: services.limits.spend("tool", address),
        instructions=MCP_INSTRUCTIONS,
    )


def _concerts(services: "Workloads") -> list[McpTool]:
    return [_concert(tool) for tool in services.concerts.toolbox.tools.values()]


def _concert(tool: Tool) -> McpTool:
    return McpTool(
        name=tool.name,
        title=tool.name.replace("_", " ").capitalize(),
        description=tool.description,
        takes=tool.model,
        gives=(CONCERT_ANSWERS[tool.name],),
        run=lambda asked, _: tool.run(asked),
    )


def _flights(services: "Workloads") -> list[McpTool]:
    return [
        McpTool(
            name="latest_flights",
            title="Latest flights",
            description="Aircraft of the newest valid snapshot, in a box of degrees, a phase, ranges or by callsign.",
            takes=flights.LatestQuery,
            gives=(flights.Latest,),
            run=lambda asked, _: services.flights.queries.latest(asked),
        ),
        McpTool(
            name="find_aircraft",
            title="Find aircraft",
            description="Aircraft of a period by the start of address or callsign; a query id if this takes longer.",
            takes=flights.SearchQuery,
            gives=(
                flights.AircraftSearch,
                flights.PendingQuery,
            ),
            run=lambda asked, _: services.flights.history.search(asked).answer,
        ),
        McpTool(
            name="aircraft_track",
            title="Aircraft track",
            description="An aircraft's positions in a period; if this takes longer, a query id for the next call.",
            takes=AircraftTrack,
            gives=(
                flights.Track,
                flights.TrackFeatures,
                flights.PendingQuery,
            ),
            run=lambda asked, _: services.flights.history.track(asked.icao24, asked).answer,
        ),
        McpTool(
            name="flight_data_quality",
            title="Quality of the flight data",
            description="The verdicts on snapshots of up to 92 days: by day, by check, and a page of runs.",
            takes=flights.QualityQuery,
            gives=(flights.QualityHistory,),
            run=lambda asked, _: services.flights.operations.quality(asked),
        ),
        McpTool(
            name="flight_quality_report",
            title="Quality report of one snapshot",
            description="The 16 checks of one snapshot, by its tracking id from flight_data_quality.",
            takes=OneRun,
            gives=(QualityReport,),
            run=lambda asked, _: services.flights.operations.report(asked.tracking_id),
        ),
    ]


def _spendsense(services: "Workloads") -> list[McpTool]:
    def person(caller: McpCaller) -> UUID:
        return services.spendsense.doorkeeper.person(services.signin.claims(caller.authorization))

    def own(method: str) -> Callable[[Any, McpCaller], Struct]:
        return lambda asked, caller: getattr(services.spendsense.own, method)(person(caller), asked)

    def review(asked: spendsense.ReviewQuery, caller: McpCaller) -> Struct:
        claims = services.signin.claims(caller.authorization)
        operator = services.spendsense.doorkeeper.operator(claims, caller.request_id, "MCP spendsense_review")
        return services.spendsense.desk.waiting(operator, asked)

    return [
        McpTool(
            name="my_money_insights",
            title="My money insights",
            description="The caller's own signals, behaviours and persona in a window.",
            takes=spendsense.WindowQuery,
            gives=(spendsense.Insights,),
            run=own("insights"),
            access="signed-in users",
        ),
        McpTool(
            name="my_recommendations",
            title="My recommendations",
            description="The caller's own money recommendations in a window, each with its reason.",
            takes=spendsense.WindowQuery,
            gives=(spendsense.RecommendationSet,),
            run=own("recommendations"),
            access="signed-in users",
        ),
        McpTool(
            name="recommendations_to_review",
            title="Recommendations to review",
            description="Recommendations in a state of review, a page at a time.",
            takes=spendsense.ReviewQuery,
            gives=(spendsense.ReviewPage,),
            run=review,
            access="operators",
        ),
    ]


def _predictions(services: "Workloads") -> list[McpTool]:
    def admitted(caller: McpCaller) -> None:
        services.operators.admit(caller.operator_token, caller.authorization, caller.address)

    def jobs(asked: predictions.PredictionJobsQuery, caller: McpCaller) -> Struct:
        admitted(caller)
        return services.predictions.jobs.page(asked)

    def job(asked: OneJob, caller: McpCaller) -> Struct:
        admitted(caller)
        return services.predictions.jobs.get(asked.job_id)

    return [
        McpTool(
            name="list_prediction_jobs",
            title="Prediction jobs",
            description="Jobs that score tables, newest first, a page at a time.",
            takes=predictions.PredictionJobsQuery,
            gives=(predictions.PredictionJobPage,),
            run=jobs,
            access="operators",
        ),
        McpTool(
            name="prediction_job",
            title="A prediction job",
            description="A job: its state, finished rows and parts, and its output or error.",
            takes=OneJob,
            gives=(predictions.PredictionJob,),
            run=job,
            access="operators",
        ),
    ]


def _uploads(services: "Workloads") -> list[McpTool]:
    return [
        McpTool(
            name="upload_session",
            title="An upload session",
            description="The status of an upload session, for the holder of its owner token.",
            takes=OneUpload,
            gives=(uploads.SessionView,),
            run=lambda asked, _: services.uploads.sessions.view(asked.session_id, asked.owner_token, None),
        )
    ]
