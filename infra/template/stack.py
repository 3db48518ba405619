"""Complete the packaged template with rules that apply to every resource of a kind.

Every function gets its parameters and its alias, every resource that stores data gets the key, and every bucket, queue
and topic refuses plain HTTP. Resources that are added later get them too.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.template.alarms import with_alarms
from infra.template.aliases import after_migration, in_turns, with_aliases
from infra.template.dashboard import with_dashboard
from infra.template.encryption import with_encryption
from infra.template.functions import declared, with_knobs
from infra.template.labels import with_labels
from infra.template.names import RELEASE_DIGITS
from infra.template.redeployment import of_release, with_socket_redeployment
from infra.template.transport import with_tls_only
from infra.template.workloads import Workload


def completed(
    template: Mapping[str, Any], config: Mapping[str, Any], stage: str, workloads: Sequence[Workload]
) -> dict[str, Any]:
    """Chalice's template for `config`, with the rules for all functions and resources applied."""
    functions = declared(config)
    if not functions:
        return dict(template)
    whole = with_knobs(template, functions)
    if retention := config["stages"][stage].get("log_retention_in_days"):
        whole["Parameters"]["LogRetention"] = {**whole["Parameters"]["LogRetention"], "Default": retention}
    whole = with_alarms(whole, workloads)
    whole = in_turns(after_migration(with_aliases(whole, functions), functions), functions)
    whole = with_socket_redeployment(with_dashboard(whole, workloads))
    whole = with_encryption(with_labels(whole))
    return with_tls_only(whole)


def released(template: Mapping[str, Any], artifacts: Iterable[Path]) -> dict[str, Any]:
    """The template with a default of Release that identifies it and the artifacts: if they change, so do the versions.

    It is also the version of the REST API, which would otherwise keep serving the old snapshot: see `redeployment`.
    """
    if "Release" not in template.get("Parameters", {}):
        return dict(template)
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode())
    for path in sorted(artifacts):
        digest.update(path.read_bytes())
    name = digest.hexdigest()[:RELEASE_DIGITS]
    release = {**template["Parameters"]["Release"], "Default": name}
    return of_release({**template, "Parameters": {**template["Parameters"], "Release": release}}, name)
