"""Each workload's functions, tables, queues and dashboard metrics, according to its fragment.

A workload's fragment has a section `Workload`, which only this module reads; it is not sent to CloudFormation:

    Workload:
      Title: Flights
      Routes: {LatestFlights: GET /flights/latest}      # counted and timed, by the metric's name
      Metrics:                                          # metrics that its code emits, a graph each: name and statistic
        - {Title: Rows judged, Namespace: FlightDataPipeline/Quality, Metrics: {RecordsValidated: Sum}}
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from infra.template.names import Resources

SECTION = "Workload"
NAMES = ("FunctionName", "Name")
"""Entries with which a fragment claims a resource of Chalice's; other fragments may add properties to it."""


class Emitted(Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    """Metrics of the code for one graph, each with its statistic."""

    title: str
    namespace: str
    metrics: Mapping[str, str]


class Described(Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    """The section of a fragment."""

    title: str
    routes: Mapping[str, str] = {}
    metrics: tuple[Emitted, ...] = ()


@dataclass(frozen=True)
class Workload:
    """A workload: its fragment's name, the fragment's section, and the workload's own resources."""

    name: str
    described: Described
    resources: frozenset[str]


def workloads(fragments: Mapping[str, Mapping[str, Any]]) -> tuple[Workload, ...]:
    """The workloads of the fragments, given by name; msgspec.ValidationError names a malformed section."""
    return tuple(
        Workload(name, msgspec.convert(fragment[SECTION], Described), frozenset(_own(fragment.get("Resources", {}))))
        for name, fragment in fragments.items()
        if SECTION in fragment
    )


def by_workload(names: Iterable[str], all_workloads: Iterable[Workload]) -> dict[str, list[str]]:
    """Resources by workload; LookupError names a resource without a workload."""
    owners = {resource: workload.name for workload in all_workloads for resource in workload.resources}
    found: dict[str, list[str]] = {}
    for name in names:
        if name not in owners:
            raise LookupError(f"{name} belongs to no workload: declare it in a fragment with a section {SECTION}")
        found.setdefault(owners[name], []).append(name)
    return found


def _own(resources: Resources) -> Iterator[str]:
    for name, resource in resources.items():
        if "Type" in resource or any(key in resource.get("Properties", {}) for key in NAMES):
            yield name
