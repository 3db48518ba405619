SELECT
    avg((r.rationale ~ '[0-9]')::int)::double precision AS rationale_coverage,
    avg((t.recommendation_id IS NOT NULL AND jsonb_array_length(t.signals_used) > 0)::int)::double precision
        AS trace_coverage
FROM spendsense.recommendations r
LEFT JOIN spendsense.decision_traces t
    ON t.user_id = r.user_id AND t.recommendation_id = r.recommendation_id AND t.outcome = 'recommended'
