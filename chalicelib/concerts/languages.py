"""Messages in Spanish, French, German, Italian and Portuguese, in the English words that the rules know.

This is no general translation: a table of phrases for each language has what people ask a chat about concerts. A
message in English stays as it is, and so do the names of the warehouse and the words that no table has.
"""

# ruff: noqa: E501, SIM905

# a group of phrases stays on one line, where a search can find it

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chalicelib.concerts.cues import COMMON, IDLE, STOP_WORDS
from chalicelib.concerts.lexicon import plain_text
from chalicelib.concerts.periods import MONTHS, WEEKDAYS

Said = tuple[str, str]
"""A word: plain, and as it was written."""
Known = Mapping[tuple[str, ...], object]

SMALL_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty".split()
)
ELIDED = re.compile(
    r"(?i)(j|l|d|qu|c|n|s|m|t|jusqu|lorsqu|quelqu|dell|all|nell|dall|sull|un|dov|com|quest|cos|quand)['’´`](\w{2,}.*|\d|[èaày])"
)
"""A word that another one is joined to, in French and Italian: "l'adresse", "dell'anno"."""
ELIDED_STRONG = frozenset("j qu jusqu lorsqu quelqu dell nell dall sull dov".split())
SIZES = frozenset("small big large huge intimate tiny".split())
SIZED = frozenset("venue venues hall halls club clubs theater theaters arena arenas stadium stadiums place places "
    "concert concerts".split())  # fmt: skip
SUPERLATIVES = frozenset("biggest smallest best cheapest".split())
RANKED = SIZED | frozenset("artist artists band bands genre genres".split())
SPANS = frozenset("week weekend month year quarter weeks weekends months years days night".split())
WHICH = frozenset(("next", "last", "this"))
MONEY_NAMES = frozenset("dollar dollars euro euros pounds usd eur $ € £".split())
DAY_NAMES = frozenset((*WEEKDAYS, *MONTHS))
DATES = frozenset((*WEEKDAYS, "today", "tomorrow"))
RANGES = frozenset(("to", "until", "and", "or"))
FROM_OR_TO = frozenset(("on", "from", "to", "until", "before", "after", "since", "between", "and", "the"))
NO_PARTY = SPANS | MONEY_NAMES | {"people", "nights", "concerts", "hours"}
UNCHANGED = frozenset(
    tuple(name.split())
    for name in (
        "los angeles|las vegas|las cruces|la paz|la crosse|el paso|des moines|sin city|san jose|san juan|san antonio|del mar|"
        "bruno mars|noel gallagher|placido domingo|los lobos|die hard|big band|hip hop|cinco de mayo|santa fe|santa ana|"
        "baton rouge|terre haute|rio grande|puerto rico|mardi gras|new york|nova york|nueva york"
    ).split("|")
)  # fmt: skip
"""Names that have words of these languages, whether or not the warehouse knows them."""
ENGLISH = frozenset(
    "the and for with any what when where who how is are were i my your to of show find want need like looking love "
    "that these there tonight today tomorrow next last week month year under over than cheap give please near from but "
    "without only which does did it its can could would tell see something anything someone you we our have has "
    "not or after before around more just really then because them they he she him her people free best top cheapest "
    "night music gig gigs who about up out been".split()
)  # fmt: skip
"""Words that say that a message is in English."""


class _Tongue(NamedTuple):
    """One language: the words by which it is recognised, and its phrases in English by their first word."""

    strong: frozenset[str]
    phrases: Mapping[str, Sequence[tuple[tuple[str, ...], tuple[str, ...]]]]


def _tongue(strong: str, numbers: str, *groups: str) -> _Tongue:
    """A language of "phrase/phrase:English|..." groups; `numbers` are those from two on, with / between spellings."""
    pairs = [(one, to) for group in groups for pair in group.split("|") for one, to in _alternatives(pair)]
    pairs += [
        (one, SMALL_NUMBERS[number] if number <= 20 else str(number))
        for number, words in _numbered(numbers)
        for one in words
    ]
    found: dict[str, dict[tuple[str, ...], tuple[str, ...]]] = {}
    for phrase, to in pairs:
        words = tuple(phrase.split())
        found.setdefault(words[0], {}).setdefault(words, tuple(to.split()))
    longest_first = {
        first: sorted(several.items(), key=lambda it: -len(it[0])) for first, several in sorted(found.items())
    }
    return _Tongue(frozenset(strong.split()), longest_first)


def _alternatives(pair: str) -> Iterable[tuple[str, str]]:
    phrases, _, to = pair.partition(":")
    return ((phrase.strip(), to) for phrase in phrases.split("/"))


def _numbered(numbers: str) -> Iterable[tuple[int, list[str]]]:
    """Each number with its spellings: from two on, or from where "=" says."""
    number = 1
    for part in numbers.split():
        figure, _, words = part.rpartition("=")
        number = int(figure) if figure else number + 1
        yield number, [word.replace("_", " ") for word in words.split("/")]


def _joined(units: str, tens: str, joint: str, *, units_first: bool = False) -> str:
    """Numbers such as "fünfunddreißig", "treinta y cinco" and "trentacinque", as `_numbered` reads them."""
    made = []
    for place, ten in enumerate(tens.split(), 2):
        for digit, unit in enumerate(units.split(), 1):
            one, two = (unit, ten) if units_first else (ten, unit)
            both = f"{one}{joint}{two}"
            made.append(f"{10 * place + digit}={both}")
    return " ".join(made)


_WEEKDAYS = tuple(WEEKDAYS)
_MONTHS = tuple(MONTHS)


def _named(names: str, english: Sequence[str]) -> str:
    """Months or weekdays in their order, each with its spellings, as a group of phrases."""
    return "|".join(f"{name.replace('_', ' ')}:{to}" for name, to in zip(names.split(), english, strict=True))


