"""The bar chart of popular venues."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

COLOURS = {
    "club": "#7b61a8",
    "theater": "#c2536b",
    "hall": "#d98b3a",
    "arena": "#2f7f9e",
    "amphitheater": "#5f9e5a",
    "stadium": "#4a5d8f",
}
OTHER = "#777777"


def draw_ranking(venues: Sequence[Mapping[str, Any]], path: Path, *, since: str, until: str) -> Path:
    """Draw the venues' scores as bars, the best on top, coloured by type; `path`, once it is written."""
    figure, axes = plt.subplots(figsize=(10, 6), dpi=120, layout="constrained")
    places = range(len(venues))
    bars = axes.barh(places, [venue["score"] for venue in venues], height=0.72)
    for bar, venue in zip(bars, venues, strict=True):
        bar.set_color(COLOURS.get(venue["venue_type"], OTHER))
        detail = f"{venue['total_events']} concerts, {venue['avg_attendance_rate']:.0%} full"
        middle = bar.get_y() + bar.get_height() / 2
        axes.text(0.008, middle, detail, va="center", ha="left", color="white", fontsize=9)
        axes.text(bar.get_width() + 0.006, middle, f"{venue['score']:.3f}", va="center", fontsize=9)
    axes.set_yticks(places, [f"{venue['popularity_rank']}. {venue['name']}\n{venue['city']}" for venue in venues])
    axes.invert_yaxis()
    axes.set_xlim(0, max((venue["score"] for venue in venues), default=1.0) * 1.1)
    axes.set_xlabel("popularity score (weighted sum of eleven features, each divided by its maximum)")
    axes.set_title(f"Most popular venues, {since} to {until}", loc="left", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    kinds = list(dict.fromkeys(venue["venue_type"] for venue in venues))
    handles = [Rectangle((0, 0), 1, 1, color=COLOURS.get(kind, OTHER)) for kind in kinds]
    axes.legend(handles, kinds, loc="lower right", frameon=False, title="type")
    figure.savefig(path)
    plt.close(figure)
    return path
