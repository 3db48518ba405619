"""Words by which the local chat recognises a message's meaning: cues of intents, negations, limits, orders, counts.

Patterns search the flat text of a message: plain words and marks with one space between them, names as `_artist`,
`_venue`, `_genre`, `_place` and `_type`. A pattern stays on one line, where a search can find it.
"""

# ruff: noqa: E501, SIM905

# a pattern on one line is one that a search finds

import re
from collections.abc import Mapping, Sequence

from chalicelib.concerts.lexicon import plain_text
from chalicelib.concerts.models import OrderBy
from chalicelib.concerts.periods import NUMBER

MOST_COUNTED = 20

COMMON = frozenset(
    "a an and any are as at be big blue but by can cold day days dream eve evening event events for free friday fun go "
    "good great happy hello here hot how i in is it just know last late like listen live look love man me more most "
    "music my need new next night no not now of off on once one or our out over please rain real red river saturday "
    "see show shows small so some song soon sound summer sunday tell ten that the them then there these they thing "
    "this three time to today tonight top town train two up us venue venues want was way we weekend were what when "
    "where which who why will winter with world yes you your first second third best popular concert concerts gig "
    "gigs ticket tickets band bands artist artists singer spring autumn fall".split()
) | frozenset(plain_text(name) for name in ("january february march april may june july august september october "
    "november december monday tuesday wednesday thursday").split())  # fmt: skip
"""Words that are names only where something else says so: a capital letter within the text, or "the band Eve"."""
SHORT_CODES = frozenset(
    "in or me hi ok oh no it at be is id al de co on so to an as am pa ma ar se pt la can vic il mi ne va es mo md ms mt "
    "den las san chi bos sea mem".split()
)
"""Codes of places that are words, of English or of another language: in small letters, they need a city or "in"."""
NEVER_CODES = frozenset("in it an as at on so to no be is am can".split())
"""Codes that in small letters are ordinary words even after "in"."""
OPEN_CODES = frozenset("or me".split())
"""Codes that in small letters are places only if "in" precedes them and the clause ends there."""

ARTIST_AFTER = re.compile(
    r"^ (?:play|plays|playing|perform|performs|performing|tour|touring|sing|sings|sell|sells|make|take|earn|concert|"
    r"concerts|gig|gigs|show|shows|tickets?|live|on tour|next|s\b)"
)
CODE_BEFORE = re.compile(r"\b(?:in|near|from|to|around|visiting|not) $")
JOINS_PLACES = re.compile(r"(?:\b(?:or|and)|,) $")
MUSIC_AFTER = re.compile(
    r"^ (?:music|stuff|concerts?|gigs?|shows?|bands?|artists?|acts?|singers?|tickets?|tunes|songs|night)\b"
)
ORDINARY_BEFORE: Mapping[str, re.Pattern[str]] = {
    "house": re.compile(r"\b(?:full|packed|opera|white|the|my|our|your|a|play|at) $"),
    "dance": re.compile(r"\b(?:to|can|could|we|i|lets|us|and|will|wanna) $"),
    "country": re.compile(
        r"\b(?:(?:in|to|from|of) any|which|what|(?:my|the|this|our|your)(?: \w+)?|each|every|by|per|other|same|another|whole) $"
    ),
    "classic": re.compile(r"\b(?:a|the|that|an absolute) $"),
    "rock": re.compile(r"\b(?:you|u|they|guys|that) $"),
    "pop": re.compile(r"\b(?:my|your|his|her|our|their|mom and) $"),
    "folk": re.compile(r"\b(?:simple|old|young|good|ordinary|nice|honest|these|those|elderly|kind|poor|working) $"),
    "club": re.compile(r"\b(?:bridge|book|golf|chess|football|soccer|yacht|rotary|tennis|fan|running|swim|glee) $"),
}
"""What precedes a genre's word when it is an ordinary word: "a full house", but not "a house concert"."""
ORDINARY_AFTER: Mapping[str, re.Pattern[str]] = {
    "pop": re.compile(r"^ (?:up|quiz|culture)\b"),
    "rock": re.compile(r"^ (?:up|solid|bottom|climbing|star)\b"),
    "jazz": re.compile(r"^ (?:up|hands)\b"),
    "metal": re.compile(r"^ (?:detectors?|allergy|hip|knee|plate)\b"),
    "country": re.compile(r"^ (?:wide|side|code|of|house)\b"),
    "classic": re.compile(r"^ (?:car|cars|case|mistake)\b"),
}
"""What follows a genre's word when it is an ordinary word: "does anything pop up"."""
PLACE_BEFORE = re.compile(
    r"\b(?:in|near|around|at|from|to|within|across|outside|visiting|anywhere in|not in|or|and) (?:the )?$"
)

NEGATION = re.compile(
    r"\b(?:not in the mood for|not a fan of|not into|no|not|without|except|excluding|exclude|besides|never|nor|neither|non|minus|avoid(?! in)|avoiding|hate|hates|"
    r"skip(?:s|ped|ping)?|drop(?! (?:me|us|you|by|in)\b)|remove|cut(?: out)?(?! (?:the |my |our )?(?:prices?|costs?|tickets?)\b)|lose|ditch|scrap|forget(?: about)?|ban|banish|kick out|get rid of|throw out|take out|rule out|strike|strip out|filter out|weed out|leave aside|set aside|not counting|omit|ignore|ignoring|(?:stay|keep) away from|(?:stay|steer) clear of|"
    r"allergic to|had it with|fed up with|done with|stop with|pass on|(?:had|heard|seen|listened to) enough|(?<=, )enough|^enough|as long as (?:nobody|no one|none|there is no|there are no|it isnt|it is not|its not|it s not|they dont|it doesnt)|nobody|no one|unless(?: it| its| it is| it s| they are| theyre| that s| that is)?|"
    r"hated|dislike|detest|loathe|nothing (?:with|by|of|in|from|at|near)|none of|(?:any|every)(?:thing|where|one|body)? ?(?:city|place|town|state|country|genre|style|kind|type|venue|artist|band|music)? but|spare (?:me|us)|other than|apart from|instead of|rather than|"
    r"tired of|sick of|bored (?:of|with)|enough of|(?:(?:a )?(?:night|day|evening|break|rest|week) off|a break|a rest) from|cant bear|cannot bear|cant take|cannot take|alternatives? to|else than|(?:dont|doesnt|do not|does not|didnt)(?: really| particularly| much| even)? (?:like|want|need|care (?:for|about)|fancy|feel like|enjoy|dig|love|listen to)|cant stand|can not stand|"
    r"cannot stand|leave out|leaving out|excepting|outside(?: of)?|arent|isnt|aint|less|kein|keine|keinen|nicht|ohne|ausser|hasse|sin(?! city)|excepto|salvo|menos|sans|sauf|hormis|pas|senza|tranne|exceto|odio|deteste)\b"
)
CHARGE = r"(?:(?:entry|entrance|admission|cover|ticket|door) (?:fees?|charges?|prices?|costs?)|cover|admission|fees?|charges?|costs?)"
NOT_NEGATION = re.compile(r"\b(?:never said (?:\w+ ){0,3}(?:disliked?|hated?|didnt like)|(?:dont|do not|cant|cannot|never|didnt) not(?: \w+)?|(?:dont|do not|doesnt) (?:dislike|hate|mind)|if (?:there|it|they|that) (?:isnt|is not|arent|are not|aint|s not)(?: \w+)?|if not|(?:dont|do not|never|wont|didnt|cant) (?:drop|lose|ditch|forget(?: about)?|ignore|skip|remove|omit)|not (?:too |so |very )?far|why not|not only|not just|(?:isnt|arent|aint) (?:really |so )?(?:my|for)|no matter|no wait|no sorry|no actually|oh no|no more than|not more than|(?:no |not )?less than|or less|never (?:been|seen|heard|tried)|"
    r"no later than|no earlier than|not too|not sure|no idea|no problem|whether or not|if not|no worries|dont know|"
    rf"not over|not above|not under|not below|not before|not after|(?:no|without(?: an?| any)?) (?:paying|{CHARGE}))\b")  # fmt: skip
BOUNDARY = re.compile(
    r"(?:[.;:!?()]|\b(?:but|aber|pero|mais|sondern|mejor|lieber|plutot|just|only|instead|rather|please|though|however|because|(?<!not )so|(?<!no )(?<!any )(?<!some )(?<!not )more)\b|, (?:i|we|just|only|give|show|more|in|at|on|near|under|up|from|with|for|between)\b)"
)

