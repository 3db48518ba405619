"""The harness of the benchmarks: interleaved runs, medians, ratios taken in one run, peak memory of a fresh process.

A benchmark `benchmarks/NAME.py` runs alone and looks like this:

    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks import measure

    def main() -> None:
        arguments = measure.arguments(__doc__, sizes=[10_000, 100_000])
        report = measure.Report("name")
        for size in arguments.sizes:
            cases = {"ours": lambda: ..., "pandas": lambda: ...}
            report.compare(f"{size}", cases, ours="ours", rounds=5)
        report.peak("peak at 1M rows", measure.peak_mib("benchmarks.name:job", "1000000"))
        report.show(arguments.json)

    if __name__ == "__main__":
        main()

`compare` runs every case once to warm up, then all of them in turn, `rounds` times, so that a busy neighbour slows each
alike; a ratio is the peer's median over ours (above 1: ours is faster). With `--json` the script prints nothing but one
object `{name, ratios, medians, peak_mib}`: `ratios` maps "LABEL: PEER" to a number, `medians` "LABEL: CASE" to ms,
`peak_mib` a label to MiB.
"""

import argparse
import gc
import importlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.cloud import Cloud

ROOT = Path(__file__).parents[1]

Case = Callable[[], object]


def arguments(description: str | None, sizes: Sequence[int] = ()) -> argparse.Namespace:
    """The command line of every benchmark: `[--json] [SIZE ...]`."""
    summary = (description or "").strip().partition("\n")[0]
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    if sizes:
        parser.add_argument("sizes", nargs="*", type=int, default=list(sizes), metavar="SIZE", help=f"default: {sizes}")
    return parser.parse_args()


@contextmanager
def local_cloud() -> Iterator["Cloud"]:
    """A local cloud of the benchmark's own, whose schedules do not fire, stopped at the end of the block."""
    from local.cloud import down, up

    with tempfile.TemporaryDirectory(prefix="omnibus-benchmark-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        try:
            yield up(home, parameters={"Schedules": "DISABLED"})
        finally:
            down(home)


def interleaved(
    cases: Mapping[str, Case], rounds: int, before: Callable[[str], object] | None = None
) -> dict[str, float]:
    """The median time of each case in ms, over `rounds` rounds that run each once.

    `before` gets each case's name before it runs; its time, and that of collected garbage, are not counted.
    """
    for case in cases.values():
        case()
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            gc.collect()
            if before:
                before(name)
            started = time.perf_counter()
            case()
            times[name].append(1000 * (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in times.items()}


def peak_mib(function: str, *texts: str) -> float:
    """The peak resident memory, MiB, of a fresh Python process that calls `module:function` with `texts`.

    Libraries count. The process reads its own high-water mark, since `ru_maxrss` also remembers the parent's.
    """
    command = [sys.executable, "-c", "from benchmarks import measure; measure.run_as_child()", function, *texts]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(run.stdout.splitlines()[-1])


def run_as_child() -> None:
    """What the process of `peak_mib` does: call, then print its peak."""
    module, _, name = sys.argv[1].partition(":")
    getattr(importlib.import_module(module), name)(*sys.argv[2:])
    print(_own_peak_mib())


def _own_peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS counts bytes


@dataclass
class Report:
    """What a benchmark found; `show` prints it."""

    name: str
    ratios: dict[str, float] = field(default_factory=dict)
    medians: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)

    def compare(
        self,
        label: str,
        cases: Mapping[str, Case],
        *,
        ours: str,
        rounds: int,
        before: Callable[[str], object] | None = None,
    ) -> dict[str, float]:
        """Measure `cases` and keep their medians, and the ratio of every other to `ours`; return the medians."""
        medians = interleaved(cases, rounds, before)
        for name, median in medians.items():
            self.medians[f"{label}: {name}"] = round(median, 3)
            if name != ours:
                self.ratios[f"{label}: {name}"] = round(median / medians[ours], 3)
        return medians

    def peak(self, label: str, mib: float) -> None:
        """Keep a peak of memory."""
        self.peaks[label] = round(mib, 1)

    def show(self, as_json: bool) -> None:
        """Print the table, or the JSON object."""
        if as_json:
            facts = {"name": self.name, "ratios": self.ratios, "medians": self.medians, "peak_mib": self.peaks}
            print(json.dumps(facts))
            return
        print(self.name)
        width = max(map(len, [*self.medians, *self.ratios, *self.peaks]), default=0)
        for label, median in self.medians.items():
            peer = f"{self.ratios[label]:8.2f} x ours" if label in self.ratios else ""
            print(f"  {label:{width}}  {median:12.2f} ms {peer}".rstrip())
        for label, ratio in self.ratios.items():
            if label not in self.medians:
                print(f"  {label:{width}}  {ratio:12.3f}")
        for label, mib in self.peaks.items():
            print(f"  {label:{width}}  {mib:12.1f} MiB")
