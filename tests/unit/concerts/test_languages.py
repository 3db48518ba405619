"""What the local chat takes whole messages in Spanish, French, German, Italian and Portuguese to ask."""

# ruff: noqa: E501

from datetime import date
from typing import Any

import pytest

from chalicelib.concerts.languages import in_english
from chalicelib.concerts.lexicon import Lexicon
from chalicelib.concerts.reading import read
from chalicelib.concerts.values import ChatQuestion, NamedArtist, NamedVenue, Place, Vocabulary
from chalicelib.concerts.words import words_of
from tests.unit.concerts.test_reading import TODAY

US = "United States"
AUSTIN, BOSTON, MIAMI = (
    Place("Austin", "Texas", US),
    Place("Boston", "Massachusetts", US),
    Place("Miami", "Florida", US),
)
ANGELES, VEGAS = Place("Los Angeles", "California", US), Place("Las Vegas", "Nevada", US)
YORK, PHILADELPHIA = Place("New York", "New York", US), Place("Philadelphia", "Pennsylvania", US)
MONTREAL = Place("Montreal", "Quebec", "Canada")
CHICAGO = Place("Chicago", "Illinois", US)
WORLD = Lexicon(
    Vocabulary(
        genres=(
            "rock",
            "jazz",
            "blues",
            "hip-hop",
            "country",
            "electronic",
            "classical",
            "metal",
            "latin",
            "pop",
            "folk",
        ),
        places=(AUSTIN, BOSTON, MIAMI, ANGELES, VEGAS, YORK, PHILADELPHIA, MONTREAL, CHICAGO),
        venue_types=("club", "theater", "arena", "stadium", "hall", "amphitheater"),
        artists=tuple(
            NamedArtist(f"art-{number}", name, "rock")
            for number, name in enumerate(("Winter Wolves", "Midnight Echo", "La Casa Azul", "Los Gatos", "Hoy"))
        ),
        venues=(
            NamedVenue("ven-1", "Sunday Hall", BOSTON, "arena"),
            NamedVenue("ven-2", "Teatro Solo", MIAMI, "theater"),
        ),
    )
)


def asked(message: str) -> ChatQuestion:
    return read(message, WORLD, TODAY)


def days(first: str, last: str) -> dict[str, Any]:
    """The days from the first until before the last, as month-day of this season or year-month-day."""
    return {"since": _day(first), "until": _day(last)}


def _day(text: str) -> date | None:
    whole = text if text.count("-") == 2 else f"{2026 if text[:2] in {'11', '12'} else 2027}-{text}"
    return date.fromisoformat(whole) if text else None


FORECAST, TOTALS = {"intent": "ticket_prediction"}, {"intent": "data_analysis", "topic": "totals"}
LOOKUP, COURTEOUS = {"intent": "artist_lookup"}, {"intent": "general_query", "topic": ""}
CONCERTS = {"intent": "concert_recommendation", "topic": "concerts"}
VENUE, VENUES = {"intent": "venue_search", "topic": "venue"}, {"intent": "venue_search", "topic": "venues"}
PRICE = {"intent": "concert_recommendation", "topic": "price"}
WHOLE: dict[str, Any] = {"unused": ()}
"""Nothing of the message was left unused."""

