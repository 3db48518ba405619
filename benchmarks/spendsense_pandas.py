"""The peer: the same features by `groupby("user_id").apply`, as one writes it in pandas at first."""

from typing import Any

import pandas as pd

WINDOWS = (30, 90, 180)
SPENDING = ("spend", "service", "obligation", "payment", "interest")


def features_by_person(rows: pd.DataFrame, accounts: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """A row for each person and window, of people with rows in half a year."""
    held = dict(iter(accounts.groupby("user_id")))
    rows = rows.assign(age=(today - rows["posted_on"]).dt.days)

    def of_person(group: pd.DataFrame) -> pd.DataFrame:
        user_id = int(group.name)
        return pd.DataFrame(_windows(user_id, group, held[user_id]))

    return rows.groupby("user_id").apply(of_person).reset_index(drop=True)


def _windows(user_id: int, group: pd.DataFrame, accounts: pd.DataFrame) -> list[dict[str, Any]]:
    observed = min(180, max(30, int(group["age"].max()) + 1))
    spending = group[group["flow"].isin(SPENDING)]
    regular = _regular(spending[(spending["flow"] == "service") & (spending["amount_cents"] > 0)])
    once = _credit(accounts) | _income(group, observed) | _balances(accounts)
    found = []
    for window in WINDOWS:
        days = min(window, observed)
        inside = group[group["age"] < window]
        spend = max(0, int(spending.loc[spending["age"] < window, "amount_cents"].sum()))
        inflow = -int(inside.loc[inside["subtype"] == "savings", "amount_cents"].sum())
        recurring = int(regular.loc[regular["age"] < window, "amount_cents"].sum())
        savings, checking = once["savings_balance_cents"], once["checking_balance_cents"]
        found.append(
            {
                "user_id": user_id,
                "window_days": window,
                "observed_days": days,
                "transactions": len(inside),
                "spend_cents": spend,
                "monthly_expenses_cents": spend * 30 // days,
                "recurring_merchants": regular["merchant_id"].nunique(),
                "recurring_spend_cents": recurring,
                "monthly_recurring_cents": recurring * 30 // days,
                "subscription_share": recurring / spend if spend else None,
                "savings_inflow_cents": inflow,
                "monthly_savings_inflow_cents": int(inflow * 30 / days),
                "savings_growth": inflow / (savings - inflow) if savings > inflow else None,
                "emergency_months": savings * days / (spend * 30) if spend else None,
                "buffer_months": checking * days / (spend * 30) if spend else None,
                "interest_cents": int(inside.loc[inside["flow"] == "interest", "amount_cents"].sum()),
                **once,
            }
        )
    return found


def _regular(charges: pd.DataFrame) -> pd.DataFrame:
    """The charges of merchants with a weekly or monthly cadence and steady amounts in 90 days."""
    recent = charges[charges["age"] < 90]
    kept = []
    for merchant, of_merchant in recent.groupby("merchant_id"):
        days = of_merchant["age"].drop_duplicates().sort_values()
        if len(days) < 3 or of_merchant["amount_cents"].max() * 5 > of_merchant["amount_cents"].min() * 6:
            continue
        gaps = days.diff().dropna()
        if gaps.between(6, 8).all() or gaps.between(27, 33).all():
            kept.append(merchant)
    return charges[charges["merchant_id"].isin(kept)]


def _income(group: pd.DataFrame, observed: int) -> dict[str, Any]:
    pay = group[(group["flow"] == "wages") & (group["amount_cents"] < 0)].groupby("posted_on")["amount_cents"].sum()
    gaps = pay.index.to_series().sort_values().diff().dt.days.dropna()
    return {
        "income_lookback_days": 180,
        "pay_dates": len(pay),
        "median_pay_gap_days": gaps.median() if len(gaps) else None,
        "pay_variation": pay.std(ddof=0) / -pay.mean() if len(pay) > 1 else None,
        "monthly_income_cents": -int(pay.sum()) * 30 // observed,
    }


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
