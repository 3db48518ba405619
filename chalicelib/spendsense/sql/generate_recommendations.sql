-- The recommendations of %(users)s, and a trace of every item considered, recommended or withheld. The places in /* */
-- are filled from the catalogue. It writes only what changed; it returns the users whose recommendations changed.
WITH judged AS MATERIALIZED (
    SELECT f.*, a.persona, p.subject
    FROM spendsense.computed_features f
    JOIN spendsense.persona_assignments a
        ON a.user_id = f.user_id AND a.window_days = f.window_days AND a.user_id = ANY(%(users)s)
    JOIN spendsense.profiles p ON p.user_id = f.user_id
    WHERE f.user_id = ANY(%(users)s)
),
considered AS (
/*considered*/
),
guarded AS MATERIALIZED (
    SELECT
        c.*,
        md5(c.subject::text || '/' || c.window_days || '/' || c.item_id)::uuid AS recommendation_id,
        c.eligible AND c.rationale IS NOT NULL AS suits,
        -- The catalogue's texts were checked when it was loaded; texts from a bank are checked here.
        NOT c.names_something OR coalesce(c.rationale !~* /*tone*/, true) AS tone,
        NOT c.names_something OR coalesce(c.rationale !~* /*no_shaming*/, true) AS no_shaming,
        NOT c.names_something OR coalesce(c.rationale !~* /*no_predatory*/, true) AS no_predatory
    FROM considered c
),
placed AS (
    SELECT
        g.*,
        suits AND tone AND no_shaming AND no_predatory AS passes,
        row_number() OVER (
            PARTITION BY user_id, window_days, kind
            ORDER BY (suits AND tone AND no_shaming AND no_predatory) DESC, position
        ) AS place
    FROM guarded g
),
decided AS MATERIALIZED (
    SELECT
        d.*,
        passes AND place <= CASE kind WHEN 'offer' THEN /*most_offer*/ ELSE /*most_education*/ END AS chosen
    FROM placed d
),
-- A person with too little data gets no recommendations, and one trace with the reason.
undecided AS (
    SELECT
        j.user_id,
        j.window_days,
        md5(j.subject::text || '/' || j.window_days || '/')::uuid AS recommendation_id,
        jsonb_build_array(jsonb_build_object('signal', 'transactions', 'value', j.transactions, 'threshold', null))
            AS signals_used
    FROM judged j
    WHERE j.persona = 'insufficient_data'
),
-- The last verdict of an operator still applies when a recommendation returns after a night without it.
verdicts AS (
    SELECT DISTINCT ON (o.recommendation_id)
        o.recommendation_id,
        CASE o.action WHEN 'approve' THEN 'approved' WHEN 'flag' THEN 'flagged' ELSE 'overridden' END AS status
    FROM spendsense.operator_actions o
    WHERE o.subject = ANY(ARRAY(SELECT subject FROM judged)) AND o.action IN ('approve', 'flag', 'override')
    ORDER BY o.recommendation_id, o.action_id DESC
),
dropped AS (
    DELETE FROM spendsense.recommendations r
    WHERE r.user_id = ANY(%(users)s)
        AND NOT EXISTS (SELECT FROM decided d WHERE d.recommendation_id = r.recommendation_id AND d.chosen)
    RETURNING r.user_id
),
saved AS (
    INSERT INTO spendsense.recommendations AS old (
        recommendation_id, user_id, window_days, item_id, kind, persona, position, rationale, run_id, created_at, status
    )
    SELECT
        recommendation_id, user_id, window_days, item_id, kind, persona, place, rationale, %(run_id)s, %(now)s,
        coalesce(status, 'active')
    FROM decided
    LEFT JOIN verdicts USING (recommendation_id)
    WHERE chosen
    ON CONFLICT (user_id, recommendation_id) DO UPDATE SET (persona, position, rationale, run_id, created_at)
        = ROW (excluded.persona, excluded.position, excluded.rationale, excluded.run_id, excluded.created_at)
    WHERE (old.persona, old.position, old.rationale)
        IS DISTINCT FROM (excluded.persona, excluded.position, excluded.rationale)
    RETURNING old.user_id
),
forgotten AS (
    DELETE FROM spendsense.decision_traces t
    WHERE t.user_id = ANY(%(users)s)
        AND NOT EXISTS (SELECT FROM decided d WHERE d.recommendation_id = t.recommendation_id)
        AND NOT EXISTS (SELECT FROM undecided u WHERE u.recommendation_id = t.recommendation_id)
),
traced AS (
    INSERT INTO spendsense.decision_traces AS old (
        recommendation_id, user_id, window_days, item_id, template_id, outcome, reasons, signals_used, guardrails,
        run_id, created_at
    )
    SELECT
        recommendation_id,
        user_id,
        window_days,
        item_id,
        template_id,
        CASE WHEN chosen THEN 'recommended' ELSE 'withheld' END,
        CASE WHEN chosen THEN ARRAY[]::text[] ELSE array_remove(ARRAY[
            CASE WHEN NOT eligible THEN 'not eligible' END,
            CASE WHEN rationale IS NULL THEN 'a cited number is unknown' END,
            CASE WHEN NOT tone THEN 'tone' END,
            CASE WHEN NOT no_shaming THEN 'shaming' END,
            CASE WHEN NOT no_predatory THEN 'predatory' END,
            CASE WHEN passes THEN 'enough of its kind' END
        ], null) END,
        signals_used,
        jsonb_build_object(
            'consent', true, 'eligibility', suits, 'tone', tone, 'no_shaming', no_shaming, 'no_predatory', no_predatory
        ),
        %(run_id)s,
        %(now)s
    FROM decided
    UNION ALL
    SELECT
        recommendation_id, user_id, window_days, null, null, 'withheld', ARRAY['insufficient data'], signals_used,
        jsonb_build_object('consent', true), %(run_id)s, %(now)s
    FROM undecided
    ON CONFLICT (user_id, recommendation_id) DO UPDATE SET (
        template_id, outcome, reasons, signals_used, guardrails, run_id, created_at
    ) = ROW (
        excluded.template_id, excluded.outcome, excluded.reasons, excluded.signals_used, excluded.guardrails,
        excluded.run_id, excluded.created_at
    )
    WHERE (old.template_id, old.outcome, old.reasons, old.signals_used, old.guardrails) IS DISTINCT FROM (
        excluded.template_id, excluded.outcome, excluded.reasons, excluded.signals_used, excluded.guardrails
    )
)
SELECT user_id FROM dropped
UNION
SELECT user_id FROM saved
