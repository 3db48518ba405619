-- One trace for each person without consent. People who are being changed or erased right now are skipped.
INSERT INTO spendsense.decision_traces (
    recommendation_id, user_id, outcome, reasons, signals_used, guardrails, run_id, created_at
)
SELECT
    md5(p.subject::text || '/consent')::uuid, p.user_id, 'withheld', ARRAY['no consent'], '[]', '{"consent": false}',
    %(run_id)s, %(now)s
FROM spendsense.standings s
JOIN spendsense.profiles p USING (user_id)
WHERE NOT s.consented
    AND NOT EXISTS (SELECT FROM spendsense.decision_traces t WHERE t.user_id = s.user_id)
FOR KEY SHARE OF s SKIP LOCKED
ON CONFLICT (user_id, recommendation_id) DO NOTHING
