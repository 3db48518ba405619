"""The chart of personas."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

NAMES = {
    "high_utilization": "High Utilization",
    "variable_income_budgeter": "Variable Income Budgeter",
    "subscription_heavy": "Subscription-Heavy",
    "savings_builder": "Savings Builder",
    "general_wellness": "General Wellness",
    "insufficient_data": "Insufficient Data",
}
INK, QUIET, GRID = "#1f2933", "#6b7785", "#d9dee4"
WINDOWS = {30: "#9cc3d5", 90: "#4e93b0", 180: "#1d5a75"}
COHORTS = ("#b45309", "#1d5a75", "#6d28d9", "#15803d", "#be123c", "#334155")
BAR = 0.26


def draw_personas(
    counts: Mapping[int, Mapping[str, int]], fairness: Mapping[str, Mapping[str, float]], path: Path
) -> Path:
    """Draw people by persona and window, and each persona's share in each cohort; `path`, once it is written."""
    figure, (people, shares) = plt.subplots(
        1, 2, figsize=(12.5, 5.4), width_ratios=(3, 2), sharey=True, layout="constrained", dpi=130
    )
    _draw_people(people, counts)
    _draw_shares(shares, fairness)
    places = range(len(NAMES))
    people.set_yticks(places, list(NAMES.values()), color=INK)
    people.invert_yaxis()
    total = sum(counts[180].values())
    figure.suptitle(f"{total} people who consented, by persona", x=0.012, ha="left", color=INK, fontweight="bold")
    figure.savefig(path)
    plt.close(figure)
    return path


def _draw_people(axes: Any, counts: Mapping[int, Mapping[str, int]]) -> None:
    most = max((count for by_persona in counts.values() for count in by_persona.values()), default=1)
    for number, (window, colour) in enumerate(WINDOWS.items()):
        for place, persona in enumerate(NAMES):
            count = counts[window].get(persona, 0)
            y = place + (number - 1) * BAR
            axes.barh(y, count, height=BAR * 0.9, color=colour, label=f"{window} days" if place == 0 else None)
            axes.text(count + most * 0.012, y, str(count), va="center", fontsize=8, color=QUIET)
    axes.set_xlabel("people", color=QUIET)
    axes.legend(title="window", frameon=False, loc="lower right")
    _quiet(axes)


def _draw_shares(axes: Any, fairness: Mapping[str, Mapping[str, float]]) -> None:
    cohorts: Sequence[str] = sorted(fairness)
    for number, cohort in enumerate(cohorts):
        found = [fairness[cohort].get(persona, 0.0) for persona in NAMES]
        offset = (number - (len(cohorts) - 1) / 2) * 0.13
        places = [place + offset for place in range(len(NAMES))]
        axes.scatter(found, places, s=34, color=COHORTS[number % len(COHORTS)], label=cohort, zorder=3)
    for place, persona in enumerate(NAMES):
        found = [fairness[cohort].get(persona, 0.0) for cohort in cohorts] or [0.0]
        axes.hlines(place, min(found), max(found), color=GRID, linewidth=9, zorder=1)
    axes.xaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("share of each synthetic cohort, 180 days", color=QUIET)
    axes.margins(x=0.08)
    axes.set_xlim(left=0)
    axes.legend(title="cohort", frameon=False, loc="lower right")
    _quiet(axes)


def _quiet(axes: Any) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.tick_params(colors=QUIET, length=0)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