SEATED = r"(?:seats?|cap(?! (?:of|at|it)\b)|people|fans|spectators|persons|capacity|places|visitors|attendees|seaters?|guests|viewers|listeners|concertgoers|concert goers|souls|pax|folks)"
HOLDS = r"(?:(?<!\d )(?:capacity|seats?)|seating|holds?|holding|fits?|fitting|room|space|sized?|(?<!or )takes?|tak(?:e|ing) in(?! (?:19|20)\d\d(?! ?[a-z]))|accommodat(?:es?|ing)|welcom(?:es?|ing)|crowds? of|(?:venues?|_type|places?)(?= for))(?: of| for| is)?"
MORE = r"(?:more than|over|above|at least|(?:a )?min(?:imum)?(?: of)?|from|bigger than|larger than|(?:no|not) less than|no smaller than|upwards? of|exceeding)"
LESS = r"(?:less than|fewer than|under|below|at (?:the )?most|up to|(?:a )?max(?:imum)?(?: of)?|smaller than|(?:no|not) more than|no bigger than|no larger than)"
AND_MORE = (
    r"(?:or (?:more|larger|bigger)|and (?:up|more|above|over)|plus|minimum|min|at (?:the )?(?:very )?least|upwards?)"
)
COUNTED = r"(?:venues?|concerts?|gigs?|shows?|artists?|bands?|acts?|events?|dates|suggestions?|recommendations?|options?|ideas?|tips?|picks?|choices?|_type|results?|hits|ones|names|places|music|stuff|things|_genre(?! tickets))"
"""What a list has a number of."""
PARTY = r"(?:tickets|people|persons|of us|mates|friends|pals|buddies|adults|kids|children|colleagues|guests|others|teenagers|teens|students|tourists|travell?ers|visitors|girls|boys|guys|ladies|women|men|seniors|parents|sisters|brothers|cousins|couples|families|grown ?ups)"
"""Who comes along."""
CURRENCY = r"(?:dollars?|bucks|usd|cad|aud|euros?|eur|pounds?|gbp|quid)"
_FIGURE = r"(?<![\d.,])(\d++(?:,\d++)*+(?:\.\d++)?+)"
MONEY = rf"(?:[$€£] ?)?{_FIGURE}(?!,?\d)(?: ?(?:{CURRENCY}|[$€£]))?"
PRICED = rf"(?=[^a-z]*(?:[$€£]|{CURRENCY}))"
PRICE_BETWEEN = re.compile(rf"\b(?:nothing|not|none) (?:below|under|less than) {MONEY} (?:or|nor|and) (?:above|over|more than) {MONEY}|\b(?:between|from) {PRICED}{MONEY} (?:and|to) {MONEY}|\bbetween (\d+) and (\d+)\b(?! ?(?:am|pm|{SEATED}|concerts?|gigs?|shows?|events?|artists?|bands?|venues?))|\b(?:pay|spend|budget(?: is| of)?|costs?|costing|prices?|priced) (\d+) (?:to|and) (\d+)\b|[$€£] ?(\d[\d,]*) (?:to|and) [$€£]? ?(\d[\d,]*)|"
    rf"\b(\d+) (?:and|to|or) (\d+) (?:dollars|bucks|euros|pounds|usd)")  # fmt: skip
TOGETHER = rf"(?:{CURRENCY} )?(?:(?:in )?total|all in|all told|all up|the lot|in the kitty|for everything|altogether|all together|between us|in all|combined|for (?:the |all |both )?(?:both )?(?:{NUMBER} )?of us|for (?:us )?(?:both|all|everyone|two|three|four|five|six))\b"
"""After an amount that all who come may spend."""
NOT_ABOVE = r"(?:drop|skip|no|not|hide|without|exclude|excluding|ignore|forget|remove|leave out|avoid)(?: (?:anything|everything|things|stuff|those|ones|tickets?|shows?|concerts?|gigs?|_genre))+(?: (?:that|which))?(?: (?:is|are|costs?|costing|goes|go))? (?:over|above|more than|north of|beyond|pricier than|dearer than)"
"""What is left out above a price, as one leaves out what costs more."""
PRICE_MOST = re.compile(
    rf"\b(?:nothing (?:above|over|beyond|north of|more than|higher than|dearer than)|{NOT_ABOVE}|(?:cap|capped|ceiling)(?: it| them| things)?(?: of| is| at)?|keep (?:it|them|things|prices?) (?:to|at)|stick to|a (?:penny|cent|dollar) (?:over|above|more than)|south of|limit(?: is| of)?|(?:dont|doesnt|not|cant) (?:have|cost|be|go) (?:more than|over|above)|(?<!nothing )(?<!not )(?:under|below)|sub|(?<!nothing )(?<!not )(?<!no )(?:less|cheaper|lower) than|no more than|(?:only|just) (?:got|have|had|has)|(?:got|have) (?:only|just)|not more than|(?:no|not) (?:more expensive|pricier|dearer|more costly|higher) than|not over|at most|up to|max(?:imum)?(?: price)?(?: of| is)?|"
    rf"within|(?:have|got|with)(?: a)?(?= (?:about |around |only )?(?:[$€£]|\d+ (?:dollars?|bucks|euros?|pounds|quid|usd)|\d+ {TOGETHER}))|for less than|not above|(?:about|around|roughly|approx(?:imately)?|circa|ca)(?= (?:[$€£]|\d+ (?:dollars?|bucks|usd|cad|aud|euros?|pounds|quid)))|budget(?: is| of| s| :)?|afford|(?:spend|pay)(?:ing)?(?: at most| up to| more than)?|costs? at most|"
    rf"costing (?:at most|less than|under)) (?:about |around |a )?{MONEY}(?! ?(?:[a-z]+ )?(?:or|and) (?:more|higher|above|up|over)\b)(?! ?(?:{SEATED}|concerts?|shows?|k\b|{PARTY}|days?|weeks?|months?|km|kilomet\w+|miles?|minutes?|hours?))"
    rf"|{MONEY} (?:or less|or cheaper|or under|or below|or lower|max(?:imum)?|tops|at most|limit|ceiling|(?:is|s) (?:where i draw the line|(?:my|our|the) (?:absolute )?(?:limit|max(?:imum)?|budget|ceiling|cap|most)|all (?:i|we) (?:have|ve got|got|can (?:spend|pay|afford)))|bill(?<=dollar bill)|note(?<=dollar note))\b(?! ?(?:seats|people))"
)
OF_LISTED = re.compile(
    rf"(?: of)? (?:(?!(?:on|for|in|at|to|near)\b)[a-z]+ ){{0,2}}?{COUNTED}\b|(?= ?(?:[,.!?:]|$|of\b))"
)
"""After a low limit that is one of how much is listed: "max 5 jazz gigs", "max 5"."""
PRICE_LEAST = re.compile(
    rf"\b(?:costs?|costing|priced?(?: at)?|pay(?:ing)?|spend(?:ing)?|tickets?(?: for| at)?) (?:at least|more than|over|above|north of|upwards of|no less than) {_FIGURE}\b(?! ?(?:{SEATED}|k\b))"
    rf"|\b(?:tickets?|seats) (?:at|for|from) {_FIGURE} (?:or|and) (?:more|up|above|higher|over)\b"
    r"|\b(?<!nothing )(?<!not )(?<!anything )(?:above|over|north of|upwards of) (2[2-9]|[3-9]\d|[1-9]\d\d)(?= ?(?:$|[,.!?]))"
    rf"|\b(?<!not )(?<!nothing )(?<!no )(?:more expensive|pricier|dearer|more costly|higher) than (?:[$€£] ?)?{_FIGURE}\b|\b(?:pay(?:ing)? )?(?:over|above|(?<!nothing )(?<!no )(?<!not )more than|at least|from|starting at|no less than|not less than|not under|not below|min(?:imum)?(?: of)?) "
    rf"(?:[$€£] ?{_FIGURE}|{_FIGURE} {CURRENCY})"
    rf"|(?:\bpay(?:ing)? )?[$€£] ?{_FIGURE} (?:or|and) (?:more|higher|above|up|over)\b|\b(?:pay(?:ing)? )?{_FIGURE} {CURRENCY} (?:or|and) (?:more|higher|above|up|over)\b"
    rf"|\b(?:nothing (?:under|below|less than|cheaper than)|no cheaper than|not cheaper than) (?:[$€£] ?)?{_FIGURE}\b(?! ?(?:seats?|people|capacity))"
    rf"|\b(?:not|no) less than {_FIGURE}\b(?! ?(?:seats?|people|fans|spectators|persons|capacity|places|visitors|concerts?|gigs?|shows?|k\b))"
)
PRICE_EACH = re.compile(rf"{MONEY} (?:each|apiece|(?:per|a) (?:ticket|person|head|seat))\b")
"""What one ticket may cost, whatever all of them together may."""
PRICE_AT = re.compile(
    rf"\b(?:at|for|priced|price(?: of)?|tickets? (?:is|are|at|for)|costs?|costing|charg(?:e|es|ing)) {PRICED}{MONEY}"
)
PRICE_AROUND = re.compile(rf"{MONEY} ?,? ?(?:give or take|plus or minus|plus minus) {MONEY}")
SHARED = re.compile(
    rf"{MONEY} {TOGETHER}|\b(?:the (?:pair|lot|group|two)|together|altogether|in total|total|both tickets|all (?:the )?tickets) (?:\w+ ){{0,3}}?(?:(?:under|below|less than|at most|max|up to|no more than|of|is) )?{MONEY}|\b({NUMBER}) (?:tickets? |seats? |of us )?for (?:under|less than|max|at most|up to|no more than|below) {MONEY}"
)
"""What all who come may spend together."""
SHARERS = re.compile(
    rf"\b(me) (?:and |plus |with )?(?:my )?({NUMBER}) (?:\w+ )?(?:friends|kids|mates|buddies|others|colleagues|pals|children)\b|\b(pair)\b|\b(?:my \w+|wife|husband|mum|mom|dad|friend) (and) (?:i|me|myself)\b|\bus ({NUMBER})\b|\b(?:us|the|for) (two|three|four|five|six|both)\b|\b({NUMBER}) (?:tickets?|seats|{PARTY})\b|\b({NUMBER}) for (?:under|less|max|at most|up to|no more|below)\b"
)
"""How many share it, where they do not say how many "of us" they are."""
OF_US = re.compile(rf"\b({NUMBER}) of us\b")
LOW_TO_HIGH = (
    r"low(?:est)? (?:price )?to high(?:est)?(?! (?:revenue|takings|sales|gross|attendance|popularity|capacity|seats))"
)
"""An order by price, not by another figure."""
CHEAP = re.compile(
    rf"\b(?<!not )(?<!no )(?<!nothing )(?<!isnt )(?:(?:from )?{LOW_TO_HIGH}|lowest (?:i|we|you) (?:could|can)(?: \w+)? pay|(?:as|for as) little (?:money )?as possible|(?:the )?least (?:money )?(?:i|we) (?:can|could)|spend as little|(?:nothing|not|isnt)(?: too| so| very| that)? (?:expensive|pricey|dear)|(?:doesnt|dont|does not|do not|not) cost(?:ing)? (?:too |so |that |very )?(?:much|a lot|a fortune|the earth)|(?:wont|not|doesnt) break the bank|(?:reasonable|reasonably) (?:priced?|prices)|easy on the wallet|cheap|cheaper|cheapest|inexpensive|affordable|cheaply|low cost|lowest prices?|lowest priced|on a budget|cheapo|(?<!the )(?<!my )(?<!our )(?<!should i )(?<!your )budget(?! for)|without (?:selling a|breaking the|robbing a|remortgag\w+|spending a)|an arm and a leg|not too expensive|not expensive|least expensive|good value|costs? (?:the )?least|budget friendly)\b"
)
FREE = re.compile(
    rf"\b(?:(?:entirely|totally|completely|absolutely|admission|entry|entrance|for) free\b|(?:is(?<!he is)|are(?<!we are)(?<!you are)|stays?|anything|something|stuff) free\b(?! (?:on|this|next|at|after)\b)"
    rf"|free(?<!feel free) (?:(?!(?:at|on|in|for|to|this|next)\b)\w+ ){{0,2}}?(?:_genre|_type|{COUNTED}|entry|entrance|admission|tickets?|live|of charge|to (?:attend|enter|visit|watch|see|get in)|please)\b"
    rf"|free(?<=, free)(?= ?(?:$|[,.!?]))|(?:gratis|complimentary|for nothing|costs? nothing|costless)\b"
    rf"|(?:no|zero|without(?: an?| any)?) {CHARGE}\b|without (?:paying|having to pay)\b|(?:dont|do not) (?:have to |need to |want to )?pay\b(?! (?:\w+ ){{0,2}}?[$€£\d])"
    r"|zero (?:dollars?|bucks|euros?)\b|0(?<=[$€£] 0)\b|0 ?(?:dollars?|bucks|usd|euros?|eur|[$€£]))"
)
CHEAPEST_FIRST = re.compile(
    rf"\b(?:(?:cheapest|least expensive|lowest prices?)(?: \w+)? (?:first|(?:on|at) (?:the )?top)|{LOW_TO_HIGH}|by price)\b"
)
"""The order by price, which goes with a limit."""
DEAR = re.compile(r"\b(?<!how )(?<!nothing )(?<!not )(?:expensive|priciest|pricey|luxury|vip)\b")

