"""The peer: the same features by `groupby("user_id").apply`, as one writes it in pandas at first.

It leaves out what the population does not have: reversals of pay, payments at the minimum, cash management accounts,
and other currencies.
"""

from typing import Any

import numpy as np
import pandas as pd

WINDOWS = {30: 1, 90: 3, 180: 6}
"""Days, and the months that monthly figures are averages of."""
SPENDING = ("spend", "service", "obligation", "payment", "interest")
PACES = {7: (6, 8, 1), 14: (12, 16, 2), 30: (27, 33, 3), 91: (86, 96, 5), 365: (351, 379, 14)}
"""A cadence's days: the least and the most that the median gap may be, and how far a gap may be off."""


def features_by_person(rows: pd.DataFrame, accounts: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """A row for each person and window, of people with rows in half a year."""
    held = dict(iter(accounts.groupby("user_id")))
    rows = rows.assign(age=(today - rows["posted_on"]).dt.days)

    def of_person(group: pd.DataFrame) -> pd.DataFrame:
        user_id = int(group.name)
        return pd.DataFrame(_windows(user_id, group, held[user_id], today))

    return rows.groupby("user_id").apply(of_person).reset_index(drop=True)


def _windows(user_id: int, group: pd.DataFrame, accounts: pd.DataFrame, today: pd.Timestamp) -> list[dict[str, Any]]:
    recent = group[group["posted_on"] > today - pd.DateOffset(months=6)]
    observed = int(recent["age"].max()) + 1
    months = min(6, observed // 30)
    spending = recent[recent["flow"].isin(SPENDING)]
    saved = recent[recent["subtype"] == "savings"]
    subscriptions = _subscriptions(group[(group["flow"] == "service") & (group["amount_cents"] > 0)], today)
    once = _credit(accounts) | _income(group, months, today) | _balances(accounts)
    savings, checking = once["savings_balance_cents"], once["checking_balance_cents"]
    found = []
    for window, span in WINDOWS.items():
        span = min(span, months)
        since = today - pd.DateOffset(months=span)
        inside = recent[recent["age"] < window]
        spend = max(0, int(spending.loc[spending["age"] < window, "amount_cents"].sum()))
        inflow = -int(saved.loc[saved["age"] < window, "amount_cents"].sum())
        monthly = max(0, int(spending.loc[spending["posted_on"] > since, "amount_cents"].sum())) // span
        regular = subscriptions if window == 180 else subscriptions[subscriptions["days"] <= 30]
        recurring = int(regular["monthly"].sum())
        found.append(
            {
                "user_id": user_id,
                "window_days": window,
                "observed_days": min(window, observed),
                "transactions": len(inside),
                "spend_cents": spend,
                "monthly_expenses_cents": monthly,
                "recurring_merchants": len(regular),
                "recurring_spend_cents": int(regular[f"in_{window}"].sum()),
                "monthly_recurring_cents": recurring,
                "subscription_share": recurring / monthly if monthly else None,
                "savings_inflow_cents": inflow,
                "monthly_savings_inflow_cents": int(
                    -saved.loc[saved["posted_on"] > since, "amount_cents"].sum() / span
                ),
                "savings_growth": inflow / (savings - inflow) if savings > inflow else None,
                "emergency_months": savings / monthly if monthly else None,
                "buffer_months": checking / monthly if monthly else None,
                "interest_cents": int(inside.loc[inside["flow"] == "interest", "amount_cents"].sum()),
                **once,
            }
        )
    return found


def _subscriptions(charges: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """The merchants that charge at a cadence, each as a whole or else plan by plan."""
    found = []
    for _, of_merchant in charges.groupby("merchant_id"):
        if not 1 <= (of_merchant["posted_on"] > today - pd.DateOffset(months=6)).sum() <= 60:
            continue
        whole = _run(of_merchant)
        runs = [whole] if whole else [run for _, plan in of_merchant.groupby("amount_cents") if (run := _run(plan))]
        if runs:
            of_runs = pd.DataFrame(runs)
            found.append({**of_runs.sum(), "days": of_runs["days"].min()})
    return pd.DataFrame(found, columns=["days", "monthly", *(f"in_{window}" for window in WINDOWS)])


def _run(charges: pd.DataFrame) -> dict[str, Any] | None:
    """The charges that keep a cadence, back from the last one; one may be left out, and the price may change once."""
    by_age = charges.groupby("age")["amount_cents"].sum().sort_index()
    gaps = by_age.index.to_series().diff().iloc[1:]
    if gaps.empty:
        return None
    pace = gaps.iloc[:5].quantile(0.5, interpolation="lower")
    days = next((days for days, (least, most, _) in PACES.items() if least <= pace <= most), None)
    if days is None:
        return None
    slack = PACES[days][2]
    least, most = days - slack, days + slack
    high = np.maximum(by_age.to_numpy()[1:], by_age.to_numpy()[:-1])
    low = np.minimum(by_age.to_numpy()[1:], by_age.to_numpy()[:-1])
    fits = (gaps.between(least, most) | gaps.between(2 * least, 2 * most)) & (high <= 2 * low)
    fits &= ((gaps > most).cumsum() <= 1) & (np.cumsum(high * 5 > low * 6) <= 1)
    kept = by_age.iloc[: 1 + int(fits.cummin().sum())]
    if len(kept) < (2 if days == 365 else 3) or kept.index[0] >= (180 if days == 365 else days * 3 // 2 + slack):
        return None
    price = int(kept.iloc[0])
    monthly = {7: price * 52 // 12, 14: price * 26 // 12, 30: price, 91: price // 3, 365: price // 12}[days]
    return {"days": days, "monthly": monthly, **{f"in_{window}": kept[kept.index < window].sum() for window in WINDOWS}}


def _income(group: pd.DataFrame, months: int, today: pd.Timestamp) -> dict[str, Any]:
    """Pay over 180 days, payer by payer; payers without a pace of their own are put together."""
    paid = group[group["flow"].isin(("wages", "income")) & (group["amount_cents"] < 0) & (group["age"] < 180)]
    regular, rest = list[Any](), list[Any]()
    for _, of_payer in paid.groupby("merchant_id", dropna=False):
        days = -of_payer.groupby("posted_on")["amount_cents"].sum()
        gaps = days.index.to_series().diff().dt.days.dropna()
        often = len(days) >= 3
        if (of_payer["flow"] == "wages").any() or (often and gaps.min() >= 6 and gaps.max() <= 95):
            (regular if often and gaps.median() <= 45 else rest).append(days)
    payers = [(days, True) for days in regular]
    if rest:
        payers.append((pd.concat(rest).groupby(level=0).sum(), False))
    all_days, all_gaps, monthly, deviation, usual = set[Any](), list[float](), 0, 0.0, 0.0
    for days, is_regular in payers:
        gaps = days.index.to_series().diff().dt.days.dropna()
        all_days |= set(days.index)
        all_gaps += gaps.tolist()
        kept = days[days <= 3 * days.median()] if is_regular and len(days) >= 4 else days
        if len(kept) > 1:
            deviation += kept.std(ddof=0) / kept.mean() * kept.sum()
            usual += kept.sum()
        over = int(kept[kept.index > today - pd.DateOffset(months=months)].sum()) // months
        monthly += _monthly(days, gaps, over, today) if is_regular else over
    return {
        "income_lookback_days": 180,
        "pay_dates": len(all_days),
        "median_pay_gap_days": pd.Series(all_gaps).median() if all_gaps else None,
        "pay_variation": deviation / usual if usual else None,
        "monthly_income_cents": monthly,
    }


def _monthly(days: "pd.Series[Any]", gaps: "pd.Series[Any]", over: int, today: pd.Timestamp) -> int:
    typical, gap = days.median(), gaps.median()
    if (today - days.index.max()).days >= np.ceil(gap * 1.5 + 3):
        return 0
    if 6 <= gap <= 8:
        return int(typical * 52 / 12)
    if 12 <= gap <= 17:
        return int(typical * 2 if gaps.quantile(0.75) >= 15.5 else typical * 26 / 12)
    return int(typical) if 27 <= gap <= 33 else over


def _credit(accounts: pd.DataFrame) -> dict[str, Any]:
    cards = accounts[accounts["subtype"] == "credit card"]
    measured = cards[cards["limit_cents"] > 0]
    owed = measured["current_cents"].clip(lower=0)
    shares = owed / measured["limit_cents"]
    return {
        "cards": len(cards),
        "cards_unmeasured": len(cards) - len(measured),
        "max_utilization": shares.max() if len(measured) else None,
        "total_utilization": owed.sum() / measured["limit_cents"].sum() if len(measured) else None,
        "cards_at_30": int((shares >= 0.3).sum()),
        "cards_at_50": int((shares >= 0.5).sum()),
        "cards_at_80": int((shares >= 0.8).sum()),
        "overdue_cards": int((cards["is_overdue"] == "t").sum()),
    }


def _balances(accounts: pd.DataFrame) -> dict[str, Any]:
    savings = accounts[accounts["subtype"] == "savings"]
    return {
        "savings_accounts": len(savings),
        "savings_balance_cents": int(savings["current_cents"].sum()),
        "checking_balance_cents": int(accounts.loc[accounts["subtype"] == "checking", "current_cents"].sum()),
    }
