-- The concert warehouse, for Redshift; the local engine drops the distribution and sort clauses.
-- Artists and venues are small and joined by everything: a copy on each node. Concerts and their sales share the
-- artist's and the concert's slice, sorted by the dates that every question filters on.

CREATE TABLE IF NOT EXISTS artists (
    artist_id        VARCHAR(50) NOT NULL,
    name             VARCHAR(200) NOT NULL,
    genre            VARCHAR(100) NOT NULL,
    popularity_score DECIMAL(5, 2) NOT NULL,
    formation_date   DATE,
    members          VARCHAR(4000),
    spotify_id       VARCHAR(64),
    PRIMARY KEY (artist_id)
) DISTSTYLE ALL SORTKEY (artist_id);

CREATE TABLE IF NOT EXISTS venues (
    venue_id        VARCHAR(50) NOT NULL,
    name            VARCHAR(200) NOT NULL,
    address         VARCHAR(300),
    city            VARCHAR(100) NOT NULL,
    state           VARCHAR(100) NOT NULL,
    country         VARCHAR(100) NOT NULL,
    postal_code     VARCHAR(20),
    latitude        DOUBLE PRECISION,
    longitude       DOUBLE PRECISION,
    capacity        INTEGER NOT NULL,
    venue_type      VARCHAR(50) NOT NULL,
    amenities       VARCHAR(1000),
    ticketmaster_id VARCHAR(64),
    PRIMARY KEY (venue_id)
) DISTSTYLE ALL SORTKEY (venue_id);

CREATE TABLE IF NOT EXISTS concerts (
    concert_id       VARCHAR(50) NOT NULL,
    artist_id        VARCHAR(50) NOT NULL REFERENCES artists (artist_id),
    venue_id         VARCHAR(50) NOT NULL REFERENCES venues (venue_id),
    event_date       DATE NOT NULL,
    ticket_prices    VARCHAR(2000),
    total_attendance INTEGER,
    revenue          DECIMAL(14, 2),
    status           VARCHAR(20) NOT NULL,
    PRIMARY KEY (concert_id)
) DISTSTYLE KEY DISTKEY (artist_id) SORTKEY (event_date);

CREATE TABLE IF NOT EXISTS ticket_sales (
    sale_id            VARCHAR(50) NOT NULL,
    concert_id         VARCHAR(50) NOT NULL REFERENCES concerts (concert_id),
    price_tier         VARCHAR(50) NOT NULL,
    quantity           INTEGER NOT NULL,
    unit_price         DECIMAL(10, 2) NOT NULL,
    total_amount       DECIMAL(14, 2) NOT NULL,
    purchase_timestamp TIMESTAMP NOT NULL,
    customer_segment   VARCHAR(50),
    PRIMARY KEY (sale_id)
) DISTSTYLE KEY DISTKEY (concert_id) SORTKEY (purchase_timestamp);

CREATE TABLE IF NOT EXISTS venue_popularity (
    venue_id            VARCHAR(50) NOT NULL,
    popularity_rank     INTEGER NOT NULL,
    avg_attendance_rate DECIMAL(7, 6) NOT NULL,
    revenue_per_event   DECIMAL(14, 2) NOT NULL,
    booking_frequency   DECIMAL(10, 4) NOT NULL,
    total_events        INTEGER NOT NULL,
    calculated_at       TIMESTAMP NOT NULL,
    PRIMARY KEY (venue_id, calculated_at)
) DISTSTYLE ALL SORTKEY (calculated_at);
