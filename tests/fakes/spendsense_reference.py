"""SpendSense's formulas written plainly, one person at a time: what the set-based SQL must agree with."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from math import sqrt
from statistics import median
from typing import Any

from chalicelib.spendsense.bank import BankAccount, BankLiability, BankTransaction
from chalicelib.spendsense.catalogue import MOST, AdviceCatalogue, AdviceItem
from chalicelib.spendsense.rules import Comparison, Every, Rule, comparisons
from chalicelib.spendsense.signals import SIGNALS, WINDOWS
from chalicelib.spendsense.taxonomy import flow_of

SAVINGS = {"savings", "money market", "cash management", "hsa"}
HOLDS = {
    ">=": lambda left, right: left >= right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    "<": lambda left, right: left < right,
}

Signals = dict[str, Any]


def features(
    currency: str,
    as_of: date,
    accounts: Iterable[BankAccount],
    transactions: Iterable[BankTransaction],
    liabilities: Iterable[BankLiability],
    payments: Iterable[tuple[str, date, int, int]],
) -> dict[int, Signals]:
    """Every window's signals; `payments` are (account, day, paid, minimum)."""
    usable = {row.external_id: row for row in accounts if row.holder_category != "business"}
    home = {name: row for name, row in usable.items() if row.currency == currency}
    past = [row for row in transactions if row.account in usable and not row.pending and row.posted_on <= as_of]
    here = [row for row in past if row.account in home and row.currency in (None, home[row.account].currency)]
    first = min((row.posted_on for row in past if _age(row, as_of) < 180), default=as_of)
    observed = min(180, max(30, (as_of - first).days + 1))
    regular, yearly = _subscriptions(here, home, as_of)
    pay = _pay([row for row in here if _age(row, as_of) < 180], home)
    credit = _credit(home, liabilities, payments, as_of)
    held = _held(home)
    found = {}
    for window in WINDOWS:
        days = min(window, observed)
        inside = [row for row in here if _age(row, as_of) < window]
        spend = max(
            0, sum(row.amount_cents for row in inside if _use(row, home) in {"spend", "obligation", "interest"})
        )
        inflow = -sum(row.amount_cents for row in inside if _use(row, home) == "saving")
        recurring = {
            name: sum(row.amount_cents for row in rows if _age(row, as_of) < window) for name, rows in regular.items()
        }
        if window == 180:
            recurring |= yearly
        total = sum(recurring.values())
        before = None if held["savings_balance_cents"] is None else held["savings_balance_cents"] - inflow
        found[window] = {
            "observed_days": days,
            "transactions": len(inside),
            "other_currency_transactions": len([row for row in past if _age(row, as_of) < window]) - len(inside),
            "spend_cents": spend,
            "monthly_expenses_cents": spend * 30 // days,
            "recurring_merchants": len(recurring),
            "top_subscription": max(recurring, key=lambda name: recurring[name], default=None),
            "recurring_spend_cents": total,
            "monthly_recurring_cents": total * 30 // days,
            "subscription_share": total / spend if spend > 0 else None,
            **held,
            "savings_inflow_cents": inflow,
            "monthly_savings_inflow_cents": int(inflow * 30 / days),
            "savings_growth": inflow / before if before is not None and before > 0 else None,
            "emergency_months": _months(held["savings_balance_cents"], spend, days),
            "buffer_months": _months(held["checking_balance_cents"], spend, days),
            **credit,
            "interest_cents": max(0, sum(row.amount_cents for row in inside if _use(row, home) == "interest")),
            "income_lookback_days": 180,
            **pay,
            "monthly_income_cents": pay["monthly_income_cents"] * 30 // observed,
        }
    return found


def holds(rule: Rule, signals: Signals) -> bool:
    """Does a rule hold?"""
    if isinstance(rule, Comparison):
        value = signals[rule.signal]
        return value is not None and HOLDS[rule.operator](value, rule.number)
    parts = [holds(part, signals) for part in rule.parts]
    return all(parts) if isinstance(rule, Every) else any(parts)


