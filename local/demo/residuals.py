"""A plot of residuals, which shows where and by how much a model errs."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

mpl.use("Agg")

from matplotlib import pyplot as plt

INK, GRID, ACCENT, QUIET = "#1f2933", "#d9dee4", "#c2410c", "#6b7785"
BINS = 24

Numbers = npt.NDArray[np.float64]


def draw_residuals(predicted: Numbers, actual: Numbers, path: Path) -> Path:
    """Draw actual minus predicted, over the predictions and as a distribution, into a PNG file."""
    residual = actual - predicted
    figure, (over, distribution) = plt.subplots(
        1, 2, figsize=(11, 5.2), width_ratios=(3, 1), sharey=True, layout="constrained"
    )
    _draw_over_predictions(figure, over, predicted, residual)
    _draw_distribution(distribution, residual, actual)
    explained = 1 - np.var(residual) / np.var(actual)
    figure.suptitle(
        f"Body mass of penguins: what gradient boosting on text and numbers gets wrong\n"
        f"{len(actual):,} rows of birds it has not seen; it explains {explained:.0%} of the variance",
        ha="left", x=0.012, fontsize=12, color=INK, linespacing=1.5,
    )  # fmt: skip
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path


def _draw_over_predictions(figure: Any, axes: Any, predicted: Numbers, residual: Numbers) -> None:
    cells = axes.hexbin(predicted, residual, gridsize=56, cmap="Blues", mincnt=1, linewidths=0, bins="log")
    edges = np.quantile(predicted, np.linspace(0, 1, BINS + 1))
    place = np.clip(np.searchsorted(edges, predicted, side="right") - 1, 0, BINS - 1)
    middle = [np.median(predicted[place == each]) for each in range(BINS)]
    typical = [np.mean(residual[place == each]) for each in range(BINS)]
    axes.axhline(0, color=INK, linewidth=1)
    axes.plot(middle, typical, color=ACCENT, linewidth=2, label="mean residual")
    axes.set_xlabel("predicted body mass, g")
    axes.set_ylabel("actual − predicted")
    axes.legend(frameon=False, loc="upper left")
    above = {"location": "top", "shrink": 0.45, "aspect": 34, "anchor": (1.0, 0.0), "pad": 0.015}
    figure.colorbar(cells, ax=axes, label="rows in a cell", **above)
    _quiet(axes)


def _draw_distribution(axes: Any, residual: Numbers, actual: Numbers) -> None:
    across = {"bins": 60, "range": (float(residual.min()), float(residual.max())), "orientation": "horizontal"}
    axes.hist(actual - actual.mean(), color=GRID, label="always the mean", **across)
    axes.hist(residual, histtype="step", color=ACCENT, linewidth=2, label="the forest", **across)
    axes.axhline(0, color=INK, linewidth=1)
    axes.set_xlabel("rows")
    axes.legend(frameon=False, loc="upper right", fontsize=9)
    _quiet(axes)


def _quiet(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    axes.tick_params(colors=QUIET)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
