"""Load on the local cloud: every REST route, sockets and bucket events at once, for `--seconds`, and nothing lost.

REST clients walk through all operations in random order, each proved to be one of `/openapi.json`, none left out.
Desktops open a socket, a phone uploads, and the desktop must be told; every fourth hangs up before the upload and
must find it when it comes back. Chats answer over their socket. Snapshots are put into the flights bucket as the
ingesting function would. In the end every snapshot must have its run and its Parquet, every upload its desktop, the
submitted job its end, whoever got bank rows recommendations; every queue must be empty, and no dead letter may be there
that was not before. An answer of 500 or more is an error, and so is an operation that never did what it is for.

`medians` are milliseconds by route and kind, `ratios` the requests a second, the errors, and what was lost.
"""

import argparse
import asyncio
import gzip
import itertools
import json
import random
import sys
import time
import traceback
import uuid
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure
from chalicelib.flights.keys import processed_key, quarantine_key, raw_key, tracking_id
from local.cloud import Cloud
from local.demo.upload_client import ANSWER_S, browser, open_session
from local.opensky.recording import load_recording
from local.people.generator import generate

CALLERS, DESKTOPS, CHATS, BUCKET_WRITERS = 4, 2, 1, 1
PAUSE_S = 1.5
RECORDING = load_recording()
TOLD_S = 120.0
DRAIN_S = 300.0
SEED = 7
PHOTO = b"\xff\xd8\xff\xe0" + bytes(20_000)
JUDGED = ("VALIDATED", "QUARANTINED")
ENDED = ("succeeded", "failed", "cancelled")
NOT_THERE = frozenset(
    {
        "DELETE /predictions/{job_id}",
        "POST /predictions/{job_id}/redrive",
        "GET /flights/runs/{tracking_id}",
        "GET /api/v1/users/me/recommendations/{recommendation_id}",
        "POST /api/v1/feedback",
        "DELETE /api/v1/operator/users/{user_id}",
        "GET /api/v1/operator/users/{user_id}/traces/{recommendation_id}",
        "POST /api/v1/operator/review",
        "DELETE /sessions/{session_id}",
        "PUT /api/v1/users/me/consent",
    }
)
"""Operations on what does not exist, or, as the last, may have been deleted just now: 404 is what they are for here."""


@dataclass
class Tally:
    """What happened: times by kind (ms), statuses, errors, and what was promised and did not come."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    errors: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    uploads: int = 0
    snapshots: list[int] = field(default_factory=list)
    judged: set[int] = field(default_factory=set)
    seconds: float = 0.0

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was answered, by all operations together."""
        return sum(self.answers.values(), Counter())

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Time one thing; an exception is an error of its kind."""
        started = time.perf_counter()
        try:
            yield
        except Exception as error:  # noqa: BLE001  # load goes on, the error is reported in the end
            way = " > ".join(frame.name for frame in traceback.extract_tb(error.__traceback__)[1:])
            self.errors.append(f"{kind}: {type(error).__name__} {error} (in {way})")
        else:
            self.times[kind].append(1000 * (time.perf_counter() - started))


@dataclass(frozen=True)
class Names:
    """What exists in the loaded cloud."""

    alice: str
    tokens: Mapping[str, str]
    bank: Mapping[str, Any]
    session: Mapping[str, Any]
    job: Mapping[str, Any]
    job_id: str
    operator_token: str


Request = tuple[str, str, Mapping[str, Any]]


def examples(document: Mapping[str, Any], names: Names) -> list[tuple[str, Request]]:
    """A request for every operation that `requests` does not name, made of the description's own examples."""
    named, schemas = {kind for kind, _ in requests(names)}, document["components"]["schemas"]
    proofs = {
        "operator": {"X-Operator-Token": names.operator_token},
        "cognito": {"Authorization": f"Bearer {names.tokens['olga']}"},
    }
    made: list[tuple[str, Request]] = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if (kind := f"{method.upper()} {path}") in named:
                continue
            given = {each["name"]: each["example"] for each in operation.get("parameters", []) if each["required"]}
            query = {name: value for name, value in given.items() if f"{{{name}}}" not in path}
            arguments: dict[str, Any] = {"params": query, "headers": {}}
            for scheme in operation.get("security", [])[:1]:
                arguments["headers"] = proofs[next(iter(scheme))]
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            if reference := content.get("schema", {}).get("$ref"):
                arguments["json"] = schemas[reference.rpartition("/")[2]]["examples"][0]
            made.append((kind, (method.upper(), path.format_map(given), arguments)))
    return made