SPANISH = _tongue(
    "quiero quisiera queremos busco buscamos buscando hay cuando donde cuanto cuantos cuanta cuantas este estos semana proximo proxima proximos "
    "proximas hoy manana noche conciertos concierto entradas boletos para por algun alguna algunos soy somos estoy estare gusta gustan gustaria "
    "puedo puedes podrias quien cual cuales hola gracias adios ayuda enero febrero marzo abril junio agosto septiembre setiembre octubre noviembre "
    "diciembre lunes martes miercoles jueves viernes sabado navidad nochevieja toca tocan dame muestrame recomiendame recomienda cerca dolares barato baratos barata "
    "baratas desde hasta entre excepto salvo nada algo mejores populares ingresos recaudacion salas espectaculos recitales mostrame sorprendeme tal segundo primero primer primera hubo cualquier cuesta cuestan cuales "
    "dime maximo menos buenas buenos buenos ultimo ultimos pasado gratuitos tambien pero antes despues tres cuatro cinco seis siete ocho nueve diez estadio teatro recomiendas tienes tienen esto precio tengo",
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho "
    "diecinueve veinte 30=treinta 40=cuarenta 50=cincuenta 60=sesenta 70=setenta 80=ochenta 90=noventa 100=cien/ciento "
    "200=doscientos/doscientas 300=trescientos/trescientas 500=quinientos/quinientas 25=veinticinco "
    + _joined("uno dos tres cuatro cinco seis siete ocho nueve", "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa", "_y_"),
    # days
    _named("lunes martes miercoles jueves viernes sabado/sabados domingo/domingos", _WEEKDAYS),
    _named("enero febrero marzo abril mayo junio julio agosto septiembre/setiembre octubre noviembre diciembre", _MONTHS),
    "hoy/el dia de hoy:today|esta noche/hoy por la noche/hoy en la noche/esta tarde:tonight|manana:tomorrow|manana por la noche/manana en la noche/manana por la tarde:tomorrow night|"
    "pasado manana:day after tomorrow|ayer:yesterday|anoche:last night|fin de semana/finde/fin de:weekend|fines de semana:weekends|semana/semanas:week|mes/meses:month|"
    "ano/anos:year|dia:day|dias:days|noche/noches:night|por la noche/en la noche/por la tarde:night|por la manana:morning|este/esta/estos/estas:this|"
    "proximo/proxima/proximos/proximas/que viene/que vienen/que entra/siguiente/siguientes:next|pasado/pasada/pasados/pasadas/ultimo/ultima/ultimos/ultimas:last|"
    "navidad/navidades/las navidades:christmas|nochebuena:christmas eve|nochevieja/noche vieja/fin de ano:new years eve|ano nuevo:new year|semana santa:easter weekend|"
    "primavera:spring|verano:summer|otono:autumn|invierno:winter|principios de:early|mediados de:mid|finales de:late|primero de:1 of|"
    "antes de/antes del/antes:before|despues de/despues del/a partir de/a partir del:after|desde/desde el/a partir de enero:from|hasta/hasta el:until|entre:between|"
    "durante:during|hace:ago|dentro de:in",
    # what one hears, and where
    "concierto/recital:concert|conciertos/recitales:concerts|espectaculo:show|espectaculos:shows|evento:event|eventos:events|entrada/boleto/ticket:ticket|entradas/boletos:tickets|"
    "musica:music|en vivo/en directo:live|grupo/banda:band|grupos/bandas:bands|cantante:singer|artista:artist|artistas:artists|algo:something|planes/plan:plans|genero:genre|generos:genres|"
    "musica electronica/electronica/electronico:electronic|musica clasica/clasica/clasico:classical|musica latina/latina/latino:latin|"
    "musica rock:rock|musica country:country|musica pop:pop|musica folk/folclore:folk|musica metal/metalera:metal|musica jazz:jazz|opera:opera|"
    "sala/recinto/local/sala de conciertos/lugar:venue|salas/recintos/locales/salas de conciertos/lugares:venues|estadio:stadium|estadios:stadiums|teatro:theater|teatros:theaters|"
    "discoteca/club:club|discotecas/clubes/clubs:clubs|arena:arena|anfiteatro:amphitheater|anfiteatros:amphitheaters|auditorio:hall|festival:festival|festivales:festivals|"
    "ciudad:city|sitio:place|sitios:places|pequeno/pequena/pequenos/pequenas:small|grande/grandes:big|"
    "en/en el/en la/en los/en las:in|cerca de/cerca del:near|al:to the|a:to|de:of|del:of the|y/e:and|o/u:or|pero:but|tambien:also|con:with|para:for|por:for|el/la/los/las/lo:the|un/una/uno/unos/unas:a|"
    "algun/alguna/algunos/algunas:some|cualquier/cualquiera:any|cualquier cosa/lo que sea:anything|todo/toda/todos/todas:all|otro/otra/otros/otras:other|mi/mis:my|su/sus:its|tu/tus:your|alli/alla/ahi:there",
    # limits
    "no:no|sin:without|nada de/nada/ningun/ninguna/no quiero/no queremos/no me apetece:no|excepto/salvo/menos/aparte de/a excepcion de:except|ni:nor|tampoco:nor|no me gusta/no me gustan/no nos gusta/odio/no soporto:i dont like|en vez de:instead of|"
    "solo/solamente/unicamente/nada mas:only|no solo:not only|que no sea/que no sean:not|mejor/prefiero:rather|"
    "maximo/como maximo/un maximo de/maximo de/como mucho/a lo sumo/tope:max|menos de/por menos de/a menos de/por debajo de/inferior a:less than|mas de/por mas de/superior a/mayor de/mayor que:more than|"
    "no mas de:no more than|al menos/como minimo/minimo/por lo menos/un minimo de:at least|hasta un maximo de:up to|alrededor de/unos/mas o menos:about|presupuesto:budget|presupuesto de/un presupuesto de:budget|"
    "dolar:dollar|dolares/pavos/usd:dollars|euros:euros|por persona/cada uno/por cabeza/por entrada:per person|en total/entre todos/para todos/entre los dos:altogether|"
    "barato/barata/baratos/baratas/economico/economica/economicos/economicas:cheap|lo mas barato/lo mas barato posible/el mas barato/la mas barata/los mas baratos/las mas baratas/lo mas economico/el mas economico:cheapest|mas barato/mas barata/mas baratos/mas baratas/mas economico/mas economicos:cheaper|"
    "mas barato que/mas barata que:cheaper than|no muy caro/no muy cara/no muy caros/que no sea caro/que no sean caros/no tan caro/que no sea muy caro:not too expensive|caro/cara/caros/caras:expensive|"
    "gratis/gratuito/gratuita/gratuitos/gratuitas:gratis|mil:thousand|personas/gente/espectadores:people|asientos/butacas/plazas:seats|capacidad/aforo/capacidad para/aforo para:capacity|"
    "somos/vamos a ser/seremos/vamos:we are|para los dos:for two|amigos/amigas:friends|tenemos:we have|tengo:i have|gastar:spend|pagar:pay",
    # questions
    "que hay/que hay de/que se hace/que hacer/que se puede hacer/que ponen:what is on|cuando:when|donde:where|quien/quienes:who|cual/cuales:which|como:how|"
    "cuando toca/cuando tocan/cuando actua/cuando actuan/cuando canta/cuando da concierto/cuando se presenta/fechas de:tour dates of|donde toca/donde tocan/donde actua:where tour dates of|"
    "toca/actua/canta/tocan/actuan/cantan:plays|quien toca:who plays|tocar:play|proximo concierto de/proxima fecha de:tour dates of|"
    "cuanto cuesta/cuanto cuestan/cuanto vale/cuanto valen/que precio tiene/que precio tienen/a cuanto estan/cuanto sale/cuanto salen:how much is|"
    "precio de/precio:price of|precios:prices|cuesten/cueste/cuesta/cuestan:cost|"
    "donde esta/donde queda/donde se encuentra/donde se ubica/ubicacion de/donde es:where is|direccion de/direccion:address of|capacidad de/aforo de/cuanta gente cabe en/que capacidad tiene:capacity of|cuantas personas caben en:how many people fit in|"
    "mas popular/mas populares/mas conocidos/mas famosos/mas famosas:most popular|popular/populares:popular|mejor/mejores:best|mas grande/mas grandes:biggest|mas pequeno/mas pequena/mas pequenos/mas pequenas:smallest|"
    "parecido a/parecidos a/similar a/similares a/similar/similares/como este:similar to|informacion sobre/informacion de/hablame de:tell me about",
    # sales
    "cuantas entradas/cuantos boletos/cuantos tickets:how many tickets|cuanta gente/cuantas personas:how many people|cuanto/cuanta:how much|cuantos/cuantas:how many|cuanto dinero:how much money|"
    "va a vender/van a vender/vendera/venderan/se van a vender/se venderan/vamos a vender:will sell|va a ganar/va a recaudar/ganara/recaudara/van a ganar/va a ingresar/vamos a ganar/va a generar:will earn|"
    "va a ir/va a venir/vendra/ira/asistira/va a asistir:will come|prediccion/pronostico/prevision/prediccion de:forecast for|se vendieron/se han vendido/fueron vendidas/fueron vendidos/hemos vendido/vendio/vendieron/vendimos:were sold|"
    "gano/recaudo/ganaron/recaudaron:earned|ganamos/hemos ganado/recaudamos/hemos recaudado/ingresamos:did we earn|ingresos totales/ingresos/recaudacion/facturacion/recaudacion total:total revenue|"
    "ingresos totales de/ingresos de/recaudacion de:total revenue of|ventas:sales|ventas totales:total sales|asistencia/asistencia media:attendance|promedio/media:average",
    # courtesy and fillers
    "mi esposa y yo/mi mujer y yo/mi novia y yo/mi marido y yo/mi novio y yo/mi pareja y yo:us two|visitamos/visito/visitar/visitando/bueno/buena/bien/chulo/interesante:|da igual/me da igual/no importa/no me importa/no nos importa:whatever|"
    "vende mas/vende la mayor cantidad de/vende mas entradas/venden mas/venden mas entradas:sells the most|gana mas/recauda mas/ganan mas/recaudan mas:earns the most|la semana despues/la semana siguiente:the week after|el dia despues/el dia siguiente:the day after|por genero:by genre|se parecen a/se parece a:similar to|"
    "cada una/por barba:per person|mostrame/buscame:give me|plata:money|toda la semana:this week|"
    "somos una pareja/somos pareja:us two|el mes de/en el mes de/del mes de:in|el primer:the first|"
    "hola/buenas/hola buenas/que tal:hello|buenos dias/buen dia:good morning|buenas tardes:good afternoon|buenas noches:good night|gracias:thanks|muchas gracias/mil gracias/muchisimas gracias/gracias por todo/gracias por tu ayuda/gracias por la ayuda:thanks a lot|"
    "adios/hasta luego/hasta pronto/chao/hasta la proxima/nos vemos:bye|por favor/porfa/porfavor:please|ayuda:help|que puedes hacer/que sabes hacer/que haces/en que puedes ayudarme/en que me puedes ayudar/que puedo preguntar/que puedo preguntarte:what can you do|"
    "como funciona/como funciona esto/como funciona este chat/como se usa esto:how does this work|quien eres/que eres:who are you|vale/perfecto/genial/estupendo:great|de nada:you too|"
    "el primero/la primera/primero/primera/primer:the first|el segundo/la segunda/segundo/segunda:the second|el tercero/la tercera/tercero/tercer:the third|tal vez/quizas/quiza:maybe|pareja:couple|novia:girlfriend|novio:boyfriend|esposa/mujer:wife|marido/esposo:husband|hubo/hubieron:were|si:yes|quiero/quisiera/querria/me gustaria/queremos/nos gustaria/quisieramos/queria:i want|busco/buscamos/estoy buscando/buscando/estamos buscando:looking for|necesito/necesitamos:i need|me gusta/me gustan/nos gusta/nos gustan/me encanta/me encantan:i like|me apetece/nos apetece:i want|"
    "dame/dadme/muestrame/enseñame/ensename/dime/mandame/ponme:give me|recomiendame/recomienda/recomiendas/me recomiendas/recomendaciones/sugiereme/recomendarme:recommend|ir a/ir/salir/salir de fiesta/ver/escuchar/oir/asistir a:see|"
    "hay/haya/habra/tienen/tienes/soy/estoy/estamos/estare/estaremos/estaba/es/son/esta/estan/sea/sean/me/te/se/nos/le/les/yo/nosotros/muy/mas/posible/aqui/ahora/puedo/podemos/puedes/podrias/podria/pues/"
    "saber/quiero saber/me podrias decir/me puedes decir/turista/turistas/visita/de visita/viajo/viajamos/llego/llegamos/hacer/tipo/tipo de/estilo/estilo de/tan/nuestro/nuestra/va/voy/tenga/tengan/tiene/tienen/conocer/sobre/ya:|"
    "que:that|donde es eso/donde esta eso:where is it|sorprendeme/sorprendenos:surprise me|quedan:left|estudiante/estudiantes:student|silla de ruedas:wheelchair|ninos:kids|hijos:kids|familia:family|descuento/descuentos:discount|aparcamiento/parking:parking|al aire libre:outdoor|comprar:buy|reservar:book|"
    "tranquilo/tranquila/relajado:relaxing|animado:upbeat|restaurante/restaurantes:restaurant|tiempo:weather",
)  # fmt: skip

