"""Sign-in: ID tokens as Cognito signs them, and every way in which a token is invalid."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from chalicelib.adapters.cognito import RsaKey
from chalicelib.entry.limits import MOST, AddressLimits
from chalicelib.entry.operators import MACHINE, Operators
from chalicelib.entry.signin import SignIn, groups_of
from chalicelib.errors import Forbidden, RateLimited, Unauthenticated, UpstreamUnavailable
from chalicelib.spendsense.identity import Pool
from tests.fakes.clock import Clock
from tests.fakes.uploads import FakeCounters

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
POOL = Pool("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool", frozenset({"console"}))
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLAIMS = {
    "iss": POOL.issuer,
    "aud": "console",
    "sub": "0b5c0f4e-0000-4000-8000-000000000001",
    "token_use": "id",
    "exp": int(NOW.timestamp()) + 60,
    "cognito:groups": ["operators"],
}


ADDRESS = "192.0.2.1"


def operators_of(machine_token: str, signin: SignIn, counters: Any = None) -> Operators:
    return Operators(lambda: machine_token, signin, AddressLimits(counters or FakeCounters(), Clock(NOW)))


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def token(
    claims: dict[str, Any] | None = None, *, key: Any = KEY, digest: HashAlgorithm | None = None, **header: Any
) -> str:
    head = encoded(json.dumps({"alg": "RS256", "kid": "key-1", **header}).encode())
    signed = f"{head}.{encoded(json.dumps({**CLAIMS, **(claims or {})}).encode())}"
    return f"{signed}.{encoded(key.sign(signed.encode(), padding.PKCS1v15(), digest or SHA256()))}"


def find_key(issuer: str, key_id: str) -> RsaKey | None:
    numbers = KEY.public_key().public_numbers()
    return RsaKey(numbers.n, numbers.e) if (issuer, key_id) == (POOL.issuer, "key-1") else None


@pytest.fixture
def signin() -> SignIn:
    return SignIn(pool=lambda: POOL, key=find_key, clock=lambda: NOW)


@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_a_token_of_the_pool_is_valid(signin: SignIn, scheme: str) -> None:
    assert signin.claims(scheme + token())["sub"] == CLAIMS["sub"]


def tampered(place: int) -> str:
    parts = token().split(".")
    parts[place] = parts[place][:-2] + ("AA" if parts[place][-2:] != "AA" else "BB")
    return ".".join(parts)


INVALID = {
    "expired": token({"exp": int(NOW.timestamp())}),
    "no expiry": token({"exp": None}),
    "an expiry that is a text": token({"exp": "9999999999"}),
    "another pool": token({"iss": POOL.issuer + "x"}),
    "another application": token({"aud": "somebody-else"}),
    "an access token": token({"token_use": "access"}),
    "no subject": token({"sub": None}),
    "another key": token(key=OTHER),
    "another digest": token(digest=SHA1()),
    "an unknown key": token(kid="key-2"),
    "no key": token(kid=""),
    "no algorithm": token(alg="none"),
    "an algorithm with a shared secret": token(alg="HS256"),
    "no signature": token().rpartition(".")[0] + ".",
    "a changed payload": tampered(1),
    "a changed signature": tampered(2),
    "a short signature": token()[:-8],
    "a long signature": token() + "AAAA",
    "two parts": "a.b",
    "rubbish": "rubbish",
    "nothing": "",
    "what is not ASCII": "é.é.é",
    "deep nesting": ".".join([encoded(b'{"a":' * 5000)] * 3),
}


@pytest.mark.parametrize("name", INVALID)
def test_any_other_is_not(signin: SignIn, name: str) -> None:
    with pytest.raises(Unauthenticated):
        signin.claims(INVALID[name])


@pytest.mark.parametrize(
    "groups", ["operators", "[operators]", "operators,x", ["not,operators"], ["Operators"], None, {}]
)
def test_groups_are_the_list_that_cognito_wrote(signin: SignIn, groups: Any) -> None:
    assert "operators" not in groups_of({"cognito:groups": groups})
    with pytest.raises(Forbidden):
        operators_of("", signin).admit(None, token({"cognito:groups": groups}), ADDRESS)


def test_operators_are_members_of_the_group_and_machines_with_the_token(signin: SignIn) -> None:
    operators = operators_of("a token of machines", signin)
    assert operators.admit("a token of machines", None, ADDRESS) == MACHINE
    assert operators.admit(None, token(), ADDRESS) == CLAIMS["sub"]
    for given, authorization in (("guessed", token()), ("", None), (None, None)):
        with pytest.raises(Forbidden):
            operators.admit(given, authorization, ADDRESS)
    with pytest.raises(Unauthenticated):
        operators.admit(None, INVALID["another key"], ADDRESS)


def test_an_empty_token_admits_nobody(signin: SignIn) -> None:
    with pytest.raises(Forbidden):
        operators_of("", signin).admit("", None, ADDRESS)


def test_guesses_are_metered_and_an_address_has_few(signin: SignIn, capsys: pytest.CaptureFixture[str]) -> None:
    operators = operators_of("right", signin)
    for number in range(MOST["refusal"]):
        with pytest.raises(Forbidden):
            operators.admit(f"guess {number}", None, ADDRESS)
        with pytest.raises(Unauthenticated):
            operators.admit(None, INVALID["another key"], ADDRESS)
    with pytest.raises(RateLimited):
        operators.admit("right", None, ADDRESS)
    assert operators.admit("right", None, "192.0.2.2") == MACHINE
    assert operators.admit(None, token(), ADDRESS) == CLAIMS["sub"]
    assert capsys.readouterr().out.count("OperatorsRefused") >= MOST["refusal"]


def test_where_the_counts_cannot_be_kept_the_token_decides(signin: SignIn) -> None:
    class Down:
        def add(self, name: str, ends_at: datetime) -> int:
            raise UpstreamUnavailable("the table of counts is down")

        def count(self, name: str) -> int:
            return self.add(name, NOW)

    operators = operators_of("right", signin, Down())
    assert operators.admit("right", None, ADDRESS) == MACHINE
    with pytest.raises(Forbidden):
        operators.admit("wrong", None, ADDRESS)


def test_who_sends_nothing_is_refused_and_not_counted(signin: SignIn) -> None:
    counters = FakeCounters()
    with pytest.raises(Forbidden):
        operators_of("right", signin, counters).admit(None, None, ADDRESS)
    assert not counters.counts
