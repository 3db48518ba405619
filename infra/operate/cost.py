"""The cost of a month by workload: `python -m infra.operate.cost`, or `make cost`.

    rates (infra/operate/rates.json)          monthly quantities: assumptions, each with its reason
    durations (infra/operate/durations.json)  functions' durations, measured by benchmarks/function_durations.py
    memory (.chalice/config.json)     each function's memory
    prices (infra/operate/prices.json)        one region's list prices, with their date

Durations come from the machine that measured them. Lambda gives a function one processor at 1,769 MB and a share of one
below that, so durations are multiplied by 1,769 / memory. The local cloud answers functions within milliseconds; the
additional wait in AWS is an assumption (`waits_ms`), and is not multiplied.
Free tiers are not deducted; the possible deduction is shown separately.
"""

import argparse
import json
import math
import sys
import tempfile
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from infra.package import ROOT, PackagingError, package
from infra.template.names import ALARM, FUNCTION, of_type

WHOLE_PROCESSOR_MB = 1769
GIB = 1 << 30
ARCHITECTURES = ("x86_64", "arm64")

File = TypeVar("File", bound=Struct)


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """`usd` for each `per` units; `free` units a month are always free."""

    usd: float
    per: float
    unit: str
    source: str
    free: float = 0.0


class Prices(Struct, frozen=True):
    """List prices of one region."""

    region: str
    date: str
    note: str
    sources: Mapping[str, str]
    prices: Mapping[str, Price]


class Usage(Struct, frozen=True, forbid_unknown_fields=True):
    """A monthly quantity and its reason; `beside` the stack, or in it.

    If `counted` names an entry of `counts`, the quantity is multiplied by the template's number of these. `off` is the
    parameter and value that saves the cost; `instead` is the price that then applies, with its free units.
    """

    price: str
    quantity: float
    why: str
    beside: bool = False
    counted: str = ""
    off: str = ""
    instead: str = ""


class Workload(Struct, frozen=True, forbid_unknown_fields=True):
    """A month's invocations by function (the REST function's by workload, `api_handler:flights`), and other usage.

    `waits_ms` is functions' additional wait in AWS beyond their measured duration.
    """

    invocations: Mapping[str, float]
    usage: tuple[Usage, ...]
    waits_ms: Mapping[str, float] = {}


class Rates(Struct, frozen=True, forbid_unknown_fields=True):
    """The assumptions."""

    note: str
    hours: int
    architecture: str
    log_bytes_per_invocation: float
    insights_bytes_per_invocation: float
    access_log_bytes_per_request: float
    traced_share: float
    cold_share: float
    cold_ms: float
    workloads: Mapping[str, Workload]


class Measured(Struct, frozen=True):
    """A function's median duration, and its worker's peak memory."""

    ms: float
    invocations: int
    peak_mib: float


class Durations(Struct, frozen=True):
    """The measurements, with their date and machine."""

    measured: str
    machine: str
    functions: Mapping[str, Measured]


class Line(Struct, frozen=True):
    """One line of the bill."""

    workload: str
    price: str
    quantity: float
    unit: str
    usd: float
    why: str
    beside: bool
    off: str = ""
    saved: float = 0.0


class CostError(Exception):
    """The files contradict each other; the message says where."""


def billed_ms(ms: float, memory_mb: int) -> int:
    """Billed duration of work that took `ms` on a whole processor: divided by the share, rounded up to 1 ms."""
    return math.ceil(ms * max(1.0, WHOLE_PROCESSOR_MB / memory_mb))


def gb_seconds(invocations: float, ms: float, memory_mb: int, started: float = 0.0) -> float:
    """GB-seconds of invocations billed at `ms` each, and of the share that starts cold, billed at `started`."""
    return invocations * (ms + started) / 1000 * memory_mb / 1024


def amount(price: Price, quantity: float) -> float:
    """Dollars for a quantity, before the free tier."""
    return quantity * price.usd / price.per


def counts(template: Mapping[str, Any]) -> dict[str, int]:
    """Numbers of the template's resources that rates count."""
    metrics = (
        len(each["Properties"].get("Metrics", [{}, {}])) - 1 for each in of_type(template["Resources"], ALARM).values()
    )
    return {"functions": len(of_type(template["Resources"], FUNCTION)), "alarm_metrics": sum(metrics)}


def unreckoned(rates: Rates, memory_mb: Mapping[str, int]) -> list[str]:
    """The functions without rates."""
    named = {name.partition(":")[0] for workload in rates.workloads.values() for name in workload.invocations}
    return sorted(memory_mb.keys() - named)