FRENCH = _tongue(
    "je nous vous tu quel quels quelle quelles quand combien cherche cherchons veux voudrais voudrait voudrions demain aujourdhui semaine prochain prochaine "
    "prochains prochaines dernier derniere derniers mois moins gratuit gratuits gratuite avec dans chez une aux cette ces sont quoi salut bonjour bonsoir merci billets "
    "spectacle spectacles musique aimerais aimerait entre fevrier juillet aout decembre octobre janvier avril juin septembre novembre lundi mardi mercredi jeudi vendredi "
    "samedi dimanche soir soiree joue jouent donne seulement uniquement sauf plutot aide recettes coute coutent populaires cherches meilleurs meilleures salles salle "
    "adresse quelque peux peut rien ni aime veut cher chers apres mais avons vendus vendu artistes connais à surprends surprenez premiere deuxieme troisieme deux trois quatre cinq huit où trouve fauteuil gagner artiste moi billet meilleur tout voir pres",
    "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix_sept dix_huit dix_neuf vingt "
    "30=trente 40=quarante 50=cinquante 60=soixante 70=soixante_dix/septante 75=soixante_quinze 80=quatre_vingt/quatre_vingts 90=quatre_vingt_dix/nonante 100=cent "
    "200=deux_cents/deux_cent 300=trois_cents 500=cinq_cents "
    + _joined("et_un deux trois quatre cinq six sept huit neuf", "vingt trente quarante cinquante soixante", "_"),
    # days
    _named("lundi/lundis mardi/mardis mercredi/mercredis jeudi/jeudis vendredi/vendredis samedi/samedis dimanche/dimanches", _WEEKDAYS),
    _named("janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre", _MONTHS),
    "aujourdhui:today|ce soir/cette nuit/cet apres midi:tonight|demain:tomorrow|demain soir:tomorrow night|apres demain:day after tomorrow|hier:yesterday|hier soir:last night|weekend/week end/fin de semaine:weekend|"
    "ce week end/ce weekend:this weekend|semaine/semaines:week|mois:month|an/annee/ans/annees:year|jour:day|jours:days|soir/soiree/soirs:night|matin:morning|apres midi:afternoon|ce/cet/cette/ces:this|"
    "prochain/prochaine/prochains/prochaines/qui vient/suivant:next|dernier/derniere/derniers/dernieres/passe/passee:last|noel:christmas|reveillon de noel/veille de noel:christmas eve|"
    "reveillon/saint sylvestre/la saint sylvestre/reveillon du nouvel an/st sylvestre/reveillon de la saint sylvestre:new years eve|nouvel an/jour de l an:new year|paques:easter|printemps:spring|ete:summer|automne:autumn|hiver:winter|"
    "debut:early|fin:late|mi:mid|premier/1er:1|avant/avant le/avant la/d ici:before|apres/apres le:after|a partir du/a partir de/des le/depuis/depuis le/a compter du:from|jusqu a/jusqu au/jusqu en:until|entre:between|pendant/durant:during|"
    "dans les:in the|il y a deux:2 ago",
    # what one hears, and where
    "concert:concert|concerts:concerts|spectacle:show|spectacles:shows|evenement:event|evenements:events|billet/ticket:ticket|billets:tickets|musique:music|en live/en direct:live|groupe:band|groupes:bands|chanteur/chanteuse:singer|"
    "artiste:artist|artistes:artists|quelque chose/un truc/truc:something|genre musical:genre|sortie/sorties:plans|"
    "musique electronique/electro/electronique/musique electro:electronic|musique classique/classique/du classique:classical|musique latine/latine/latino:latin|musique rock:rock|musique pop:pop|musique folk:folk|musique metal:metal|musique country:country|musique jazz:jazz|"
    "salle/salle de concert/lieu/endroit:venue|salles/salles de concert/lieux/endroits:venues|stade:stadium|stades:stadiums|theatre:theater|theatres:theaters|club/boite:club|clubs/boites:clubs|arene/arena:arena|arenes:arenas|amphitheatre:amphitheater|festivals:festivals|"
    "ville:city|petit/petite/petits/petites:small|grand/grande/grands/grandes:big|"
    "a/a la/a l/au/aux/en/dans/dans un/dans une/dans le/dans la/dans l:in|a un:to a|pres de/pres d/autour de/vers/a cote de:near|de/d:of|de la/de l/du/des/les/le/la/l:the|et:and|mais:but|aussi:also|avec:with|pour:for|par:per|un/une:a|sur:on|"
    "n importe quoi/n importe quel:anything|tout sauf/tout sauf du/tout sauf de la/tout sauf la/tout sauf le/tout sauf les/tout sauf l:anything except|tout/tous/toute/toutes:all|autre/autres:other|mon/ma/mes:my|son/sa/ses/leur/leurs:its|votre/vos/ton/ta/tes:your|y:there",
    # limits
    "pas:not|pas de/pas d/pas du/pas de la/plus de rock:no|sans:without|rien de/aucun/aucune:no|sauf/hormis/excepte/a part/a l exception de/sauf a:except|ni:nor|"
    "n aime pas/aime pas/n aimons pas/deteste/detestons/ne supporte pas/supporte pas:dont like|veux pas/ne veux pas/ne veut pas/ne voulons pas:dont want|veux pas de/ne veux pas de/ne veut pas de/ne voulons pas de:dont want|au lieu de:instead of|"
    "seulement/uniquement/rien que/juste:only|pas seulement:not only|plutot/de preference:rather|"
    "maximum/max/au maximum/au plus/maxi:max|moins de/moins d/pour moins de/a moins de/en dessous de/inferieur a:less than|plus de/plus d/au dessus de:more than|pas plus de/pas plus d/pas plus que:no more than|au moins/minimum/au minimum/d au moins:at least|"
    "environ/autour des/a peu pres:about|budget de:budget|dollar:dollar|dollars/balles:dollars|euros:euros|par personne/par tete/chacun/chacune/par billet/la place:per person|en tout/au total/a nous deux/pour nous deux/tout compris/en total:altogether|"
    "pas cher/pas chers/pas chere/pas cheres/pas trop cher/pas trop chers/pas trop chere/bon marche/abordable/abordables/petit budget:cheap|le moins cher/la moins chere/les moins chers/les moins cheres/le moins cher possible/moins cher possible:cheapest|moins cher/moins chers/moins chere/moins cheres:cheaper|"
    "moins cher que/moins chers que:cheaper than|cher/chers/chere/cheres:expensive|gratuit/gratuite/gratuits/gratuites/gratuitement:gratis|mille:thousand|personnes/spectateurs/gens:people|places/sieges:seats|place/une place:ticket|capacite/capacite de/jauge:capacity|"
    "nous sommes/on est/on sera/nous serons/nous sommes a:we are|pour deux:for two|amis/copains/copines:friends|nous avons/on a/avons:we have|j ai:i have|depenser:spend|payer:pay",
    # questions
    "qu y a t il/qu est ce qu il y a/il y a quoi/y a quoi/quoi de prevu/que faire/qu y a t il a faire/quoi faire/qu est ce qui se passe/que se passe t il/qu est ce qu on peut faire:what is on|quand:when|ou est ce que:where|qui:who|quel/quels/quelle/quelles:which|comment:how|"
    "quand joue/quand jouent/quand est ce que joue/quand passe/quand est le concert de/quand chante/dates de:tour dates of|ou joue/ou jouent:where tour dates of|joue/jouent/passe/passent/chante/chantent:plays|qui joue/qui passe:who plays|jouer:play|prochain concert de:tour dates of|"
    "combien coute/combien coutent/combien ca coute/combien coute une place pour/c est combien/ca coute combien/quel est le prix/quel prix/a combien sont/combien coute un billet pour:how much is|prix:price|le prix de/prix de/prix des billets/le prix des billets/tarif/tarifs:ticket price for|coute/coutent/coutant:cost|"
    "ou est/ou se trouve/ou se situe/c est ou/ou se trouvent:where is|adresse de/adresse du/adresse:address of|quelle est la capacite de/capacite de la salle/combien de places a/combien de places y a t il a/combien de places compte:capacity of|"
    "plus populaire/plus populaires/plus connus/plus connues/plus celebres:most popular|populaire/populaires:popular|meilleur/meilleure/meilleurs/meilleures:best|plus grand/plus grande/plus grands/plus grandes:biggest|plus petit/plus petite/plus petits/plus petites:smallest|"
    "similaire/similaires/semblable a/semblables a/dans le meme style:similar to|parle moi de/informations sur/infos sur:tell me about",
    # sales
    "combien de billets/combien de tickets/combien de places:how many tickets|combien de personnes/combien de monde/combien de gens:how many people|combien d argent:how much money|combien:how much|combien de/combien d:how many|"
    "vont se vendre/va vendre/vendra/vendront/seront vendus/va t on vendre/vont etre vendus/allons nous vendre/va t il vendre:will sell|va gagner/va rapporter/rapportera/gagnera/va generer/vont gagner/vont rapporter/va t il gagner/va encaisser/allons nous gagner:will earn|"
    "va venir/vont venir/viendra/viendront:will come|prevision/previsions/prevision pour/previsions pour/pronostic:forecast for|ont ete vendus/se sont vendus/ont ete vendues/a vendu/ont vendu:were sold|avons nous vendu/a t on vendu/on a vendu/nous avons vendu:did we sell|"
    "avons nous gagne/a t on gagne/on a gagne/nous avons gagne/avons nous encaisse/avons nous fait:did we earn|a gagne/a rapporte/ont gagne/ont rapporte:earned|recettes/recette/chiffre d affaires/revenus/revenu/recettes totales/revenus totaux:revenue|"
    "recettes de/revenus de:revenue of|ventes:sales|frequentation/affluence:attendance|moyenne:average",
    # courtesy and fillers
    "ma femme et moi/mon mari et moi/ma copine et moi/mon copain et moi:us two|surprends moi/surprenez moi/sorprends moi:surprise me|femme:wife|mari:husband|peu importe/n importe:whatever|soit/ce soit/ce ne soit/visitons/visite/serons la/interessant/de bien:|"
    "vend le plus/vendent le plus/vend le plus de billets/vendent le plus de billets:sells the most|rapporte le plus/rapportent le plus:earns the most|la semaine d apres/la semaine suivante:the week after|le jour d apres/le lendemain:the day after|dans de:in|places pour/des places pour:tickets for|"
    "nous sommes un couple/on est un couple:us two|du mois de/le mois de/au mois de:in|n ai/ai/n ai pas:|sympa/sympathique/sympas:nice|ou se produit/ou se produisent/quand se produit:tour dates of|ou sortir/ou aller/ou:where|"
    "bonjour/salut/coucou/allo:hello|bonsoir:good evening|bonne soiree/bonne nuit:good evening|bonne journee/bon apres midi:have a good day|bon weekend/bon week end:have a good weekend|merci:thanks|merci beaucoup/mille mercis/merci bien/un grand merci:thanks a lot|"
    "merci pour votre aide/merci pour ton aide/merci de votre aide/merci pour tout:thanks for your help|au revoir/a bientot/a plus/adieu/a la prochaine:bye|s il vous plait/s il te plait/svp/stp:please|aide/aide moi/aidez moi/a l aide:help|"
    "qu est ce que tu peux faire/que peux tu faire/que pouvez vous faire/qu est ce que vous pouvez faire/que sais tu faire/tu peux faire quoi/tu sais faire quoi/que puis je demander/a quoi tu sers/comment peux tu m aider/comment pouvez vous m aider:what can you do|"
    "comment ca marche/comment ca fonctionne/comment fonctionne ce chat/comment fonctionnes tu/comment tu marches/comment utiliser:how does this work|qui es tu/qui etes vous/tu es qui:who are you|parfait/super/genial/d accord:great|oui:yes|non:no|"
    "je veux/je voudrais/j aimerais/on voudrait/nous voudrions/on aimerait/nous aimerions/on veut/nous voulons/j ai envie de/j ai envie d/on a envie de:i want|je cherche/on cherche/nous cherchons/je recherche/cherche/cherchons/a la recherche de:looking for|"
    "j ai besoin de/j ai besoin d/il me faut/il nous faut:i need|j aime/j adore/on aime/nous aimons/j aime bien:i like|donne moi/donnez moi/montre moi/montrez moi/dis moi/dites moi/propose moi/proposez moi/trouve moi/trouvez moi:give me|"
    "recommande moi/recommandez moi/recommande/recommandes/recommandez/conseille moi/conseilles/conseillez/suggere moi/tu me conseilles/vous me conseillez:recommend|aller a/aller/aller a un/aller voir/voir/ecouter/sortir/assister a/faire:see|"
    "le premier/la premiere/premiere/le premier concert:the first|le deuxieme/la deuxieme/le second/la seconde/deuxieme:the second|le troisieme/la troisieme/troisieme:the third|peut etre:maybe|ma copine/ma femme:my wife|mon copain/mon mari:my husband|y a t il eu/il y a eu/y a eu:were|"
    "il y a/y a t il/y a/il y aurait/y aurait il/est ce qu il y a/est ce que/est ce qu/qu est ce que/je/j/tu/il/elle/on/nous/vous/ils/elles/me/m/te/t/se/s/ne/n/c est/c/est/sont/suis/etes/ont/avez/peux/peut/pouvez/puis/pourrais/pourriez/savoir/connaitre/tres/trop/bien/ici/maintenant/donc/alors/moi/toi/qu/que/"
    "possible/style/visite/en visite/touriste/touristes/vacances/en vacances/passage/de passage/serai/serons/arrive/arrivons/type/style de/veux/veut/voudrais/aime/aimons/trouve/marche/sera/ca/cela/si/notre/nos/lui/etre/avoir/quoi/plein:|"
    "etudiant/etudiante/etudiants:student|fauteuil roulant/en fauteuil roulant/en fauteuil:wheelchair|enfants:kids|enfant:kid|famille:family|reduction/reductions:discount|parking:parking|en plein air/plein air:outdoor|acheter:buy|reserver:book|meteo:weather|restaurant/restaurants:restaurant|"
    "calme/tranquille:relaxing|dansant/entrainant:danceable",
)  # fmt: skip

