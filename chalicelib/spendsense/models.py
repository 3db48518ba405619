"""Requests and responses of SpendSense's routes and functions; app.py imports this, so it imports next to nothing.

Money is in integer hundredths of the currency ("cents"), ratios are from 0 to 1, days are YYYY-MM-DD.
"""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from msgspec import Meta, Struct

MAX_IMPORT_BYTES = 4_500_000
"""Lambda accepts 6 MB in one request, in which a CSV body is Base64: a third longer."""

NO_NUL = r"^[^\x00]*(?![\s\S])"
"""PostgreSQL's texts hold every character except this one."""

Window = Literal[30, 90, 180]
Cents = Annotated[int, Meta(ge=-(10**12), le=10**12)]
Limit = Annotated[int, Meta(ge=1, le=200, description="The maximum number.")]
PageCursor = Annotated[str, Meta(max_length=200, description="The `next_cursor` of the previous page.")]
ReviewReason = Annotated[str, Meta(min_length=3, max_length=2000, pattern=r"^[^\x00]*[^\x00\s][^\x00]*(?![\s\S])")]


class ServiceHealth(Struct, frozen=True, kw_only=True):
    status: Literal["ok"]


# -- the person


class ProfileChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    display_name: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*(?![\s\S])")] = ""
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}(?![\s\S])", examples=["USD"])] = "USD"


class Profile(Struct, frozen=True, kw_only=True):
    """A person, the home currency of all computed amounts, and whether the person wants recommendations."""

    user_id: UUID
    display_name: str
    currency: str
    consented: bool
    created_at: datetime
    updated_at: datetime


class ConsentChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    granted: bool
    policy_version: Annotated[
        str, Meta(min_length=1, max_length=50, pattern=r"^[\w.-]+(?![\s\S])", examples=["2026-11"])
    ]


class ConsentRecord(Struct, frozen=True, kw_only=True):
    granted: bool
    policy_version: str
    recorded_at: datetime


class ConsentPolicy(Struct, frozen=True, kw_only=True):
    """The policy that people consent to; a consent refers to its `policy_version`."""

    policy_version: str
    title: str
    paragraphs: list[str]


class Consent(Struct, frozen=True, kw_only=True):
    """The current consent, its history (the latest first), and the current policy."""

    granted: bool
    history: list[ConsentRecord]
    policy: ConsentPolicy


class Account(Struct, frozen=True, kw_only=True):
    account_id: str
    name: str
    mask: str
    type: str
    subtype: str
    available_cents: int | None
    current_cents: int | None
    limit_cents: int | None
    currency: str
    holder_category: str | None
    updated_at: datetime


class Accounts(Struct, frozen=True, kw_only=True):
    accounts: list[Account]


class TransactionsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    account_id: Annotated[str, Meta(min_length=1, max_length=100, pattern=NO_NUL)] | None = None
    since: date | None = None
    until: date | None = None
    category: (
        Annotated[str, Meta(max_length=100, pattern=NO_NUL, description="A primary or a detailed category.")] | None
    ) = None
    merchant: Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL)] | None = None
    text: (
        Annotated[
            str, Meta(min_length=1, max_length=100, pattern=NO_NUL, description="Part of the name or the merchant.")
        ]
        | None
    ) = None
    at_least_cents: Cents | None = None
    at_most_cents: Cents | None = None
    spending: Annotated[bool, Meta(description="Only transactions that count as spending.")] = False
    limit: Limit = 50
    cursor: PageCursor | None = None


class Transaction(Struct, frozen=True, kw_only=True):
    """A transaction; a positive amount is money out."""

    transaction_id: str
    account_id: str
    posted_on: date
    amount_cents: int
    currency: str
    name: str
    merchant: str | None
    category: str
    channel: str
    pending: bool


class Transactions(Struct, frozen=True, kw_only=True):
    """The latest first."""

    transactions: list[Transaction]
    next_cursor: str | None


class OwnProgress(Struct, frozen=True, kw_only=True):
    """The stages still due for the caller; `is_current` means none is. `as_of` is the day of the signals."""

    consented: bool
    features_due: bool
    persona_due: bool
    recommendations_due: bool
    as_of: date | None
    is_current: bool


class ProgressWatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Subscribe a socket to the progress of the ID token's person."""

    action: Literal["watch_me"]
    authorization: str


class SpendingQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    months: Annotated[int, Meta(ge=1, le=24, description="The number of calendar months, including this one.")] = 6


class CategorySpending(Struct, frozen=True, kw_only=True):
    """A month's spending in one category, in cents, and its number of transactions."""

    category: str
    spend_cents: int
    transactions: int


class MonthOfSpending(Struct, frozen=True, kw_only=True):
    """A calendar month; `GET transactions` with `spending`, `since`, `until` and a category lists a figure's rows."""

    since: date
    until: date
    spend_cents: int
    categories: list[CategorySpending]


class Spending(Struct, frozen=True, kw_only=True):
    """The latest month first; net of refunds, in the home currency."""

    currency: str
    months: list[MonthOfSpending]


ExportPart = Literal[
    "transactions", "accounts", "liabilities", "payments", "statements", "merchants", "consents", "signals", "personas",
    "recommendations", "traces", "feedback",
]  # fmt: skip


class ExportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    part: Annotated[ExportPart, Meta(description="The part of the export for the CSV file.")] = "transactions"
    cursor: PageCursor | None = None


class Export(Struct, frozen=True, kw_only=True):
    """Everything stored about the caller; further pages have only transactions."""

    profile: dict[str, Any]
    consents: list[dict[str, Any]] = []
    accounts: list[dict[str, Any]] = []
    liabilities: list[dict[str, Any]] = []
    payments: list[dict[str, Any]] = []
    statements: list[dict[str, Any]] = []
    merchants: list[dict[str, Any]] = []
    signals: list[dict[str, Any]] = []
    personas: list[dict[str, Any]] = []
    recommendations: list[dict[str, Any]] = []
    traces: list[dict[str, Any]] = []
    feedback: list[dict[str, Any]] = []
    transactions: list[Transaction] = []
    next_cursor: str | None = None


class WindowQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    window: Window = 30


class Evidence(Struct, frozen=True, kw_only=True):
    """A signal, its value, and its threshold."""

    signal: str
    value: float | int | str | None
    threshold: str | None


class PersonaView(Struct, frozen=True, kw_only=True):
    persona: str
    name: str
    focus: str
    also_matched: list[str]
    because: list[Evidence]


class BehaviourView(Struct, frozen=True, kw_only=True):
    behaviour: str
    text: str


class Insights(Struct, frozen=True, kw_only=True):
    """A person's signals in a window of transactions; docs/spendsense.md explains `signals`."""

    window_days: Window
    as_of: date | None
    currency: str
    signals: dict[str, Any]
    persona: PersonaView | None
    behaviours: list[BehaviourView]
    disclosure: str


class RecommendationView(Struct, frozen=True, kw_only=True):
    recommendation_id: UUID
    kind: Literal["education", "offer"]
    item_id: str
    title: str
    summary: str
    because: str
    created_at: datetime


class RecommendationSet(Struct, frozen=True, kw_only=True):
    window_days: Window
    persona: str | None
    recommendations: list[RecommendationView]
    disclosure: str


class Trace(Struct, frozen=True, kw_only=True):
    """Why an item was recommended or withheld."""

    recommendation_id: UUID
    window_days: int | None
    item_id: str | None
    template_id: str | None
    outcome: Literal["recommended", "withheld"]
    reasons: list[str]
    signals_used: list[Evidence]
    guardrails: dict[str, bool]
    run_id: str
    created_at: datetime


class ExplainedRecommendation(Struct, frozen=True, kw_only=True):
    recommendation: RecommendationView
    trace: Trace
    disclosure: str


