"""OpenSky's answers without a socket: tokens, states, boxes, history, credits, clock, dirt."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.opensky.clock import ReplayClock
from local.opensky.control import ClockChange, Control, Dirt, ExtraRows, Fault, Plan
from local.opensky.credits import Box, cost, seconds_to_refill
from local.opensky.dirt import KINDS, soil
from local.opensky.recording import Recording, Snapshot
from local.opensky.service import Account, OpenSky, spoil

NOON = 1_700_049_600.0
MIDNIGHT_IS_IN = 12 * 3600
RECORDED = 1_633_608_000


class Wall:
    """A wall clock that stops until it is advanced."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def vector(icao24: str, at: int, longitude: float | None = 2.0, latitude: float | None = 48.0) -> list[Any]:
    position = None if longitude is None else at - 2
    return [icao24, "AFR12   ", "France", position, at - 1, longitude, latitude, 3000.0, False, 150.0, 90.0, 0.0]


def full(vector: list[Any]) -> list[Any]:
    return [*vector, None, None, "1000", False, 0, 0]


def recording() -> Recording:
    return Recording(
        tuple(
            Snapshot(
                at,
                [
                    full(vector("39cea2", at, 2.0 + k / 10)),
                    full(vector("0a0046", at, 7.0, 43.0)),
                    full(vector("4d0261", at, None, None)),
                ],
            )
            for k in range(1000)
            for at in (RECORDED + 10 * k,)
        ),
        step=10,
    )


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def opensky(wall: Wall) -> OpenSky:
    tokens = (f"token-{n}" for n in itertools.count(1))
    return OpenSky(
        recording(),
        ReplayClock(wall, start=4000),
        Account("me", "secret"),
        wall=wall,
        new_token=lambda: next(tokens),
        token_seconds=1800,
    )


def bearer(opensky: OpenSky) -> str:
    form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret"}
    return "Bearer " + json.loads(opensky.token(form).body)["access_token"]


def states(opensky: OpenSky, query: dict[str, list[str]] | None = None, authorization: str | None = None) -> Any:
    answer = opensky.states(query or {}, authorization)
    assert answer.status == 200, answer
    return json.loads(answer.body)


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "you", "client_secret": "secret"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "me", "client_secret": "no"}, 401, "unauthorized_client"),
    ],
)
def test_the_token_endpoint_refuses(opensky: OpenSky, form: dict[str, str], status: int, error: str) -> None:
    answer = opensky.token(form)

    assert answer.status == status
    assert json.loads(answer.body)["error"] == error


def test_a_token_serves_until_it_expires(opensky: OpenSky, wall: Wall) -> None:
    authorization = bearer(opensky)

    wall.now += 1799
    assert opensky.states({}, authorization).status == 200
    wall.now += 1
    refused = opensky.states({}, authorization)

    assert refused.status == 401
    assert "invalid_token" in refused.headers["WWW-Authenticate"]
    assert opensky.states({}, bearer(opensky)).status == 200


@pytest.mark.parametrize("authorization", ["Bearer nobody", "Basic bWU6c2VjcmV0", "Bearer", ""])
def test_a_bad_authorization_is_never_taken_for_anonymous(opensky: OpenSky, authorization: str) -> None:
    assert opensky.states({}, authorization).status == 401


def test_an_answer_has_17_fields_and_18_when_extended(opensky: OpenSky) -> None:
    assert {len(row) for row in states(opensky)["states"]} == {17}
    assert {len(row) for row in states(opensky, {"extended": ["1"]})["states"]} == {18}


def test_all_times_are_moved_to_now_alike(opensky: OpenSky) -> None:
    answer = states(opensky)

    assert answer["time"] == NOON
    assert [row[3] for row in answer["states"]] == [NOON - 2, NOON - 2, None]
    assert [row[4] for row in answer["states"]] == [NOON - 1] * 3
    assert answer["states"][0][5] == pytest.approx(2.0 + 400 / 10)


def test_between_two_snapshots_the_earlier_one_is_shown(opensky: OpenSky, wall: Wall) -> None:
    wall.now += 19.9

    answer = states(opensky)

    assert answer["time"] == NOON + 10
    assert answer["states"][0][5] == pytest.approx(2.0 + 401 / 10)


@given(st.floats(min_value=0, max_value=1e6, allow_nan=False))
def test_the_replay_never_shows_the_future_and_is_never_older_than_its_step(ahead: float) -> None:
    wall = Wall()
    opensky = OpenSky(recording(), ReplayClock(wall), Account("me", "s"), wall=wall, new_token=str)
    wall.now += ahead

    shown = states(opensky)["time"]

    assert wall.now - 10 <= shown <= wall.now + 1e-3
    assert shown % 10 == 0