_SEATS = r"(?<![\d.,])(\d++(?:[.,]\d++)*+k?)"
_NOT_MONEY = rf"\b(?![\d.,/-]| ?(?:[$€£]|{CURRENCY}|tickets?|minutes?|hours?|days?|weeks?|nights?|months?|(?:of )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)))"
_SEATS_RANGE = rf"(?:(?:between|{MORE}) )?{_SEATS}(?: ?{SEATED})? (?:to|and|(?:(?:and|but|,) )?{LESS}) {_SEATS}"
CAPACITY_BETWEEN = re.compile(
    rf"\b{_SEATS_RANGE} ?{SEATED}\b|\b{MORE} {_SEATS} ?{SEATED} (?:and|but|,)(?: ,)? ?{LESS} {_SEATS}{_NOT_MONEY}|\b{HOLDS} {_SEATS_RANGE}{_NOT_MONEY}"
)
CAPACITY_LEAST = re.compile(
    rf"\b{MORE} {_SEATS} ?{SEATED}\b|\b{HOLDS} (?:for )?{MORE} {_SEATS}{_NOT_MONEY}|\b(?:bigger|larger) than {_SEATS}{_NOT_MONEY}"
    rf"|\b{_SEATS} ?{SEATED} {AND_MORE}\b|\b{_SEATS}(?: ?{SEATED})? {AND_MORE} {SEATED}|\bcrowds? of {_SEATS} {AND_MORE}|\b{HOLDS} {_SEATS}{_NOT_MONEY}(?! (?:to|and|or|until|till|through) \d)"
)
CAPACITY_MOST = re.compile(
    rf"\b(?:nothing|none|not|no \w+)(?: (?:that|which|with))? (?:{HOLDS} )?(?:more than|over|above|bigger than|larger than) {_SEATS} ?{SEATED}\b|\b{LESS} {_SEATS} ?{SEATED}\b|\b{HOLDS} (?:for )?{LESS} {_SEATS}{_NOT_MONEY}|\bsmaller than {_SEATS}{_NOT_MONEY}"
    rf"|\b{_SEATS} ?{SEATED} (?:or less|or fewer|or smaller|max(?:imum)?|tops|at most)\b(?! ?[$€£\d])"
)
SMALL = re.compile(
    r"\b(?<!how )(?<!no )(?<!not )(?:small|smaller|smallish|intimate|tiny|cosy|cozy|little) (?!(?:is|are|was|the|of)\b)(?:\w+ ){0,2}?(?:_type|venues?|places?|rooms?|concerts?|gigs?|shows?|stages?|halls?)\b"
)
LARGE = re.compile(
    r"\b(?<!how )(?<!no )(?<!not )(?:big|large|huge|giant|massive) (?!(?:is|are|was|the|of)\b)(?:\w+ ){0,2}?(?:_type|venues?|places?|concerts?|gigs?|shows?|stages?|halls?)\b"
)
SMALL_SEATS, LARGE_SEATS = 1500, 8000

COUNT = re.compile(
    rf"\b(?:max(?:imum)?(?: of)?|at (?:the )?most|up to|(?:no|not) more than|limit(?: of)?|top|bottom|worst|weakest|best|cheapest|biggest|largest|smallest|first|only|just|any|give me|show me|list|name|recommend|suggest|find me|find|tell me|see|(?<!between )the|next|show|want) (?:me )?(?:the )?({NUMBER})\b"
    rf"(?! ?(?:{SEATED}|{PARTY}|dollars|euros|km|kilomet\w+|miles|minutes|hours|days|weeks|months|years|weekends|nights|k|st|nd|rd|th|o clock|%|one|pm|am)\b)"
    rf"|(?<![$€£] )\b({NUMBER}) (?!(?:at|in|for|on|near|max|maximum)\b|{PARTY}|\w+ (?:wants?|needs?|likes?|loves?|would)\b|dollars|bucks|euros?|pounds|quid|usd)(?:\w+ ){{0,2}}?(?:most |least |best |top |more |cheapest )?(?:\w+ ){{0,2}}?{COUNTED}\b"
    rf"|\b({NUMBER}) of (?:them|those|these)\b|\b({NUMBER}) (?:(?:more|others)\b(?! than)|max(?:imum)?\b|tops\b|at (?:the )?most\b|or fewer\b)"
)
SINGLE = re.compile(
    rf"^(?:just |only )?one (?:concert|show|gig|event|suggestion)(?= ?[.,])|\b(?:one|the|a|just one|your) single (?:(?:most|best|top|biggest|cheapest|nicest) |{COUNTED}\b)"
)
ORDINALS = {
    word: number
    for number, words in enumerate(
        (("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"), ("fifth", "5th"), ("sixth", "6th"),
         ("seventh", "7th"), ("eighth", "8th"), ("ninth", "9th"), ("tenth", "10th")), 1)
    for word in words
} | {"last": -1, "final": -1}  # fmt: skip
ORDINAL = re.compile(
    r"\bthe (last) (?=of (?:those|these|them))|"
    rf"\b(?:the )?({'|'.join(ORDINALS)})(?: (?:one|concert|show|gig|artist|band|venue|place|option|event|result|suggestion|item|act)\b(?! in| at| of))"
    rf"|\bthe ({'|'.join(name for name in ORDINALS if name not in {'last', 'final'})})\b(?! (?:half|quarter|week|day|time|of|weekend|half|to|until|till|through|and the)\b)"
    r"|(?:\bnumber|\bno|#|\boption) ?([1-9]|1[0-9]|20)\b(?! ?(?:seats|people|dollars))|\bnumber (one|two|three|four|five|six|seven|eight|nine|ten)\b"
)
REFERENCE_CUE = re.compile(
    r"\b(?:it|its|that|this|they|them|their|there|him|her|he|she|those|these|one)\b(?! (?:week|weekend|month|year|evening|"
    r"morning|afternoon|night|summer|winter|spring|autumn|fall|quarter|is|are|monday|tuesday|wednesday|thursday|friday|saturday|sunday|any|anything|a|an|some)\b)"
    r"|\b(?:this|that|the|these|those|same) (?:concert|show|gig|artist|band|venue|place|event|act|tickets?|one|group|singer)\b"
)
FILLERS = re.compile(
    r"\bthis (?:is|was)\b|\bthere (?:is|are|any|be)\b|\b(?:is|are) there\b|\bis it\b|\bit is\b|\bone of\b|\bthose who\b|\bno one\b|\bany ?one\b"
    r"|\bthat (?:is|are|cost|costs|hold|holds|play|plays|have|has|seat|seats|can|i)\b"
)
THE_VENUE = re.compile(
    r"\b(?:the|that|this|its|their|which|what) (?:venue|place|hall|arena|club|stadium|theat(?:er|re))\b|\bthere\b"
)