def requests(names: Names) -> list[tuple[str, Request]]:
    """Requests that must succeed: "METHOD /path" of the description -> method, path as sent, httpx arguments."""
    signed = {name: {"headers": {"Authorization": f"Bearer {token}"}} for name, token in names.tokens.items()}
    alice, bob, olga = signed["alice"], signed["bob"], signed["olga"]
    operator = {"headers": {"X-Operator-Token": names.operator_token}}
    owner = {"headers": {"X-Owner-Token": names.session["ownerToken"]}}
    session, person, other = names.session["sessionId"], names.alice, str(uuid.UUID(int=7))
    features = json.loads((Path(__file__).parents[1] / "local" / "events" / "predict_tickets.json").read_text())["rows"]
    me, office = "/api/v1/users/me", "/api/v1/operator"
    verdict = {"recommendation_id": other, "action": "approve"}
    window = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-01T01:00:00Z"}
    return [
        _of("GET", "/health"),
        _of("GET", "/openapi.json"),
        _of("POST", "/venues/popularity", json={}),
        _of("POST", "/tickets/predict", json={"features": _features(features[0])}),
        _of("POST", "/tickets/predict/batch", json={"concert_ids": ["con-000001", "con-000042"]}),
        _of("POST", "/recommendations", json={"genres": ["rock"]}),
        _of("POST", "/chat", json={"message": "Which venues are the most popular?"}),
        _of("POST", "/predictions", json=names.job, **operator),
        _of("GET", "/predictions", **operator),
        _of("GET", "/predictions/{job_id}", names.job_id, **operator),
        _of("DELETE", "/predictions/{job_id}", "none", **operator),
        _of("POST", "/predictions/{job_id}/redrive", "none", **operator),
        _of("GET", "/flights/latest"),
        _of("GET", "/flights/quality"),
        _of("GET", "/flights/runs/{tracking_id}", "states_1"),
        _of("POST", "/flights/replays", json=window, **operator),
        _of("GET", "/api/v1/health"),
        _of("GET", f"{me}/profile", **alice),
        _of("PUT", f"{me}/profile", json={"display_name": "Bob"}, **bob),
        _of("DELETE", f"{me}/profile", **bob),
        _of("GET", f"{me}/accounts", **alice),
        _of("GET", f"{me}/transactions", **alice),
        _of("GET", f"{me}/insights", **alice),
        _of("GET", f"{me}/recommendations", **alice),
        _of("GET", me + "/recommendations/{recommendation_id}", other, **alice),
        _of("GET", f"{me}/consent", **alice),
        _of("PUT", f"{me}/consent", json={"granted": True, "policy_version": "2026-11"}, **bob),
        _of("POST", "/api/v1/feedback", json={"recommendation_id": other, "helpful": True}, **alice),
        _of("GET", f"{office}/users", **olga),
        _of("GET", office + "/users/{user_id}", person, **olga),
        _of("DELETE", office + "/users/{user_id}", other, **olga),
        _of("GET", office + "/users/{user_id}/signals", person, **olga),
        _of("GET", office + "/users/{user_id}/traces/{recommendation_id}", person, other, **olga),
        _of("POST", office + "/users/{user_id}/imports", person, json=names.bank, **olga),
        _of("GET", f"{office}/review", **olga),
        _of("POST", f"{office}/review", json=verdict, **olga),
        _of("GET", f"{office}/metrics", **olga),
        _of("POST", "/sessions"),
        _of("GET", "/sessions/{session_id}", session, **owner),
        _of("DELETE", "/sessions/{session_id}", str(uuid.uuid4()), **owner),
        _of("GET", "/upload-url", params={"sessionId": session, "uploadToken": names.session["uploadToken"]}),
        _of("GET", "/upload"),
        _of("GET", "/u"),
        _of("GET", "/upload/assets/{name}", "phone.js"),
    ]