def test_aircraft_are_found_by_address_in_any_case(opensky: OpenSky) -> None:
    found = states(opensky, {"icao24": ["39CEA2", "4d0261", "ffffff"]})["states"]

    assert [row[0] for row in found] == ["39cea2", "4d0261"]


def box(*corners: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in zip(("lamin", "lomin", "lamax", "lomax"), corners, strict=False)}


def test_a_box_holds_its_edges_and_no_unknown_position(opensky: OpenSky) -> None:
    assert [row[0] for row in states(opensky, box("43", "0", "44", "7.0"))["states"]] == ["0a0046"]


def test_nothing_found_is_null_not_an_empty_list(opensky: OpenSky) -> None:
    assert states(opensky, box("-50", "-50", "-49", "-49"))["states"] is None
    assert states(opensky, {"icao24": ["ffffff"]})["states"] is None


@pytest.mark.parametrize(
    "query",
    [
        box("43", "0", "44"),
        {"lomax": ["4"]},
        box("43", "0", "44", "east"),
        box("44", "0", "43", "7"),
        box("-91", "0", "43", "7"),
        box("43", "0", "44", "181"),
        box("nan", "0", "44", "8"),
        {"time": ["soon"]},
    ],
)
def test_nonsense_is_a_400_and_costs_nothing(opensky: OpenSky, query: dict[str, list[str]]) -> None:
    before = opensky.condition()["credits"]

    assert opensky.states(query, None).status == 400
    assert opensky.condition()["credits"] == before


def test_an_account_may_look_back_one_hour(opensky: OpenSky) -> None:
    authorization = bearer(opensky)

    past = states(opensky, {"time": [str(int(NOON) - 3600)]}, authorization)

    assert past["time"] == NOON - 3600
    assert past["states"][0][5] == pytest.approx(2.0 + 40 / 10)
    assert opensky.states({"time": [str(int(NOON) - 3601)]}, authorization).status == 400


def test_nobody_sees_the_future(opensky: OpenSky) -> None:
    assert states(opensky, {"time": [str(int(NOON) + 600)]}, bearer(opensky))["time"] == NOON


def test_anonymous_callers_get_the_present_whatever_they_ask(opensky: OpenSky) -> None:
    assert states(opensky, {"time": [str(int(NOON) - 600)]})["time"] == NOON


@pytest.mark.parametrize(
    ("corners", "price"),
    [((0, 0, 5, 5), 1), ((0, 0, 5, 5.1), 2), ((0, 0, 10, 10), 2), ((0, 0, 20, 20), 3), ((0, 0, 20, 20.1), 4)],
)
def test_a_call_costs_by_area(corners: tuple[float, ...], price: int) -> None:
    assert cost(Box(*corners)) == price
    assert cost(None) == 4


def test_credits_run_out_and_come_back_at_midnight(opensky: OpenSky, wall: Wall) -> None:
    opensky.control(Control(credits={"anonymous": 9}))

    remaining = [opensky.states({}, None).headers["X-Rate-Limit-Remaining"] for _ in range(2)]
    dry = opensky.states({}, None)
    small = opensky.states(box("47", "1", "49", "3"), None)

    assert remaining == ["5", "1"]
    assert (dry.status, dry.body) == (429, b"Too many requests")
    assert dry.headers["X-Rate-Limit-Retry-After-Seconds"] == str(MIDNIGHT_IS_IN)
    assert small.status == 200
    wall.now += MIDNIGHT_IS_IN
    assert opensky.states({}, None).headers["X-Rate-Limit-Remaining"] == "396"


@pytest.mark.parametrize(("kind", "daily"), [("account", "3996"), ("feeder", "7996")])
def test_an_account_has_its_own_credits(wall: Wall, kind: str, daily: str) -> None:
    opensky = OpenSky(
        recording(), ReplayClock(wall), Account("me", "secret", kind), wall=wall, new_token=lambda: "token"
    )

    assert opensky.states({}, bearer(opensky)).headers["X-Rate-Limit-Remaining"] == daily
    assert opensky.states({}, None).headers["X-Rate-Limit-Remaining"] == "396"


@given(st.floats(min_value=0, max_value=4e9))
def test_the_wait_for_new_credits_is_within_a_day(now: float) -> None:
    assert 1 <= seconds_to_refill(now) <= 86_400


