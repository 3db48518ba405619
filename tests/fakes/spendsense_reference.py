"""SpendSense's formulas written plainly, one person at a time: what the set-based SQL must agree with."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil, floor, sqrt
from statistics import median
from typing import Any

from chalicelib.spendsense.bank import BankAccount, BankLiability, BankTransaction
from chalicelib.spendsense.catalogue import MOST_ITEMS, AdviceCatalogue, AdviceItem
from chalicelib.spendsense.rules import Comparison, Every, Rule, comparisons
from chalicelib.spendsense.signals import SIGNALS, WINDOWS

SAVINGS = {"savings", "money market", "hsa"}
SPENDING = {"spend", "service", "obligation", "payment", "interest"}
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
    payments: Iterable[tuple[str, date, int]],
    statements: Iterable[tuple[str, date, int, int]],
) -> dict[int, Signals]:
    """Every window's signals; `payments` are (account, day, paid), `statements` (account, issued, balance, minimum)."""
    usable = {row.external_id: row for row in accounts if row.holder_category != "business"}
    past = [row for row in transactions if row.account in usable and not row.pending and row.posted_on <= as_of]
    half_year = [row for row in past if row.posted_on > _months_before(as_of, 6)]
    roles = {name: _role(row, half_year) for name, row in usable.items()}
    home = {name: row for name, row in usable.items() if row.currency == currency}
    here = [row for row in past if row.account in home and row.currency in (None, home[row.account].currency)]
    recent = [row for row in here if row.posted_on > _months_before(as_of, 6)]
    first = min((row.posted_on for row in half_year), default=None)
    observed = 0 if first is None else (as_of - first).days + 1
    months = min(6, observed // 30)
    subscriptions = _subscriptions(here, recent, roles, as_of)
    pay = _pay(here, roles, as_of, months)
    credit = _credit(home, liabilities, payments, statements, as_of)
    held = _held(home, roles)
    found = {}
    for window in WINDOWS:
        known_months = min(months, {30: 1, 90: 3, 180: 6}[window])
        inside = [row for row in here if _age(row, as_of) < window]
        lately = [row for row in recent if row.posted_on > _months_before(as_of, known_months)]
        monthly_spend = max(0, _spent(lately, roles)) // known_months if known_months else None
        inflow = _saved(inside, roles)
        shown = [one for one in subscriptions if one.days <= 30 or window == 180]
        merchants = {one.merchant for one in shown}
        monthly_recurring = sum(one.monthly for one in shown)
        dearest = {name: sum(one.monthly for one in shown if one.merchant == name) for name in merchants}
        before = None if held["savings_balance_cents"] is None else held["savings_balance_cents"] - inflow
        found[window] = {
            "observed_days": min(window, observed),
            "transactions": len(inside),
            "other_currency_transactions": len([row for row in past if _age(row, as_of) < window]) - len(inside),
            "spend_cents": max(0, _spent(inside, roles)),
            "monthly_expenses_cents": monthly_spend,
            "recurring_merchants": len(merchants),
            "top_subscription": min(merchants, key=lambda name: (-dearest[name], name), default=None),
            "recurring_spend_cents": sum(
                cents for one in shown for day, cents in one.charges if (as_of - day).days < window
            ),
            "monthly_recurring_cents": monthly_recurring,
            "subscription_share": monthly_recurring / monthly_spend if monthly_spend else None,
            **held,
            "savings_inflow_cents": inflow,
            "monthly_savings_inflow_cents": int(_saved(lately, roles) / known_months) if known_months else None,
            "savings_growth": inflow / before if before is not None and before > 0 else None,
            "emergency_months": _ratio(held["emergency_fund_cents"], monthly_spend),
            "buffer_months": _ratio(held["checking_balance_cents"], monthly_spend),
            **credit,
            "interest_cents": max(
                0,
                sum(
                    row.amount_cents
                    for row in inside
                    if row.category.flow == "interest" and roles[row.account] == "card"
                ),
            ),
            "income_lookback_days": 180,
            **pay,
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
    return [
        item for kind, most in MOST_ITEMS.items() for item in [item for item in suitable if item.kind == kind][:most]
    ]


def used_signals(item: AdviceItem) -> set[str]:
    return {*(comparison.signal for comparison in comparisons(item.eligibility)), *item.because.signals}


def _age(row: BankTransaction, as_of: date) -> int:
    return (as_of - row.posted_on).days


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _role(account: BankAccount, rows: Iterable[BankTransaction]) -> str:
    if account.type == "credit":
        return "card"
    if account.type == "depository" and account.subtype == "checking":
        return "checking"
    if account.type in {"depository", "investment"} and account.subtype == "cash management":
        used = {"wages", "spend", "service", "obligation", "payment"}
        lived_from = any(row.account == account.external_id and row.category.flow in used for row in rows)
        return "checking" if lived_from else "savings"
    if account.type in {"depository", "investment"} and account.subtype in SAVINGS:
        return "savings"
    return "cash" if account.type == "depository" else "other"


def _spent(rows: Iterable[BankTransaction], roles: Mapping[str, str]) -> int:
    return sum(row.amount_cents for row in rows if row.category.flow in SPENDING and roles[row.account] != "other")


def _saved(rows: Iterable[BankTransaction], roles: Mapping[str, str]) -> int:
    return -sum(row.amount_cents for row in rows if roles[row.account] == "savings")


def _ratio(balance: int | None, monthly: int | None) -> float | None:
    return balance / monthly if balance is not None and monthly else None


@dataclass(frozen=True)
class Subscription:
    """A run of charges that keeps a cadence; `monthly` is its last price for a month."""

    merchant: str
    days: int
    monthly: int
    charges: tuple[tuple[date, int], ...]


CADENCES = {7: 1, 14: 2, 30: 3, 91: 5, 365: 14}
PACES = {7: (6, 8), 14: (12, 16), 30: (27, 33), 91: (86, 96), 365: (351, 379)}


def _subscriptions(
    here: Iterable[BankTransaction], recent: Iterable[BankTransaction], roles: Mapping[str, str], as_of: date
) -> list[Subscription]:
    def charged(rows: Iterable[BankTransaction]) -> dict[str, list[BankTransaction]]:
        found: dict[str, list[BankTransaction]] = defaultdict(list)
        for row in rows:
            service = row.category.flow == "service" and roles[row.account] != "other"
            if service and row.amount_cents > 0 and row.merchant_key:
                found[row.merchant_key].append(row)
        return found

    lately, found = charged(recent), []
    for merchant, rows in charged(row for row in here if _age(row, as_of) < 558).items():
        if not 1 <= len(lately[merchant]) <= 60:
            continue
        whole = _run(merchant, rows, as_of)
        plans = [
            _run(merchant, [row for row in rows if row.amount_cents == amount], as_of)
            for amount in {row.amount_cents for row in rows}
        ]
        found += [one for one in ([whole] if whole else plans) if one]
    return found


def _run(merchant: str, rows: Iterable[BankTransaction], as_of: date) -> Subscription | None:
    by_day: dict[date, int] = defaultdict(int)
    for row in rows:
        by_day[row.posted_on] += row.amount_cents
    days = sorted(by_day, reverse=True)
    gaps = [(later - earlier).days for later, earlier in pairwise(days)]
    if not gaps:
        return None
    pace = sorted(gaps[:5])[(len(gaps[:5]) - 1) // 2]
    cadence = next((name for name, (least, most) in PACES.items() if least <= pace <= most), None)
    if cadence is None:
        return None
    slack, kept, skipped, changes = CADENCES[cadence], [days[0]], 0, 0
    for gap, (later, earlier) in zip(gaps, pairwise(days), strict=True):
        single = cadence - slack <= gap <= cadence + slack
        double = 2 * (cadence - slack) <= gap <= 2 * (cadence + slack)
        low, high = sorted((by_day[later], by_day[earlier]))
        skipped += gap > cadence + slack
        changes += high * 5 > low * 6
        if not (single or double) or skipped > 1 or changes > 1 or high > 2 * low:
            break
        kept.append(earlier)
    last = 180 if cadence == 365 else cadence * 3 // 2 + slack
    if len(kept) < (2 if cadence == 365 else 3) or (as_of - days[0]).days >= last:
        return None
    price = by_day[days[0]]
    monthly = {7: price * 52 // 12, 14: price * 26 // 12, 30: price, 91: price // 3, 365: price // 12}[cadence]
    return Subscription(merchant, cadence, monthly, tuple((day, by_day[day]) for day in kept))


def _pay(here: Iterable[BankTransaction], roles: Mapping[str, str], as_of: date, months: int) -> Signals:
    rows = [
        row
        for row in here
        if row.category.flow in {"wages", "income"}
        and roles[row.account] in {"checking", "savings", "cash"}
        and _age(row, as_of) < 180
    ]
    received = sorted((row for row in rows if row.amount_cents < 0), key=lambda row: row.posted_on, reverse=True)
    taken_back = set()
    for back in (row for row in rows if row.amount_cents > 0 and row.merchant_key):
        before = (
            number
            for number, row in enumerate(received)
            if (row.merchant_key, -row.amount_cents) == (back.merchant_key, back.amount_cents)
            and row.posted_on <= back.posted_on
        )
        taken_back.add(next(before, None))
    paid: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    wages: set[str] = set()
    for number, row in enumerate(received):
        if number in taken_back:
            continue
        paid[row.merchant_key][row.posted_on] -= row.amount_cents
        if row.category.flow == "wages":
            wages.add(row.merchant_key)
    combined: dict[str | None, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for payer, days in paid.items():
        gaps = _gaps(days)
        if payer not in wages and not (len(days) >= 3 and min(gaps) >= 6 and max(gaps) <= 95):
            continue
        regular = len(days) >= 3 and median(gaps) <= 45
        for day, cents in days.items():
            combined[payer if regular else None][day] += cents
    all_gaps = [gap for days in combined.values() for gap in _gaps(days)]
    deviation = usual = 0.0
    monthly = 0
    for payer, days in combined.items():
        typical = median(days.values())
        kept = {day: cents for day, cents in days.items() if payer is None or len(days) < 4 or cents <= 3 * typical}
        if len(kept) > 1:
            mean = sum(kept.values()) / len(kept)
            spread = sqrt(sum((cents - mean) ** 2 for cents in kept.values()) / len(kept))
            deviation += spread / mean * sum(kept.values())
            usual += sum(kept.values())
        over = sum(cents for day, cents in kept.items() if day > _months_before(as_of, months))
        monthly += _monthly_pay(payer, days, typical, over // months if months else 0, as_of)
    return {
        "pay_dates": len({day for days in combined.values() for day in days}),
        "median_pay_gap_days": median(all_gaps) if all_gaps else None,
        "pay_variation": deviation / usual if usual else None,
        "monthly_income_cents": monthly if months else None,
    }


def _monthly_pay(payer: str | None, days: Mapping[date, int], typical: float, over: int, as_of: date) -> int:
    if payer is None:
        return over
    gap = median(_gaps(days))
    if (as_of - max(days)).days >= ceil(gap * 1.5 + 3):
        return 0
    if 6 <= gap <= 8:
        return floor(typical * 52 / 12)
    if 12 <= gap <= 17:
        return floor(typical * 2) if _three_quarters(_gaps(days)) >= 15.5 else floor(typical * 26 / 12)
    return floor(typical) if 27 <= gap <= 33 else over


def _three_quarters(gaps: list[int]) -> float:
    """The third quartile, between two values where it falls between them."""
    place = 0.75 * (len(gaps) - 1)
    low = sorted(gaps)[floor(place)]
    return low + (place - floor(place)) * (sorted(gaps)[ceil(place)] - low)


def _gaps(days: Iterable[date]) -> list[int]:
    return [(after - before).days for before, after in pairwise(sorted(days))]


def _credit(
    home: Mapping[str, BankAccount],
    liabilities: Iterable[BankLiability],
    payments: Iterable[tuple[str, date, int]],
    statements: Iterable[tuple[str, date, int, int]],
    as_of: date,
) -> Signals:
    cards = {name: row for name, row in home.items() if row.type == "credit"}
    owed = {name: _owed(row) for name, row in cards.items()}
    measured = {
        name: (value, row.limit_cents)
        for name, row in cards.items()
        if (value := owed[name]) is not None and row.limit_cents is not None and row.limit_cents > 0
    }
    ratios = [value / limit for value, limit in measured.values()]
    at_minimum: dict[str, int] = defaultdict(int)
    issued = sorted(statements, key=lambda row: row[1])
    for name, day, paid in payments:
        answered = [row for row in issued if row[0] == name and 0 <= (day - row[1]).days <= 35]
        if name in cards and 0 <= (as_of - day).days < 180 and answered:
            _, _, balance, minimum = answered[-1]
            at_minimum[name] += minimum > 0 and abs(paid - minimum) <= 500 and balance > paid
    limits = sum(limit for _, limit in measured.values())
    return {
        "cards": len(cards),
        "cards_unmeasured": len([name for name in cards if name not in measured and owed[name] != 0]),
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


def _held(home: Mapping[str, BankAccount], roles: Mapping[str, str]) -> Signals:
    def balance(role: str, *, health: bool = True) -> int | None:
        known = [
            value
            for name, row in home.items()
            if roles[name] == role
            and (health or row.subtype != "hsa")
            and (value := row.current_cents if row.current_cents is not None else row.available_cents) is not None
        ]
        return sum(known) if known else None

    savings = [row for name, row in home.items() if roles[name] == "savings"]
    high = [row for row in savings if row.subtype in {"money market", "cash management"} or _called_high_yield(row)]
    return {
        "savings_accounts": len(savings),
        "high_yield_accounts": len(high),
        "savings_balance_cents": balance("savings"),
        "emergency_fund_cents": balance("savings", health=False),
        "checking_balance_cents": balance("checking"),
    }


def _called_high_yield(row: BankAccount) -> bool:
    name = row.name.lower().replace("-", " ")
    return "high yield" in name or "highyield" in name or "hysa" in name


COMPARED = tuple(name for name, signal in SIGNALS.items() if signal.kind != "text")
