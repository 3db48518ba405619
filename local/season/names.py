"""Names: invented artists and venues, genres, and venue types with their characteristics."""

from typing import NamedTuple


class VenueKind(NamedTuple):
    """A type of venue: its capacity, its names, and its demand relative to an average one."""

    name: str
    smallest: int
    largest: int
    nouns: tuple[str, ...]
    pull: float
    share: float


VENUE_KINDS: tuple[VenueKind, ...] = (
    VenueKind("club", 250, 1500, ("Cellar", "Room", "Basement", "Social Club"), 1.10, 0.34),
    VenueKind("theater", 900, 4200, ("Theatre", "Playhouse", "Palace", "Opera House"), 1.05, 0.28),
    VenueKind("hall", 1500, 7000, ("Hall", "Ballroom", "Exchange", "Auditorium"), 1.00, 0.16),
    VenueKind("arena", 8000, 20000, ("Arena", "Dome", "Coliseum"), 0.94, 0.12),
    VenueKind("amphitheater", 5000, 18000, ("Amphitheatre", "Bowl", "Pavilion"), 0.90, 0.06),
    VenueKind("stadium", 25000, 70000, ("Stadium", "Park", "Field"), 0.84, 0.04),
)

GENRES: tuple[tuple[str, float], ...] = (
    ("rock", 1.05),
    ("pop", 1.15),
    ("indie", 0.95),
    ("rock/indie", 1.00),
    ("hip-hop", 1.10),
    ("electronic", 1.05),
    ("pop/electronic", 1.08),
    ("country", 1.02),
    ("jazz", 0.85),
    ("classical", 0.88),
    ("metal", 0.98),
    ("folk", 0.86),
    ("r&b", 1.00),
    ("latin", 1.08),
    ("blues", 0.84),
    ("jazz/blues", 0.85),
)
"""Each genre with its demand relative to an average one."""

FIRST_WORDS = (
    "Amber", "Arctic", "Atlas", "Autumn", "Brass", "Broken", "Cedar", "Cobalt", "Copper", "Crimson", "Crooked", "Delta",
    "Distant", "Electric", "Ember", "Falling", "Feral", "Fern", "Foxglove", "Ghost", "Gilded", "Glass", "Golden",
    "Granite", "Harbor", "Hollow", "Indigo", "Iron", "Ivory", "Juniper", "Kindred", "Lantern", "Lavender", "Little",
    "Lonesome", "Lunar", "Marble", "Meridian", "Midnight", "Mirror", "Neon", "Northern", "Ocean", "Opal", "Paper",
    "Pale", "Prairie", "Quiet", "Radiant", "Raven", "Rustic", "Saffron", "Salt", "Scarlet", "Silent", "Silver",
    "Sleepy", "Solar", "Southern", "Static", "Stone", "Summer", "Sunday", "Tidal", "Timber", "Velvet", "Violet",
    "Wandering", "Wild", "Winter",
)  # fmt: skip

SECOND_WORDS = (
    "Anthem", "Arcade", "Assembly", "Avenue", "Ballads", "Bandits", "Beacons", "Bridges", "Brigade", "Canyons",
    "Cathedral", "Choir", "Circus", "Collective", "Comets", "Country", "Coyotes", "Delights", "District", "Dreamers",
    "Echoes", "Engines", "Ensemble", "Fables", "Faces", "Falcons", "Fever", "Foxes", "Gardens", "Giants", "Gospel",
    "Harvest", "Hearts", "Highway", "Horizons", "Hounds", "Islands", "Kites", "Ladders", "Letters", "Lights", "Lions",
    "Machines", "Mothers", "Motel", "Mountains", "Nomads", "Orchestra", "Orchids", "Outlaws", "Parade", "Pilots",
    "Planets", "Postcards", "Quartet", "Radio", "Rivers", "Rooftops", "Sailors", "Satellites", "Saints", "Shadows",
    "Sisters", "Sparrows", "Strangers", "Swans", "Theory", "Tigers", "Travelers", "Trio", "Union", "Valley", "Waves",
    "Wolves",
)  # fmt: skip

VENUE_WORDS = (
    "Alder", "Beacon", "Bluebird", "Capitol", "Castle", "Central", "Corner", "Crescent", "Crown", "Eagle", "Empire",
    "Fairmont", "Foundry", "Gateway", "Grand", "Granary", "Harbour", "Highland", "Imperial", "Junction", "Keystone",
    "Lakeside", "Liberty", "Lyric", "Majestic", "Market", "Metropole", "Mill", "Monument", "Orpheum", "Park", "Phoenix",
    "Pier", "Plaza", "Regent", "Rialto", "Riverside", "Roxbury", "Royal", "Station", "Sunset", "Tower", "Union",
    "Victoria", "Warehouse", "Westgate",
)  # fmt: skip

AMENITIES = ("parking", "bar", "wheelchair access", "cloakroom", "merchandise", "outdoor area", "standing room", "food")
SEGMENTS = ("general", "member", "student", "corporate", "presale")
TIERS = (("standard", 1.0, 0.68), ("premium", 1.7, 0.22), ("vip", 3.2, 0.10))
"""Each price tier with its price relative to the standard and its share of tickets."""
