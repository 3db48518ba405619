WITH kept AS (
    INSERT INTO spendsense.survey AS old (as_of, measured_at, figures)
    VALUES (%(as_of)s, clock_timestamp(), %(figures)s)
    ON CONFLICT (single) DO UPDATE SET
        as_of = excluded.as_of, measured_at = excluded.measured_at, figures = excluded.figures
    RETURNING as_of, measured_at, figures
),
history AS (
    INSERT INTO spendsense.survey_history (as_of, measured_at, figures)
    SELECT as_of, measured_at, figures FROM kept
    ON CONFLICT (as_of) DO UPDATE SET measured_at = excluded.measured_at, figures = excluded.figures
)
SELECT measured_at, figures FROM kept
