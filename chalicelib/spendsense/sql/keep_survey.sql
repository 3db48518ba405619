INSERT INTO spendsense.survey AS old (as_of, measured_at, figures)
VALUES (%(as_of)s, clock_timestamp(), %(figures)s)
ON CONFLICT (single) DO UPDATE SET
    as_of = excluded.as_of, measured_at = excluded.measured_at, figures = excluded.figures
RETURNING measured_at, figures