SPANISH: tuple[tuple[str, dict[str, Any]], ...] = (
    ("hola, busco conciertos de jazz en boston para este fin de semana", {"genres": ("jazz",), "places": (BOSTON,), **days("11-21", "11-23"), **WHOLE}),
    ("Soy turista y estaré en Miami del 26 al 30 de diciembre, ¿qué conciertos hay?", {"places": (MIAMI,), **days("12-26", "12-31"), **CONCERTS}),
    ("quiero musica electronica mañana por la noche, maximo 70 dolares por persona", {"genres": ("electronic",), "max_price": 70.0, **days("11-22", "11-23"), **WHOLE}),
    ("¿qué hay el 5 de diciembre en Los Ángeles?", {"places": (ANGELES,), **days("12-05", "12-06"), **WHOLE}),
    ("algo de rock en las vegas por menos de 50 dolares", {"genres": ("rock",), "places": (VEGAS,), "max_price": 50.0, **WHOLE}),
    ("música clásica antes de Navidad en Nueva York", {"genres": ("classical",), "places": (YORK,), "since": None, "until": date(2026, 12, 25), **WHOLE}),
    ("dame tres conciertos de blues en Austin, por favor", {"count": 3, "genres": ("blues",), "places": (AUSTIN,), **WHOLE}),
    ("nada de rock ni country, solo jazz", {"genres": ("jazz",), "not_genres": ("rock", "country"), **WHOLE}),
    ("no quiero metal, quiero algo de pop hoy en Boston", {"genres": ("pop",), "not_genres": ("metal",), "places": (BOSTON,), **days("11-21", "11-22")}),
    ("cualquier cosa excepto hip hop en Miami", {"not_genres": ("hip-hop",), "genres": (), "places": (MIAMI,)}),
    ("¿cuándo toca Winter Wolves?", {**LOOKUP, **WHOLE}),
    ("cuando tocan los winter wolves en boston", {**LOOKUP, "places": (BOSTON,), **WHOLE}),
    ("¿cuánto cuesta la entrada para Midnight Echo?", {**PRICE, **WHOLE}),
    ("cuantas entradas va a vender Winter Wolves?", FORECAST | WHOLE),
    ("cuanto dinero va a ganar Midnight Echo", FORECAST | WHOLE),
    ("ingresos totales de Winter Wolves el mes pasado", {**TOTALS, **days("2026-10-01", "11-01"), **WHOLE}),
    ("¿cuántas entradas se vendieron en Boston en 2025?", {**TOTALS, "places": (BOSTON,), **days("2025-01-01", "2026-01-01"), **WHOLE}),
    ("dónde está Sunday Hall?", VENUE | WHOLE),
    ("la dirección de Sunday Hall por favor", VENUE | WHOLE),
    ("cuáles son las salas más populares de Boston", {**VENUES, "places": (BOSTON,), **WHOLE}),
    ("salas para 2000 personas en Chicago", {"min_capacity": 2000, "places": (CHICAGO,), "max_price": None, "count": None, **WHOLE}),
    ("somos cuatro, tenemos 200 dolares en total para un concierto de rock", {"max_price": 50.0, "genres": ("rock",), **WHOLE}),
    ("algo lo más barato posible el sábado en un club", {"by_price": True, "venue_types": ("club",), **days("11-21", "11-22"), **WHOLE}),
    ("conciertos gratis la semana que viene", {"max_price": 0.0, **days("11-23", "11-30"), **WHOLE}),
    ("entre el 3 y el 8 de enero en Montreal, música latina o folk", {"genres": ("latin", "folk"), "places": (MONTREAL,), **days("01-03", "01-09"), **WHOLE}),
    ("conciertos desde enero", {"since": date(2027, 1, 1), "until": None, **WHOLE}),
    ("algo para nochevieja en miami o boston?", {"places": (MIAMI, BOSTON), **days("12-31", "2027-01-01"), **WHOLE}),
    ("que puedes hacer?", COURTEOUS),
    ("muchas gracias y buenas noches", COURTEOUS),
    ("ayuda, como funciona esto", COURTEOUS),
    ("quiero ir a un concierto el proximo mes, hasta 40 dolares", {"max_price": 40.0, **days("12-01", "01-01"), **WHOLE}),
    ("cinco conciertos en un estadio o un teatro", {"count": 5, "venue_types": ("stadium", "theater"), **WHOLE}),
    ("cuándo toca La Casa Azul en Miami", {**LOOKUP, "places": (MIAMI,), **WHOLE}),
    ("sin rock, cerca de Boston, el viernes", {"not_genres": ("rock",), "places": (BOSTON,), **days("11-27", "11-28"), **WHOLE}),
    ("conciertos de treinta y cinco dolares como mucho este mes", {"max_price": 35.0, **WHOLE}),
    ("hola buenas, para dos personas algo tranquilo en boston", {"places": (BOSTON,)}),
    ("conciertos el 5/12 en boston", days("12-05", "12-06") | WHOLE),
    ("que sala vende mas entradas en Chicago", {**VENUES, "order_by": "revenue", "places": (CHICAGO,), **WHOLE}),
    ("mi esposa y yo estaremos en nueva york la primera semana de enero y tenemos 200 dolares en total", {"max_price": 100.0, "places": (YORK,), **days("01-01", "01-08"), **WHOLE}),
    ("no me importa el genero, pero que sea barato y en diciembre", {"by_price": True, **days("12-01", "01-01"), **WHOLE}),
    ("¿DÓNDE HAY JAZZ ESTA NOCHE EN BOSTON?", {"genres": ("jazz",), "places": (BOSTON,), **days("11-21", "11-22"), **WHOLE}),
    ("y en Boston?", {"places": (BOSTON,), "follows": True, **WHOLE}),
    ("algo parecido a Midnight Echo", {"topic": "similar", **WHOLE}),
    ("de viernes a domingo en Boston", {"places": (BOSTON,), **days("11-27", "11-30"), **WHOLE}),
    ("ingresos de enero a marzo de 2026", {**TOTALS, **days("2026-01-01", "2026-04-01"), **WHOLE}),
)  # fmt: skip
FRENCH: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Bonjour, je cherche un concert de jazz à Montréal ce week-end", {"genres": ("jazz",), "places": (MONTREAL,), **days("11-21", "11-23"), **WHOLE}),
    ("on voudrait sortir ce soir a boston, pas trop cher", {"places": (BOSTON,), "by_price": True, **days("11-21", "11-22"), **WHOLE}),
    ("du 3 au 5 janvier à New York, de la musique classique s'il vous plaît", {"genres": ("classical",), "places": (YORK,), **days("01-03", "01-06"), **WHOLE}),
    ("moins de 50 dollars, pas de rock", {"max_price": 50.0, "not_genres": ("rock",), **WHOLE}),
    ("un concert de rock avant Noël sauf à Boston", {"genres": ("rock",), "not_places": (BOSTON,), "since": None, "until": date(2026, 12, 25), **WHOLE}),
    ("Budget 100 dollars en tout, nous sommes deux, du blues demain", {"max_price": 50.0, "genres": ("blues",), **days("11-22", "11-23"), **WHOLE}),
    ("quand joue Winter Wolves ?", LOOKUP | WHOLE),
    ("combien coûte Midnight Echo", PRICE | WHOLE),
    ("combien de billets vont se vendre pour Winter Wolves ?", FORECAST | WHOLE),
    ("combien va gagner Midnight Echo ?", FORECAST),
    ("combien avons-nous gagné l'année dernière à Boston", {**TOTALS, "places": (BOSTON,), **days("2025-01-01", "2026-01-01"), **WHOLE}),
    ("les recettes de Winter Wolves le mois dernier", {**TOTALS, **days("2026-10-01", "11-01"), **WHOLE}),
    ("combien de billets ont été vendus en 2025 à Philadelphie", {**TOTALS, "places": (PHILADELPHIA,), **days("2025-01-01", "2026-01-01"), **WHOLE}),
    ("quelles sont les salles les plus populaires à Chicago ?", {**VENUES, "places": (CHICAGO,), **WHOLE}),
    ("une salle d'au moins 1000 places à Boston", {"min_capacity": 1000, "places": (BOSTON,), "max_price": None, **WHOLE}),
    ("où se trouve Sunday Hall ?", VENUE | WHOLE),
    ("quelle est l'adresse de Sunday Hall", VENUE | WHOLE),
    ("quelle est la capacité de Sunday Hall ?", VENUE | WHOLE),
    ("donne-moi cinq concerts de métal", {"count": 5, "genres": ("metal",), **WHOLE}),
    ("merci beaucoup et bonne soirée", COURTEOUS),
    ("bonjour", COURTEOUS),
    ("qu'est-ce que tu peux faire ?", COURTEOUS),
    ("aide moi, comment ca marche", COURTEOUS),
    ("seulement du jazz, la semaine prochaine", {"genres": ("jazz",), **days("11-23", "11-30"), **WHOLE}),
    ("y a-t-il des concerts gratuits samedi prochain dans un théâtre ?", {"max_price": 0.0, "venue_types": ("theater",), **days("11-28", "11-29"), **WHOLE}),
    ("qu'y a-t-il à faire à la Saint-Sylvestre à Boston", {"places": (BOSTON,), **days("12-31", "2027-01-01"), **WHOLE}),
    ("je voudrais le moins cher possible, a partir du 10 décembre", {"by_price": True, "since": date(2026, 12, 10), "until": None, **WHOLE}),
    ("ni rock ni metal, plutôt de l'électro ou de la pop", {"genres": ("electronic", "pop"), "not_genres": ("rock", "metal"), **WHOLE}),
    ("j'aime le jazz mais je n'aime pas le blues", {"genres": ("jazz",), "not_genres": ("blues",), **WHOLE}),
    ("des concerts le 1er décembre entre 20 et 40 dollars", {"min_price": 20.0, "max_price": 40.0, **days("12-01", "12-02"), **WHOLE}),
    ("nous sommes quatre et on a 200 euros au total", {"max_price": 50.0, **WHOLE}),
    ("je n'aime ni le metal ni le rap, vendredi soir", {"not_genres": ("metal", "hip-hop"), **days("11-27", "11-28")}),
    ("concerts de folk jusqu'au 15 décembre sans country", {"genres": ("folk",), "not_genres": ("country",), "since": None, "until": date(2026, 12, 16), **WHOLE}),
    ("jusqu'à 40 dollars", {"max_price": 40.0, **WHOLE}),
    ("trois places pour un concert en fauteuil roulant", {"unused": ("fauteuil",)}),
    ("pas de rock, du blues s'il vous plaît", {"genres": ("blues",), "not_genres": ("rock",), **WHOLE}),
    ("les recettes de janvier à mars 2026", {**TOTALS, **days("2026-01-01", "2026-04-01"), **WHOLE}),
    ("montre-moi les 5 concerts les moins chers de décembre", {"count": 5, "by_price": True, **days("12-01", "01-01"), **WHOLE}),
    ("un petit club à Austin avec du blues", {"max_capacity": 1500, "venue_types": ("club",), "genres": ("blues",), **WHOLE}),
    ("et demain ?", {"follows": True, **days("11-22", "11-23"), **WHOLE}),
    ("je veux réserver deux places pour Winter Wolves", {"intent": "concert_recommendation", "unused": ("cannot book",)}),
)  # fmt: skip
GERMAN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Hallo, ich suche ein Jazzkonzert in Boston am Wochenende", {"genres": ("jazz",), "places": (BOSTON,), **days("11-21", "11-23"), **WHOLE}),
    ("Welche Konzerte gibt es vom 4. bis 6. Dezember in New York?", {"places": (YORK,), **days("12-04", "12-07"), **WHOLE}),
    ("was ist am 12. Dezember in Miami los", {"places": (MIAMI,), **days("12-12", "12-13"), **WHOLE}),
    ("klassische Musik vor Weihnachten, bitte", {"genres": ("classical",), "since": None, "until": date(2026, 12, 25), **WHOLE}),
    ("Konzerte ab Januar", {"since": date(2027, 1, 1), "until": None, **WHOLE}),
    ("kein Rock, keine Country-Musik, nur Blues", {"genres": ("blues",), "not_genres": ("rock", "country"), **WHOLE}),
    ("ich mag keinen Metal, lieber Jazz oder Folk", {"genres": ("jazz", "folk"), "not_genres": ("metal",), **WHOLE}),
    ("maximal 50 Dollar, heute abend in chicago", {"max_price": 50.0, "places": (CHICAGO,), **days("11-21", "11-22"), **WHOLE}),
    ("wir sind zu dritt und haben 150 Dollar insgesamt", {"max_price": 50.0, **WHOLE}),
    ("Tickets für zwei Personen für ein Popkonzert am Freitag", {"genres": ("pop",), **days("11-27", "11-28")}),
    ("Wann spielt Winter Wolves?", LOOKUP | WHOLE),
    ("wann spielen die Winter Wolves in Boston", {**LOOKUP, "places": (BOSTON,), **WHOLE}),
    ("was kostet Midnight Echo", PRICE | WHOLE),
    ("wie viel kosten die Karten für Midnight Echo?", PRICE | WHOLE),
    ("Wie viele Tickets wird Winter Wolves verkaufen?", FORECAST | WHOLE),
    ("wie viel Geld wird Midnight Echo einnehmen", FORECAST | WHOLE),
    ("Wie viele Tickets wurden 2025 in Philadelphia verkauft?", {**TOTALS, "places": (PHILADELPHIA,), **days("2025-01-01", "2026-01-01"), **WHOLE}),
    ("Umsatz von Winter Wolves letzten Monat", {**TOTALS, **days("2026-10-01", "11-01"), **WHOLE}),
    ("wie viel haben wir letztes Jahr in Boston verdient?", {**TOTALS, "places": (BOSTON,), **days("2025-01-01", "2026-01-01"), **WHOLE}),
    ("beliebteste Hallen in Chicago", {**VENUES, "venue_types": ("hall",), "places": (CHICAGO,), **WHOLE}),
    ("mindestens 500 Plätze, in einem Theater", {"min_capacity": 500, "venue_types": ("theater",), **WHOLE}),
    ("wo ist die Sunday Hall?", VENUE | WHOLE),
    ("Adresse von Sunday Hall", VENUE),
    ("zeig mir drei Konzerte in einem Stadion oder einer Arena", {"count": 3, "venue_types": ("stadium", "arena"), **WHOLE}),
    ("hilfe wie funktioniert das hier", COURTEOUS),
    ("vielen dank und auf wiedersehen", COURTEOUS),
    ("Danke schön!", COURTEOUS),
    ("so billig wie möglich, nächste Woche", {"by_price": True, **days("11-23", "11-30"), **WHOLE}),
    ("kostenlose Konzerte nächsten Monat außer in Miami", {"max_price": 0.0, "not_places": (MIAMI,), **days("12-01", "01-01"), **WHOLE}),
    ("elektronische musik an silvester in los angeles", {"genres": ("electronic",), "places": (ANGELES,), **days("12-31", "2027-01-01"), **WHOLE}),
    ("etwas ohne Country zwischen dem 3. und 8. Januar", {"not_genres": ("country",), **days("01-03", "01-09"), **WHOLE}),
    ("Ich möchte am Samstag oder Sonntag ausgehen, nicht nach Boston", {"not_places": (BOSTON,), **days("11-21", "11-23"), **WHOLE}),
    ("konzerte am 4.12. unter fünfunddreißig euro", {"max_price": 35.0, **days("12-04", "12-05"), **WHOLE}),
    ("Welche Clubs mit mehr als 1.000 Plätzen gibt es in Austin?", {"min_capacity": 1000, "venue_types": ("club",), "places": (AUSTIN,), **WHOLE}),
    ("ich brauche einen Platz mit Rollstuhl, morgen, Blues", {"genres": ("blues",), "unused": ("rollstuhl",), **days("11-22", "11-23")}),
    ("Was kannst du?", COURTEOUS),
    ("wir sind zu zweit und haben zusammen 100 Dollar", {"max_price": 50.0, **WHOLE}),
    ("Wir sind vom 26. bis 30.12. in New York und suchen was mit Klassik, max. 80 Dollar pro Person", {"max_price": 80.0, "genres": ("classical",), **days("12-26", "12-31"), **WHOLE}),
    ("in der ersten Januarwoche wuerden wir gerne Jazz hoeren", {"genres": ("jazz",), **days("01-01", "01-08"), **WHOLE}),
    ("welche Location verkauft die meisten Tickets in Chicago", {**VENUES, "order_by": "revenue", **WHOLE}),
    ("von Freitag bis Sonntag in Boston", {"places": (BOSTON,), **days("11-27", "11-30"), **WHOLE}),
    ("Konzerte bis 50 Euro", {"max_price": 50.0, "until": None, **WHOLE}),
    ("und morgen?", {"follows": True, **days("11-22", "11-23"), **WHOLE}),
)  # fmt: skip
ITALIAN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ciao, cerco un concerto jazz a Boston questo fine settimana", {"genres": ("jazz",), "places": (BOSTON,), **days("11-21", "11-23"), **WHOLE}),
    ("quando suona Winter Wolves?", LOOKUP | WHOLE),
    ("dal 4 al 6 dicembre a Miami, niente rock", {"places": (MIAMI,), "not_genres": ("rock",), **days("12-04", "12-07"), **WHOLE}),
    ("vorrei musica classica stasera, massimo 60 dollari", {"genres": ("classical",), "max_price": 60.0, **days("11-21", "11-22"), **WHOLE}),
    ("quanto costa il biglietto per Midnight Echo?", PRICE | WHOLE),
    ("quanti biglietti venderà Winter Wolves", FORECAST | WHOLE),
    ("qualcosa a Capodanno a New York senza country", {"not_genres": ("country",), "places": (YORK,), **days("12-31", "2027-01-01"), **WHOLE}),
    ("grazie mille e buona serata", COURTEOUS),
    ("ciao", COURTEOUS),
    ("dove si trova Sunday Hall?", VENUE | WHOLE),
    ("dammi tre concerti di blues la prossima settimana", {"count": 3, "genres": ("blues",), **days("11-23", "11-30"), **WHOLE}),
    ("siamo in quattro con 200 dollari in totale, concerti folk a dicembre", {"max_price": 50.0, "genres": ("folk",), **days("12-01", "01-01"), **WHOLE}),
    ("i locali più popolari di Chicago", {**VENUES, "places": (CHICAGO,), **WHOLE}),
    ("quanto abbiamo guadagnato il mese scorso", {**TOTALS, **days("2026-10-01", "11-01"), **WHOLE}),
    ("tutto tranne il metal, prima di Natale", {"not_genres": ("metal",), "since": None, "until": date(2026, 12, 25), **WHOLE}),
    ("c'è un concerto economico all'aperto sabato?", {"by_price": True, **days("11-21", "11-22")}),
    ("aiuto, cosa puoi fare?", COURTEOUS),
)  # fmt: skip
PORTUGUESE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("oi, quero um show de jazz em Boston neste fim de semana", {"genres": ("jazz",), "places": (BOSTON,), **days("11-21", "11-23"), **WHOLE}),
    ("quando toca Winter Wolves em Miami?", {**LOOKUP, "places": (MIAMI,), **WHOLE}),
    ("música eletrônica amanhã à noite, no máximo 70 dólares", {"genres": ("electronic",), "max_price": 70.0, **days("11-22", "11-23"), **WHOLE}),
    ("de 4 a 6 de dezembro em Nova York, sem rock", {"places": (YORK,), "not_genres": ("rock",), **days("12-04", "12-07"), **WHOLE}),
    ("quanto custa o ingresso para Midnight Echo?", PRICE | WHOLE),
    ("quantos ingressos Winter Wolves vai vender?", FORECAST | WHOLE),
    ("qualquer coisa exceto country antes do Natal", {"not_genres": ("country",), "since": None, "until": date(2026, 12, 25), **WHOLE}),
    ("muito obrigado e boa noite", COURTEOUS),
    ("onde fica o Sunday Hall?", VENUE | WHOLE),
    ("me mostra cinco shows de pop na próxima semana", {"count": 5, "genres": ("pop",), **days("11-23", "11-30"), **WHOLE}),
    ("somos dois e temos 100 dólares no total", {"max_price": 50.0, **WHOLE}),
    ("o mais barato possível na sexta-feira em Chicago", {"by_price": True, "places": (CHICAGO,), **days("11-27", "11-28"), **WHOLE}),
    ("quanto faturamos no mês passado em Boston?", {**TOTALS, "places": (BOSTON,), **days("2026-10-01", "11-01"), **WHOLE}),
    ("casas de show mais populares de Austin", {**VENUES, "places": (AUSTIN,), **WHOLE}),
    ("shows grátis hoje, não quero metal", {"max_price": 0.0, "not_genres": ("metal",), **days("11-21", "11-22"), **WHOLE}),
    ("o que você pode fazer?", COURTEOUS),
)  # fmt: skip