UNSUPPORTED: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"\b(?:near me|nearby|around here|close to me|near us|(?:close to|near|from|around) my (?:hotel|home|house|office|flat|apartment)|my (?:city|town|area|place|neighbou?rhood|country|state)|where i live|close by|local(?:ly)?)\b",
         "I do not know where you are: name a city, a state or a country."),
        (r"\b(?:at|from|after|before|around|until|by) \d{1,2}(?:[:.]\d\d)? ?(?:am|pm|o ?clock)\b|\b\d{1,2} ?(?:am|pm)\b|\b(?:matinee|doors? open|start time|what time|starts? at|late night)\b",
         "I know the days of concerts, not the times."),
        (r"\b(?:morning|afternoon|evening|late|early|daytime|lunchtime) (?:concerts?|gigs?|shows?|events?|music)\b|\bin the (?:morning|afternoon|evening)s?\b",
         "I know the days of concerts, not the times."),
        (r"\b(?:book|buy|order|reserve|purchase|get me|refund|cancel my|resell|sell my)\b(?= ?(?:me |us |two |four |\d )?(?:a |an |some |the |my |two |\d+ )?(?:tickets?|seats?|table|it|one|them)\b)",
         "I cannot book, buy or give back tickets."),
        (r"\b(?:cancel|refund|change|return|rebook|book|reserve)\b (?:\w+ ){0,3}?(?:booking|reservation|order|purchase|tickets?)\b", "I cannot book, buy or give back tickets."),
        (r"\b(?:re ?entry|dress code|cameras?|smok(?:e|ing)|bring (?:my|our|a) (?:own )?\w+)\b", "I do not know what venues allow."),
        (r"\brefund\w*(?! (?:\w+ ){0,3}?(?:booking|reservation|order|purchase|tickets?)\b)|\bmoney back\b", "I cannot book, buy or give back tickets."),
        (r"\bhow many (?:\w+ ){0,3}?(?:are|will be|is) (?:scheduled|planned|coming|upcoming|there)\b", "I list concerts to come, and do not count them."),
        (r"\b(?:for|with) (?:two|three|four|five|six|\d+) (?:people|persons|friends|adults|kids|children|of us)\b|\bfor (?:the )?(?:two|three|four|five|six|both of us|all of us)\b(?! ?(?:days?|nights?|weeks?|months?|hours?|dollars|_\w+|concerts?|gigs?|shows?))|\b(?:two|three|four|five|six|\d+) tickets (?:for|to|in|near)\b|\bfor (?:my )?(?:family|kids|children|wife|husband|girlfriend|boyfriend|friends|date)\b",
         "I do not know how many seats are left, nor who is let in."),
        (r"\b(?:kid friendly|family friendly|all ages|age limit|over 18|under 18|18\+|21\+|minimum age|legal age|age restrictions?|for kids|children s)\b", "I do not know age limits."),
        (r"\b(?:front row|standing(?: room)?|balcony|seated|vip|backstage|meet and greet|aisle|floor seats)\b", "I do not know the seats of a concert."),
        (r"\b(?:(?:free |cheap )?parking(?: lots?| spaces?| garages?)?|park my car|wheelchairs?(?: access\w*| friendly| ramps?| users?| spaces?| seat\w*)?|(?:step free|disabled|barrier free) access\w*|accessible(?: seat\w*| toilets?| entrance)?|accessibility|bar(?: service)?|(?:vegan |vegetarian |good |hot |great )?food(?: court)?|cloakroom|coat check|drinks|merch(?:andise)?|outdoors?|indoors?|open air|air condition(?:ed|ing))\b",
         "I cannot choose by what a venue offers; ask about one venue for its amenities."),
        (r"\b(?:female|male|women|all girl|british|american|german|french|swedish|canadian|irish|spanish|italian|korean|japanese|australian|brazilian|mexican|english speaking) (?:\w+ )?(?:bands?|artists?|singers?|fronted|led|acts?|groups?|musicians?|vocalists?|rock|pop|jazz)",
         "I do not know where artists come from or who they are."),
        (r"\b(?:bands?|artists?|singers?|musicians?|acts?|groups?) (?:who are |that are )?from _place", "I do not know where artists come from or who they are."),
        (r"\b(?:romantic|upbeat|relaxing|chill|loud|quiet|danceable|energetic|mellow|sad|happy|fun|cool|hidden gems?|trending|hyped)\b",
         "I cannot choose by mood; I know genres and popularity."),
        (r"\b(?:festivals?|musicals?|operas?|comedy|stand up|theatre plays?|ballet|dj sets?|karaoke|open mic)\b", "I know concerts only."),
        (r"\b(?:on (?:mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays|weekends|weekdays)|weekdays?|weekends|weeknights?|every (?:week|monday|friday|saturday)|(?:on )?(?:a|any|every|each) weekend|(?:any|every|each) (?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|tues|wednes|thurs|fri|satur|sun)days|(?:mon|tues|wednes|thurs|fri|satur|sun)day (?:night|evening)s)\b",
         "I cannot choose by the day of the week; name a day or a period."),
        (r"\bsold out\b|\bstill available\b|\bavailab\w+\b|\btickets? left\b|\bleft over\b", "I do not know which tickets are left."),
        (r"\b(?:lineup|line up|setlist|set list|support(?:ing)? acts?|opening acts?|album|albums|lyrics|songs?|streaming|spotify|youtube|(?:the|on|local) radio)\b",
         "I do not know songs, albums or support acts."),
        (r"\b(?:weather|flights?|hotels?|restaurants?|train|bus|directions|how do i get)\b", "I know nothing about travel, weather or where to stay."),
        (r"\b(?:within|less than|under|closer than) \d+ ?(?:km|kilomet\w+|miles?|minutes?|hours?)\b|\b\d+ ?(?:km|miles?)\b|\b(?:nearest|closest|distance|how far)\b", "I cannot measure distances."),
        (r"\b(?:deals?|discounts?|coupons?|vouchers?|promos?|promo codes?|promotion\w*|special offers?)\b", "I know ticket prices, and no discounts."),
        (r"\b(?:reviews?|rated|ratings?|stars?|any good|worth (?:it|seeing|the money))\b", "I have no reviews; I know popularity and attendance."),
        (r"\bby (?:city|venue|month|year|week|quarter|country|state|artist|day)\b|\bper (?:city|venue|month|year|week|quarter|country|state|artist|day)\b|\bmonth by month\b|\beach (?:city|month|venue|artist)\b|\b(?:which|what) (?:city|cities|state|states|country|countries|months?|years?|days?|weekdays?|artists?|bands?)\b(?= (?:\S+ ){0,6}?(?:most|least|best|worst|fewest|highest|lowest|busiest|more|less)\b)|\bwho (?:sold|made|earned|grossed|sells|makes)\b",
         "I sum up by genre only."),
        (r"\bprofit\w*|\bmargins?\b|\bcosts? of (?:running|staging)\b", "I know revenue, not profit."),
    )
)  # fmt: skip

_X = r"((?<!~)(?<!~ )~[~ ]*+)"
UNKNOWN_ARTIST = re.compile(
    rf"\b(?:is|are|does|do|did|will|has|have|when s|where s|can i see) (?:the )?{_X}(?:ever |still |also |going to )?(?:play|plays|playing|perform|performs|performing|tour|touring|tours|on tour|coming|come|next|singing|sing|live)\b"
    rf"|\b(?:(?:tour dates|tickets|tour|dates) (?:for|of|by|to)|(?:concerts?|gigs?|shows?) (?:of|by)) (?:the )?{_X}(?![~ ]*(?:people|artists?|bands?|singers?|musicians?|wom[ae]n|m[ae]n|someone))"
    rf"|\btour dates {_X}"
    rf"|\b(?:who (?:is|are|s)|tell me (?:more )?about|heard of|fan of|news on|news about) (?:the )?{_X}(?!_)"
    rf"|\b(?:see|hear|watch|catch) (?:the )?{_X}(?:live|in concert|perform|play|on stage)\b"
    rf"|\b(?:(?:artist|band|singer|group|rapper|dj) (?:called|named)|(?:the|a) (?:artist|band|singer|group|rapper)) {_X}"
    rf"|{_X}(?:tour dates|on tour|next (?:concert|gig|show)|s next (?:concert|gig|show))\b"
)
UNKNOWN_TICKETS = re.compile(rf"{_X}(?:tickets|concerts?|gigs?|shows?)\b")
UNKNOWN_VENUE = re.compile(
    rf"\b(?:place|venue|club|hall|theater|theatre|arena|room|_type) (?:called|named) {_X}|\b(?:address|capacity|location|size|amenities) of (?:the )?{_X}|\bhow (?:big|large) is (?:the )?{_X}|\bwhere is (?:the )?{_X}(?:located|\?|$)"
)
"""Where the name of an artist or a venue would be; the words that nothing has used are tildes."""