class FeedbackGiven(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    recommendation_id: UUID
    helpful: bool
    comment: Annotated[str, Meta(max_length=2000, pattern=NO_NUL)] = ""


class Feedback(Struct, frozen=True, kw_only=True):
    recommendation_id: UUID
    helpful: bool
    comment: str
    given_at: datetime


# -- operators


class Operator(Struct, frozen=True, kw_only=True):
    """The acting operator, and the request."""

    operator: UUID
    request_id: str


class UsersQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    search: (
        Annotated[
            str, Meta(min_length=1, max_length=100, pattern=NO_NUL, description="Part of a name, or an id's start.")
        ]
        | None
    ) = None
    persona: Annotated[str, Meta(max_length=50, pattern=NO_NUL)] | None = None
    window: Window = 30
    limit: Limit = 50
    cursor: PageCursor | None = None


class UserSummary(Struct, frozen=True, kw_only=True):
    user_id: UUID
    display_name: str
    consented: bool
    persona: str | None
    recommendations: int


class Users(Struct, frozen=True, kw_only=True):
    users: list[UserSummary]
    next_cursor: str | None


class AssignedPersona(Struct, frozen=True, kw_only=True):
    window_days: Window
    persona: str
    matched: list[str]
    evidence: list[Evidence]
    behaviours: list[str]
    as_of: date


class OperatorAction(Struct, frozen=True, kw_only=True):
    operator: UUID
    action: str
    recommendation_id: UUID | None
    reason: str
    acted_at: datetime


class UserDetail(Struct, frozen=True, kw_only=True):
    profile: Profile
    personas: list[AssignedPersona]
    actions: list[OperatorAction]


class Signals(Struct, frozen=True, kw_only=True):
    """Every window's signals, as computed."""

    user_id: UUID
    windows: list[dict[str, Any]]


class BankFile(Struct, frozen=True, kw_only=True):
    """Rows in Plaid's formats, each judged separately; docs/spendsense.md lists their fields."""

    accounts: list[Any] | None = None
    transactions: list[Any] | None = None
    added: list[Any] | None = None
    modified: list[Any] | None = None
    removed: list[Any] | None = None
    liabilities: dict[str, Any] | None = None


class ImportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    section: Annotated[
        Literal["accounts", "transactions", "liabilities"], Meta(description="The content of a CSV file.")
    ] = "transactions"
    dry_run: Annotated[bool, Meta(description="Report what would be imported, and keep nothing.")] = False
    account_id: (
        Annotated[
            str, Meta(min_length=1, max_length=100, pattern=NO_NUL, description="The account for rows that name none.")
        ]
        | None
    ) = None
    account_kind: Annotated[
        Literal["checking", "savings", "credit card"], Meta(description="The type of that account, if it is new.")
    ] = "checking"
    dates: Annotated[Literal["mdy", "dmy"], Meta(description="The order of day and month.")] | None = None
    decimals: Annotated[Literal["point", "comma"], Meta(description="The decimal sign of 1,234.")] | None = None
    amounts: Annotated[Literal["positive_out", "negative_out"], Meta(description="The sign of money out.")] | None = (
        None
    )


class RejectedField(Struct, frozen=True, kw_only=True):
    """A problem with one field of a row; `line` counts from 1 in a CSV file, or in the JSON list `section`."""

    section: str
    line: int
    field: str
    problem: str
    expected: str


class Readings(Struct, kw_only=True):
    """How a file was read: the meanings of its columns, the unknown parts, and the decisions."""

    format: str
    encoding: str | None = None
    columns: dict[str, str] = {}
    unknown: list[str] = []
    notes: list[str] = []


class PreviewRow(Struct, frozen=True, kw_only=True):
    """A transaction as the import understood it; a positive amount is money out."""

    line: int
    account_id: str
    posted_on: date
    amount_cents: int
    name: str
    merchant: str | None
    category: str
    pending: bool


class Imported(Struct, frozen=True, kw_only=True):
    """Numbers of rows by result (with `dry_run`, the expected result); lists at most 1,000 rejections."""

    dry_run: bool = False
    saved: dict[str, int]
    unchanged: dict[str, int]
    rejected: int
    rejections: list[RejectedField]
    readings: Readings | None = None
    preview: list[PreviewRow] = []


class ReviewQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    status: Literal["active", "approved", "flagged", "overridden"] = "flagged"
    persona: Annotated[str, Meta(max_length=50, pattern=NO_NUL)] | None = None
    limit: Limit = 50
    cursor: PageCursor | None = None


class ReviewItem(Struct, frozen=True, kw_only=True):
    recommendation_id: UUID
    user_id: UUID
    display_name: str
    window_days: int
    kind: Literal["education", "offer"]
    item_id: str
    title: str = ""
    summary: str = ""
    persona: str
    because: str
    status: str


class ReviewItems(Struct, frozen=True, kw_only=True):
    """A person's recommendations in a window, whatever their status."""

    items: list[ReviewItem]


class ReviewPage(Struct, frozen=True, kw_only=True):
    items: list[ReviewItem]
    next_cursor: str | None


class ReviewVerdict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    recommendation_id: UUID
    action: Literal["approve", "override", "flag"]
    reason: ReviewReason | None = None

    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"properties": {"action": {"enum": ["approve", "flag"]}}},
            {"required": ["reason"], "properties": {"reason": {"type": "string"}}},
        ]
    }