@pytest.mark.parametrize(("message", "parts"), SPANISH + FRENCH + GERMAN + ITALIAN + PORTUGUESE)
def test_a_message_in_another_language_asks_what_it_would_in_english(message: str, parts: dict[str, Any]) -> None:
    question = asked(message)
    unused = parts.get("unused", ())
    assert {name: getattr(question, name) for name in parts if name != "unused"} == {
        name: part for name, part in parts.items() if name != "unused"
    }
    if "unused" in parts and not unused:
        party = [one for one in question.unused if "how many seats are left" not in one]
        assert party == []
    assert all(word in " ".join(question.unused) for word in unused)


@pytest.mark.parametrize(
    "message",
    [
        "jazz in Los Angeles or Las Vegas tonight",
        "concerts in LA",
        "anything in la this weekend",
        "when does La Casa Azul play in Miami?",
        "Hoy",
        "Los Gatos tickets",
        "cinco de mayo concerts",
        "die hard rock fans on the main stage",
        "Bruno Mars tickets please",
        "latin or electronica concert in a theatre, por favor tell me the price",
        "Bonjour, we come from France and want a concert",
        "is there an avant garde gig in the fall, sans rock?",
        "I will pour over the comment section while on tour",
        "Noel plays a solo set at the Teatro Solo",
        "no rock, no country",
        "no jazz, new orleans, after mardi gras",
        "cheapest tickets u got",
        "des moines concerts",
        "me and my mom in El Paso, Texas",
        "a concerto or a chat in the club",
    ],
)
def test_english_messages_stay_as_they_are(message: str) -> None:
    words = [(word.plain, word.raw) for word in words_of(message, WORLD.spans)]
    assert in_english(words, WORLD.spans) == words


def test_what_is_not_used_is_named_as_it_was_written() -> None:
    assert "I could not use: Parkplatz." in asked("Konzerte heute in Boston mit Parkplatz").unused
    assert any("Reykjavik" in one for one in asked("Gibt es Konzerte in Reykjavik am Samstag?").unused)
    assert any("Fulanito" in one for one in asked("¿cuándo toca Fulanito?").unused)


def test_names_of_the_warehouse_are_not_translated() -> None:
    assert [one.name for one in asked("¿cuándo tocan Los Gatos?").artists] == ["Los Gatos"]
    assert [one.name for one in asked("conciertos en Teatro Solo mañana").venues] == ["Teatro Solo"]
    assert asked("conciertos de jazz en LA mañana").places == (ANGELES,)