GERMAN = _tongue(
    "ich wir ihr suche suchen mochte mochten wann wie wo gibt konzert konzerte konzerten karten heute morgen ubermorgen gestern woche wochen wochenende monat nachste nachsten nachster nachstes "
    "letzte letzten letzter letztes letztem dieses diesen diese diesem nicht kein keine keinen nur ohne oder und ein eine einen einem einer januar februar marz juni juli oktober dezember montag dienstag "
    "mittwoch donnerstag freitag samstag sonnabend sonntag weihnachten silvester billig billige billigste gunstig gunstige gunstigste kostenlos kostenlose spielt spielen kostet kosten dollar wieviel viel viele wird werden "
    "wurden welche welcher welches zeig zeige danke hallo hilfe tschuss bitte wiedersehen guten gute bis vom zum nach vor fur mag magst musik mindestens maximal hochstens unter uber umsatz einnahmen "
    "adresse beliebteste beliebtesten beste besten etwas abend brauche kannst konnen konntest haben sind zwischen ausser verkauft billiger gunstiger uberrasch uberrasche erste zweite dritte vielleicht gab zwei drei vier funf sechs sieben acht neun zehn ist sind einem machen gehen hore horen dafur dort gruppe klassische elektronische klassik lieber empfiehl dem des auf leute personen jetzt von",
    "zwei/zwo drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn achtzehn "
    "neunzehn zwanzig 30=dreissig 40=vierzig 50=funfzig 60=sechzig 70=siebzig 80=achtzig 90=neunzig 100=hundert/einhundert 200=zweihundert 300=dreihundert 400=vierhundert 500=funfhundert "
    + _joined("ein zwei drei vier funf sechs sieben acht neun", "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig", "und", units_first=True),
    # days
    _named("montag/montags dienstag/dienstags mittwoch/mittwochs donnerstag/donnerstags freitag/freitags samstag/samstags/sonnabend sonntag/sonntags", _WEEKDAYS),
    _named("januar/janner februar/feber marz april mai juni juli august september oktober november dezember", _MONTHS),
    "|".join(f"{day}abend:{to} night" for day, to in zip("montag dienstag mittwoch donnerstag freitag samstag sonntag".split(), _WEEKDAYS, strict=True)),
    "|".join(f"{month}woche:week of {to}" for month, to in zip("januar februar marz april mai juni juli august september oktober november dezember".split(), _MONTHS, strict=True)),
    "heute:today|heute abend/heute nacht/heut abend/heut:tonight|morgen:tomorrow|morgen abend:tomorrow night|ubermorgen:day after tomorrow|gestern:yesterday|gestern abend:last night|wochenende/wochenenden:weekend|am wochenende/ubers wochenende:this weekend|"
    "kommendes wochenende/nachstes wochenende/am nachsten wochenende/nachsten wochenende:next weekend|dieses wochenende/an diesem wochenende:this weekend|woche/wochen:week|monat/monats/monate/monaten:month|jahr/jahres/jahre/jahren:year|tag:day|tage/tagen:days|abend/abends/nacht:night|"
    "dieser/diese/dieses/diesen/diesem:this|nachste/nachsten/nachster/nachstes/nachstem/kommende/kommenden/kommendes/kommender:next|letzte/letzten/letzter/letztes/letztem/vergangene/vergangenen/vergangenes/vorige/vorigen:last|"
    "weihnachten:christmas|heiligabend/heilig abend:christmas eve|silvester/an silvester/silvesterabend:new years eve|neujahr:new year|ostern:easter|fruhling/fruhjahr:spring|sommer:summer|herbst:autumn|winter:winter|anfang:early|mitte:mid|ende:late|"
    "vor/vor dem/vor den:before|nach weihnachten:after christmas|nach silvester:after new years eve|nach dem:after the|ab/ab dem/seit/seit dem/vom:from|bis/bis zum:until|bis ende:until the end of|zwischen/zwischen dem:between|wahrend:during|am/an:on|im/in/in der/in dem:in",
    # what one hears, and where
    "konzert/konzerts:concert|konzerte/konzerten/livekonzerte:concerts|auftritt:gig|auftritte:gigs|veranstaltung/event:event|veranstaltungen:events|ticket/karte/eintrittskarte:ticket|tickets/karten/eintrittskarten:tickets|musik/livemusik/live musik:music|"
    "gruppe:band|bands/gruppen:bands|sanger/sangerin:singer|kunstlerin:artist|kunstler/kunstlern:artists|etwas/was los/irgendwas/irgendetwas:something|was schones/etwas schones:something|"
    "klassik/klassische musik/klassische/klassischer musik/klassisches/klassischen/klassischer:classical|elektro/elektronische musik/elektronisch/elektronische/elektronischer musik/elektronischen/electro:electronic|lateinamerikanische musik/latin musik/latino/lateinamerikanisch:latin|"
    "rock musik:rock|country musik:country|pop musik:pop|jazz musik:jazz|folk musik:folk|volksmusik:folk|"
    "veranstaltungsort/location/konzertort/spielstatte:venue|veranstaltungsorte/veranstaltungsorten/locations/spielstatten:venues|ort:place|orte/orten:places|halle/konzerthalle/saal/konzertsaal:hall|hallen/konzerthallen/sale/salen:halls|stadion:stadium|stadien:stadiums|"
    "theater/theatern:theater|club/klub:club|clubs/klubs:clubs|arena:arena|arenen:arenas|amphitheater:amphitheater|festivals:festivals|stadt:city|klein/kleine/kleinen/kleiner/kleines/kleinem:small|gross/grosse/grossen/grosser/grosses/grossem:big|"
    "in einem/in einer:in a|in der nahe von/nahe/bei/in der nahe:near|nach:to|zu/zum/zur:to|aus:from|auf/auf dem:on|der/die/das/den/dem/des:the|ein/eine/einen/einem/einer/eines:a|und:and|oder:or|aber/sondern:but|auch:also|mit:with|fur/fur den/fur die/furs:for|"
    "von:of|irgendein/irgendeine/irgendwelche:any|egal was/alles:anything|alle/allen/aller:all|andere/anderen/anderes:other|mein/meine/meinen/meiner:my|dein/deine/deiner:your|einige/ein paar:some|dort:there",
    # limits
    "kein/keine/keinen/keinem/keiner/keinerlei/nix:no|nichts/nichts mit/nicht:not|ohne:without|ausser/bis auf/abgesehen von:except|weder/noch/auch nicht:nor|mag keinen/mag keine/mag kein/mag nicht/hasse/mogen keinen/mogen kein/mogen keine/kann nicht leiden:dont like|will keinen/will kein/will keine/mochte keinen/mochte kein/mochte keine/wollen keinen/wollen kein:dont want|"
    "nur/bloss/ausschliesslich:only|nicht nur:not only|lieber:rather|statt/anstatt:instead of|"
    "maximal/hochstens/max/nicht mehr als:max|unter/weniger als/fur weniger als/fur unter:under|uber/mehr als/fur mehr als:more than|mindestens/wenigstens/minimum/mind:at least|bis zu:up to|ungefahr/etwa/ca/rund/circa:about|budget von/budget ist/budget:budget|"
    "dollar/dollars:dollars|euro/euros:euros|pro person/pro nase/pro kopf/pro ticket/pro karte/jeweils:per person|insgesamt/zusammen/gesamt/fur uns beide/fur uns alle/alles zusammen:altogether|"
    "billig/billige/billiges/billigen/gunstig/gunstige/gunstiges/gunstigen/preiswert/preiswerte:cheap|billigste/billigsten/billigstes/gunstigste/gunstigsten/gunstigstes/am billigsten/am gunstigsten/das billigste/die billigsten/so billig wie moglich/so gunstig wie moglich/moglichst billig/moglichst gunstig:cheapest|"
    "billiger als/gunstiger als:cheaper than|billiger/gunstiger/billigere/gunstigere:cheaper|teurer als:more expensive than|nicht teurer als:not more expensive than|nicht zu teuer/nicht so teuer/nicht teuer/nicht allzu teuer:not too expensive|teuer/teure/teuren:expensive|kostenlos/kostenlose/kostenloses/kostenlosen/gratis/umsonst/kostenfrei/kostenfreie/freier eintritt:gratis|"
    "tausend:thousand|personen/leute/leuten/menschen/zuschauer/besucher:people|platze/platzen/sitzplatze/sitzplatzen/sitze:seats|platz/sitzplatz:ticket|kapazitat:capacity|freunde/freunden/kumpels:friends|"
    "zu zweit:us two|zu dritt:3 of us|zu viert:4 of us|zu funft:5 of us|zu sechst:6 of us|wir sind zu zweit:us two|wir sind zu dritt:3 of us|wir sind zu viert:4 of us|wir sind zu funft:5 of us|wir sind:we are|wir haben:we have|ich habe:i have|habe/haben/hatten:have|ausgeben:spend|zahlen/bezahlen:pay",
    # questions
    "was ist los/was geht/was lauft/was gibt es/was gibts/was ist:what is on|los:|wann:when|wo:where|wer:who|welche/welcher/welches/welchen:which|wie:how|was fur:which|was:what|"
    "wann spielt/wann spielen/wann tritt/wann treten/wann ist das konzert von/wann kommt/wann kommen/termine von/wann singt:tour dates of|wo spielt/wo spielen/wo tritt:where tour dates of|spielt/spielen/auftreten/singt:plays|wer spielt/wer tritt:who plays|nachstes konzert von/nachste konzert von:tour dates of|"
    "was kostet/was kosten/wie viel kostet/wie viel kosten/wieviel kostet/wieviel kosten/wie teuer ist/wie teuer sind/wie teuer:how much is|preis/preise/eintrittspreis/eintritt:price|preis von/preis fur/preise fur:ticket price for|kostet/kosten:cost|"
    "wo ist/wo liegt/wo befindet sich/wo finde ich/wo ist die/wo liegt die:where is|adresse/adresse von/anschrift/anschrift von/adresse der:address of|kapazitat von/kapazitat der/wie gross ist/wie gross ist die/wie viele passen in die:capacity of|"
    "beliebteste/beliebtesten/beliebtester/am beliebtesten:most popular|beliebt/beliebte/beliebten:popular|beste/besten/bester/bestes:best|grosste/grossten/grosster:biggest|kleinste/kleinsten:smallest|ahnlich wie/ahnliche/ahnlich/so ahnlich wie:similar to|"
    "erzahl mir von/informationen uber/infos zu/infos uber/erzahl mir uber:tell me about",
    # sales
    "wie viele tickets/wieviele tickets/wie viele karten/wie viel tickets:how many tickets|wie viele leute/wie viele besucher/wie viele menschen/wie viele zuschauer:how many people|wie viel geld/wieviel geld:how much money|wie viel/wieviel:how much|wie viele/wieviele:how many|"
    "wird/werden:will|verkaufen:sell|einnehmen/einbringen/verdienen/erwirtschaften/einspielen:earn|kommen:come|wurden/wurde/waren/war:were|verkauft:sold|verdient/eingenommen/eingebracht:earned|hat/wie viel hat:did|wie viel haben wir/wieviel haben wir:how much did we|"
    "wie viele tickets haben wir/wie viele karten haben wir:how many tickets did we|prognose/vorhersage/prognose fur/vorhersage fur/schatzung:forecast for|umsatz/umsatze/einnahmen/gesamtumsatz/gesamteinnahmen/erlos/erlose:revenue|umsatz von/einnahmen von/gesamtumsatz von/umsatz der:revenue of|"
    "verkaufe/verkaufszahlen:sales|besucherzahlen/besucherzahl/auslastung:attendance|durchschnitt/durchschnittlich:average",
    # courtesy and fillers
    "meine frau und ich/mein mann und ich/meine freundin und ich/mein freund und ich:us two|egal/ist egal/ganz egal:whatever|habt/habt ihr/haben sie/hast/hast du/passen/passt:|wo ist das:where is it|vorschlag:suggestion|uberrasch mich/uberrasche mich/uberraschung:surprise me|meisten:most|verkauft die meisten/verkaufen die meisten:sells the most|nimmt am meisten ein:earns the most|"
    "die woche danach/woche danach:the week after|am tag danach/tag danach:the day after|nach genre/pro genre:by genre|ahnliche kunstler wie:artists similar to|ersten/erster:first|am ersten/vom ersten:on 1|"
    "wie viele leute passen in/wie viele menschen passen in/wie viele passen in:capacity of|"
    "wir sind ein paar/wir sind ein parchen:us two|im monat:in|wie hoch ist/wie hoch sind/hoch:|schones/schone/schoner/schon:nice|"
    "hallo/hi/moin/servus/gruss gott/hallo zusammen/na:hello|guten morgen:good morning|guten tag:good day|guten abend:good evening|schonen abend/schonen abend noch/gute nacht/einen schonen abend:good night|schonen tag/schonen tag noch/einen schonen tag:have a good day|schones wochenende:have a good weekend|"
    "danke/danke dir/danke schon/dankeschon/danke sehr:thanks|vielen dank/tausend dank/besten dank/herzlichen dank/danke vielmals:thanks a lot|danke fur die hilfe/vielen dank fur die hilfe/danke fur deine hilfe/vielen dank fur deine hilfe/danke fur ihre hilfe/vielen dank fur ihre hilfe:thanks for your help|"
    "auf wiedersehen/tschuss/tschau/bis bald/bis spater/ciao/mach s gut:bye|bitte/bitte schon/bitteschon:please|hilfe/hilf mir:help|was kannst du mir empfehlen:recommend|was kannst du/was kannst du alles/was konnen sie/was kannst du fur mich tun/wie kannst du mir helfen/was kann ich fragen/was kann ich dich fragen:what can you do|"
    "wie funktioniert das/wie funktioniert das hier/wie funktionierst du/wie geht das/wie geht das hier/wie benutze ich das:how does this work|wer bist du/wer sind sie/was bist du:who are you|super/toll/prima/perfekt/klasse/alles klar/gut:great|ja:yes|nein/nee/ne:no|"
    "ich suche/wir suchen/suche/suchen/auf der suche nach:looking for|ich mochte/wir mochten/ich will/wir wollen/ich hatte gern/ich wurde gern/ich wurde gerne/wir wurden gerne/mochte/mochten/will/wollen/wir hatten gern/ich hatte gerne/ich hatte lust auf/lust auf/ich habe lust auf:i want|ich brauche/wir brauchen/brauche/brauchen:i need|"
    "ich mag/wir mogen/mag/mogen/ich liebe/ich hore gern/ich hore gerne:i like|zeig mir/zeige mir/zeig/zeige/gib mir/nenne mir/nenn mir/sag mir/finde/such mir/zeigen sie mir:give me|empfiehl mir/empfiehl/empfehlen/empfehlung/empfehlungen/kannst du mir empfehlen/was empfiehlst du/empfiehlst:recommend|"
    "gehen/ausgehen/horen/sehen/besuchen/anschauen/weggehen/machen/unternehmen:see|"
    "das erste/die erste/der erste/erste/erstes:the first|das zweite/die zweite/der zweite/zweite/zweites:the second|das dritte/die dritte/der dritte/dritte:the third|vielleicht:maybe|freundin/meine freundin:girlfriend|freund:boyfriend|frau:wife|mann:husband|gab es/gab:were|"
    "gibt es/gibts/gibt/es/ich/wir/du/sie/ihr/er/man/mir/mich/uns/dir/euch/sich/bin/bist/ist/sind/sein/seid/kann/kannst/konnen/konnte/konntest/konnten/wurde gern/gern/gerne/mal/denn/noch/so/sehr/hier/jetzt/da/schon/bitte mal/da was/und zwar/dann/eigentlich/wissen/moglich/"
    "fahren/reisen/fliegen/tourist/touristen/urlaub/im urlaub/zu besuch/besuch/richtung/art/uhr zeit/soll/sollte/sollen/darf/durfen/wenn/dass/ob/daruber/tut/tun/auf tour/soll es sein:|"
    "student/studentin/studenten:student|rollstuhl/rollstuhlplatz/rollstuhlgerecht:wheelchair|kinder/kindern:kids|kind:kid|familie:family|rabatt/ermassigung:discount|parkplatze:parking|draussen/im freien/open air:outdoor|kaufen:buy|buchen/reservieren:book|wetter:weather|restaurants:restaurant|"
    "ruhig/ruhiges/ruhige:relaxing|tanzbar:danceable|uhr:o clock|um:at",
)  # fmt: skip