def reckon(
    prices: Prices, rates: Rates, durations: Durations, memory_mb: Mapping[str, int], counted: Mapping[str, int]
) -> list[Line]:
    """The bill of a month, line by line; CostError names a missing price, duration or function."""

    def line(workload: str, usage: Usage) -> Line:
        price = prices.prices.get(usage.price)
        if price is None:
            raise CostError(f"rates: {workload} uses {usage.price}, which has no price in prices.json")
        quantity = usage.quantity * (counted[usage.counted] if usage.counted else 1)
        usd, saved = amount(price, quantity), 0.0
        if usage.off:
            other = prices.prices[usage.instead] if usage.instead else None
            saved = usd - (amount(other, max(0.0, quantity - other.free)) if other else 0.0)
        return Line(workload, usage.price, quantity, price.unit, usd, usage.why, usage.beside, usage.off, saved)

    return [
        line(name, usage)
        for name, workload in rates.workloads.items()
        for usage in (*_functions(name, workload, rates, durations, memory_mb), *workload.usage)
    ]


def by_architecture(
    prices: Prices, rates: Rates, durations: Durations, memory_mb: Mapping[str, int], counted: Mapping[str, int]
) -> dict[str, list[Line]]:
    """The bill on each architecture, the rates' own first; it assumes equal durations on both."""
    return {
        each: reckon(prices, replace(rates, architecture=each), durations, memory_mb, counted)
        for each in sorted(ARCHITECTURES, key=lambda it: it != rates.architecture)
    }


def switches(lines: Iterable[Line]) -> dict[str, float]:
    """Dollars that each parameter and value saves by itself, largest first."""
    found: dict[str, float] = defaultdict(float)
    for line in lines:
        if line.off:
            found[line.off] += line.saved
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _functions(
    name: str, workload: Workload, rates: Rates, durations: Durations, memory_mb: Mapping[str, int]
) -> Iterable[Usage]:
    """Usage of a workload's functions: time, invocations, logs, traces."""
    total = sum(workload.invocations.values())
    for function, invocations in workload.invocations.items():
        measured = durations.functions.get(function)
        memory = memory_mb.get(function.partition(":")[0])
        if measured is None or memory is None:
            raise CostError(f"rates: {name} invokes {function}, which was not measured or is not configured")
        waits = math.ceil(workload.waits_ms.get(function, 0.0))
        worked, started = billed_ms(measured.ms, memory), rates.cold_share * billed_ms(rates.cold_ms, memory)
        used = gb_seconds(invocations, worked + waits, memory, started)
        why = f"{function}: {invocations:,.0f} times {worked:,} ms and {waits:,} ms of waiting with {memory} MB"
        why += f", {measured.peak_mib:.0f} MiB of it used"
        yield Usage(f"lambda_gb_second_{rates.architecture}", used, why)
    yield Usage("lambda_request", total, "all of these")
    requests = sum(usage.quantity for usage in workload.usage if usage.price in ("rest_request", "socket_message"))
    written = total * rates.log_bytes_per_invocation + requests * rates.access_log_bytes_per_request
    yield Usage("logs_ingested_gb", written / GIB, "a line for each invocation and for each request")
    of_insights = total * rates.insights_bytes_per_invocation / GIB
    yield Usage("logs_ingested_gb", of_insights, "a line of Insights for each invocation", off="Insights=DISABLED")
    traced = f"{rates.traced_share:.0%}: the first in a second, and 5 % of more"
    yield Usage("trace", total * rates.traced_share, traced, off="Tracing=DISABLED")


def free_tier(prices: Prices, lines: Iterable[Line]) -> float:
    """Dollars that the permanent free tiers would save for all workloads together."""
    used: dict[str, float] = defaultdict(float)
    for line in lines:
        used[line.price] += line.quantity
    return sum(amount(prices.prices[name], min(quantity, prices.prices[name].free)) for name, quantity in used.items())


def totals(lines: Iterable[Line]) -> dict[str, tuple[float, float]]:
    """Dollars by workload, in the stack and beside it."""
    found: dict[str, tuple[float, float]] = {}
    for line in lines:
        inside, beside = found.get(line.workload, (0.0, 0.0))
        found[line.workload] = (inside, beside + line.usd) if line.beside else (inside + line.usd, beside)
    return found


def read(root: Path = ROOT) -> tuple[Prices, Rates, Durations, dict[str, int]]:
    """The four files; CostError says which is missing or malformed, and where."""

    prices = _decoded(root / "infra" / "operate" / "prices.json", Prices)
    rates = _decoded(root / "infra" / "operate" / "rates.json", Rates)
    durations = _decoded(root / "infra" / "operate" / "durations.json", Durations)
    config = json.loads((root / ".chalice" / "config.json").read_text(encoding="utf-8"))
    memory = {name: own["lambda_memory_size"] for name, own in config["lambda_functions"].items()}
    return prices, rates, durations, memory


def _decoded(path: Path, kind: type[File]) -> File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise CostError(f"infra/operate/{path.name}: {error}") from error


