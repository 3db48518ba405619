"""The names that OpenSky gives to countries of registration.

OpenSky derives `origin_country` from the block of 24-bit addresses to which an icao24 belongs; the blocks and the
states that hold them are in ICAO Annex 10, Volume III, Part I, appendix to chapter 9. The names are those of the
annex, in OpenSky's spelling, with the earlier or later name of a state that changed it and the short form beside
the official one, because recordings of different years use different names.
"""

from typing import Final

COUNTRIES: Final = frozenset(
    """
    Afghanistan; Albania; Algeria; Andorra; Angola; Antigua and Barbuda; Argentina; Armenia; Australia; Austria;
    Azerbaijan; Bahamas; Bahrain; Bangladesh; Barbados; Belarus; Belgium; Belize; Benin; Bhutan; Bolivia;
    Bolivia (Plurinational State of); Bolivia, Plurinational State of; Bosnia and Herzegovina; Botswana; Brazil;
    Brunei; Brunei Darussalam; Bulgaria; Burkina Faso; Burundi; Cabo Verde; Cambodia; Cameroon; Canada; Cape Verde;
    Central African Republic; Chad; Chile; China; Colombia; Comoros; Congo; Republic of the Congo; Cook Islands;
    Costa Rica; Cote d'Ivoire; Côte d'Ivoire; Croatia; Cuba; Cyprus; Czech Republic; Czechia;
    Democratic People's Republic of Korea; Democratic Republic of the Congo; Denmark; Djibouti; Dominica;
    Dominican Republic; Ecuador; Egypt; El Salvador; Equatorial Guinea; Eritrea; Estonia; Eswatini; Ethiopia; Fiji;
    Finland; France; Gabon; Gambia; Georgia; Germany; Ghana; Greece; Grenada; Guatemala; Guinea; Guinea-Bissau; Guyana;
    Haiti; Honduras; Hong Kong; Hungary; ICAO (special use); ICAO (temporary addresses); Iceland; India; Indonesia;
    Iran; Iran (Islamic Republic of); Iran, Islamic Republic of; Iraq; Ireland; Israel; Italy; Ivory Coast; Jamaica;
    Japan; Jordan; Kazakhstan; Kenya; Kingdom of the Netherlands; Kiribati; Kuwait; Kyrgyzstan;
    Lao People's Democratic Republic; Laos; Latvia; Lebanon; Lesotho; Liberia; Libya; Libyan Arab Jamahiriya;
    Liechtenstein; Lithuania; Luxembourg; Macao; Madagascar; Malawi; Malaysia; Maldives; Mali; Malta; Marshall Islands;
    Mauritania; Mauritius; Mexico; Micronesia; Micronesia, Federated States of; Moldova; Moldova, Republic of; Monaco;
    Mongolia; Montenegro; Morocco; Mozambique; Myanmar; Namibia; Nauru; Nepal; Netherlands; New Zealand; Nicaragua;
    Niger; Nigeria; Niue; North Korea; North Macedonia; Norway; Oman; Pakistan; Palau; Palestine; Panama;
    Papua New Guinea; Paraguay; Peru; Philippines; Poland; Portugal; Qatar; Republic of Korea; Republic of Moldova;
    Romania; Russia; Russian Federation; Rwanda; Saint Kitts and Nevis; Saint Lucia; Saint Vincent and the Grenadines;
    Samoa; San Marino; Sao Tome and Principe; Saudi Arabia; Senegal; Serbia; Seychelles; Sierra Leone; Singapore;
    Slovakia; Slovenia; Solomon Islands; Somalia; South Africa; South Korea; South Sudan; Spain; Sri Lanka; Sudan;
    Suriname; Swaziland; Sweden; Switzerland; Syria; Syrian Arab Republic; Taiwan; Tajikistan; Tanzania; Thailand;
    The former Yugoslav Republic of Macedonia; Timor-Leste; Togo; Tonga; Trinidad and Tobago; Tunisia; Turkey;
    Turkmenistan; Tuvalu; Türkiye; Uganda; Ukraine; United Arab Emirates; United Kingdom; United Republic of Tanzania;
    United States; Uruguay; Uzbekistan; Vanuatu; Venezuela; Venezuela, Bolivarian Republic of; Viet Nam; Vietnam;
    Yemen; Zambia; Zimbabwe
    """.replace("\n   ", "")
    .strip()
    .split("; ")
)
"""Every name that a real address can have."""