ITALIAN = _tongue(
    "cerco cerchiamo vorrei vorremmo voglio vogliamo quando dove quanto quanti quante quanta questo questa questi stasera domani oggi settimana prossimo prossima prossimi mese concerti biglietti biglietto sono siamo "
    "senza tranne grazie ciao buongiorno buonasera aiuto gennaio febbraio aprile maggio giugno luglio settembre ottobre novembre dicembre lunedi martedi mercoledi giovedi venerdi sabato domenica natale capodanno "
    "nel nella alla della degli delle dei dal suona suonano dammi niente qualcosa economico economici economica massimo almeno meno locali popolari piu dollari sera incassi indirizzo costa costano trova cosa puoi tutto prima "
    "abbiamo scorso scorsa fino quali secondo terzo sorprendimi stupiscimi musica anche oppure altro poco sentire",
    "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove venti "
    "30=trenta 40=quaranta 50=cinquanta 60=sessanta 70=settanta 80=ottanta 90=novanta 100=cento 200=duecento 300=trecento 500=cinquecento "
    + _joined("uno due tre quattro cinque sei sette otto nove", "venti trenta quaranta cinquanta sessanta settanta ottanta novanta", ""),
    # days
    _named("lunedi martedi mercoledi giovedi venerdi sabato domenica", _WEEKDAYS),
    _named("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre", _MONTHS),
    "oggi:today|stasera/questa sera/sta sera/stanotte:tonight|domani:tomorrow|domani sera:tomorrow night|dopodomani:day after tomorrow|ieri:yesterday|ieri sera:last night|fine settimana/weekend/week end:weekend|settimana/settimane:week|mese/mesi:month|anno/anni:year|giorno:day|giorni:days|sera/notte/serata:night|"
    "questo/questa/questi/queste/quest:this|prossimo/prossima/prossimi/prossime/che viene:next|scorso/scorsa/scorsi/scorse/passato/passata/ultimo/ultima/ultimi/ultime:last|natale:christmas|vigilia di natale/vigilia:christmas eve|capodanno/a capodanno/san silvestro/ultimo dell anno:new years eve|pasqua:easter|"
    "primavera:spring|estate:summer|autunno:autumn|inverno:winter|inizio:early|fine:late|meta:mid|primo:1|prima di/prima del/prima della/prima dell/entro/entro il:before|dopo/dopo il/dopo la:after|da/dal/dall/a partire da/a partire dal/dalla:from|fino a/fino al/fino alla/sino al:until|tra/fra/tra il/fra il:between|durante:during|fa:ago|tra due:in two",
    # what one hears, and where
    "concerto:concert|concerti:concerts|spettacolo:show|spettacoli:shows|evento:event|eventi:events|biglietto:ticket|biglietti/ingressi:tickets|musica:music|dal vivo:live|gruppo:band|gruppi:bands|cantante:singer|artista:artist|artisti:artists|qualcosa/qualche cosa:something|genere:genre|generi:genres|"
    "musica classica/classica:classical|musica elettronica/elettronica:electronic|musica latina/latina/latino americana:latin|musica rock:rock|musica pop:pop|musica folk/musica popolare:folk|musica metal:metal|musica country:country|musica jazz:jazz|"
    "locale/sala/sala concerti/luogo/posto dove:venue|locali/sale/sale da concerto/luoghi:venues|stadio:stadium|stadi:stadiums|teatro:theater|teatri:theaters|club/discoteca:club|arena:arena|arene:arenas|anfiteatro:amphitheater|anfiteatri:amphitheaters|citta:city|piccolo/piccola/piccoli/piccole:small|grande/grandi:big|"
    "a/ad/in/nel/nella/nell/alla/al/all/nei/nelle:in|un/una/uno:a|vicino a/vicino/dalle parti di:near|di/del/della/dello/dei/degli/delle/dell:of|il/lo/la/i/gli/le/l:the|e/ed:and|o/oppure:or|ma/pero:but|anche:also|con:with|per:for|qualsiasi cosa/tutto:anything|qualsiasi/qualche/alcuni:any|tutti/tutte:all|mio/mia:my",
    # limits
    "non:not|no:no|senza:without|niente/nessun/nessuna/nulla di/non voglio/non vogliamo:no|tranne/eccetto/a parte/escluso/tranne il/tranne la:except|ne:nor|non mi piace/non mi piacciono/odio/non sopporto:i dont like|solo/soltanto/solamente:only|non solo:not only|piuttosto/preferisco/meglio:rather|invece di:instead of|"
    "massimo/al massimo/un massimo di/max/non oltre:max|meno di/per meno di/a meno di/sotto i/sotto/inferiore a:less than|piu di/oltre/sopra i/sopra:more than|non piu di:no more than|almeno/minimo/come minimo:at least|circa/intorno a/piu o meno:about|budget di/budget:budget|"
    "dollaro:dollar|dollari:dollars|euro:euros|a persona/a testa/per persona/ciascuno/l uno:per person|in totale/in tutto/totali/per tutti:altogether|economico/economica/economici/economiche/a buon mercato/a buon prezzo:cheap|il piu economico/la piu economica/i piu economici/piu economico possibile/il meno caro/il piu economico possibile:cheapest|piu economico/piu economici/piu economica/meno caro/meno cari:cheaper|"
    "non troppo caro/non troppo cari/non troppo costoso/non caro/poco costoso:not too expensive|caro/cari/costoso/costosi:expensive|gratis/gratuito/gratuiti/gratuita/gratuite:gratis|mille/mila:thousand|persone/spettatori/gente:people|posti:seats|posto:place|capienza/capienza di:capacity|"
    "siamo/siamo in/saremo in/siamo solo in:we are|per due:for two|amici/amiche:friends|abbiamo:we have|ho:i have|spendere:spend|pagare:pay",
    # questions
    "cosa c e/che c e/cosa fanno/cosa fare/che si fa/cosa succede/che cosa c e:what is on|quando:when|dove:where|chi:who|quale/quali:which|come:how|cosa/che cosa:what|quando suona/quando suonano/quando canta/quando si esibisce/date di/quando si esibiscono:tour dates of|dove suona/dove suonano:where tour dates of|"
    "suona/suonano/canta/cantano:plays|chi suona:who plays|suonare:play|prossimo concerto di/prossimo concerto dei:tour dates of|quanto costa/quanto costano/quanto viene/quanto vengono/che prezzo ha:how much is|prezzo/prezzi:price|prezzo di/prezzo del biglietto per/prezzo dei biglietti per/prezzo dei biglietti di:ticket price for|costa/costano/costi/costino:cost|"
    "dove si trova/dove sta/dov e/dove e/dov:where is|indirizzo di/indirizzo/indirizzo del/indirizzo della:address of|capienza del/capienza della/quanti posti ha:capacity of|piu popolare/piu popolari/piu famosi/piu famose/piu conosciuti:most popular|popolare/popolari:popular|migliore/migliori:best|piu grande/piu grandi:biggest|"
    "piu piccolo/piu piccoli/piu piccole:smallest|simile a/simili a/simile/simili:similar to|parlami di/informazioni su:tell me about",
    # sales
    "quanti biglietti:how many tickets|quante persone/quanta gente:how many people|quanti soldi/quanto denaro:how much money|quanto/quanta:how much|quanti/quante:how many|vendera/venderanno/si venderanno/saranno venduti/verranno venduti/venderemo:will sell|guadagnera/incassera/guadagneranno/incasseranno/guadagneremo:will earn|verranno/verra:will come|"
    "previsione/previsioni/previsione per/previsioni per:forecast for|sono stati venduti/si sono venduti/abbiamo venduto/ha venduto/hanno venduto:were sold|abbiamo guadagnato/abbiamo incassato:did we earn|ha guadagnato/ha incassato/hanno incassato/hanno guadagnato:earned|incasso/incassi/ricavi/fatturato/ricavo/incasso totale/incassi totali/ricavi totali:revenue|"
    "incassi di/ricavi di/incasso di:revenue of|vendite:sales|affluenza:attendance|media:average",
    # courtesy and fillers
    "io e mia moglie/mia moglie e io/io e la mia ragazza/io e mio marito/mio marito e io:us two|sorprendimi/stupiscimi:surprise me|non importa:whatever|vende di piu/vendono di piu/vende piu biglietti:sells the most|la settimana dopo:the week after|per genere:by genre|"
    "siamo una coppia/siamo in coppia:us two|nel mese di/il mese di:in|bello/bella/carino/carina:nice|"
    "un po di/un po:some|sentire/sentire un po di:see|"
    "ciao/salve:hello|buongiorno/buon giorno:good morning|buonasera/buona sera/buona serata:good evening|buonanotte/buona notte:good night|buona giornata:have a good day|buon weekend:have a good weekend|grazie:thanks|grazie mille/mille grazie/grazie tante/tante grazie/molte grazie:thanks a lot|grazie per l aiuto/grazie dell aiuto:thanks for your help|"
    "arrivederci/a presto/addio/alla prossima:bye|per favore/perfavore/per piacere/per cortesia:please|prego:you too|aiuto/aiutami:help|cosa puoi fare/cosa sai fare/che cosa puoi fare/che puoi fare/come puoi aiutarmi/cosa posso chiedere/cosa posso chiederti:what can you do|come funziona/come funziona questo/come funzioni:how does this work|chi sei:who are you|"
    "perfetto/ottimo/va bene:great|il primo/la prima:the first|il secondo/la seconda:the second|il terzo/la terza:the third|forse:maybe|ragazza/fidanzata:girlfriend|moglie:wife|ci sono stati/ci sono state:were|si:yes|cerco/cerchiamo/sto cercando/stiamo cercando:looking for|vorrei/vorremmo/voglio/vogliamo/mi piacerebbe/ci piacerebbe/ho voglia di/volevo:i want|ho bisogno di/mi serve/mi servono/ci serve:i need|mi piace/mi piacciono/ci piace/amo/adoro:i like|dammi/mostrami/dimmi/fammi vedere/trovami:give me|"
    "consigliami/consigli/consiglia/mi consigli/suggeriscimi/raccomandami:recommend|andare a/andare/andare ad/vedere/ascoltare/sentire/uscire/fare:see|c e/ci sono/ce/ci/c/e/sono/sei/ho un/mi/ti/si/vi/io/noi/tu/che/molto/piu/possibile/qui/ora/adesso/posso/possiamo/puoi/potresti/sapere/vorrei sapere/turista/turisti/"
    "in vacanza/in visita/saro/saremo/arrivo/tipo/tipo di/genere di/stile/nostro/se/allora/quindi/ha/hai/hanno/mi puoi dire/su:|studente/studenti/studentessa:student|sedia a rotelle/carrozzina:wheelchair|bambini:kids|famiglia:family|sconto/sconti:discount|parcheggio:parking|all aperto:outdoor|comprare:buy|prenotare:book|"
    "tranquillo/tranquilla:relaxing|tempo fa:ago|meteo:weather|ristorante:restaurant",
)  # fmt: skip