def persona(catalogue: AdviceCatalogue, signals: Signals) -> tuple[str, list[str]]:
    """The persona, and all that matched."""
    matched = [known.persona for known in catalogue.personas if not known.fallback and holds(known.rule, signals)]
    fallbacks = [known.persona for known in catalogue.personas if known.fallback and holds(known.rule, signals)]
    return [*matched, *fallbacks][0], matched


def behaviours(catalogue: AdviceCatalogue, signals: Signals) -> list[str]:
    return [known.behaviour for known in catalogue.behaviours if holds(known.rule, signals)]


def recommended(catalogue: AdviceCatalogue, signals: Signals, persona: str) -> list[AdviceItem]:
    """The items to recommend, in order; language is not judged here."""
    suitable = [
        item
        for item in catalogue.items
        if persona in item.personas
        and holds(item.eligibility, signals)
        and all(signals[name] is not None for name in item.because.signals)
    ]
    return [item for kind, most in MOST.items() for item in [item for item in suitable if item.kind == kind][:most]]


def used_signals(item: AdviceItem) -> set[str]:
    return {*(comparison.signal for comparison in comparisons(item.eligibility)), *item.because.signals}


def _age(row: BankTransaction, as_of: date) -> int:
    return (as_of - row.posted_on).days


def _role(account: BankAccount) -> str:
    if account.type == "credit":
        return "card"
    if account.type == "depository" and account.subtype == "checking":
        return "checking"
    if account.type in {"depository", "investment"} and account.subtype in SAVINGS:
        return "savings"
    return "cash" if account.type == "depository" else "other"


def _use(row: BankTransaction, home: Mapping[str, BankAccount]) -> str:
    role = _role(home[row.account])
    if role in {"savings", "other"}:
        return "saving" if role == "savings" else "none"
    flow = flow_of(row.primary, row.detailed)
    return flow if flow in {"spend", "obligation", "interest"} else "none"


def _subscriptions(
    here: Iterable[BankTransaction], home: Mapping[str, BankAccount], as_of: date
) -> tuple[dict[str, list[BankTransaction]], dict[str, int]]:
    by_merchant: dict[str, list[BankTransaction]] = defaultdict(list)
    for row in here:
        if _use(row, home) == "spend" and row.merchant_key:
            by_merchant[row.merchant_key].append(row)
    regular: dict[str, list[BankTransaction]] = {}
    yearly: dict[str, int] = {}
    for merchant, rows in by_merchant.items():
        charges = [row for row in rows if row.amount_cents > 0]
        recent = [row for row in charges if _age(row, as_of) < 90]
        days = sorted({row.posted_on for row in recent})
        gaps = [(after - before).days for before, after in pairwise(days)]
        amounts = [row.amount_cents for row in recent]
        cadent = gaps and (all(6 <= gap <= 8 for gap in gaps) or all(27 <= gap <= 33 for gap in gaps))
        if len(days) >= 3 and cadent and max(amounts) * 5 <= min(amounts) * 6:
            regular[merchant] = [row for row in charges if _age(row, as_of) < 180]
        window = [row for row in rows if _age(row, as_of) < 180]
        if len(window) == 1 and window[0].amount_cents > 0:
            last = window[0]
            earlier = [row for row in charges if 351 <= (last.posted_on - row.posted_on).days <= 379]
            if any(_alike(last.amount_cents, row.amount_cents) for row in earlier):
                yearly[merchant] = last.amount_cents
    return regular, yearly


def _alike(one: int, other: int) -> bool:
    return max(one, other) * 5 <= min(one, other) * 6