GREETING = re.compile(
    r"^(?:hello+|ta|kthx|cya|hi+|he+y+|hiya|heya|sup|what s up|what s new|wassup|ok cool thanks|good (?:morning|evening|afternoon|day)|greetings|yo|howdy|hola|thanks?|thank you|thx|cheers|bye|goodbye|ok|okay|great|cool|nice|perfect)\b"
)
COURTESIES = (
    r"(?:thanks?|thank you|cheers|ta|kthx|gracias|merci|danke|grazie)(?: (?:a lot|a million|a bunch|a ton|so much|very much|loads|again|anyway|mate|buddy|man|pal|everyone|dear|friend|in advance))*(?: for (?:(?:all|everything|(?:all )?(?:your|the) (?:\w+ )?(?:help|time|info|information|tips?|suggestions?|advice|answers?|ideas?|recommendations?))))?",
    r"(?:many thanks|much (?:appreciated|obliged)|(?:i )?(?:really )?appreciate (?:it|that|your help)|no (?:thanks|thank you|problem|worries|need|questions)|not now|nothing(?: else| more)?|never ?mind|forget it)",
    r"(?:see|catch|talk to|speak to|hear from) (?:you|ya|u)(?: (?:later|soon|then|around|there|again|tomorrow|tonight|next (?:time|week|month|year)))?",
    r"(?:bye+|goodbye|good bye|cya|later|laters|cheerio|farewell|so long|adios|ciao|tschuss|au revoir|until next time|till next time|peace|(?:take|have) care|take it easy)(?: (?:for )?now)?",
    r"(?:have|enjoy) (?:a |an |the |your )?(?:(?:very )?(?:nice|good|great|lovely|wonderful) )?(?:day|one|evening|night|weekend|week|time|thanksgiving|christmas|holidays?|easter|new year)(?: (?:too|ahead))?",
    r"(?:you too|same to you|likewise|my pleasure|(?:nice|good|great|pleased|pleasure) (?:to (?:meet|talk to|chat with)|(?:meeting|talking to|chatting with)) you)",
    r"(?:youve|you have|you|u) (?:just )?(?:saved|made) (?:my|our|the) (?:day|evening|night|week|weekend|life)",
    r"good (?:morning|evening|afternoon|day|night)|(?:merry|happy) (?:christmas|xmas|new year(?:s)?|holidays|easter|thanksgiving|halloween|weekend)",
    r"(?:that|this|it) (?:is|s|was|will be) (?:all|it|everything|enough|(?:very |really |so |super )?(?:great|helpful|perfect|good|nice|kind|useful|cool|fine|awesome|amazing))(?: (?:for (?:now|today)|i need(?:ed)?|thanks))?|(?:that|this) (?:really )?help(?:s|ed)(?: a lot| me)?",
    r"(?:you|u|your|youre|youve) (?:(?:are|were|ve been|have been|r) )?(?:(?:so|very|really|super) )?(?:been )?(?:(?:so|very|really|super) )?(?:great|awesome|helpful|amazing|the best|kind|nice|a star|a legend|helped(?: me)?(?: a lot)?|rock)",
    r"(?:i am|im|we are) (?:all )?(?:done|good|set|fine|finished|sorted|happy)|all (?:good|done|set|clear)|(?:i |we )?(?:gotta|have to|must|need to|should) (?:go|run|leave)(?: now)?|(?:i|we) (?:got|found) (?:it|everything)",
    r"(?:well done|(?:good|great|nice) (?:job|work|one)|got it|(?:i )?(?:understood|understand|see)|makes sense|sounds (?:good|great|perfect)|fair enough|no more questions|will do)",
    r"(?:hello+|hi+|he+y+|hiya|heya|greetings|yo|howdy|hola|ok(?:ay)?|great|cool|nice|perfect|awesome|super|wonderful|lovely|brilliant|excellent|fantastic|amazing|sweet|wow|alright|all right|fine|good|yes|yeah|yep|no|nope|nah|sure|please|then|and|so|well|oh|ah|aha|mate|buddy|everyone|there|bot|sir|madam|for now|now|welcome|sorry|oops)",
)
"""What people say when they ask for nothing: thanks, greetings, farewells, wishes, praise."""
_COURTESY = "|".join(COURTESIES)
COURTESY = re.compile(rf"(?>(?:{_COURTESY})(?![a-z]))(?:[ ,.;:!?()]++(?>(?:{_COURTESY})(?![a-z])))*+[ ,.;:!?()]*+")
THE_CHAT = r"(?:you|it|this|(?:this|the|your) (?:chat(?:bot)?|bot|site|website|page|app|service|tool|assistant|thing))"
WHAT_I_DO = re.compile(
    rf"\bwhat (?:else )?(?:can|could|do|does|will) {THE_CHAT} (?:do|know|offer|help|answer)\b|\bwhat (?:\S+ ){{0,3}}?can i ask\b"
    rf"|\bwhat (?:\S+ ){{0,3}}?questions? (?:can|could|may)\b|\bhow (?:do(?:es)? |should |is )?{THE_CHAT} (?:supposed to )?works?\b"
    rf"|\bhow (?:do|can|should|to) (?:(?:i|we) )?use {THE_CHAT}(?! for)\b"
)
"""Questions about the chat itself."""
CUES: Sequence[tuple[str, re.Pattern[str]]] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("greeting", GREETING.pattern),
        ("help", rf"{WHAT_I_DO.pattern}|\b(?:help|(?:a |real |to a )(?:human|person)\b|how are you|who (?:made|built|created|wrote|trained) you|your abilities|capabilities|who are you|what are you|are you (?:a |an )?(?:bot|robot|human|ai|real))\b"),
        ("forecast", r"\b(?:predict\w*|forecast\w*|project(?:ed|ion)s?|estimat\w+|(?:expected|likely) (?:\S+ )?(?:take|gate|gross|box office|sales|revenue|takings|turnout|attendance|crowd)|turnout|(?:will|going to|gonna) (?:\S+ ){0,6}?(?:flop|tank|bomb|do (?:well|badly|great)|go (?:down )?(?:well|badly)|(?:draw|pull|attract)|be (?:an? )?(?:(?:big|huge|great|real|total|massive|complete) )?(?:success\w*|hits?|flop|smash(?: hit)?|blockbuster|bust|failure|disaster|triumph|sensation|full|packed|sold out|well attended))|(?:will|going to|gonna) (?:the )?_artist be (?:\w+ )?(?:popular|huge|big)|_artist (?:will|gonna) be (?:\w+ )?(?:popular|huge|big)|how (?:much|many tickets) do you (?:think|expect)|expect\w* to (?:sell|make|take|earn|flop|tank|bomb|do|draw|pull)|(?:do|would) you (?:project|expect|foresee|anticipate)|(?:we|you) (?:can|should) expect|how (?:will|would) (?:\S+ ){1,4}?do|how (?:popular|big|full|busy) (?:will|would)|if (?:the )?_artist (?:\w+ )?(?:play|plays|played|perform|performs|came|come|comes|were to)|will (?:\S+ ){0,6}?(?:sell|make|take|earn|gross|bring|do(?! ?(?:[,.!?]|$))|fetch|generate)|(?:ticket )?sales (?:of|for|be|look|going)|(?<!im )(?<!i am )(?<!we are )(?<!were )going to (?:sell|make|take|earn|be)|(?:its|his|her|their) (?:ticket )?sales|how many (?:\S+ ){0,2}?(?:people|fans|visitors) (?:will|would|could|might|may)|how is (?:\S+ ){1,3}?going to (?:sell|do)|how (?:much|many tickets) (?:will|would|could|can|might|may)(?! (?:\S+ ){0,4}?(?:cost|tickets? cost|pay|it be|(?:i|we) need))|should (?:sell|make)|sell[- ]?out|how (?:well|good) will|sales outlook|outlook|(?:best|your) guess|ballpark|guesstimate|(?:revenue|sales|takings|money) (?:\S+ ){0,4}?expect\w*|expect\w* (?:\S+ ){0,3}?(?:revenue|sales|takings)|likely to (?:flop|tank|bomb|fail|draw|sell|make|take|earn)|might (?:sell|make|earn))\b"),
        ("similar", r"\b(?:similar|resembl\w+|alike|more like|(?<!i )(?<!we )(?<!you )(?<!they )(?<!would )like (?:it|this|that|these|those|them)|(?<!_artist )(?<!_artist actually )(?<!_artist really )sounds? like|same (?:kind|style|sort|genre)|comparable|in the style of|sounds? (?:\S+ ){1,3}?like (?:the )?_artist|(?:in )?the (?:same )?vein|along the lines of|reminiscent of|(?:concerts?|shows?|gigs?|bands?|artists?|acts?|music|someone|somebody|others?) like (?:the )?_artist|anything like|something like|others? like|also (?:like|enjoy|listen)|_artist (?:are|is|s) (?:your|my|our) (?:thing|favou?rites?)|fans of (?:the )?_artist (?:also|might|would)|if (?:i|you|we) like|who else|what else (?:should|would|could|might) (?:i|we|you)|similarly)\b"),
        ("analysis", r"\b(?:(?:good|bad|great|strong|weak|poor) (?:year|month|season|quarter) for|sums? of|tickets sold|(?:mean|median) (?:gate|gross|revenue|attendance|price|take|sales|takings|crowd)|per (?:show|concert|gig)|(?:brings?|brought|pulled|pulls) in (?:the )?(?:most|least|more)|how did (?:\S+ ){1,4}?do|(?:top|best|highest|biggest)(?: \d+)? (?:earning|grossing|selling|earners?)(?! _venue| venues?)|statistics?|stats|number of (?:concerts|gigs|shows|events|tickets|people|visitors|fans)|did (?:\S+ ){1,4}?(?:do|sell|fare|perform|go) (?:better|worse|well|badly|more|less)|revenue|revenues|takings|turnover|income|earned|earnings|gross(?:ed|es)?|attendance|attended|visitors|averages?|totals(?! of)|total (?=(?:\S+ ){0,2}?(?:of|for|revenue|income|takings|sales|money|sold|attendance|visitors|number|people|tickets|earnings|turnover))|in total|(?:_genre|_artist|_venue|_place) versus (?:_genre|_artist|_venue|_place)|how was (?:\S+ ){1,2}?between|how s business|how was business|how (?:was|were) (?:(?:19|20)\d\d|q[1-4]|last|this|the past|january|february|march|april|may|june|july|august|september|october|november|december)\b|reports?|flop\w*|tanked|bombed|analy[sz]e|analysis|compar\w+|trends?|how many (?!(?:upcoming|coming|scheduled|future|more)\b)(?:\S+ ){0,3}?(?:concerts|shows|gigs|people|visitors|tickets)(?! (?:will|are (?:there|on|coming|planned|scheduled|left)|do (?:you|we) have|have you got|can (?:i|we))\b)|by genre|per genre|each genre|breakdown|sum up|summary|summari[sz]e|overview(?! of (?:\S+ ){0,3}?(?:concerts|gigs|shows))|outs(?:ell|old)\w*|how full (?:were|was)|_genre (?:more|less|as) popular|sales (?:in|at) (?:\S+ ){1,3}?(?:last|in) |how (?:is|s) the season|how (?:well )?did (?:\S+ ){1,6}?(?:do|go|sell|develop|perform)|how was (?:the )?(?:season|year|last)|how were|numbers|figures|which genres? (?:\S+ ){0,3}?(?:best|most|worst|least|better)|top genres?|which genres? (?:sell|sold|earn\w*|makes?|made|takes?|took|brings?|brought|draws?|pulls?|attracts?|is the most|is most|are the most|are most|was|were|did|does (?:best|well)|do (?:best|well))|(?:most|best|top) (?:popular |selling |successful )?genres?|took in|made the most|sold the most|what did (?:\S+ ){1,6}?(?:take|make|earn|gross|sell|bring)|how much (?:money )?(?:did|has|have) (?:\S+ ){1,6}?(?:earn\w*|ma[dk]e|take|taken|took|gross\w*|bring|brought|sold)|box office|performance of|profits?|profitable)\b"),
        ("price", r"\b(?:how (?:expensive|cheap|pricey)|how much (?:will|would) (?:it|(?:i|we) need)|how much (?:is|are|s|does|do|for|would|will it cost|to)|what s (?:it|the damage)(?: cost)?|set (?:me|us) back|(?:is|are) (?:\S+ ){1,4}?(?:expensive|cheap|pricey)|costs? the least|(?:ticket )?prices?(?: for| of)?|what do(?:es)? (?:\S+ ){0,5}?cost|costs? of|cost(?:s|ing)?|price range|admission|fees?|price tag|face value|(?:entrance|entry|cover|the|ticket|door) charges?|charge for)\b"),
        ("facts", r"\b(?:address|where (?:exactly |on earth )?(?:is|s)|wheres|located|location of|capacity|how (?:big|large|many (?:seats|people (?:fit|does|can))|do i get)|how many (?:does|can) (?:\S+ ){1,4}?hold|hold(?:s)?\b|seats does|amenities|facilities|facts|details|information|info|tell me (?:more )?about|more about|(?:know|learn) about|zip code|postal code|coordinates|what kind of venue|what type of venue|does (?:\S+ ){1,4}?have)\b"),
        ("when", r"\b(?:when|next (?:concert|show|gig|date|tour|appearance|performance)|where (?:is|are|does|do|can|will) (?:\S+ ){0,6}?(?:play|playing|perform|performing|see|next)|tour|touring|tour dates|dates|playing (?:next|soon)|schedule|coming (?:to|up)|play(?:s|ing)? (?:in|at|next|anywhere)|upcoming (?:concerts|shows|dates|gigs))\b"),
        ("venue", r"\b(?:venues?|_type|arenas?|stadiums?|clubs?|theat(?:er|re)s?|halls?|amphitheat(?:er|re)s?|ballrooms?|rooms? (?:over|above|under|with|of|that|seating)|(?:which|what) places|places? (?:to|for) (?:live|play|perform|see)|concert halls?)\b"),
        ("ranking", r"\b(?:popular|popularity|best|busiest|top|rank\w*|favou?rite|(?<!at )most|(?<!at )least|biggest|largest|smallest|fullest|emptiest|worst|highest|lowest|leading|successful|fewest|number one|hottest|greatest|which venues?|list|what venues|show me (?:the )?venues|any venues|are there)\b"),
        ("ordered", r"\b(?:ordered|sorted|ranked|order|sort) by|by (?:revenue|attendance|capacity|size|popularity)\b"),
        ("genres", r"\b(?:which|what|list|all|show)(?: me)?(?: the| all| your)*(?: music(?:al)?)? (?:genres?|styles?|(?:kinds?|sorts?|types?) of music(?! do(?:es)? (?:the )?_artist| is _artist))\b|\bgenres? (?:do you|are there|can)\b"),
        ("concert", r"\b(?:ideas?|bored|recommend\w*|suggest\w*|concerts?|gigs?|shows?(?! me\b)|events?|stuff|nights? out|raves?|part(?:y|ies)|live|music|to go|going out|go out|(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:s| nights| evenings)|what s good|options|recommendations|what s new|pick a|who(?: is| s) on|go to|see|hear|listen|playing|plays|what s on|whats on|what is on|happening|tickets?|to do|performances?|acts?|bands? (?:in|playing|near)|out tonight|something|anything|what else|in the mood|mood for|i (?:like|love|want|feel like|fancy)(?! (?:you|u)\b)|plans|evening|tonight|weekend|surprise me|somewhere|anywhere|going on|what is there$|take me out|show me more|(?:im|i am|we are|we) free)\b"),
        ("artist", r"\b(?:who|artists?|bands?|singers?|musicians?|tell me about|touring|tour|member|members|group)\b"),
    )
)  # fmt: skip

