"""The state that registered an aircraft, by its 24-bit address.

ICAO assigns every state a block of addresses (Annex 10, Volume III, appendix to chapter 9), and OpenSky derives
`origin_country` only from the block. Only the recording's blocks are listed, with OpenSky's names.
"""

BLOCKS: tuple[tuple[int, int, str], ...] = (
    (0x010000, 0x017FFF, "Egypt"),
    (0x028000, 0x02FFFF, "Tunisia"),
    (0x06A000, 0x06A3FF, "Qatar"),
    (0x0A0000, 0x0A7FFF, "Algeria"),
    (0x300000, 0x33FFFF, "Italy"),
    (0x340000, 0x37FFFF, "Spain"),
    (0x380000, 0x3BFFFF, "France"),
    (0x3C0000, 0x3FFFFF, "Germany"),
    (0x400000, 0x43FFFF, "United Kingdom"),
    (0x440000, 0x447FFF, "Austria"),
    (0x460000, 0x467FFF, "Finland"),
    (0x468000, 0x46FFFF, "Greece"),
    (0x470000, 0x477FFF, "Hungary"),
    (0x480000, 0x487FFF, "Kingdom of the Netherlands"),
    (0x488000, 0x48FFFF, "Poland"),
    (0x490000, 0x497FFF, "Portugal"),
    (0x498000, 0x49FFFF, "Czech Republic"),
    (0x4A8000, 0x4AFFFF, "Sweden"),
    (0x4B0000, 0x4B7FFF, "Switzerland"),
    (0x4B8000, 0x4BFFFF, "Turkey"),
    (0x4CA000, 0x4CAFFF, "Ireland"),
    (0x4CC000, 0x4CCFFF, "Iceland"),
    (0x4D0000, 0x4D03FF, "Luxembourg"),
    (0x4D2000, 0x4D23FF, "Malta"),
    (0x500000, 0x5003FF, "San Marino"),
    (0x502C00, 0x502FFF, "Latvia"),
    (0x506C00, 0x506FFF, "Slovenia"),
    (0x682000, 0x6823FF, "Mongolia"),
    (0x710000, 0x717FFF, "Saudi Arabia"),
    (0x738000, 0x73FFFF, "Israel"),
    (0x748000, 0x74FFFF, "Lebanon"),
    (0x780000, 0x7BFFFF, "China"),
    (0x7C0000, 0x7FFFFF, "Australia"),
    (0x840000, 0x87FFFF, "Japan"),
    (0x896000, 0x896FFF, "United Arab Emirates"),
    (0xA00000, 0xAFFFFF, "United States"),
    (0xC00000, 0xC3FFFF, "Canada"),
)


def country_of(icao24: str) -> str:
    """The state whose block contains the address (six hex digits); LookupError if no listed block does."""
    address = int(icao24, 16)
    for first, last, country in BLOCKS:
        if first <= address <= last:
            return country
    raise LookupError(f"icao24 {icao24!r} lies in none of the address blocks of local/opensky/countries.py")
