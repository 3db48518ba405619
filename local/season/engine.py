"""Load a season directly into the local engine, without the Data API: for a cloud's first data and for benchmarks."""

import psycopg
from psycopg import sql

from chalicelib.concerts import sql as concert_sql
from local.redshift.dialect import for_postgres
from local.season.generator import COLUMNS, Season
from local.season.load import TABLES, statements_of


def load_into_engine(season: Season, database_url: str) -> None:
    """The warehouse's tables with `season` in them, and nothing else."""
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        for definition in statements_of(concert_sql.text("schema")):
            cursor.execute(for_postgres(definition, {}).encode())
        cursor.execute("TRUNCATE artists, venues, concerts, ticket_sales, venue_popularity")
        for table in TABLES:
            columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS[table]))
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)) as sink:
                for row in season.rows(table):
                    sink.write_row(row)
        cursor.execute("ANALYZE artists, venues, concerts, ticket_sales")