def _pay(here: Iterable[BankTransaction], home: Mapping[str, BankAccount]) -> Signals:
    received = [
        row for row in here if row.amount_cents < 0 and _role(home[row.account]) in {"checking", "savings", "cash"}
    ]
    paid: dict[date, int] = defaultdict(int)
    others: dict[str, list[BankTransaction]] = defaultdict(list)
    for row in received:
        flow = flow_of(row.primary, row.detailed)
        if flow == "wages":
            paid[row.posted_on] -= row.amount_cents
        elif flow == "income" and row.merchant_key:
            others[row.merchant_key].append(row)
    for rows in others.values():
        days = sorted({row.posted_on for row in rows})
        gaps = [(after - before).days for before, after in pairwise(days)]
        if len(days) >= 3 and all(6 <= gap <= 35 for gap in gaps):
            for row in rows:
                paid[row.posted_on] -= row.amount_cents
    gaps = [(after - before).days for before, after in pairwise(sorted(paid))]
    amounts = list(paid.values())
    mean = sum(amounts) / len(amounts) if amounts else 0
    deviation = sqrt(sum((amount - mean) ** 2 for amount in amounts) / len(amounts)) if amounts else 0
    return {
        "pay_dates": len(paid),
        "median_pay_gap_days": median(gaps) if gaps else None,
        "pay_variation": deviation / mean if len(amounts) > 1 else None,
        "monthly_income_cents": sum(amounts),
    }


def _credit(
    home: Mapping[str, BankAccount],
    liabilities: Iterable[BankLiability],
    payments: Iterable[tuple[str, date, int, int]],
    as_of: date,
) -> Signals:
    cards = {name: row for name, row in home.items() if _role(row) == "card"}
    owed = {name: _owed(row) for name, row in cards.items()}
    measured = {
        name: (value, row.limit_cents)
        for name, row in cards.items()
        if (value := owed[name]) is not None and row.limit_cents is not None and row.limit_cents > 0
    }
    ratios = [value / limit for value, limit in measured.values()]
    at_minimum: dict[str, int] = defaultdict(int)
    for name, day, paid, minimum in payments:
        if name in cards and 0 <= (as_of - day).days < 180 and minimum > 0 and abs(paid - minimum) <= 500:
            at_minimum[name] += 1
    limits = sum(limit for _, limit in measured.values())
    return {
        "cards": len(cards),
        "cards_unmeasured": len(cards) - len(measured),
        "top_card": max(measured, key=lambda name: measured[name][0] / measured[name][1], default=None),
        "max_utilization": max(ratios, default=None),
        "total_utilization": sum(value for value, _ in measured.values()) / limits if limits else None,
        **{
            f"cards_at_{share}": len([1 for value, limit in measured.values() if value * 100 >= limit * share])
            for share in (30, 50, 80)
        },
        "minimum_only_cards": len([1 for count in at_minimum.values() if count >= 2]),
        "overdue_cards": len(
            [1 for row in liabilities if row.account in cards and row.kind == "credit" and row.is_overdue]
        ),
    }


def _owed(card: BankAccount) -> int | None:
    if card.current_cents is not None:
        return max(0, card.current_cents)
    if card.limit_cents is not None and card.available_cents is not None:
        return max(0, card.limit_cents - card.available_cents)
    return None


def _held(home: Mapping[str, BankAccount]) -> Signals:
    def balance(role: str) -> int | None:
        known = [
            value
            for row in home.values()
            if _role(row) == role
            and (value := row.current_cents if row.current_cents is not None else row.available_cents) is not None
        ]
        return sum(known) if known else None

    savings = [row for row in home.values() if _role(row) == "savings"]
    high = [row for row in savings if row.subtype in {"money market", "cash management"} or _called_high_yield(row)]
    return {
        "savings_accounts": len(savings),
        "high_yield_accounts": len(high),
        "savings_balance_cents": balance("savings"),
        "checking_balance_cents": balance("checking"),
    }


def _called_high_yield(row: BankAccount) -> bool:
    name = row.name.lower().replace("-", " ")
    return "high yield" in name or "highyield" in name or "hysa" in name


def _months(balance: int | None, spend: int, days: int) -> float | None:
    return balance * days / (spend * 30) if balance is not None and spend > 0 else None


COMPARED = tuple(name for name, signal in SIGNALS.items() if signal.kind != "text")
