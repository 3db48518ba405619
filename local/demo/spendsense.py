"""The SpendSense demo: 100 made-up people, the three jobs run by their events, and one person's results.

The crowd is loaded through the adapters. One person joins as anybody would: signed in through Cognito, with a profile,
consent, and bank files that an operator imports, three of them with a preview. The demo ends with that person's persona
and its reasons, a month by category, the recommendations and their reasons, the coverage, and a chart.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
import httpx
from botocore.config import Config
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from local.demo.personas import NAMES, draw_personas
from local.people.generator import Person, generate
from local.people.load import load

PEOPLE: Final = 100
SEED: Final = 7
WINDOWS: Final = (30, 90, 180)
DEADLINE_S: Final = 120.0
POLL_S: Final = 0.25
LAST_JOB: Final = "generate_recommendations"

Progress = Callable[[str], None]


class Deployment:
    """SpendSense as its users see it: signed in, over REST."""

    def __init__(self, cloud: Mapping[str, Any]) -> None:
        self._cloud = cloud
        self._http = httpx.Client(base_url=f"{cloud['rest_url'].rstrip('/')}/api/v1", timeout=60)

    def client(self, service: str) -> Any:
        """A boto3 client of the cloud."""
        credentials = self._cloud["credentials"]
        make: Any = boto3.client  # its stubs require a literal
        return make(
            service,
            endpoint_url=self._cloud["aws_endpoint_url"],
            region_name=self._cloud["region"],
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            config=Config(read_timeout=DEADLINE_S, retries={"max_attempts": 0}),
        )

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """A function's answer; RuntimeError with its message if it fails."""
        name = self._cloud["functions"][function]
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        result = json.loads(answer["Payload"].read())
        if answer.get("FunctionError") or "error" in (result or {}):
            raise RuntimeError(f"{function} failed: {json.dumps(result)[:500]}")
        return result

    def sign_in(self, user: str) -> dict[str, str]:
        """The header with a test user's sign-in."""
        known = self._cloud["users"][user]
        answer = self.client("cognito-idp").initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=known["client_id"],
            AuthParameters={"USERNAME": known["username"], "PASSWORD": known["password"]},
        )
        return {"Authorization": answer["AuthenticationResult"]["IdToken"]}

    def send(self, who: Mapping[str, str], path: str, body: bytes, kind: str) -> Any:
        """The JSON of the answer to a file; RuntimeError if it is an error."""
        answer = self._http.post(path, content=body, headers={**who, "Content-Type": kind})
        if answer.is_error:
            raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text[:900]}")
        return answer.json()

    def call(self, who: Mapping[str, str], method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer; RuntimeError if it is an error."""
        answer = self._http.request(method, path, json=body, headers=dict(who))
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:900]}")
        return answer.json() if answer.content else None


def run(cloud: Mapping[str, Any], out: Path, progress: Progress, console: Console | None = None) -> list[Path]:
    """Run the demo on a cloud; return the files that it wrote."""
    console = console or Console()
    there = Deployment(cloud)
    now = datetime.now(UTC)
    migrated = there.invoke("migrate", {})["result"]
    progress(f"schema at version {migrated['version']}, applied {migrated['applied'] or 'nothing new'}")
    people = generate(PEOPLE, seed=SEED, today=now.date())
    started = time.perf_counter()
    rows = load(cloud["database_url"], people[1:], now)
    progress(f"{PEOPLE - 1} people with {rows:,} transactions imported, {time.perf_counter() - started:.1f} s")
    alice, operator = there.sign_in("alice"), there.sign_in("olga")
    _join(there, alice, operator, people[0])
    progress("alice signed in, created a profile, gave consent; an operator imported her bank file")
    _three_shapes(console, there, alice, operator, now.date())
    run_id = str(uuid4())
    outcome = there.invoke("compute_features", _scheduled(run_id, now, cloud["region"]))
    progress(f"compute_features: {outcome['users']} people, batches: {outcome['batches']}; its event starts the others")
    runs = _await_chain(there, operator, run_id)
    progress(f"assign_persona and generate_recommendations followed, {_chain_seconds(runs):.1f} s in all")
    metrics = there.call(operator, "GET", "/operator/metrics")
    _show_person(console, there, alice)
    _show_spending(console, there, alice)
    _show_figures(console, metrics, runs)
    counts = {window: _count_personas(there, operator, window) for window in WINDOWS}
    return [draw_personas(counts, metrics["fairness"], out / "personas.png"), _write(out / "metrics.json", metrics)]


def _join(there: Deployment, alice: Mapping[str, str], operator: Mapping[str, str], person: Person) -> None:
    profile = there.call(alice, "PUT", "/users/me/profile", {"display_name": "Alice"})
    there.call(alice, "PUT", "/users/me/consent", {"granted": True, "policy_version": "2026-11"})
    for document in person.documents:
        there.call(operator, "POST", f"/operator/users/{profile['user_id']}/imports", document)


def _three_shapes(
    console: Console, there: Deployment, alice: Mapping[str, str], operator: Mapping[str, str], today: date
) -> None:
    """Import one account's file in each of three formats; show the preview before each import."""
    user_id = there.call(alice, "GET", "/users/me/profile")["user_id"]
    table = Table(title="Previews of three of Alice's files", title_justify="left", show_lines=True)
    for heading in ("file", "preview"):
        table.add_column(heading, overflow="fold")
    for name, kind, query, body in _files(today):
        path = f"/operator/users/{user_id}/imports?{query}"
        tried = there.send(operator, f"{path}&dry_run=true", body, kind)
        there.send(operator, path, body, kind)
        read, left = tried["readings"], dict[int, list[str]]()
        for row in tried["rejections"]:
            left.setdefault(row["line"], []).append(f"{row['field']} {row['problem']}")
        lines = [
            "taken: " + ", ".join(_counted(count, part) for part, count in tried["saved"].items() if count),
            *(f"left out: line {line}, where {' and '.join(problems)}" for line, problems in left.items()),
            *read["notes"],
            *(f"not known: {name!r}" for name in read["unknown"]),
        ]
        table.add_row(f"{name}\n{read['format']}, {read['encoding'] or 'UTF-8'}", escape("\n".join(lines)))
    console.print(table)


def _files(today: date) -> list[tuple[str, str, str, bytes]]:
    """A response of Plaid, an American and a German bank's CSV: (name, content type, query, bytes)."""
    days = [today - timedelta(days=days) for days in (4, 34, 64)]
    added = [
        {"transaction_id": f"demo-{day}", "account_id": "plaid", "date": f"{day}", "amount": 12.5, "name": "MUSIC PLUS"}
        for day in days
    ]
    balances = {"current": 400, "iso_currency_code": "USD"}
    account = {"account_id": "plaid", "type": "depository", "subtype": "checking", "balances": balances}
    synced = {"accounts": [account], "added": [*added, {"transaction_id": "bad", "amount": "much"}], "budget": []}
    american = "Date,Description,Amount,Running Bal.\n" + "".join(
        f'{day:%m/%d/%Y},IRON GYM,-30.00,900\n{today - timedelta(days=20):%m/%d/%Y},ACME PAYROLL,"2,100.00",900\n'
        for day in days
    )
    german = "Buchungstag;Verwendungszweck;Betrag\n" + "".join(f"{day:%d.%m.%Y};CAFÉ MÜLLER;-9,00\n" for day in days)
    return [
        ("transactions/sync", "application/json", "", json.dumps(synced).encode()),
        ("an American bank", "text/csv", "account_id=american-bank", american.encode()),
        ("a German bank", "text/csv", "account_id=german-bank", german.encode("cp1252")),
    ]


def _show_spending(console: Console, there: Deployment, alice: Mapping[str, str]) -> None:
    months = there.call(alice, "GET", "/users/me/spending?months=3")["months"]
    names = list(dict.fromkeys(one["category"] for month in months for one in month["categories"]))
    table = Table(title="Alice's spending by month and category", title_justify="left", title_style="bold")
    table.add_column("category")
    for month in months:
        table.add_column(month["since"][:7], justify="right")
    for name in names:
        by_month = [{one["category"]: one["spend_cents"] for one in month["categories"]} for month in months]
        table.add_row(_words(name.lower()), *(f"{found.get(name, 0) / 100:,.2f}" for found in by_month))
    table.add_row("all", *(f"[bold]{month['spend_cents'] / 100:,.2f}[/]" for month in months))
    console.print(table)


def _scheduled(run_id: str, now: datetime, region: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": run_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [],
        "detail": {"everyone": True},
    }


def _await_chain(there: Deployment, operator: Mapping[str, str], run_id: str) -> list[dict[str, Any]]:
    """The runs of the three jobs, after the last has ended."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = [one for one in there.call(operator, "GET", "/operator/metrics")["runs"] if one["run_id"] == run_id]
        if any(one["job"] == LAST_JOB and one["finished_at"] for one in found):
            return sorted(found, key=lambda one: str(one["started_at"]))
        time.sleep(POLL_S)
    raise RuntimeError(f"{LAST_JOB} did not finish run {run_id} within {DEADLINE_S:g} s; see `make logs`")


def _chain_seconds(runs: list[dict[str, Any]]) -> float:
    first = datetime.fromisoformat(runs[0]["started_at"])
    return (datetime.fromisoformat(runs[-1]["finished_at"]) - first).total_seconds()


def _count_personas(there: Deployment, operator: Mapping[str, str], window: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    cursor = ""
    while True:
        page = there.call(operator, "GET", f"/operator/users?window={window}&limit=200{cursor}")
        counts.update(user["persona"] for user in page["users"] if user["persona"])
        if page["next_cursor"] is None:
            return counts
        cursor = f"&cursor={page['next_cursor']}"


def _show_person(console: Console, there: Deployment, alice: Mapping[str, str]) -> None:
    insights = there.call(alice, "GET", "/users/me/insights?window=90")
    found = there.call(alice, "GET", "/users/me/recommendations?window=90")
    persona = insights["persona"]
    lines = [
        f"[bold]{persona['name']}[/], as of {insights['as_of']}, over {insights['window_days']} days",
        f"{persona['focus']}",
        "",
        "[bold]because[/]",
        *(f"  {_words(one['signal'])}: {_value(one)} ({_threshold(one)})" for one in persona["because"]),
        f"[bold]other personas that fit[/]\n  {', '.join(NAMES[other] for other in persona['also_matched']) or 'none'}",
        "[bold]noticed[/]",
        *(f"  {one['text']}" for one in insights["behaviours"]),
    ]
    console.print(Panel("\n".join(lines), title="Alice", title_align="left", width=118))
    table = Table(title="Recommended to Alice, and why", title_justify="left", title_style="bold", show_lines=True)
    for heading in ("kind", "what", "because"):
        table.add_column(heading, overflow="fold")
    for one in found["recommendations"]:
        table.add_row(one["kind"], f"[bold]{escape(one['title'])}[/]\n{escape(one['summary'])}", escape(one["because"]))
    table.caption = found["disclosure"]
    console.print(table)
    offer = next(one for one in found["recommendations"] if one["kind"] == "offer")
    trace = there.call(alice, "GET", f"/users/me/recommendations/{offer['recommendation_id']}")["trace"]
    used = "\n".join(
        f"{_words(one['signal'])}: {_value(one)}" + (f" ({_threshold(one)})" if one["threshold"] else "")
        for one in trace["signals_used"]
    )
    passed = ", ".join(name for name, passed in trace["guardrails"].items() if passed)
    text = f"{used}\nguardrails passed: {passed}\ntemplate {trace['template_id']}, run {trace['run_id']}"
    console.print(Panel(escape(text), title=f"The decision trace of {trace['item_id']}", title_align="left", width=118))


def _words(signal: str) -> str:
    return signal.removesuffix("_cents").replace("_", " ")


def _value(one: Mapping[str, Any]) -> str:
    value = one["value"]
    if one["signal"].endswith("_cents"):
        return f"${value / 100:,.2f}"
    if one["signal"].endswith(("_share", "_utilization", "_growth")):
        return "unknown" if value is None else f"{value:.1%}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}"


def _threshold(one: Mapping[str, Any]) -> str:
    operator, _, number = (one["threshold"] or "").partition(" ")
    return f"{operator} {_value({**one, 'value': float(number)})}" if number else ""


def _show_figures(console: Console, metrics: Mapping[str, Any], runs: list[dict[str, Any]]) -> None:
    table = Table(title="Coverage and explainability", title_justify="left", title_style="bold")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for label, name in (
        ("people", "users"),
        ("who consented", "consented"),
        ("of those, with data", "with_data"),
    ):
        table.add_row(label, f"{metrics[name]:,}")
    for label, name in (
        ("with a persona", "persona_coverage"),
        ("with three behaviours or more", "behaviour_coverage"),
        ("recommendations with a reason that cites a number", "rationale_coverage"),
        ("recommendations with a decision trace", "trace_coverage"),
        ("largest gap of a persona's share between cohorts", "largest_gap"),
    ):
        table.add_row(label, "-" if metrics[name] is None else f"{metrics[name]:.0%}")
    for name, count in metrics["recommendations"].items():
        table.add_row(f"recommendations: {_words(name)}", f"{count:,}")
    for one in runs:
        seconds = datetime.fromisoformat(one["finished_at"]) - datetime.fromisoformat(one["started_at"])
        table.add_row(f"{one['job']}: people, seconds", f"{one['users']:,}, {seconds.total_seconds():.2f}")
    console.print(table)


def _write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
    return path