def test_the_clock_can_be_moved_and_sped_up(opensky: OpenSky, wall: Wall) -> None:
    opensky.control(Control(clock=ClockChange(advance=-3600)))
    assert states(opensky)["time"] == NOON - 3600

    opensky.control(Control(clock=ClockChange(rate=60)))
    wall.now += 10
    assert states(opensky)["time"] == NOON - 3000

    opensky.control(Control(clock=ClockChange(now=NOON + 5, rate=0, position=100)))
    wall.now += 100
    assert states(opensky)["states"][0][5] == pytest.approx(2.0 + 10 / 10)
    assert NOON - 10 < states(opensky)["time"] <= NOON + 5

    opensky.control(Control(reset=True))
    assert states(opensky)["time"] == NOON + 110


def test_control_knows_the_callers(opensky: OpenSky) -> None:
    with pytest.raises(LookupError, match=r"nobody.*anonymous, me"):
        opensky.control(Control(credits={"nobody": 1}))


def test_control_can_end_all_tokens(opensky: OpenSky) -> None:
    authorization = bearer(opensky)

    opensky.control(Control(expire_tokens=True))

    assert opensky.states({}, authorization).status == 401


def test_soiled_answers_say_so_and_the_next_one_is_clean(opensky: OpenSky) -> None:
    opensky.control(
        Control(
            dirt=[Dirt(kind="swapped_coordinates"), Dirt(kind="duplicated", rows=9)],
            extra=ExtraRows(rows=[["short"], None]),
        )
    )

    soiled, clean = opensky.states({}, None), opensky.states({}, None)

    assert soiled.headers["X-Injected"] == "swapped_coordinates=1, duplicated=2, extra=2"
    rows = json.loads(soiled.body)["states"]
    assert rows[0][5:7] == [48.0, pytest.approx(42.0)]
    assert [row[0] for row in rows[3:5]] == ["0a0046", "39cea2"]
    assert rows[5:] == [["short"], None]
    assert "X-Injected" not in clean.headers
    assert len(json.loads(clean.body)["states"]) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_dirt_shows_and_spares_the_original(kind: str) -> None:
    original = [full(vector("39cea2", 1000)), full(vector("0a0046", 1000)), full(vector("4d0261", 1000, None, None))]
    before = msgspec.json.encode(original)

    soiled = soil(original, kind, [1])

    assert msgspec.json.encode(original) == before
    assert soiled != original
    assert [soiled[0], soiled[2]] == [original[0], original[2]]


def test_each_kind_of_dirt_takes_other_aircraft_and_comes_round() -> None:
    original = [full(vector(icao24, 1000)) for icao24 in ("000001", "000002", "000003")]
    dirt: list[Dirt | ExtraRows] = [
        Dirt(kind="too_fast"),
        Dirt(kind="no_country"),
        Dirt(kind="null_island", rows=2),
        Dirt(kind="stale", rows=9),
    ]

    soiled, label = spoil(original, dirt)

    assert label == "too_fast=1, no_country=1, null_island=2, stale=3"
    assert [row[9] for row in soiled] == [1500.0, 150.0, 150.0]
    assert [row[2] for row in soiled] == ["France", "", "France"]
    assert [row[5] for row in soiled] == [0.0, 2.0, 0.0]
    assert [row[4] for row in soiled] == [999 - 3600] * 3


def test_an_empty_sky_cannot_be_soiled() -> None:
    assert spoil([], [Dirt(kind="stale")]) == ([], "stale=0")


def test_faults_are_used_up_in_order_and_wait_for_their_endpoint() -> None:
    plan = Plan()
    plan.add([Fault(kind="slow", calls=2), Fault(kind="cut", endpoint="token"), Dirt(kind="stale"), Fault(kind="cut")])
    assert plan.waiting() == 5

    kinds = [fault.kind if (fault := plan.take_fault("states")) else None for _ in range(4)]

    assert kinds == ["slow", "slow", "cut", None]
    assert plan.take_fault("token") == Fault(kind="cut", endpoint="token")
    assert plan.take_dirt() == [Dirt(kind="stale")]
    assert plan.take_dirt() == []
    assert plan.waiting() == 0


@pytest.mark.parametrize(
    "message",
    [
        b'{"faults": [{"kind": "explode"}]}',
        b'{"faults": [{"kind": "slow", "calls": 0}]}',
        b'{"dirt": [{"kind": "mud"}]}',
        b'{"clock": {"rate": -1}}',
        b'{"credits": {"me": -1}}',
        b'{"unknown": 1}',
        b"not json",
    ],
)
def test_control_messages_are_strict(message: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        msgspec.json.decode(message, type=Control)
