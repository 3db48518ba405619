"""Differences between Redshift's and PostgreSQL's SQL, for the application's statements."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

TOKENS = re.compile(
    r"""
      (?P<literal>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<cast>::)
    | :(?P<parameter>[0-9A-Za-z_]+)
    | (?P<percent>%)
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)

TABLE_ATTRIBUTES = re.compile(
    r"""\b(?:
        DISTSTYLE\s+(?:AUTO|EVEN|KEY|ALL)
      | DISTKEY(?:\s*\(\s*\w+\s*\))?
      | (?:COMPOUND\s+|INTERLEAVED\s+)?SORTKEY(?:\s*\([^)]*\)|\s+AUTO)?
      | ENCODE\s+\w+
      | BACKUP\s+(?:YES|NO)
      | REFERENCES\s+\w+\s*\(\s*\w+\s*\)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""Clauses of Redshift's CREATE TABLE that PostgreSQL lacks, and foreign keys, which Redshift does not enforce."""

COPY = re.compile(
    r"""^\s*COPY\s+(?P<table>\w+)\s*(?:\((?P<columns>[^)]*)\))?\s*
        FROM\s+'s3://(?P<bucket>[^/']+)/(?P<prefix>[^']*)'(?P<options>.*?);?\s*$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


class Refused(Exception):
    """A statement that the Data API would refuse; the message is for the caller."""


@dataclass(frozen=True)
class Copy:
    """Redshift's COPY of CSV objects under a prefix."""

    table: str
    columns: str
    bucket: str
    prefix: str
    gzip: bool
    header: bool


def for_postgres(sql: str, parameters: Mapping[str, str]) -> str:
    """`sql` with psycopg's placeholders for Redshift's `:name`, and without Redshift's table attributes.

    Refused if a parameter has no value, a value is not used, or there is more than one statement.
    """
    used: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        if name := match["parameter"]:
            used.add(name)
            return f"%({name})s" if parameters else match[0]
        if match["end"]:
            if sql[match.end() :].strip():
                raise Refused("Multi-statement SQL is not supported; use BatchExecuteStatement.")
            return ""
        return match[0].replace("%", "%%") if parameters else match[0]

    translated = TOKENS.sub(replace, sql)
    require_all(used, parameters)
    if unused := sorted(set(parameters) - used):
        raise Refused(f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]")
    if re.match(r"\s*CREATE\s+(?:TEMP\w*\s+)?TABLE\b", _without_comments(sql), re.IGNORECASE):
        return _outside_literals(translated, lambda text: TABLE_ATTRIBUTES.sub("", text))
    return translated


def names_in(sql: str) -> set[str]:
    """The parameters that a statement refers to."""
    return {match["parameter"] for match in TOKENS.finditer(sql) if match["parameter"]}


def require_all(used: set[str], parameters: Mapping[str, str]) -> None:
    """Refused unless every used parameter has a value."""
    if missing := sorted(used - set(parameters)):
        raise Refused(f"Parameters list is missing values for: [{', '.join(missing)}]")


def copy_of(sql: str) -> Copy | None:
    """The statement as COPY, or None if it is another kind of statement."""
    match = COPY.match(_without_comments(sql))
    if match is None:
        return None
    options = match["options"].upper()
    if "IAM_ROLE" not in options:
        raise Refused("COPY needs an IAM_ROLE.")
    if "CSV" not in options:
        raise Refused("This server copies FORMAT AS CSV only.")
    return Copy(
        table=match["table"],
        columns=(match["columns"] or "").strip(),
        bucket=match["bucket"],
        prefix=match["prefix"],
        gzip="GZIP" in options,
        header="IGNOREHEADER 1" in " ".join(options.split()),
    )


def _without_comments(sql: str) -> str:
    return TOKENS.sub(lambda match: " " if match["comment"] else match[0], sql)


def _outside_literals(sql: str, change: Callable[[str], str]) -> str:
    parts: list[str] = []
    position = 0
    for match in TOKENS.finditer(sql):
        if match["literal"] or match["quoted"] or match["comment"]:
            parts += [change(sql[position : match.start()]), match[0]]
            position = match.end()
    return "".join([*parts, change(sql[position:])])
