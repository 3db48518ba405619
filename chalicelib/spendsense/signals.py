"""The signals that rules, rationales and operators may speak of: the columns of `computed_features`.

The formulas are in sql/compute_features.sql; the kind decides how a signal is written for a person.
"""

from dataclasses import dataclass
from typing import Literal

SignalKind = Literal["count", "money", "ratio", "number", "text"]

WINDOWS = (30, 90, 180)


@dataclass(frozen=True)
class Signal:
    """One feature of a person in a window: money in hundredths, ratios from 0 to 1, the rest as named."""

    name: str
    kind: SignalKind
    meaning: str


_DECLARED = (
    Signal("observed_days", "count", "days of the window since the first transaction"),
    Signal("transactions", "count", "posted transactions in the home currency"),
    Signal("other_currency_transactions", "count", "transactions in other currencies, left out"),
    Signal("spend_cents", "money", "spending net of refunds, without transfers between accounts and card payments"),
    Signal(
        "monthly_expenses_cents", "money", "spending in the window's whole months, for each; unknown before 30 days"
    ),
    Signal("recurring_merchants", "count", "subscriptions: weekly to monthly (at 180 days also quarterly and yearly)"),
    Signal("recurring_spend_cents", "money", "what those charged in the window"),
    Signal("monthly_recurring_cents", "money", "what they cost a month at their last price"),
    Signal("subscription_share", "ratio", "that over monthly expenses"),
    Signal("top_subscription", "text", "the subscription that costs most"),
    Signal(
        "savings_accounts",
        "count",
        "savings, money market and health savings accounts, and cash management if only saved in",
    ),
    Signal("high_yield_accounts", "count", "of those, money market, cash management, or called high-yield"),
    Signal("savings_balance_cents", "money", "what they hold"),
    Signal("savings_inflow_cents", "money", "deposits to them less withdrawals in the window"),
    Signal(
        "monthly_savings_inflow_cents",
        "money",
        "the same in the window's whole months, for each; unknown before 30 days",
    ),
    Signal("savings_growth", "ratio", "that inflow over the balance before it; undefined from nothing"),
    Signal("emergency_fund_cents", "money", "what they hold, without health savings"),
    Signal("emergency_months", "number", "emergency fund over monthly expenses"),
    Signal("cards", "count", "credit cards"),
    Signal(
        "cards_unmeasured", "count", "cards that may owe something, without a limit or a balance to tell a utilization"
    ),
    Signal("max_utilization", "ratio", "the highest balance over limit of a card"),
    Signal("total_utilization", "ratio", "all balances over all limits"),
    Signal("cards_at_30", "count", "cards at 30 % of their limit or more"),
    Signal("cards_at_50", "count", "cards at 50 % of their limit or more"),
    Signal("cards_at_80", "count", "cards at 80 % of their limit or more"),
    Signal("top_card", "text", "the card with the highest utilization"),
    Signal(
        "minimum_only_cards",
        "count",
        "cards paid at the minimum (within $5) of a larger statement, twice or more in 180 days",
    ),
    Signal("interest_cents", "money", "interest charged on cards in the window"),
    Signal("overdue_cards", "count", "cards with a payment overdue"),
    Signal("income_lookback_days", "count", "days that income was looked for, whatever the window"),
    Signal("pay_dates", "count", "days on which pay arrived"),
    Signal("median_pay_gap_days", "number", "the median of the days between one payer's payments"),
    Signal("pay_variation", "ratio", "coefficient of variation of each payer's pay without bonuses, weighted by pay"),
    Signal("monthly_income_cents", "money", "each payer's usual pay at its pace, for a month; unknown before 30 days"),
    Signal("checking_balance_cents", "money", "what checking accounts hold"),
    Signal("buffer_months", "number", "that over monthly expenses"),
)

SIGNALS: dict[str, Signal] = {signal.name: signal for signal in _DECLARED}
