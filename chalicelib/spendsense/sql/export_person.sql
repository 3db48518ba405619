-- Everything stored about a person except transactions, which read_transactions reads page by page.
WITH me AS (
    SELECT * FROM spendsense.profiles WHERE subject = %(subject)s
)
SELECT
    (SELECT to_jsonb(me) - 'user_id' FROM me) AS profile,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' - 'consent_id' ORDER BY t.consent_id)
        FROM spendsense.consent_records t JOIN me USING (user_id)
    ) AS consents,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.account_id)
        FROM spendsense.accounts t JOIN me USING (user_id)
    ) AS accounts,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.account_id)
        FROM spendsense.liabilities t JOIN me USING (user_id)
    ) AS liabilities,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.account_id, t.paid_on)
        FROM spendsense.liability_payments t JOIN me USING (user_id)
    ) AS payments,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.account_id, t.issued_on)
        FROM spendsense.liability_statements t JOIN me USING (user_id)
    ) AS statements,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.merchant_id)
        FROM spendsense.merchants t JOIN me USING (user_id)
    ) AS merchants,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.window_days)
        FROM spendsense.computed_features t JOIN me USING (user_id)
    ) AS signals,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.window_days)
        FROM spendsense.persona_assignments t JOIN me USING (user_id)
    ) AS personas,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.window_days, t.kind, t.position)
        FROM spendsense.recommendations t JOIN me USING (user_id)
    ) AS recommendations,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.window_days, t.item_id)
        FROM spendsense.decision_traces t JOIN me USING (user_id)
    ) AS traces,
    (
        SELECT jsonb_agg(to_jsonb(t) - 'user_id' - 'feedback_id' ORDER BY t.given_at, t.recommendation_id)
        FROM spendsense.feedback t JOIN me USING (user_id)
    ) AS feedback
FROM me
