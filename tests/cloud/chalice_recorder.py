"""Chalice's own command, with every call that it makes written to the file of CHALICE_CALLS, one JSON object a line.

It answers calls that MiniStack does not support. MiniStack keeps each function pending for half a second but refuses
nothing meanwhile, so nothing waits for it.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import botocore.session
import botocore.waiter
from botocore.awsrequest import AWSResponse

UNKNOWN_TO_MINISTACK = {"PutRestApi": {"id": "the same"}}


def record(params: dict[str, Any], model: Any, **_rest: Any) -> None:
    def shown(value: Any) -> Any:
        return f"{len(value)} bytes" if model.name.endswith("FunctionCode") else value.decode()

    call = {"service": model.service_model.service_name, "operation": model.name, "params": params}
    zipless = {**call, "params": {key: it for key, it in params.items() if key not in {"Code", "ZipFile"}}}
    with Path(os.environ["CHALICE_CALLS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(zipless, default=shown) + "\n")


def answer(model: Any, **_rest: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
    if model.name not in UNKNOWN_TO_MINISTACK:
        return None
    return AWSResponse("http://nowhere", 200, {}, None), dict(UNKNOWN_TO_MINISTACK[model.name])


def main() -> int:
    create = botocore.session.Session.create_client

    def recording(self: Any, *arguments: Any, **named: Any) -> Any:
        client = create(self, *arguments, **named)
        client.meta.events.register("before-parameter-build", record)
        client.meta.events.register("before-call", answer)
        return client

    botocore.session.Session.create_client = recording
    botocore.waiter.Waiter.wait = lambda *_, **__: None
    from chalice.cli import main as chalice

    return int(chalice())


if __name__ == "__main__":
    sys.exit(main())