PORTUGUESE = _tongue(
    "quero queremos queria gostaria procuro procurando ingressos ingresso bilhetes hoje amanha noite semana proximo proxima proximos onde quando quanto quantos quantas nao sem para pra voce obrigado obrigada ola tchau ajuda "
    "janeiro fevereiro marco abril maio junho julho setembro outubro novembro dezembro sexta sabado passado barato baratos barata algum alguma tem estou somos musica toca tocam custa custam temos qualquer exceto menos dolares maximo "
    "perto neste nesta fica mais populares faturamento receita venderam vender cinco mostra boa boas bom ate tudo quais primeiro terceiro houve qual depois antes tambem pelo pela pode",
    "dois/duas tres quatro cinco seis sete oito nove dez onze doze treze quatorze/catorze quinze dezesseis/dezasseis dezessete dezoito dezenove/dezanove vinte "
    "30=trinta 40=quarenta 50=cinquenta 60=sessenta 70=setenta 80=oitenta 90=noventa 100=cem/cento 200=duzentos/duzentas 300=trezentos 500=quinhentos "
    + _joined("um dois tres quatro cinco seis sete oito nove", "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa", "_e_"),
    # days
    _named("segunda_feira/segunda terca_feira/terca quarta_feira/quarta quinta_feira/quinta sexta_feira/sexta sabado/sabados domingo/domingos", _WEEKDAYS),
    _named("janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro", _MONTHS),
    "hoje:today|hoje a noite/esta noite/hoje de noite:tonight|amanha:tomorrow|amanha a noite/amanha de noite:tomorrow night|depois de amanha:day after tomorrow|ontem:yesterday|ontem a noite:last night|fim de semana/final de semana:weekend|semana/semanas:week|mes/meses:month|ano/anos:year|dia:day|dias:days|noite:night|a noite:night|"
    "este/esta/deste/desta/neste/nesta/nesse/nessa/esse/essa:this|proximo/proxima/proximos/proximas/que vem:next|passado/passada/passados/ultimo/ultima/ultimos/ultimas:last|natal:christmas|vespera de natal:christmas eve|reveillon/vespera de ano novo/ano novo/virada do ano:new years eve|pascoa:easter|primavera:spring|verao:summer|outono:autumn|inverno:winter|"
    "comeco de:early|fim de:late|primeiro de:1 of|antes de/antes do/antes da:before|depois de/depois do/depois da/apos:after|a partir de/a partir do/desde/desde o:from|ate/ate o/ate a:until|entre/entre o:between|durante:during|atras:ago",
    # what one hears, and where
    "show/concerto:concert|shows/concertos:concerts|espetaculo:show|espetaculos:shows|evento:event|eventos:events|ingresso/bilhete/entrada:ticket|ingressos/bilhetes/entradas:tickets|musica:music|ao vivo:live|banda/grupo:band|bandas/grupos:bands|cantor/cantora:singer|artista:artist|artistas:artists|alguma coisa/algo:something|genero:genre|generos:genres|"
    "musica classica/classica/musica erudita:classical|musica eletronica/eletronica/musica electronica:electronic|musica latina/latina:latin|musica rock:rock|musica pop:pop|musica folk:folk|musica country/sertanejo:country|"
    "casa de show/casa de shows/local/sala/casa de espetaculos:venue|casas de show/casas de shows/locais/salas:venues|estadio:stadium|estadios:stadiums|teatro:theater|teatros:theaters|clube/boate/club:club|clubes/boates:clubs|arena:arena|anfiteatro:amphitheater|anfiteatros:amphitheaters|cidade:city|pequeno/pequena/pequenos/pequenas:small|grande/grandes:big|"
    "em/no/na/nos/nas/num/numa:in|um/uma/uns/umas:a|perto de/perto do/perto da:near|ao:to|a:the|de/do/da/dos/das:of|o/os/as:the|e:and|ou:or|mas:but|tambem:also|com:with|para/pra/para o/para a:for|por/pelo/pela:for|qualquer coisa/tudo:anything|qualquer/algum/alguma/alguns/algumas:any|todos/todas:all|meu/minha:my",
    # limits
    "nao:not|sem:without|nada de/nenhum/nenhuma/nao quero/nao queremos:no|exceto/menos/salvo/tirando/fora:except|nem:nor|nao gosto de/nao gostamos de/odeio/detesto:i dont like|so/somente/apenas:only|nao so:not only|de preferencia/prefiro:rather|em vez de:instead of|"
    "maximo/no maximo/ate no maximo/maximo de:max|menos de/por menos de/abaixo de:less than|mais de/acima de:more than|nao mais de/nao mais que/nao mais do que:no more than|pelo menos/no minimo/minimo/ao menos:at least|cerca de/mais ou menos/por volta de:about|orcamento/orcamento de:budget|"
    "dolar:dollar|dolares:dollars|euros:euros|por pessoa/por cabeca/cada um/cada:per person|no total/ao todo/em total/para todos/para os dois:altogether|barato/barata/baratos/baratas/em conta:cheap|o mais barato/a mais barata/os mais baratos/as mais baratas/o mais barato possivel/mais barato possivel:cheapest|mais barato/mais barata/mais baratos/mais baratas:cheaper|nao muito caro/nao tao caro/que nao seja caro:not too expensive|"
    "caro/cara/caros/caras:expensive|gratis/gratuito/gratuita/gratuitos/gratuitas/de graca:gratis|mil:thousand|pessoas/gente/espectadores:people|lugares/assentos:seats|lugar:place|capacidade/capacidade para:capacity|somos/somos em/estamos em:we are|para dois/para duas:for two|amigos/amigas:friends|temos:we have|tenho:i have|gastar:spend|pagar:pay",
    # questions
    "o que tem/o que ha/o que vai ter/o que fazer/que tem/o que rola:what is on|quando:when|onde:where|quem:who|qual/quais:which|como:how|o que:what|quando toca/quando tocam/quando canta/quando se apresenta/datas de/datas do:tour dates of|onde toca/onde tocam:where tour dates of|toca/tocam/canta:plays|quem toca:who plays|tocar:play|proximo show de/proximo show do:tour dates of|"
    "quanto custa/quanto custam/quanto e/quanto sai/quanto ta:how much is|preco/precos:price|preco de/preco do/preco do ingresso de/preco do ingresso para/preco dos ingressos para:ticket price for|custa/custam/custem:cost|onde fica/onde esta/onde e/onde fica o/onde fica a:where is|endereco de/endereco do/endereco da/endereco:address of|morada de:address of|"
    "capacidade de/capacidade do/capacidade da/quantas pessoas cabem no:capacity of|mais popular/mais populares/mais famosos/mais famosas:most popular|popular/populares:popular|melhor/melhores:best|maior/maiores:biggest|menor/menores:smallest|parecido com/parecidos com/similar a/semelhante a:similar to|me fale sobre/informacoes sobre:tell me about",
    # sales
    "quantos ingressos/quantos bilhetes:how many tickets|quantas pessoas/quanta gente:how many people|quanto dinheiro:how much money|quanto:how much|quantos/quantas:how many|vai vender/vao vender/vendera/serao vendidos/vamos vender:will sell|vai ganhar/vai faturar/vai arrecadar/vai render/vamos faturar:will earn|vai vir/vao vir/vao vir ver/vai aparecer:will come|"
    "previsao/previsoes/previsao para/previsao de:forecast for|foram vendidos/vendeu/venderam/vendemos/se venderam:were sold|faturamos/ganhamos/arrecadamos:did we earn|faturou/ganhou/arrecadou:earned|faturamento/receita/receitas/receita total/faturamento total:revenue|faturamento de/receita de/receita total de/receita do:revenue of|vendas:sales|publico:attendance|media:average",
    # courtesy and fillers
    "minha esposa e eu/eu e minha esposa/minha namorada e eu/eu e minha namorada/meu marido e eu:us two|me surpreenda/me surpreende/surpreenda me:surprise me|tanto faz/nao importa:whatever|vende mais/vendem mais/vende mais ingressos:sells the most|a semana seguinte/a semana depois:the week after|por genero:by genre|"
    "somos um casal:us two|no mes de/o mes de/do mes de:in|"
    "ola/oi/e ai:hello|bom dia:good morning|boa tarde:good afternoon|boa noite:good night|bom fim de semana:have a good weekend|obrigado/obrigada/valeu:thanks|muito obrigado/muito obrigada/obrigado por tudo/obrigada por tudo:thanks a lot|obrigado pela ajuda/obrigada pela ajuda:thanks for your help|tchau/adeus/ate logo/ate mais/ate breve:bye|por favor/pfv/se faz favor:please|"
    "ajuda/me ajuda/me ajude:help|o que voce pode fazer/o que voce faz/o que voce sabe fazer/o que posso perguntar/o que podes fazer/como voce pode me ajudar/que podes fazer:what can you do|como funciona/como funciona isso/como isso funciona:how does this work|quem e voce:who are you|otimo/perfeito/legal/beleza:great|o primeiro/a primeira/primeiro:the first|o segundo/segundo:the second|o terceiro/a terceira:the third|talvez:maybe|namorada:girlfriend|esposa:wife|houve/teve:were|sim:yes|"
    "quero/queremos/queria/gostaria de/gostaria/gostariamos de/gostariamos:i want|procuro/procuramos/estou procurando/estamos procurando/procurando/estou a procura de:looking for|preciso de/preciso/precisamos de:i need|gosto de/gostamos de/adoro/amo:i like|me mostra/mostre me/mostra me/me mostre/me da/me de/da me/diz me/me diga/me fala:give me|"
    "recomenda/recomende/me recomenda/recomendacoes/sugere/sugestoes/me indica:recommend|ir a/ir num/ir/ver/ouvir/sair/assistir/fazer:see|tem/ha/tem algum/haver/sou/estou/estamos/e/sao/esta/estao/seja/sejam/eu/nos/voce/voces/me/te/se/muito/mais/possivel/aqui/agora/posso/podemos/pode/poderia/saber/gostaria de saber/turista/turistas/visitando/vou/vamos/vai/que/"
    "tipo/tipo de/estilo/nosso/nossa/entao/pois/ter/vou estar/isso/la:|estudante/estudantes:student|cadeira de rodas:wheelchair|criancas:kids|familia:family|desconto/descontos:discount|estacionamento:parking|ao ar livre:outdoor|comprar:buy|reservar:book|tranquilo/tranquila:relaxing|tempo:weather|restaurante:restaurant",
)  # fmt: skip