def as_json(prices: Prices, rates: Rates, durations: Durations, bills: Mapping[str, list[Line]]) -> str:
    """The bill for programs, with the total on each architecture and the lines of the rates' own architecture."""
    lines = bills[rates.architecture]
    return json.dumps(
        {
            "region": prices.region,
            "prices_of": prices.date,
            "assumptions": rates.note,
            "measured": durations.measured,
            "machine": durations.machine,
            "currency": "USD a month",
            "workloads": {name: {"stack": own[0], "beside": own[1]} for name, own in totals(lines).items()},
            "total": sum(line.usd for line in lines),
            "architectures": {each: sum(line.usd for line in bill) for each, bill in bills.items()},
            "switches": switches(lines),
            "free_tier_would_take_off": free_tier(prices, lines),
            "lines": [asdict(line) for line in lines],
        },
        indent=2,
    )


def show(prices: Prices, rates: Rates, durations: Durations, bills: Mapping[str, list[Line]], *, details: bool) -> None:
    """The bill for people: the total, possible savings, and a line for each workload or for everything."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    own, (other, others) = bills[rates.architecture], next(it for it in bills.items() if it[0] != rates.architecture)
    inside = sum(line.usd for line in own if not line.beside)
    beside = sum(line.usd for line in own if line.beside)
    console.print(
        f"[bold]{inside + beside:,.2f} USD a month[/]: {inside:,.2f} for the stack, {beside:,.2f} beside it,"
        f" on {rates.architecture}.\n{sum(line.usd for line in others):,.2f} on {other}, if functions last as long.\n"
    )
    off = Table("possible savings", title="Saves by itself", title_justify="left")
    off.add_column("USD a month", justify="right")
    for switch, saved in switches(own).items():
        off.add_row(switch, f"{saved:,.2f}")
    console.print(off)
    table = Table(title="USD a month", title_justify="left", padding=(0, 0, 0, 1))
    table.add_column("workload", no_wrap=True)
    table.add_column("most of it")
    for title in ("functions", "the rest", "beside it", *bills):
        table.add_column(title, justify="right", no_wrap=True)
    for name in totals(own):
        most = max((it for it in own if it.workload == name), key=lambda it: it.usd)
        table.add_row(name, f"{most.unit} {most.usd:,.2f}", *_row(bills, name))
    table.add_section()
    table.add_row("together", "", *_row(bills))
    console.print(table)
    if details:
        every = Table("workload", "what", "why", title="USD a month, line by line")
        every.add_column("quantity", justify="right")
        every.add_column("USD", justify="right")
        for line in sorted(own, key=lambda it: (it.workload, -it.usd)):
            where = " (beside)" if line.beside else ""
            every.add_row(line.workload, line.unit + where, line.why, f"{line.quantity:,.0f}", f"{line.usd:,.2f}")
        console.print(every)
    console.print(f"The permanent free tiers would save {free_tier(prices, own):,.2f}.")
    console.print(
        "Beside the stack: the database, the warehouse, the endpoint, the model; optionally the NAT gateway.\n"
    )
    console.print(f"Assumed: {rates.note}")
    console.print(f"Prices: {prices.region}, {prices.date}, before the free tier. {prices.note}")
    console.print(f"Durations: {durations.measured}, {durations.machine}, stretched to each function's share.")


def _row(bills: Mapping[str, list[Line]], workload: str = "") -> list[str]:
    """Functions on each architecture, the rest, costs beside the stack, totals; of all workloads if none is named."""
    chosen = [[line for line in bill if workload in ("", line.workload)] for bill in bills.values()]
    work = [sum(line.usd for line in bill if line.price.startswith("lambda_")) for bill in chosen]
    beside = sum(line.usd for line in chosen[0] if line.beside)
    together = [sum(line.usd for line in bill) for bill in chosen]
    functions = " / ".join(f"{usd:,.2f}" for usd in work)
    return [functions, *(f"{usd:,.2f}" for usd in (together[0] - work[0] - beside, beside, *together))]


def main() -> None:
    """Print the bill of a month."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--details", action="store_true", help="every line, with its reason")
    options = parser.parse_args()
    try:
        prices, rates, durations, memory = read()
        with tempfile.TemporaryDirectory(prefix="omnibus-cost-") as folder:
            template = json.loads(package("prod", Path(folder)).read_text(encoding="utf-8"))
        bills = by_architecture(prices, rates, durations, memory, counts(template))
    except (CostError, PackagingError) as error:
        sys.exit(f"infra.operate.cost: {error}")
    if options.json:
        with suppress(BrokenPipeError):
            print(as_json(prices, rates, durations, bills), flush=True)
    else:
        show(prices, rates, durations, bills, details=options.details)
        if missing := unreckoned(rates, memory):
            print(textwrap.fill(f"Not included, without a rate in infra/operate/rates.json: {', '.join(missing)}.", 80))


if __name__ == "__main__":
    main()