def _of(method: str, path: str, *names: str, **arguments: Any) -> tuple[str, Request]:
    parts = iter(names)
    sent = "/".join(next(parts) if part.startswith("{") else part for part in path.split("/"))
    return f"{method} {path}", (method, sent, arguments)


def _features(row: list[float]) -> dict[str, float]:
    from chalicelib.concerts.models import TICKET_FEATURES

    return dict(zip(TICKET_FEATURES, row, strict=True))


# -- who makes the load


async def call_everything(
    http: httpx.AsyncClient, given_operations: Sequence[tuple[str, Request]], tally: Tally, until: float, seed: int
) -> None:
    """Walk through all operations in random order, over and over; the first caller comes to each at least once."""
    chance, addresses = random.Random(seed), itertools.count(1)
    operations = list(given_operations)
    for walk in itertools.count():
        chance.shuffle(operations)
        for kind, (method, path, arguments) in operations:
            if time.monotonic() >= until and (walk or seed):
                return
            number = next(addresses)
            headers = {"X-Forwarded-For": f"198.{18 + seed}.{number // 250 % 250}.{number % 250}"}
            given = {**arguments, "headers": {**headers, **arguments.get("headers", {})}}
            with tally.timed(kind):
                answer = await http.request(method, path.lstrip("/"), **given)
                tally.answers[kind][answer.status_code] += 1
                if answer.status_code >= 500:
                    tally.errors.append(f"{kind}: {answer.status_code} {answer.text[:300]}")


async def upload_photos(http: httpx.AsyncClient, tally: Tally, until: float, seed: int) -> None:
    """Open sessions and upload to them; each desktop must be told, or find it when it comes back."""
    for number in itertools.count():
        if time.monotonic() >= until:
            return
        # Linux has all of 127.0.0.0/8; one address opens 300 sockets in ten minutes.
        own = f"127.0.{100 + seed}.{1 + number % 250}"
        with tally.timed("socket: upload to word"):
            desktop = await open_session(http, f"198.51.{100 + seed}.{number % 250}")
            if number % 4 == 3:
                async with desktop.listening(local_address=own):
                    pass
                await desktop.phone.upload(PHOTO)
                tally.uploads += 1
                async with desktop.listening(local_address=own) as socket:
                    # It may have been told before it asked, or find it in the answer.
                    if not any("COMPLETED" in (each.get("status"), each["action"][7:]) for each in socket.received):
                        await socket.hear("UPLOAD_COMPLETED", TOLD_S)
                continue
            async with desktop.listening(local_address=own) as socket:
                await socket.send(action="ping")
                await socket.hear("PONG", TOLD_S)
                await desktop.phone.upload(PHOTO)
                tally.uploads += 1
                await socket.hear("UPLOAD_COMPLETED", TOLD_S)


async def chat(socket_url: str, tally: Tally, until: float) -> None:
    """Ask over one socket after another, until the answer is whole."""
    while time.monotonic() < until:
        with tally.timed("socket: chat"):
            async with connect(f"{socket_url}?channel=chat", open_timeout=ANSWER_S, ping_interval=None) as socket:
                await socket.send(json.dumps({"action": "chat", "message": "Recommend rock concerts"}))
                async with asyncio.timeout(TOLD_S):
                    while json.loads(await socket.recv()).get("action") != "CHAT_DONE":
                        pass
        await asyncio.sleep(PAUSE_S)


async def put_snapshots(cloud: Cloud, tally: Tally, until: float, first: int) -> None:
    """Put raw snapshots of the recorded traffic, one after the other: each must continue the one before."""
    for moment in itertools.count(first, RECORDING.step):
        if time.monotonic() >= until:
            return
        with tally.timed("S3: put a snapshot"):
            await asyncio.to_thread(put_snapshot, cloud, moment, moment - first)
            tally.snapshots.append(moment)
        await asyncio.sleep(PAUSE_S)


def put_snapshot(cloud: Cloud, moment: int, since_first: int = 0) -> None:
    """Put a raw snapshot of a moment into the flights bucket."""
    states = RECORDING.at(RECORDING.length / 2 + since_first).moved_to(moment).vectors
    body = gzip.compress(json.dumps({"time": moment, "states": states}).encode(), mtime=0)
    cloud.client("s3").put_object(Bucket=cloud.buckets["flights"], Key=raw_key(moment), Body=body)