class Reviewed(Struct, frozen=True, kw_only=True):
    recommendation_id: UUID
    status: str


class BulkVerdict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One verdict on up to a hundred recommendations; an override needs a reason."""

    recommendation_ids: Annotated[list[UUID], Meta(min_length=1, max_length=100)]
    action: Literal["approve", "override", "flag"]
    reason: ReviewReason | None = None

    SCHEMA: ClassVar[dict[str, Any]] = ReviewVerdict.SCHEMA


class BulkReviewed(Struct, frozen=True, kw_only=True):
    """The result for each recommendation; `missing` lists those that do not exist."""

    reviewed: list[Reviewed]
    missing: list[UUID]


class SignalView(Struct, frozen=True, kw_only=True):
    """A signal: `unit` is count, money (hundredths), ratio (0 to 1), number or text."""

    signal: str
    unit: str
    meaning: str


class CataloguePersona(Struct, frozen=True, kw_only=True):
    """A persona for people: its name and the subject of its recommendations."""

    persona: str
    name: str
    focus: str


class CatalogueItem(Struct, frozen=True, kw_only=True):
    """An article or an offer; `because` cites signals in braces."""

    item_id: str
    kind: Literal["education", "offer"]
    title: str
    summary: str
    because: str
    personas: list[str]


class CatalogueCategory(Struct, frozen=True, kw_only=True):
    """A category of transactions, and its flow of money."""

    primary: str
    detailed: str
    flow: str


class CatalogueView(Struct, frozen=True, kw_only=True):
    """The names, texts and units to which other answers refer by id."""

    personas: list[CataloguePersona]
    behaviours: list[BehaviourView]
    items: list[CatalogueItem]
    signals: list[SignalView]
    categories: list[CatalogueCategory]
    disclosure: str


class JobRun(Struct, frozen=True, kw_only=True):
    run_id: str
    job: str
    as_of: date
    started_at: datetime
    finished_at: datetime | None
    attempts: int
    batches: int
    users: int


class Metrics(Struct, frozen=True, kw_only=True):
    """Coverage and fairness of the results. Shares are from 0 to 1, and null if there is nobody to count.

    `fairness` is each persona's share in each cohort; `largest_gap` the largest difference of a persona's share
    between two cohorts of 30 people or more. Everything except `runs` was measured at `measured_at`, the end of the
    last run for everybody; before the first such run, `measured_at` is null and this answer measures it.
    """

    measured_at: datetime | None
    users: int
    consented: int
    with_data: int
    persona_coverage: float | None
    behaviour_coverage: float | None
    rationale_coverage: float | None
    trace_coverage: float | None
    personas: dict[str, int]
    recommendations: dict[str, int]
    feedback: dict[str, int]
    fairness: dict[str, dict[str, float]]
    largest_gap: float | None
    runs: list[JobRun]


class MetricsHistoryQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=366, description="The maximum number of days.")] = 90


class MetricsPoint(Struct, frozen=True, kw_only=True):
    """The figures of one day."""

    as_of: date
    measured_at: datetime
    figures: dict[str, Any]


class MetricsHistory(Struct, frozen=True, kw_only=True):
    """The latest first."""

    points: list[MetricsPoint]


# -- events, functions


class FeaturesOrder(Struct, frozen=True, kw_only=True):
    """Detail of a scheduled event, or of User Signup, Consent Granted and Transactions Ingested."""

    subject: UUID | None = None
    as_of: date | None = None
    everyone: bool = False


class StageDone(Struct, frozen=True, kw_only=True):
    """Detail of Features Computed and AssignedPersona Assigned."""

    run_id: Annotated[str, Meta(min_length=1, max_length=200)]
    as_of: date
    subject: UUID | None = None


class JobRunOutcome(Struct, frozen=True, kw_only=True):
    """The result of a job's run; `users` is the number of people with work due."""

    run_id: str
    job: str
    as_of: date
    batches: int = 0
    users: int = 0
    already_done: bool = False


class MigrateOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to say: `migrate` applies what is pending."""
