"""The signals that rules, rationales and operators may speak of: the columns of `computed_features`.

The formulas are in sql/compute_features.sql; the kind decides how a signal is written for a person.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "money", "ratio", "number", "text"]

WINDOWS = (30, 90, 180)


@dataclass(frozen=True)
class Signal:
    """One feature of a person in a window: money in hundredths, ratios from 0 to 1, the rest as named."""

    name: str
    kind: Kind
    meaning: str


_DECLARED = (
    Signal("observed_days", "count", "days of the window since the first transaction, at least 30"),
    Signal("transactions", "count", "posted transactions in the home currency"),
    Signal("other_currency_transactions", "count", "transactions in other currencies, left out"),
    Signal("spend_cents", "money", "spending net of refunds, without transfers and card payments"),
    Signal("monthly_expenses_cents", "money", "spending for each 30 observed days"),
    Signal("recurring_merchants", "count", "merchants charging weekly or monthly (from 180 days on also yearly)"),
    Signal("recurring_spend_cents", "money", "what those charged in the window"),
    Signal("monthly_recurring_cents", "money", "the same for each 30 observed days"),
    Signal("subscription_share", "ratio", "recurring spending over spending"),
    Signal("top_subscription", "text", "the merchant that charged most of it"),
    Signal("savings_accounts", "count", "savings, money market, cash management and health savings accounts"),
    Signal("high_yield_accounts", "count", "of those, money market, cash management, or called high-yield"),
    Signal("savings_balance_cents", "money", "what they hold"),
    Signal("savings_inflow_cents", "money", "net inflow to them in the window"),
    Signal("monthly_savings_inflow_cents", "money", "the same for each 30 observed days"),
    Signal("savings_growth", "ratio", "inflow over the balance before it; undefined from nothing"),
    Signal("emergency_months", "number", "savings over monthly expenses"),
    Signal("cards", "count", "credit cards"),
    Signal("cards_unmeasured", "count", "cards without a limit or a balance, so without a utilization"),
    Signal("max_utilization", "ratio", "the highest balance over limit of a card"),
    Signal("total_utilization", "ratio", "all balances over all limits"),
    Signal("cards_at_30", "count", "cards at 30 % of their limit or more"),
    Signal("cards_at_50", "count", "cards at 50 % of their limit or more"),
    Signal("cards_at_80", "count", "cards at 80 % of their limit or more"),
    Signal("top_card", "text", "the card with the highest utilization"),
    Signal("minimum_only_cards", "count", "cards whose payment was the minimum (within $5) twice or more in 180 days"),
    Signal("interest_cents", "money", "interest charged in the window"),
    Signal("overdue_cards", "count", "cards with a payment overdue"),
    Signal("income_lookback_days", "count", "days that income was looked for, whatever the window"),
    Signal("pay_dates", "count", "days on which pay arrived"),
    Signal("median_pay_gap_days", "number", "the median of the days between them"),
    Signal("pay_variation", "ratio", "coefficient of variation of pay: standard deviation over mean"),
    Signal("monthly_income_cents", "money", "pay for each 30 observed days"),
    Signal("checking_balance_cents", "money", "what checking accounts hold"),
    Signal("buffer_months", "number", "that over monthly expenses"),
)

SIGNALS: dict[str, Signal] = {signal.name: signal for signal in _DECLARED}