ANSWERED: Mapping[str, frozenset[str]] = {
    topic: frozenset(cues.split()) | {"greeting", "help"}
    for topic, cues in {
        "forecast": "forecast concert when artist",
        "similar": "similar concert artist when",
        "concerts": "concert when artist price",
        "concert": "concert when artist price facts",
        "price": "concert when artist price",
        "artist": "concert when artist price facts",
        "venue": "venue facts when concert",
        "venues": "venue ranking",
        "totals": "analysis venue artist ranking",
        "genres": "genres concert artist",
    }.items()
}
"""The cues of each topic whose words its answer answers; words of other cues are left over."""
SOLD = re.compile(
    r"\b(?:sell|sells|sold|sales|selling|revenue|takings|gross|project|earn|money|make|take|bring|much|many|tickets?|outlook)\b"
)
"""Words of what a forecast answers."""
WELL_LIKED = re.compile(
    r"\b(?:(?:most )?popular(?:ity)?|best|top|favou?rite|hottest|greatest|recommended|list|are there|any|show me)\b"
)
"""Words of the ranking of venues that every list of concerts answers, too: the best of them come first."""
CONCERTS_IN = re.compile(
    r"\b(?:are|is) there (?:any |an? )?(?:\w+ )?(?:concerts?|gigs?|shows?)\b|\b(?:concerts?|gigs?|shows?|tickets?|events?|music|stuff|things|_genre)\b.*?\b(?:in|at) (?:\S+ ){0,3}?(?:_type|venues?|places?)\b"
)
"""Concerts in certain venues, which ask for concerts; unless the venues are what is asked for."""
CONCERTS_NAMED = re.compile(
    r"\b(?:concerts?|gigs?|shows?|tickets?|events?|music|bands?|artists?|live|play(?:s|ing)|hear|see|happening|"
    r"to do|(?:what s|whats|what is|going) on)\b"
)
"""Words of concerts, which "a hall anywhere for at most 600" has none of."""
VENUES_ASKED = re.compile(
    r"\b(?:need|want|looking for|find|show me|list)(?: me)? (?:\w+ ){0,2}?_type (?:in (?:\S+ ){1,2}?)?(?:that|which|with|seating|holding) (?:seats?|holds?|fits?|(?:\S+ ){0,3}?(?:seats?|capacity))|\b(?:recommend|suggest|find|need|want|looking for|show me) (?:me )?(?:a|an|some|any|the) (?:\w+ ){0,2}?(?:venues?|_type)\b(?! (?:concerts?|gigs?|shows?|music))|\bwhere do (?:concerts|gigs|shows|bands) |"
    r"\b(?:which|what|popular|best|top|rank\w*) (?:(?!(?:concerts?|gigs?|shows?|events?|music|stuff|in|at) )\S+ ){0,3}?(?:venues?|_type)\b"
)
ALL_VENUES = re.compile(
    r"\b(?:overview|list) of |\b(?:compile|all|every|each) (?:of )?(?:the |your )?(?:\w+ )?(?:_type|venues?|arenas?|stadiums?|clubs?|halls?|theat(?:er|re)s?)\b"
    r"|^(?:\w+ )?_type(?: (?:or|and|,) _type)* in _place\b"
)
"""Asks for venues as such, and not for what they took."""
SALES = re.compile(
    r"\b(?:sells?|selling|sales|make|makes|earns?|earning|grosse?s?|takes? in|bring(?:s|ing)? in|fetch|shift|money|cash|revenue|income|takings|attendance|attendees|visitors|turnout|turn up|show up|(?:many|lots of|lot of|enough|few)(?: people| fans| folks)? (?:will |would |might |could )?come|crowds?|success\w*|flop|fans|how many (?:\S+ ){0,2}?(?:come|tickets|people)|do well|well|full|packed|crowded|busy|empty|fill|rake|dough|pull in|gate)\b"
)
SIZE = re.compile(r"\b(?:big|large|small|huge|tiny|seat|rank)\b")
"""Words that one venue's facts answer."""
AHEAD = re.compile(
    r"\b(?:guess|next (?:gig|show|concert)|will(?! do ?(?:$|[,.!?]))|would|going to|likely|chances?|odds|probabl\w+|expect\w*|anticipat\w+|project(?:ed|ion)s?|predict\w*|forecast\w*|estimat\w+|outlook|might|could|may|should|ll|do you think|can (?:the )?_artist)\b"
)
"""Words for sales and for the future: together they ask for a forecast; sales with the past ask for totals."""
TAKEN = re.compile(
    r"\b(?:did (?:\S+ ){1,6}?(?:earn|make|gross|take|draw|sell|bring in)|what (?:\S+ ){1,6}?(?:took(?: in)?|made|earned|grossed|sold|brought in)|sold(?! out)|selling|sales|made|earned|grossed|brought in|bring in|money|cash|revenue|income|takings|attendance|attended|visitors|crowds?|fans saw|people saw|how busy|business)\b"
)
COSTS = re.compile(r"\b(?:costs?|prices?|priced|pay|spend|set (?:me|us) back|expensive|cheap\w*)\b")
ACTS = r"(?:artist|band|singer|act|musician)"
UNLOVED = re.compile(
    r"^ (?:music )?(?:is|(are)|s) (?:so |just |really |simply |way |much |a bit |a little |rather )*(?:too (?:far|expensive|dear|cold|hot|loud|boring)|off the table|out of (?:the )?(?:question|reach)|boring|awful|terrible|dull|bad|out|not (?:really |so )?(?:my|for))\b|^ (?:left out|excluded|omitted|not included)\b|^ (?:music )?(?:isnt|(arent)|aint) (?:really |so )?(?:my|for)\b|^ (?:music )?(?:sucks|(suck))\b"
)
"""Words after an unwanted name; the groups are plural, and are about a whole list."""
UNWANTED_AFTER = re.compile(
    r"([^.;!?]*?)\b(?:(?:hard )?pass on|skip|enough of|hates?|(?:cant|cannot|dont|do not|doesnt|does not) (?:stand|bear|take|like|want|need|enjoy|stomach|abide|face|handle)|(?:tired|sick|fed up|bored) (?:of|with)|(?:night|day|evening|break|rest) (?:off )?from) (?:it|that|those|them|both|either)\b"
)
"""A negation of what was named before: "my ex loves the blues, so hard pass on that"."""
PUT_AWAY = re.compile(
    r"\0(?: music)? (?:(?:is )?(?:what|that) )?(?:i|we) (?:(?:just |really )?(?:cant|cannot) (?:stand|take|bear|stomach|abide)|(?:dont|do not) (?:like|want|enjoy)|hate|detest|loathe)\b(?! (?:them|him|her)\b)|\bif (?:it(?: is|s)?|its|theres|there is|it s) (?:\w+ )?\0(?: music)? ?,? ?(?:then )?(?:(?:im|i am|were|we are|we) (?:out|not|gone)|count (?:me|us) out|forget it|skip it|no thanks)\b|\b(?:leave|leaving|keep|keeping|cut|take|kick|put) [^,.;:!?\0]{0,20}\0[^,.;:!?]{0,20}? (?:out|off|away|aside)\b|\0(?: music)?(?: \?| :)? no(?= ?(?:[,.;!]|$))|\0(?: music)?(?: is| are)? (?:excluded|aside|banned|forbidden|left out|omitted|removed|not included)\b"
)
"""Around an unwanted name, which is a null: "leave the blues out", "blues excluded"."""
IN_A_BAND = re.compile(r"\b(?:i|he|she|they|we|who|\w+s) (?:\w+ ){1,4}in (?:a|an|the|my|our|his|her) $")
"""Before the genre that somebody plays: "I play drums in a metal band"."""
NOT_COUNTRY = re.compile(
    r"\b(?:spare (?:me|us)|skip|no more|hates?|not|drop|without|minus|leave out|enough of) (?:the )?$"
)
"""Before the genre, not the land: "spare me the country"."""
OPTIONAL = re.compile(
    r"\b(?:doesnt|does not|dont|do not|neednt|need not|didnt) (?:(?:have|need) to |necessarily )?be (?:in |at |a |an |all )?(?:just |only )?$"
)
"""Before what may be so and need not: "it doesn't have to be jazz"."""
PLACE_ADJECTIVE = re.compile(
    r"^ (?:visas?|passports?|citizens?|accents?|natives?|resident|time zone|phone|born|bred|based|style)\b"
)
"""After a place that only says what kind of thing something is: "a US visa"."""
WERE_THERE = re.compile(
    r"\b(?:born|raised|grew up|lived|living|(?:used to|i|we) live|(?:from|moved|moving|driv\w+|fly\w*|flies|flew|com(?:e|es|ing)|came|travell?\w*|hail\w*)(?: \w+){0,2} from|im from|we from|are from|am from|"
    r"saw|seen|missed|used to \w+|played|loved|enjoyed|watched|caught|visited|been|went|(?:i|we|he|she|they) (?:was|were)|(?:we|i|who) (?:manage|run|own|operate|book|work)s?)\b(?:(?!\b(?:want|would|wanna|hear|looking|but|so|now|what|any|where|to see|find)\b)[^.;:!?]){0,40}?\b(?:in|to|at|from) (?:the )?$"
    r"|\b(?:driv\w+|fly\w*|flies|com(?:e|es|ing)|travell?\w*|hail\w*|moved|moving)(?: \w+){0,2} from $"
)
"""Before a place in which people were or from which they come."""
CORRECTION = re.compile(
    r"\b(?:(?:or|and|oh|no|but|well) )?(?:(?:no |oh |oops |sorry )?(?:wait|hang on|hold on)(?: no)?|no no|no (?:sorry|actually)|(?:sorry )?i (?:mean|meant)|(?:scratch|strike) that|correction|or rather|actually|"
    r"on second thoughts?|my (?:bad|mistake)|(?:no |so )?make (?:it|that))(?: ?,)?"
    r"(?: (?:sorry|no|wait|actually|lets say|i (?:mean|meant)|make|it|that|better|rather|to|in|at|on|for|around|about|,))* "
)
"""Between what was said first and what is meant: "Boston, no wait, Chicago", "ten, make it twenty"."""
ALL_BUT = re.compile(r"\b(?:any|every|all|what)\w*\b[^,.;:!?]* (?:but|bar|barring|save(?: for)?) (?:the )?$")
"""Before an unwanted name: "any city in Texas but Dallas"."""
ELSEWHERE = re.compile(
    r"\b(?:weather|flights?|hotels?|restaurants?|directions|pizza|burgers?|sushi|coffee|dinner|breakfast|uber|taxi|"
    r"football|basketball|baseball|stocks?|politics|rain|umbrella|snow|table for)\b"
)
REFUNDS = re.compile(
    r"\brefund\w*|\b(?:my )?money back\b|\b(?:(?:cancel|return|resell|exchange) (?:my|our|the)|sell (?:my|our)) (?:\w+ )?(?:tickets?|order|booking|reservation)\b"
)
"""Asks for what a ticket office does after the sale."""
HOUSE_RULES = re.compile(
    r"\b(?:can|may|could|am|are) (?:i|we) (?:allowed|bring|wear|smoke|film|record|re ?enter)\b|\bwho (?:do|can|should) (?:i|we) (?:talk|speak|write|turn) to\b|\b(?:our|my) (?:venue|band|club|shows?|events?|concerts?|_type) listed\b|\bre ?entry\b|\bdress code\b|\b(?:minimum|min|legal) age\b|\bhow old (?:do|must|should)\b|\bage (?:limit|restriction)s?\b|\b(?:export|download|spreadsheet|csv|advertis\w+|newsletter|password|unsubscribe|customer (?:service|support)|contact you|call you)\b|\b(?:is|are) (?:\S+ ){1,3}?allowed\b"
)
"""Asks what a venue allows."""
RENTS = re.compile(
    r"\b(?:rent|hire|lease)(?: out)? (?:the |a |an |your |this |that )?(?:\w+ )?(?:_venue|_type|venue|place)\b"
)
WOULD_TAKE = re.compile(
    r"\bhow (?:much|many)\b.*\b(?:could|would|will|might|can) (?:\S+ ){0,12}?(?:bring in|make|earn|gross|draw|pull in|rake in|take in)\b"
    r"|\b(?:take|gate|crowd|turnout|revenue|sales|takings|attendance|numbers?) (?:should|can|could|might) (?:we|i) expect\b"
    r"|\bwhat (?:\S+ ){0,6}?(?:would|could|will|might) (?:make|earn|gross|take|bring in|draw|pull in)\b"
    r"|\b(?:what|which) (?:revenue|money|sales|takings|turnover|attendance|income|crowd|turnout|gross|gate|take|box office) (?:should|could|would|will|might|can|do you (?:expect|see|project))\b"
    r"|\b(?:would|could|might|going to|will|suppose|imagine|what if|say (?:we|i|they)|how do you see|best guess|ballpark|do you (?:think|expect|see))\b.*\b(?:gross|bring in|outsell|expected take|(?<!without )selling|sell (?:more|better|best|well)|(?:make|earn|take) more|more money|fill(?:s| up)|gates?|rake in|pull in|flop)\b"
)
"""Asks what concerts would take in, whether or not an artist is named."""
OTHER_TASKS = re.compile(
    r"^(?:please |hey |hi |so |can (?:you|u) |could (?:you|u) |will you |help me |i need you to |i want you to )*"
    r"(?:write|draft|translate|solve|calculate|compute|draw|paint|code|program|cook|summari[sz]e|explain|rewrite|"
    r"tell (?:me |us )?a (?:joke|story))\b"
    r"|\bhelp (?:me|us|(?:my|our) \w+) (?:out )?with (?!(?:\S+ ){0,3}?(?:concerts?|tickets?|gigs?|shows?|music|find\w*|plan\w*|this|it|that|something|choos\w*|picking|ideas?|_\w+)\b)"
)
"""Requests that are for another assistant, whatever they name."""
DERIVED = re.compile(r"(?:y|ish|esque|head|heads|ey)$")
"""Endings of words that are made of genres: jazzy, rockish, metalheads."""

