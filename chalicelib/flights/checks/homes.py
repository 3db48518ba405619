"""The regions where most aircraft of the large registers fly: a swapped or mirrored position is far from home."""

from typing import Final

from chalicelib.flights.boxes import Box

REGIONS: Final[dict[Box, str]] = {
    (14, -180, 72, -30): "United States; Canada; Mexico",
    (27, -40, 72, 45): "Austria; Belgium; Denmark; Finland; France; Germany; Greece; Hungary; Ireland; Italy; Malta;"
    " Norway; Poland; Portugal; Spain; Sweden; Switzerland; Turkey; Türkiye; United Kingdom;"
    " Kingdom of the Netherlands; Netherlands",
    (15, 73, 55, 150): "China; Japan; Republic of Korea; Taiwan",
    (5, 66, 37, 98): "India",
    (-48, 110, -8, 180): "Australia; New Zealand",
    (-35, -75, 7, -33): "Brazil",
}
"""The oceans beside them included, which their aircraft cross. Countries as OpenSky names them."""
REGION_OF: Final = {
    country.strip(): region for region, countries in enumerate(REGIONS.values()) for country in countries.split(";")
}
"""Country -> the place of its region among `REGIONS`."""