# -- what must be there before and after


def prepare(cloud: Cloud) -> Names:
    """Who will get bank rows, a snapshot to look at, an upload session, a job that every submission of it is."""
    cloud.invoke("migrate")
    tokens = {name: _sign_in(cloud, name) for name in ("alice", "bob", "olga")}
    signed = {name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()}
    storage, predictions, models = cloud.client("s3"), cloud.buckets["predictions"], cloud.buckets["models"]
    storage.put_object(Bucket=models, Key="load/none.skops", Body=b"no model: its job fails, once")
    storage.put_object(Bucket=predictions, Key="data/load/rows.csv", Body=b"x\n1\n")
    job = {
        "model_s3_uri": f"s3://{models}/load/none.skops",
        "data_s3_uri": f"s3://{predictions}/data/load/rows.csv",
        "output_s3_uri": f"s3://{predictions}/output/load/{uuid.uuid4()}.csv",
        "prediction_column_name": "y",
        "feature_columns": ["x"],
        "client_token": f"load-{uuid.uuid4()}",
    }
    put_snapshot(cloud, int(time.time()) - 60_000)
    with httpx.Client(base_url=cloud.rest_url, timeout=ANSWER_S) as http:
        me = "/api/v1/users/me"
        http.delete(f"{me}/profile", headers=signed["alice"])
        alice = http.put(f"{me}/profile", json={"display_name": "Alice"}, headers=signed["alice"]).json()["user_id"]
        http.put(f"{me}/consent", json={"granted": True, "policy_version": "2026-11"}, headers=signed["alice"])
        session = http.post("/sessions").raise_for_status().json()
        job_id = http.post("/predictions", json=job, headers={"X-Operator-Token": cloud.operator_token}).json()[
            "job_id"
        ]
        deadline = time.monotonic() + DRAIN_S
        while http.get("/flights/latest").status_code == 404 and time.monotonic() < deadline:
            time.sleep(0.5)
    people = generate(60, seed=SEED, today=datetime.now(UTC).date())
    document = next(one for one in people if one.persona == "high_utilization").documents[0]
    return Names(alice, tokens, document, session, job, job_id, cloud.operator_token)


def _sign_in(cloud: Cloud, name: str) -> str:
    known = cloud.users[name]
    answer = cloud.client("cognito-idp").initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=known["client_id"],
        AuthParameters={"USERNAME": known["username"], "PASSWORD": known["password"]},
    )
    return str(answer["AuthenticationResult"]["IdToken"])


def waiting(cloud: Cloud) -> dict[str, int]:
    """How many messages every queue holds, dead-letter queues included."""
    queues, names = cloud.client("sqs"), ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return {
        name: sum(map(int, queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))
        for name, url in cloud.queues.items()
    }


def unfinished(cloud: Cloud, names: Names, tally: Tally, dead_before: Mapping[str, int]) -> list[str]:
    """What should be there and is not (yet)."""
    found = []
    with httpx.Client(base_url=cloud.rest_url, timeout=ANSWER_S) as http:
        job = http.get(f"/predictions/{names.job_id}", headers={"X-Operator-Token": names.operator_token}).json()
        if job["state"] not in ENDED:
            found.append(f"job {names.job_id}: is {job['state']}")
        alice = {"Authorization": f"Bearer {names.tokens['alice']}"}
        if not http.get("/api/v1/users/me/recommendations", headers=alice).json()["recommendations"]:
            found.append("alice: got bank rows and no recommendation")
        for moment in (each for each in tally.snapshots if each not in tally.judged):
            answer = http.get(f"/flights/runs/{tracking_id(moment)}")
            status = answer.json()["status"] if answer.status_code == 200 else str(answer.status_code)
            if status in JUDGED:
                tally.judged.add(moment)
            else:
                found.append(f"snapshot {moment}: its run is {status}")
    there = _keys(cloud, "flights")
    found += [
        f"snapshot {moment}: has no Parquet"
        for moment in tally.snapshots
        if not {processed_key(moment), quarantine_key(moment)} & there
    ]
    for name, count in waiting(cloud).items():
        allowed = dead_before[name] if name.endswith("-dead") else 0
        if count > allowed:
            found.append(f"queue {name}: {count - allowed} messages")
    return found