_ORDERS: Sequence[tuple[str, OrderBy, bool]] = (
        (r"\bleast (?:popular|successful|loved)|\bunpopular\b|\b(?:worst|weakest)\b|\bless popular\b|\bbottom\b|\blowest rank\w*|\bmost unpopular\b", "popularity", True),
        (r"\b(?:smallest|tiniest|lowest capacity|least seats|fewest seats)\b", "capacity", True),
        (r"\b(?:biggest|largest|most seats|highest capacity|greatest capacity|by (?:size|capacity|seats))\b", "capacity", False),
        (r"\b(?:emptiest|(?:least|worst) (?:full|crowded|packed|attend\w+|visited|frequented)|lowest attendance)\b", "attendance_rate", True),
        (r"\b(?:fullest|most full|(?:best|most) (?:attend\w+|visited|frequented|crowded|packed)|highest attendance|by attendance|sell out most|best filled|well attended|occupancy)\b", "attendance_rate", False),
        (r"\b(?:least revenue|lowest revenue|(?:earns?|earned|sells?|sold|makes?|made|takes?(?: in)?|took(?: in)?|grossed) (?:the )?(?:least|fewest)|lowest[- ]gross\w*|lowest takings)\b", "revenue", True),
        (r"\b(?:revenue|(?:sells?|sold|earns?|earned|makes?|made|takes?(?: in)?|took(?: in)?|brings?(?: in)?|brought(?: in)?) (?:the )?(?:most|best)|best[- ]?selling|takings|gross\w*|earning\w*|most (?:money|income|profitable)|most tickets|turnover|lucrative)\b", "revenue", False),
        (r"\b(?:fewest concerts|least (?:busy|concerts)|quietest|least booked|fewest (?:shows|events|gigs))\b", "concerts", True),
        (r"\b(?:busiest|most (?:concerts|shows|events|gigs|booked|active)|most often booked|by (?:the )?(?:number of )?(?:concerts|shows|events|gigs))\b", "concerts", False),
)  # fmt: skip
LEAST_FIRST = re.compile(
    r"\b(?:lowest|least|smallest|worst|weakest|ascending|fewest)(?: \w+)? (?:first|to (?:the )?(?:most|best|highest|strongest)|(?:at|on) (?:the )?top)\b"
)
_END = r"(?:most|best|top|highest|biggest|largest|greatest|strongest|fullest|busiest|least|worst|bottom|lowest|smallest|weakest|fewest|emptiest|quietest)"
OTHER_END = re.compile(rf"\b{_END}(?: \w+)? (?:down |up )?to (?:the )?({_END})\b")
"""Both ends of a ranking, which begins with the first: "from most to least popular"."""
ORDER_CUES = tuple((re.compile(pattern), order, least) for pattern, order, least in _ORDERS)

