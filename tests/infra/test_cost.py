"""The cost table: the arithmetic by examples worked out by hand, and the files as they are."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infra.operate.cost import (
    CostError,
    Durations,
    Line,
    Measured,
    Price,
    Prices,
    Rates,
    Usage,
    Workload,
    amount,
    as_json,
    billed_ms,
    by_architecture,
    counts,
    free_tier,
    gb_seconds,
    main,
    read,
    reckon,
    switches,
    totals,
    unreckoned,
)
from infra.package import ROOT, read_fragments
from infra.template.names import ALARM
from infra.template.workloads import workloads
from tests.infra.test_alarms import stats

Template = dict[str, Any]

PRICES = Prices(
    region="nowhere-1",
    date="2026-11-21",
    note="",
    sources={},
    prices={
        "lambda_gb_second_x86_64": Price(usd=0.00001, per=1, unit="GB-s", source="", free=100),
        "lambda_request": Price(usd=0.2, per=1_000_000, unit="invocations", source="", free=1_000_000),
        "logs_ingested_gb": Price(usd=0.5, per=1, unit="GB", source=""),
        "trace": Price(usd=5, per=1_000_000, unit="traces", source=""),
        "rest_request": Price(usd=3.5, per=1_000_000, unit="requests", source=""),
        "database_hour": Price(usd=0.03, per=1, unit="hours", source=""),
    },
)
RATES = Rates(
    note="",
    hours=730,
    architecture="x86_64",
    log_bytes_per_invocation=500,
    insights_bytes_per_invocation=1000,
    access_log_bytes_per_request=250,
    traced_share=0.1,
    cold_share=0.0,
    cold_ms=0.0,
    workloads={
        "flights": Workload(
            invocations={"process_flights": 10_000, "api_handler:flights": 2_000_000},
            usage=(
                Usage(price="rest_request", quantity=2_000_000, why="a map"),
                Usage(price="database_hour", quantity=730, why="elsewhere", beside=True),
            ),
            waits_ms={"api_handler:flights": 15},
        )
    },
)
DURATIONS = Durations(
    measured="2026-11-21",
    machine="",
    functions={
        "process_flights": Measured(ms=100, invocations=9, peak_mib=165),
        "api_handler:flights": Measured(ms=10, invocations=9, peak_mib=80),
    },
)
MEMORY = {"process_flights": 1769, "api_handler": 512}


@pytest.mark.parametrize(
    ("ms", "memory", "billed"),
    [
        (100, 1769, 100),  # a whole processor: as measured
        (100, 3538, 100),  # two processors do not halve what runs on one
        (10, 512, 35),  # 10 * 1769 / 512 = 34.55, rounded up
        (0.2, 1769, 1),  # at least a millisecond
        (100, 128, 1383),  # 100 * 13.8203 = 1382.03
    ],
)
def test_a_duration_is_stretched_to_the_functions_share_and_rounded_up(ms: float, memory: int, billed: int) -> None:
    assert billed_ms(ms, memory) == billed


def test_memory_times_time_is_in_gigabytes_and_seconds() -> None:
    assert gb_seconds(1_000, 100, 2048) == pytest.approx(200)  # 1000 * 0.1 s * 2 GB
    # One in a hundred waits for a start of 1 s besides: 1000 * (0.1 + 0.01) * 2
    assert gb_seconds(1_000, 100, 2048, started=0.01 * 1_000) == pytest.approx(220)


def test_an_amount_is_by_so_many() -> None:
    assert amount(Price(usd=3.5, per=1_000_000, unit="", source=""), 200_000) == pytest.approx(0.7)


def test_a_bill_worked_out_by_hand() -> None:
    lines = reckon(PRICES, RATES, DURATIONS, MEMORY, {})
    by_price: dict[str, list[Line]] = {}
    for line in lines:
        by_price.setdefault(line.price, []).append(line)
    process, rest = by_price["lambda_gb_second_x86_64"]
    assert process.quantity == pytest.approx(10_000 * 0.1 * 1769 / 1024)  # 1727.5 GB-s
    assert process.usd == pytest.approx(0.0172754, rel=1e-4)
    assert rest.quantity == pytest.approx(2_000_000 * 0.050 * 0.5)  # 35 ms billed and 15 waited for, half a GB
    assert rest.usd == pytest.approx(0.5)
    (requests,) = by_price["lambda_request"]
    assert requests.usd == pytest.approx(2.01 * 0.2)
    logs, of_insights = by_price["logs_ingested_gb"]
    assert logs.quantity == pytest.approx((2_010_000 * 500 + 2_000_000 * 250) / 2**30)
    assert of_insights.quantity == pytest.approx(2_010_000 * 1000 / 2**30)
    (traces,) = by_price["trace"]
    assert traces.usd == pytest.approx(201_000 * 5 / 1_000_000)
    (gateway,) = by_price["rest_request"]
    assert gateway.usd == pytest.approx(7.0)
    inside, beside = totals(lines)["flights"]
    assert beside == pytest.approx(21.9)
    assert inside + beside == pytest.approx(sum(line.usd for line in lines))


def test_the_free_tier_is_of_all_workloads_together_and_never_more_than_was_used() -> None:
    lines = reckon(PRICES, RATES, DURATIONS, MEMORY, {})
    # 100 GB-s of far more, and a million invocations of 2,010,000.
    assert free_tier(PRICES, lines) == pytest.approx(100 * 0.00001 + 0.2)
    used = [Line("x", "lambda_request", 1_000, "", 0, "", False), Line("y", "lambda_request", 500, "", 0, "", False)]
    assert free_tier(PRICES, used) == pytest.approx(1_500 * 0.2 / 1_000_000)


def changed(**workload: Any) -> Rates:
    return Rates(**{name: getattr(RATES, name) for name in RATES.__struct_fields__} | {"workloads": workload})


def test_what_has_no_price_is_named() -> None:
    rates = changed(flights=Workload(invocations={}, usage=(Usage(price="moon_dust", quantity=1, why=""),)))
    with pytest.raises(CostError, match=r"flights uses moon_dust.*prices\.json"):
        reckon(PRICES, rates, DURATIONS, MEMORY, {})


def test_a_function_that_was_not_measured_is_named() -> None:
    rates = changed(flights=Workload(invocations={"fly": 1}, usage=()))
    with pytest.raises(CostError, match="flights invokes fly"):
        reckon(PRICES, rates, DURATIONS, MEMORY, {})


def test_every_function_of_every_workload_is_in_the_table() -> None:
    _, rates, durations, memory = read()
    invoked = {name for workload in rates.workloads.values() for name in workload.invocations}
    assert {name.partition(":")[0] for name in invoked} <= set(memory)
    assert invoked <= set(durations.functions)
    assert set(rates.workloads) - {"shared"} <= {workload.name for workload in workloads(read_fragments())}


def test_a_function_without_a_rate_is_named_and_the_rest_is_reckoned() -> None:
    assert unreckoned(RATES, MEMORY) == []
    assert unreckoned(RATES, {**MEMORY, "record_weather": 256}) == ["record_weather"]


def test_every_price_has_its_source_and_the_file_its_date_and_region() -> None:
    prices, rates, durations, _ = read()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", prices.date)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", durations.measured)
    assert prices.region == "us-east-1"
    for name, price in prices.prices.items():
        assert price.source in prices.sources, name
        assert price.usd > 0 < price.per, name
    assert all(source.startswith("https://aws.amazon.com/") for source in prices.sources.values())
    assert all(usage.why for workload in rates.workloads.values() for usage in workload.usage)


def test_what_the_rates_count_is_what_the_template_has(packaged: Template) -> None:
    prices, rates, durations, memory = read()
    resources = packaged["Resources"].values()
    shared = [it for it in reckon(prices, rates, durations, memory, counts(packaged)) if it.workload == "shared"]
    alarmed = sum(len(list(stats(it["Properties"]))) for it in resources if it["Type"] == ALARM)
    assert [line.quantity for line in shared if line.price == "alarm_metric"] == [alarmed]
    assert 8 * len(memory) in [line.quantity for line in shared if line.price == "metric"]
    used = [usage for workload in rates.workloads.values() for usage in workload.usage]
    secrets = [name for name, it in packaged["Resources"].items() if it["Type"] == "AWS::SecretsManager::Secret"]
    assert sum(usage.quantity for usage in used if usage.price == "secret") == len(
        set(secrets) - {"ModelSigningSecret"}
    )
    counted = sum(usage.quantity for usage in used if usage.price == "kms_key")
    assert counted == sum(it["Type"] == "AWS::KMS::Key" for it in resources)


def test_people_are_billed_in_the_tier_that_the_template_takes(packaged: Template) -> None:
    prices, rates, _, _ = read()
    assert packaged["Parameters"]["ThreatProtection"]["Default"] != "OFF", "then the tier is Plus"
    (people,) = (it for it in rates.workloads["spendsense"].usage if it.price.startswith("active_user"))
    assert people.price == "active_user_plus"
    assert prices.prices[people.price].free == 0


def test_every_price_is_used_and_every_wait_is_of_an_invoked_function(packaged: Template) -> None:
    prices, rates, durations, memory = read()
    used = {line.price for line in reckon(prices, rates, durations, memory, counts(packaged))}
    others = {"lambda_gb_second_arm64", "active_user_essentials"}
    assert set(prices.prices) - used == others, "the other architecture's, and what is paid where something is off"
    for name, workload in rates.workloads.items():
        assert set(workload.waits_ms) <= set(workload.invocations), name


def test_functions_cost_what_each_architecture_does_and_the_rest_the_same() -> None:
    arm = Price(usd=0.000008, per=1, unit="GB-s", source="")
    prices = replace(PRICES, prices={**PRICES.prices, "lambda_gb_second_arm64": arm})
    bills = by_architecture(prices, replace(RATES, architecture="arm64"), DURATIONS, MEMORY, {})
    assert list(bills) == ["arm64", "x86_64"], "that of the rates first"
    work = {each: sum(it.usd for it in bill if "gb_second" in it.price) for each, bill in bills.items()}
    assert work["arm64"] == pytest.approx(0.8 * work["x86_64"])
    rest = [sum(it.usd for it in bill) - work[each] for each, bill in bills.items()]
    assert rest[0] == pytest.approx(rest[1])


def test_what_is_switched_off_saves_its_price_less_what_is_paid_instead() -> None:
    cheap = Price(usd=0.01, per=1, unit="hours", source="", free=30)
    usage = (
        Usage(price="database_hour", quantity=730, why="", off="Sleep=ON", instead="cheap_hour"),
        Usage(price="database_hour", quantity=10, why="", off="Noise=OFF"),
        Usage(price="database_hour", quantity=20, why="", off="Noise=OFF"),
    )
    prices = replace(PRICES, prices={**PRICES.prices, "cheap_hour": cheap})
    found = switches(reckon(prices, changed(flights=Workload(invocations={}, usage=usage)), DURATIONS, MEMORY, {}))
    assert {name: found[name] for name in ("Sleep=ON", "Noise=OFF")} == pytest.approx(
        {"Sleep=ON": 730 * 0.03 - 700 * 0.01, "Noise=OFF": 30 * 0.03}
    )
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_every_switch_is_a_parameter_with_such_a_value(packaged: Template) -> None:
    prices, rates, durations, memory = read()
    found = switches(reckon(prices, rates, durations, memory, counts(packaged)))
    assert {"Insights=DISABLED", "Tracing=DISABLED", "ThreatProtection=OFF"} <= set(found)
    for name, _, value in (switch.partition("=") for switch in found):
        parameter = packaged["Parameters"][name]
        assert value in parameter["AllowedValues"], name
        assert value != parameter["Default"], name


@pytest.mark.slow
def test_the_table_and_the_json_say_the_same(
    packaged: Template, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    bills = by_architecture(*read(), counts(packaged))
    lines = bills[read()[1].architecture]
    found = json.loads(as_json(*read()[:3], bills))
    assert found["total"] == pytest.approx(sum(line.usd for line in lines))
    assert found["total"] == pytest.approx(sum(sum(own.values()) for own in found["workloads"].values()))
    monkeypatch.setattr("sys.argv", ["cost"])
    main()
    shown = capsys.readouterr().out
    assert shown.startswith(f"{found['total']:,.2f} USD a month: ")
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count(f"{found['total']:,.2f}") == 2, "at the top and as the table's sum"
    assert found["prices_of"] in shown
    for total in found["architectures"].values():
        assert shown.count(f"{total:,.2f}") == 2, "side by side"
    places = [shown.index(switch) for switch in found["switches"]]
    assert places == sorted(places)
    assert places[-1] < shown.index("workload"), "before the table"
    monkeypatch.setattr("sys.argv", ["cost", "--details"])
    main()
    assert "process_flights" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["prices.json", "rates.json", "durations.json"])
def test_a_file_that_is_broken_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "infra" / "operate").mkdir(parents=True)
    (tmp_path / ".chalice").mkdir()
    for file in ("prices.json", "rates.json", "durations.json"):
        shutil.copy(ROOT / "infra" / "operate" / file, tmp_path / "infra" / "operate")
    shutil.copy(ROOT / ".chalice" / "config.json", tmp_path / ".chalice")
    (tmp_path / "infra" / "operate" / name).write_text("{}")
    with pytest.raises(CostError, match=rf"infra/operate/{name}: .*missing required field"):
        read(tmp_path)
