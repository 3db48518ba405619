-- The personas of %(users)s from their computed features. The places in /* */ are filled from the catalogue.
-- It writes only what changed; it returns the users whose assignment changed.
WITH judged AS (
    SELECT
        f.user_id,
        f.window_days,
        f.as_of,
        /*matched*/ AS matched,
        /*fallback*/ AS fallback,
        /*evidence*/ AS evidence,
        /*behaviours*/ AS behaviours
    FROM spendsense.computed_features f
    WHERE f.user_id = ANY(%(users)s)
),
written AS (
    INSERT INTO spendsense.persona_assignments AS old (
        user_id, window_days, persona, matched, evidence, behaviours, as_of, run_id, assigned_at
    )
    SELECT
        user_id, window_days, coalesce(matched[1], fallback), matched, evidence, behaviours, as_of, %(run_id)s, %(now)s
    FROM judged
    ON CONFLICT (user_id, window_days) DO UPDATE SET (
        persona, matched, evidence, behaviours, as_of, run_id, assigned_at
    ) = ROW (
        excluded.persona, excluded.matched, excluded.evidence, excluded.behaviours, excluded.as_of, excluded.run_id,
        excluded.assigned_at
    )
    WHERE (old.persona, old.matched, old.evidence, old.behaviours, old.as_of)
        IS DISTINCT FROM (excluded.persona, excluded.matched, excluded.evidence, excluded.behaviours, excluded.as_of)
    RETURNING old.user_id
)
SELECT DISTINCT user_id FROM written