GENRE_WORDS = frozenset(
    "reggae ska punk soul gospel opera grunge funk disco house techno trance dubstep bluegrass swing salsa flamenco "
    "tango fado samba afrobeat kpop jpop hiphop rap rnb emo hardcore ambient trap grime jazz rock pop indie country folk "
    "metal classical electronic latin blues bebop swingjazz chanson schlager polka musical gamelan".split()
)
"""Genres that people name; those that the warehouse lacks are said to be missing."""
TYPE_WORDS = frozenset(
    "arena stadium club theater theatre hall amphitheater amphitheatre ballroom church pub bar festival".split()
)

PAST = re.compile(
    r"\b(?:did|was|were|had|sold|took|made|earned|grossed|happened|saw|drew|last(?! weekend (?:in|of)| one\b)|past|previous|ago|history|historic\w*|so far|yesterday|been|went|played|performed|flopped|tanked|bombed)\b"
)
ASIDE = re.compile(
    r"\bsold out\b|\b(?:told|said|heard|thought|hoped|read|hoping)(?: me| us)?(?: that)? (?:you|they|there) (?:had|were|was|did)\b"
    r"|\b(?:(?:i|we|they)(?:ve|d)?|he|she|my \w+|grandpa|grandma|granny|gran|dad|daddy|mum|mom|mother|father|our \w+|friends?|someone)(?: \w+)? (?:was|were|had|did|went|saw|heard|been|took|loved)\b|\b(?:ve|have|has) been\b"
)
"""Past tenses about people, which do not date the concerts."""
TOOK_PLACE = re.compile(r"\b(?:did|was|were|had|took|happened|saw|been|went|played|performed)\b")
"""Past verbs; periods such as "last week" need none."""
CONTEXT = re.compile(
    r"^(?:ok |okay |yes |no )?(?:(?:the )?(?:day|week|weekend|month|year) (?:before|after)|and|what about|how about|or|also|then|now|only|instead|same|what else|anything else|something else|show me (?:some )?(?:more|others)|(?:\d+ )?more|any more|make it|just|something cheaper|any cheaper|cheaper)\b"
)

STOP_WORDS = COMMON | frozenset(
    "general advance total mood particular person fact stock case order addition between average mind style genre genres "
    "detail details short real life english spanish german french italian future past end middle beginning spite work "
    "terms need search charge common love future concert concerts venues arena season sales revenue front case question "
    "area city town country state region neighborhood neighbourhood location locations places place cities countries "
    "half quarter week month year weeks months years days evening morning afternoon price prices budget dollars euros "
    "least most all once home work play hear find buy get do have make listen watch attend visit sell take earn recommend "
    "suggest spend pay expect happen compare know say tell use give put keep let dance party relax celebrate time times "
    "popularity capacity attendance bed person public private anyone someone everybody everyone full part anything "
    "something everything numbers words return ive im id ill response reply system prompt database table tables every each other others "
    "another same different its their his her my our your whatever wherever store january february its terms".split()
)

IDLE = frozenset(
    "a about approx approximately circa roughly above actually again all almost already alright also although always am among an and another any anybody "
    "anyhow anymore anyone anything anyway anywhere appreciate are area around as ask asking at attend available aware away awesome "
    "babe baby back be because been before behind being below between bit book bother both bring bro bucket but buy by "
    "came can cannot cant care case catch chance check choose city cities come comes coming  could couldnt country countries "
    "couple  date dates day days dear did didnt different difference do does doesnt doing done dont down during dude each either else end "
    "enjoy enough euro euros even ever every everybody everyone everything everywhere exactly except excuse fan fancy "
    "fans favourite favorite far feel feeling few find first follow folks for friend friends from fun further  gd "
    "get gets getting gig give given go god goes going gonna good got great group guys had half hand happen happens has "
    "hasnt hav have havent having he hear heard held hello help her here hey hi him his home hope how however i "
    "id idea ideas if ill im in info inside instead into is isnt it its itself ive  join just keen keep kind kinda kindly "
    "kinds know lads lately least left less let lets life like likely liked likes listen listening lil literally little lol look "
    "looking lot lots love loved lovely loves luck m made make makes man many mate matter may maybe me mean means "
    "might mind mine miss mood more most much music must my myself name named names near nearby nearest need needed needs neither "
    "never new next nice no nobody none nope nor not nothing now of off offer oh ok okay on once one ones only onto "
    "       option options or other others otherwise ought our out outside over own part parts particular particularly people per "
    "perhaps person pick place places plan planning plans play played  playing plays please plenty plus possible possibly prefer "
    "preferably preferred pretty probably put question quick quickly quite rather re real really reckon regarding right "
    "round run s said same saw say says scene schedule see seeing seem seen shall she should shouldnt show shows since sir "
    "so some somebody somehow someone something sometime sometimes somewhere soon  sorry sort sorts specific spend state states still stuff style styles "
    "such suggest suggestion suggestions suit sure t take takes taking talk tell than thank thanks that the their them "
    "then there therefore these they thing things think thinking this those though thought through till time times "
    " to today told too town toward towards tried true try trying two type types um under understand unless "
    "until up upon us use useful usual usually various ve very via visit visiting visits wanna want wanted wanting wants was "
    "wasnt watch way we well went were what whatever whats when whenever where wherever whether which while "
    "whilst who whole whom whose why will willing wish with within without wonder wondering wont work works world worth would wouldnt "
    "wow ya yea yeah yep yes yet yo you your yours yourself yup ah aint aka anyways aw btw cheers da dm eh em er etc ex fyi ha haha "
    "theres theyre youre hes shes itll thatll youll theyd youd weve theyve youve hee hmm huh id imo jk k lmao ma meh mhm nah nvm omg ooh pal plz rn sis smth somethings tbh tho uh umm wbu yall yay "
    "celebrating celebrate head heading travelling traveling trip holiday vacation staying stay moving live living "
    "going buddy adore fine gf bf news performing genre genres ish sum de en el le les une der das den total budget currently recently upcoming following future somebody sounds sound interest interested interesting "
    "interests passing whoever anyplace someplace choice choices decent proper ideally basically surprise tickets ticket band bands artist "
    "artists act acts singer singers concert concerts venue venues event events gigs performance performances "
    "night nights number range tonight money dollars bucks season".split()
)
"""Words that ask for nothing of their own; every other word that no part of a question has used is named."""

REAL_WORDS = frozenset(
    "abstain acreage actress admires agendas angels arrests assists auction avenge bacon badlands ballots barroom "
    "bastion bathroom blouses bummer calamity cancers cannons capital capsule cartons caste cattle cellular cheddar "
    "chopper christens circles circuits clauses cloaked clues coarser collar collectible compete compile compose "
    "comrade conceals conceit concept concepts concern concerto concertos confers connect connects consent contact "
    "content contest context contort control convent convert converts cooked cooper cooties copper coroner counter "
    "county cracked crayons crooner crossed crowned cubes dancer daylights dealers defrost deliver denier detract "
    "distinct distract distrust drawers dressers drummers effected elected elector electric endings engages engineers "
    "entices exchanged executed expelled expert expire exported extents facades fancies faucets flowing foremost "
    "fresco fumbles gardeners garland garments genes getaway glided grandly granted grilled groaned halves hamlets "
    "hardest haulers hearths heavily impartial keystroke launder laziest learned lightens lighters longest marines "
    "members mental midtown minter monarch monitor numbness opinion ordeals orphans palate pauper pillows pivots "
    "placing planting player pleading pleasing plots poplar praying precinct prefect pretend product production "
    "prospected protected quintet reliant retinue revenge reverse rocky salient sapling savants savings sayings "
    "scammer scarcest scariest scaring scholar scoring searing seething seminar serving settle settled shadowy "
    "shallows sharing shimmer shuttle shuttles simmer simpler singe singed sinner skaters slammer sleep sleepily "
    "sleeps slumber smartest smoothing soaring societal sooner soothing sorrows spacing sparring spinner spraying "
    "springs springy sprint stables stakes starters startle statues statures status statutes stinger storing "
    "stragglers strainers string stringers strings sundae sundry surfing surging swimmer teasers teeters thickest "
    "threatens ticker tickles tiers timbers timers timings tippers trailers travellers travels treaties triggers "
    "undated unicorn unison unlisted untitled vegans veneers ventures wagering waivers watering wavering weakened "
    "weavers winner winners wringer".split()
)
"""Words that look like misspelled ones of ours and are none."""

TARGETS = frozenset(
    "concert concerts ticket tickets venue venues theater theatre theaters theatres arena arenas stadium amphitheater "
    "tonight tomorrow yesterday weekend forecast predict prediction recommend revenue attendance address capacity "
    "similar popular cheapest artist artists singer events playing christmas genre genres average takings statistics "
    "address largest smallest biggest busiest fullest estimate classical compare following something anything people "
    "numbers outlook expect business earned projected expected before spring summer autumn winter holidays".split()
)
"""Words of the question that a typo is mended to; the names of the warehouse are the others."""
