"""The services of the concerts."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.concerts.warehouse import ConcertWarehouse
from chalicelib.adapters.redshift import LONGEST_WAIT_S, RedshiftData
from chalicelib.concerts.lexicon import Lexicons
from chalicelib.concerts.popularity import VenuePopularity
from chalicelib.wiring.shared import Shared, now

if TYPE_CHECKING:
    from chalicelib.adapters.concerts.sagemaker import SageMakerTicketModel
    from chalicelib.adapters.concerts.sessions import ChatSessions
    from chalicelib.adapters.concerts.ticket_artifact import ArtifactTicketModel
    from chalicelib.concerts.conversation import Conversation
    from chalicelib.concerts.guide import ConcertGuide
    from chalicelib.concerts.popularity import Totals
    from chalicelib.concerts.ports import ChatProvider, TicketModel
    from chalicelib.concerts.recommendations import Recommender
    from chalicelib.concerts.tickets import TicketForecast
    from chalicelib.concerts.tools import Toolbox

EMBEDDED_MODEL_S = 10.0
"""Time limit of the function with the embedded ticket model, including its cold start."""

WAREHOUSE_JOB_S = 240.0
"""Time limit of one statement of a scheduled job or loader; the refreshing function has 300 s."""


class ConcertServices:
    """Warehouse queries, forecasts, recommendations and chat; each is built on first use."""

    def __init__(self, shared: Shared) -> None:
        self._client = shared.client
        self._settings = shared.settings.concerts

    @cached_property
    def popularity(self) -> VenuePopularity:
        return VenuePopularity(self.warehouse, self.lexicons, now, self._settings.currency)

    @cached_property
    def popularity_refresh(self) -> VenuePopularity:
        warehouse = ConcertWarehouse(self.loading, fresh_for_s=0)
        return VenuePopularity(warehouse, Lexicons(warehouse), now, self._settings.currency)

    @cached_property
    def lexicons(self) -> Lexicons:
        return Lexicons(self.warehouse)

    @cached_property
    def totals(self) -> "Totals":
        from chalicelib.concerts.popularity import Totals

        return Totals(self.warehouse, self.lexicons, now, self._settings.currency)

    @cached_property
    def guide(self) -> "ConcertGuide":
        from chalicelib.concerts.guide import ConcertGuide

        return ConcertGuide(self.warehouse, self.warehouse, self.lexicons, now, self._settings.currency)

    @cached_property
    def forecast(self) -> "TicketForecast":
        from chalicelib.adapters.concerts.ticket_artifact import error_bands, manifest
        from chalicelib.adapters.concerts.ticket_function import FunctionTicketModel
        from chalicelib.concerts.tickets import TicketForecast

        embedded = self._client("lambda", read_timeout=EMBEDDED_MODEL_S, max_attempts=1)
        models: list[TicketModel] = [FunctionTicketModel(embedded, self._settings.predict_function)]
        if self.endpoint is not None:
            models.insert(0, self.endpoint)
        venue_types = manifest()["venue_types"]
        return TicketForecast(self.warehouse, models, venue_types, error_bands(), now, self._settings.currency)

    @cached_property
    def ticket_model(self) -> "ArtifactTicketModel":
        from chalicelib.adapters.concerts.ticket_artifact import ArtifactTicketModel

        return ArtifactTicketModel()

    @cached_property
    def recommender(self) -> "Recommender":
        from chalicelib.concerts.recommendations import Recommender

        return Recommender(self.warehouse, self.warehouse, self.lexicons, now, self._settings.currency)

    @cached_property
    def conversation(self) -> "Conversation":
        from chalicelib.concerts.conversation import Conversation, new_chat_session_id

        return Conversation(self.providers, self.sessions, now, new_chat_session_id)

    @cached_property
    def sessions(self) -> "ChatSessions":
        from chalicelib.adapters.concerts.sessions import ChatSessions

        return ChatSessions(self._client("dynamodb"), self._settings.sessions_table)

    @cached_property
    def providers(self) -> "list[ChatProvider]":
        from chalicelib.concerts.router import LocalRouter

        concerts = self._settings
        budget_s = concerts.chat_budget_s / max(1, bool(concerts.agent_id) + bool(concerts.model_id))
        providers: list[ChatProvider] = []
        if concerts.agent_id:
            from chalicelib.adapters.concerts.bedrock_agent import BedrockAgent

            agent = self._client("bedrock-agent-runtime", read_timeout=budget_s, max_attempts=1)
            alias = concerts.agent_alias_id
            providers.append(BedrockAgent(agent, concerts.agent_id, alias, self.toolbox, budget_s=budget_s))
        if concerts.model_id:
            from chalicelib.adapters.concerts.bedrock_converse import BedrockConverse

            model = self._client("bedrock-runtime", read_timeout=budget_s, max_attempts=1)
            providers.append(BedrockConverse(model, concerts.model_id, self.toolbox, budget_s=budget_s))
        return [*providers, LocalRouter(self.toolbox, self.lexicons, now)]

    @cached_property
    def toolbox(self) -> "Toolbox":
        from chalicelib.concerts.tools import Toolbox

        return Toolbox(self.popularity, self.forecast, self.recommender, self.totals, self.guide)

    @cached_property
    def endpoint(self) -> "SageMakerTicketModel | None":
        """The SageMaker endpoint, if one is configured."""
        from chalicelib.adapters.concerts.sagemaker import SageMakerTicketModel

        name, budget_s = self._settings.sagemaker_endpoint, self._settings.sagemaker_budget_s
        if not name:
            return None
        runtime = self._client("sagemaker-runtime", read_timeout=budget_s, max_attempts=1)
        return SageMakerTicketModel(runtime, name, budget_s=budget_s)

    @cached_property
    def warehouse(self) -> ConcertWarehouse:
        return ConcertWarehouse(self._redshift(self._settings.query_budget_s), fresh_for_s=self._settings.fresh_for_s)

    @cached_property
    def loading(self) -> RedshiftData:
        """The warehouse for jobs, with a budget of minutes."""
        return self._redshift(WAREHOUSE_JOB_S)

    def _redshift(self, budget_s: float) -> RedshiftData:
        concerts = self._settings
        target = {"Database": concerts.redshift_database, "WorkgroupName": concerts.redshift_workgroup}
        if concerts.redshift_cluster:
            target = {"Database": concerts.redshift_database, "ClusterIdentifier": concerts.redshift_cluster}
        if concerts.redshift_cluster and concerts.redshift_db_user:
            target["DbUser"] = concerts.redshift_db_user
        if concerts.redshift_secret_arn:
            target["SecretArn"] = concerts.redshift_secret_arn
        read_timeout = min(float(LONGEST_WAIT_S), budget_s) + 2.0
        data_api = self._client("redshift-data", read_timeout=read_timeout, max_attempts=2)
        return RedshiftData(data_api, target, budget_s=budget_s)