TONGUES = (SPANISH, FRENCH, GERMAN, ITALIAN, PORTUGUESE)
ARTICLES = frozenset(
    "el la los las il lo le les un una der die das de del di du da do dos des en al e y et a o".split()
)
_ENGLISH_TOO = frozenset(
    "pour comment sale once sin pro art come son solo fine due grande mi fa media legal club clubs arena festival ticket "
    "tickets band concert concerts concerto event events show shows live metal latin latino pop folk jazz rock country "
    "opera gratis max maximum minimum mind hat mag sole sei tour circa hall theater stadium winter sommer orte ".split()
) | {str(number) for number in range(10)}
_OF_ENGLISH = COMMON | IDLE | STOP_WORDS | _ENGLISH_TOO
WEIGHTS: Mapping[str, int] = (
    {word: 2 for tongue in TONGUES for word in tongue.phrases if len(word) > 2 and word not in _OF_ENGLISH}
    | dict.fromkeys(ARTICLES, 1)
    | {word: 4 for tongue in TONGUES for word in tongue.strong}
)
"""How much a word says that a message is in one of the languages: four for what no English message has."""
STRONG_WEIGHT = 4
AND = frozenset(("y", "e", "et"))
ENOUGH = 5
"""Of weak words alone, in a message without a word of English."""
DAY_FIRST = re.compile(r"\d{1,2}[./]\d{1,2}(?:[./](?:\d{2}|\d{4}))?")
GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+")
DECIMAL = re.compile(r"\d+,\d\d?")
COMPOUND = re.compile(r"(\w{3,}?)(konzert|konzerte|konzerten|konzerts|musik)")
COMPOUNDED: Mapping[str, str] = {"klassik": "classical", "elektro": "electronic", "live": ""}
COMPOUNDED_WITH: Mapping[str, str] = {
    "konzert": "concert",
    "konzerts": "concert",
    "konzerte": "concerts",
    "konzerten": "concerts",
    "musik": "music",
}
"""German words by what they are made of: "Jazzkonzert" is "jazz concert"."""
PARTITIVE = ("give", "me")
"""What "du" and "de la" begin with: "pas de rock, du blues"."""
UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


def in_english(words: Sequence[Said], known: Known) -> Sequence[Said]:
    """The words of a message in English, those as they are where the message is not in one of our other languages."""
    weights = [_weight(word) for word in words]
    if weights[:1] == [1] and weights[1:2] > [0] and words[0][0] in AND:
        weights[0] = STRONG_WEIGHT  # "y en Boston?"
    if max(weights, default=0) < STRONG_WEIGHT and sum(weights) < ENOUGH:
        return words
    english = sum(plain in ENGLISH and raw.lower() == plain for plain, raw in words)
    if english and weights.count(STRONG_WEIGHT) <= english:
        return words
    named = _names(words, known)
    foreign = [weight for place, weight in enumerate(weights) if place not in named]
    strong = foreign.count(STRONG_WEIGHT)
    if strong <= english and (strong or english or sum(foreign) < ENOUGH):
        return words
    split = [
        part for place, word in enumerate(words) for part in ([(*word, True)] if place in named else _unelided(word))
    ]
    tongue = max(TONGUES, key=lambda one: _score(one, split))
    return _in_order(list(_translated(split, tongue)), tongue) or words


