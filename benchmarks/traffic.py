"""Made-up air traffic, the same for the same seed: OpenSky answers with the shapes that real ones have.

Text as OpenSky writes it (compact, 4 or 2 decimals, callsigns padded to 8). About 8 % of aircraft are on the ground,
3 % have no position, 40 % no squawk, 2 % no callsign; altitudes come in steps of 25 ft, vertical rates in 64 ft/min.
"""

import random

SNAPSHOT_TIME = 1_633_608_000
SEED = 20_211_007

_AIRLINES = (
    "AAL AFR ANA BAW CCA CES CPA CSN DAL DLH EIN ETH EZY IBE JBU KLM LOT QFA QTR RYR SAS SIA SWA SWR TAM THY UAE UAL"
)
_AIRLINE = _AIRLINES.split()
_COUNTRIES = {
    "United States": 40,
    "Germany": 6,
    "United Kingdom": 6,
    "China": 5,
    "Canada": 4,
    "Ireland": 4,
    "France": 4,
    "Turkey": 3,
    "India": 3,
    "Brazil": 3,
    "Australia": 3,
    "Japan": 2,
    "Kingdom of the Netherlands": 2,
    "Switzerland": 2,
    "Iran, Islamic Republic of": 1,
    "Côte d'Ivoire": 1,
}
_HUBS = [
    (-84.4, 33.6),
    (-87.9, 41.9),
    (-118.4, 33.9),
    (-0.4, 51.5),
    (8.6, 50.0),
    (2.5, 49.0),
    (28.8, 41.3),
    (116.6, 40.1),
    (139.8, 35.5),
    (151.2, -33.9),
]


def snapshot(rows: int, seed: int = SEED) -> bytes:
    """An answer of `/api/states/all?extended=1` with this many state vectors."""
    draw = random.Random(seed)
    addresses = draw.sample(range(1 << 24), rows)
    countries = draw.choices(list(_COUNTRIES), list(_COUNTRIES.values()), k=rows)
    states = ",".join(map(_state, addresses, countries, [draw] * rows))
    return f'{{"time":{SNAPSHOT_TIME},"states":[{states}]}}'.encode()


def _state(address: int, country: str, draw: random.Random) -> str:
    chance = draw.random
    contact = SNAPSHOT_TIME - int(chance() ** 4 * 280)
    ground = chance() < 0.08
    position = "null,null"
    seen = "null"
    if chance() > 0.03:
        longitude, latitude = draw.choice(_HUBS)
        position = f"{longitude + draw.gauss(0, 9):.4f},{latitude + draw.gauss(0, 5):.4f}"
        seen = str(contact - int(chance() * 3))
    feet = 25 * int(chance() * 1640)
    baro = "null" if ground else f"{feet * 0.3048:.2f}"
    geo = "null" if ground or chance() < 0.06 else f"{(feet + 25 * int(draw.gauss(8, 12))) * 0.3048:.2f}"
    speed = f"{chance() * 8:.2f}" if ground else f"{min(300.0, 60 + feet / 180 + chance() * 30):.2f}"
    climb = "null" if ground else "0" if chance() < 0.5 else f"{64 * int(draw.gauss(0, 16)) * 0.00508:.2f}"
    squawk = "null" if chance() < 0.4 else f'"{int(chance() * 4096):04o}"'
    source = 0 if chance() < 0.96 else 2
    return (
        f'["{address:06x}",{_callsign(draw)},"{country}",{seen},{contact},{position},{baro},'
        f"{str(ground).lower()},{speed},{chance() * 360:.2f},{climb},null,{geo},{squawk},false,{source},"
        f"{int(chance() * 8)}]"
    )


def _callsign(draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.02:
        return "null"
    if kind < 0.2:
        return f'"{f"N{draw.randrange(1, 99_999)}":8}"'
    return f'"{f"{draw.choice(_AIRLINE)}{draw.randrange(1, 9_999)}":8}"'
