-- The night batch. Whoever marks an account holds its row's lock.

CREATE FUNCTION keep_marks(p_lots text[], p_marks bigint[], p_day date) RETURNS void LANGUAGE sql AS $$
    UPDATE lots l SET mark = u.mark, marked = p_day
        FROM unnest(p_lots, p_marks) AS u (id, mark) WHERE l.id = u.id;
$$;

-- The day's variation of each account: shares x (price of the day - price of the day before), its cash, and the mark
-- that the account is done. p_run tells the postings of one attempt from those of another.
CREATE FUNCTION post_variations(
    p_accounts text[], p_before date, p_day date, p_run integer, p_ns bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v record;
    reference text;
BEGIN
    FOR v IN
        SELECT a.id AS account, coalesce(sum(l.quantity::bigint * (now.close - before.close)), 0)::bigint AS yen
        FROM unnest(p_accounts) AS a (id)
        LEFT JOIN lots l ON l.account = a.id
        LEFT JOIN closes now ON now.code = l.code AND now.day = p_day
        LEFT JOIN closes before ON before.code = l.code AND before.day = p_before
        GROUP BY a.id ORDER BY a.id
    LOOP
        reference := 'V-' || p_day || '-' || v.account || '-' || p_run;
        UPDATE accounts a SET cash = a.cash + v.yen WHERE a.id = v.account;
        INSERT INTO ledger (reference, account, yen, mono_ns, why, day)
            VALUES (reference, v.account, v.yen, p_ns, 'variation', p_day),
                   (reference, 'VARIATION', -v.yen, p_ns, 'variation', p_day);
        INSERT INTO batch_done VALUES ('mark-to-market', v.account, p_day, p_ns)
            ON CONFLICT (job, account, day) DO UPDATE SET done_ns = excluded.done_ns;
    END LOOP;
END $$;

CREATE FUNCTION work_out_margins(p_day date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    worked integer;
BEGIN
    INSERT INTO margins AS m (account, day, equity, needed, call)
        SELECT a.id, p_day, a.cash + coalesce(v.value, 0) - coalesce(l.principal, 0), coalesce(v.value, 0) / 5,
               a.cash + coalesce(v.value, 0) - coalesce(l.principal, 0) < coalesce(v.value, 0) / 5
        FROM accounts a
        LEFT JOIN (SELECT account, sum(mark)::bigint AS value FROM lots GROUP BY account) v ON v.account = a.id
        LEFT JOIN loans l ON l.account = a.id
        ON CONFLICT (account, day) DO UPDATE
            SET equity = excluded.equity, needed = excluded.needed, call = excluded.call;
    GET DIAGNOSTICS worked = ROW_COUNT;
    RETURN worked;
END $$;

CREATE FUNCTION write_statements(p_day date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    written integer;
BEGIN
    INSERT INTO statements AS s (account, day, cash, lots, value)
        SELECT a.id, p_day, a.cash, coalesce(v.lots, 0), coalesce(v.value, 0)
        FROM accounts a
        LEFT JOIN (SELECT account, count(*) AS lots, sum(mark)::bigint AS value FROM lots GROUP BY account) v
            ON v.account = a.id
        ON CONFLICT (account, day) DO UPDATE
            SET cash = excluded.cash, lots = excluded.lots, value = excluded.value;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END $$;

-- Which accounts the books disagree about: stored cash against opening plus postings.
CREATE VIEW unbalanced AS
    SELECT a.id FROM accounts a
    LEFT JOIN (SELECT account, sum(yen) AS yen FROM ledger GROUP BY account) l ON l.account = a.id
    WHERE a.opening + coalesce(l.yen, 0) <> a.cash;