def _weight(word: Said) -> int:
    plain, raw = word
    weight = WEIGHTS.get(plain, 0)
    if weight == STRONG_WEIGHT or plain == raw:
        return weight
    if len(raw) > len(plain) and (joined := ELIDED.fullmatch(raw)):
        return STRONG_WEIGHT if joined[1].lower() in ELIDED_STRONG else 1
    return max(weight, WEIGHTS.get(raw.lower(), 0))


def _names(words: Sequence[Said], known: Known) -> set[int]:
    """The places of words that are parts of names: those of several words, long ones, and codes in capitals."""
    plain = [one for one, _ in words]
    shout = all(raw.isupper() for _, raw in words if raw.isalpha())
    found: set[int] = set()
    place = 0
    while place < len(plain):
        size = next((n for n in range(7, 1, -1) if _is_name(tuple(plain[place : place + n]), known)), 0)
        word, raw = words[place]
        code = raw.isupper() and len(raw) > 1 and not shout
        if not size and (word,) in known and (len(word) > 3 or code or len(words) == 1):
            size = 1
        found |= set(range(place, place + size))
        place += size or 1
    return found


def _is_name(words: tuple[str, ...], known: Known) -> bool:
    return len(words) > 1 and (words in known or words in UNCHANGED)


def _unelided(word: Said) -> list[tuple[str, str, bool]]:
    """The plain word in its own language, or the two that an apostrophe joins; none is a part of a name."""
    plain, raw = word
    if (joined := ELIDED.fullmatch(raw)) and not raw.lower().startswith(("aujourd", "don'", "i'")):
        return [(plain_text(joined[1]), joined[1], False), (plain_text(joined[2]), joined[2], False)]
    own = re.sub(r"['’´`]", "", plain_text(raw)) if raw[:1].isalpha() else plain
    return [(own, raw, False)]


def _score(tongue: _Tongue, words: Sequence[tuple[str, str, bool]]) -> int:
    return sum(2 * (word in tongue.strong) + (word in tongue.phrases) for word, _, name in words if not name)


def _translated(words: Sequence[tuple[str, str, bool]], tongue: _Tongue) -> Iterable[Said]:
    """The words with each phrase of the language in English, the longest first; others stay."""
    place = 0
    while place < len(words):
        plain, raw, name = words[place]
        size, to = (1, None) if name else _phrase(words, place, tongue)
        if to is None:
            yield plain, raw
        else:
            raws = [one.lower() for _, one, _ in words[place : place + size]]
            if len(to) == 1:
                raws = [" ".join(raws)]
            yield from zip(to, raws if len(raws) == len(to) else to, strict=True)
        place += size


def _phrase(words: Sequence[tuple[str, str, bool]], place: int, tongue: _Tongue) -> tuple[int, tuple[str, ...] | None]:
    """The number of words of the longest phrase here, and its English; None where there is no phrase."""
    plain, raw, _ = words[place]
    first = _spelling(plain, tongue)
    for phrase, to in tongue.phrases.get(first, ()):
        here = words[place + 1 : place + len(phrase)]
        if phrase[1:] == tuple("" if name else _spelling(word, tongue) for word, _, name in here):
            begins = not place or not words[place - 1][0].isalpha()
            if (
                begins
                and to == ("the",)
                and phrase[0] in {"du", "de", "des"}
                and not _is_figure(words, place + len(phrase))
            ):
                return len(phrase), PARTITIVE
            return len(phrase), _in_context(phrase, to, raw.lower(), begins=begins) if len(phrase) == 1 else to
    if tongue is GERMAN and (parts := COMPOUND.fullmatch(first)):
        kind = COMPOUNDED.get(parts[1], parts[1]).split()
        return 1, (*kind, COMPOUNDED_WITH[parts[2]])
    if hour := re.fullmatch(r"(\d{1,2})h\d{0,2}", plain):
        return 1, (hour[1], "o", "clock")
    return 1, None


def _is_figure(words: Sequence[tuple[str, str, bool]], place: int) -> bool:
    return place < len(words) and words[place][0][:1].isdigit()


def _in_context(phrase: tuple[str, ...], to: tuple[str, ...], raw: str, *, begins: bool) -> tuple[str, ...]:
    """The English of a word that an accent or its place makes another: "qué", "où", "é", "würde"."""
    if phrase[0] in {"que", "che"}:
        return ("what",) if begins or "é" in raw else to
    if phrase == ("ou",) and to == ("where",):
        return to if begins or "ù" in raw else ("or",)
    if phrase == ("e",) and raw in {"é", "è"}:
        return ()
    if phrase[0] in {"wurde", "wurden"} and ("ü" in raw or "ue" in raw):
        return ()
    return ("something",) if phrase == ("was",) and not begins else to


def _spelling(word: str, tongue: _Tongue) -> str:
    """A word as the table has it: without the "e" that German puts for the two dots."""
    if tongue is GERMAN and word not in tongue.phrases:
        for pair, letter in UMLAUTS:
            if pair in word and (short := word.replace(pair, letter)) in tongue.phrases:
                return short
    return word


def _in_order(words: list[Said], tongue: _Tongue) -> list[Said]:
    """The English words in the order and the form of English."""
    found: list[Said] = []
    place = 0
    while place < len(words):
        window = _Window(words, place)
        taken = _swapped(window) or _in_figures(window, tongue) or _limited(window) or _joined_days(window)
        more, size = taken or ([words[place]], 1)
        found += more
        place += size
    return found


class _Window:
    """A place among the words: the word there, and those around it."""

    def __init__(self, words: Sequence[Said], place: int) -> None:
        self.words, self.place = words, place
        self.word, self.raw = words[place]

    def at(self, step: int) -> str:
        """The plain word some steps away, "" beyond the ends."""
        place = self.place + step
        return self.words[place][0] if 0 <= place < len(self.words) else ""

    def said(self, *steps: int) -> list[Said]:
        """The words some steps away."""
        return [self.words[self.place + step] for step in steps]


Taken = tuple[list[Said], int] | None
"""The words that replace some others, and the number of those."""


def _swapped(here: _Window) -> Taken:
    """Adjectives before what they are about: "the week next", "venues small", "venues the most popular"."""
    word, after = here.word, here.at(1)
    if word in SPANS | DAY_NAMES and after in WHICH and here.at(2) not in SPANS | WEEKDAYS.keys():
        return here.said(1, 0), 2
    if _is_number(word) and after in WHICH and here.at(2) in SPANS:  # "the 3 next days"
        return here.said(1, 0), 2
    if word in SIZED and after in SIZES:
        return here.said(1, 0), 2
    if word in RANKED:
        first = 1 + (after == "the")
        if here.at(first) == "most" and here.at(first + 1) == "popular":
            return here.said(first, first + 1, 0), first + 2
        if here.at(first) in SUPERLATIVES:
            return here.said(first, 0), first + 1
    return None


def _in_figures(here: _Window, tongue: _Tongue) -> Taken:
    """Numbers and dates in figures: "4. bis 6. Dezember", "4.12.", "5/12", "1.000", "12,50", "5 mil"."""
    word, raw, after = here.word, here.raw, here.at(1)
    if not word[:1].isdigit():
        return None
    if word.isdigit() and after == "." and here.at(2).isdigit() and here.at(3) == ".":  # "4.-6. Dezember"
        return [(word, raw), ("to", "-")], 2
    if word.isdigit() and after == "." and (here.at(2) in RANGES | MONTHS.keys() or here.at(2).isdigit()):
        return [(word, raw)], 2
    if word.isdigit() and after in {"thousand", "000"}:
        return [(f"{word}000", f"{raw} {here.words[here.place + 1][1]}")], 2
    if DAY_FIRST.fullmatch(word) and (day := _day_of(word, here.at(-1), tongue)):
        return [(one, raw) for one in day], 1 + (after == "." and "." in word)
    if GROUPED.fullmatch(word):
        return [(word.replace(".", ""), raw)], 1
    if DECIMAL.fullmatch(word):
        return [(word.replace(",", "."), raw)], 1
    return None


def _limited(here: _Window) -> Taken:
    """Limits and parties: "until 40 dollars", "altogether 100 dollars", "max 70 dollars per person", "we are four"."""
    word, raw = here.word, here.raw
    if word == "altogether" and here.at(1).isdigit() and here.at(2) in MONEY_NAMES:
        return here.said(1, 2, 0), 3
    if word == "max" and here.at(1).isdigit() and "per" in {here.at(2), here.at(3)}:  # "per person" is limit enough
        return [], 1
    if word == "we" and here.at(1) == "are" and _is_number(here.at(2)) and here.at(3) not in NO_PARTY:
        return [*here.said(2), ("of", "of"), ("us", "us")], 3
    ends_days = here.at(-1).isdigit() or here.at(-1) == "." or here.at(2) in MONTHS.keys() | {".", "of", "to"}
    if word == "until" and _is_number(here.at(1)) and not ends_days and here.at(3) not in MONTHS:
        return [("up", raw), ("to", "to")], 1
    return None


def _joined_days(here: _Window) -> Taken:
    """The words around days: "du vendredi au dimanche", "de 4 a 6 de dezembro", "el viernes"."""
    word, raw, before, after = here.word, here.raw, here.at(-1), here.at(1)
    ends = {here.at(3), here.at(4) if here.at(3) == "the" else ""}
    if word in {"of", "the", "in"} and after in DATES and here.at(2) in {"to", "until", "in"} and ends & DATES:
        return [("from", raw)], 1
    figures = after.isdigit() and any(end.isdigit() for end in ends)
    if word in {"of", "from", "the", "in"} and figures and here.at(2) in RANGES | {"in", "the"}:
        return [("from", raw)], 1
    if word in {"in", "the"} and before.isdigit() and after.isdigit():
        return [("to", raw)], 1
    if word == "in" and any(before in kind and after in kind for kind in (DATES, MONTHS)):
        return [("to", raw)], 1
    if word == "the" and after in WEEKDAYS:
        return [("on", raw)], 1
    return ([], 1) if word == "the" and before == "of" and after in MONTHS else None


def _is_number(word: str) -> bool:
    return word.isdigit() or word in SMALL_NUMBERS


def _day_of(text: str, before: str, tongue: _Tongue) -> list[str]:
    """The words of a date in figures, whose day comes first; none where it may be no date."""
    day, month, *year = map(int, re.split(r"[./]", text))
    if not (1 <= month <= 12 and 1 <= day <= 31) or (
        "." in text and (tongue is not GERMAN or before not in FROM_OR_TO)
    ):
        return []
    return [str(day), _MONTHS[month - 1], *(str(one if one > 99 else 2000 + one) for one in year)]