def _keys(cloud: Cloud, bucket: str) -> set[str]:
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=cloud.buckets[bucket])
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def undescribed(document: Mapping[str, Any], names: Names) -> list[str]:
    """Operations that the load names and the description lacks."""
    there = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    return sorted({kind for kind, _ in requests(names)} - there)


def idle(names: Names, tally: Tally) -> list[str]:
    """Operations that never answered as they are meant to."""
    return [
        f"{kind}: only ever answered {dict(tally.answers[kind])}"
        for kind, _ in requests(names)
        if not any(status < 300 or (status == 404 and kind in NOT_THERE) for status in tally.answers[kind])
    ]


def run(cloud: Cloud, seconds: float) -> Tally:
    """Load the cloud, wait until it has done everything, and say what happened."""
    names, tally, dead = prepare(cloud), Tally(), waiting(cloud)
    document = httpx.get(f"{cloud.rest_url}/openapi.json", timeout=ANSWER_S).json()
    tally.errors += [f"{operation} is called, but not described" for operation in undescribed(document, names)]
    asyncio.run(_load(cloud, [*requests(names), *examples(document, names)], tally, seconds))
    print(f"loaded for {tally.seconds:.0f} s", file=sys.stderr, flush=True)
    deadline = time.monotonic() + DRAIN_S
    tally.errors += idle(names, tally)
    while (left := unfinished(cloud, names, tally, dead)) and time.monotonic() < deadline:
        print(f"{len(left)} still to be done, such as {left[0]}", file=sys.stderr, flush=True)
        time.sleep(2)
    tally.lost += left
    tally.lost += [error for error in tally.errors if error.startswith("socket: upload")]
    return tally


async def _load(cloud: Cloud, operations: Sequence[tuple[str, Request]], tally: Tally, seconds: float) -> None:
    started = time.monotonic()
    until = started + seconds
    first = int(datetime.now(UTC).timestamp()) - 40_000 + random.SystemRandom().randrange(20_000)
    async with browser(cloud.rest_url) as http:
        work: list[Awaitable[None]] = [call_everything(http, operations, tally, until, seed) for seed in range(CALLERS)]
        work += [upload_photos(http, tally, until, seed) for seed in range(DESKTOPS)]
        work += [chat(str(cloud.websocket_url), tally, until) for _ in range(CHATS)]
        work += [put_snapshots(cloud, tally, until, first + 10_000 * number) for number in range(BUCKET_WRITERS)]
        await asyncio.gather(*work)
    tally.seconds = time.monotonic() - started


def reported(tally: Tally) -> measure.Report:
    """The tally in the shape of every benchmark."""
    report = measure.Report("load")
    rest = sorted(itertools.chain.from_iterable(times for kind, times in tally.times.items() if ": " not in kind))
    for kind, times in sorted({"all of REST": rest, **tally.times}.items()):
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            report.medians[f"{kind} ({len(times)}): {name}"] = _percentile(sorted(times), share)
    report.ratios = {
        "REST requests a second": round(len(rest) / tally.seconds, 1),
        "uploads": tally.uploads,
        "snapshots": len(tally.snapshots),
        "errors": len(tally.errors),
        "lost": len(tally.lost),
    }
    return report


def _percentile(times: list[float], share: float) -> float:
    return round(times[int(share * (len(times) - 1))], 1)


def main() -> int:
    """Load a cloud of its own; 1 if anything failed or was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180, help="how long (default: 180)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with measure.local_cloud() as cloud:
        tally = run(cloud, options.seconds)
    report = reported(tally)
    report.show(options.json)
    output = sys.stderr if options.json else sys.stdout
    for label, ratio in report.ratios.items():
        print(f"  {label}: {ratio:g}", file=output)
    print(f"  answers: {dict(sorted(tally.statuses.items()))}", file=output)
    for line in (*tally.errors[:50], *tally.lost[:50]):
        print(f"  {line}", file=output)
    return 1 if tally.errors or tally.lost else 0


if __name__ == "__main__":
    sys.exit(main())
