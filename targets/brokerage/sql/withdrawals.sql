-- Withdrawals of cash to the customer's own bank account. Each function is one short transaction under the account's lock.

CREATE FUNCTION take_withdrawal(
    p_account text, p_key text, p_yen bigint, p_ns bigint, OUT verdict text, OUT withdrawal text, OUT state text
) LANGUAGE plpgsql AS $$
DECLARE
    free bigint;
BEGIN
    SELECT a.cash - a.reserved INTO free FROM accounts a WHERE a.id = p_account FOR UPDATE;
    SELECT 'REPEATED', w.id, w.state INTO verdict, withdrawal, state
        FROM withdrawals w WHERE w.account = p_account AND w.key = p_key;
    IF FOUND THEN
        RETURN;
    END IF;
    IF free IS NULL OR free < p_yen THEN
        verdict := 'BUYING_POWER';
        RETURN;
    END IF;
    verdict := 'TAKEN';
    withdrawal := 'W-' || lpad(nextval('withdrawal_number')::text, 8, '0');
    state := 'pending';
    UPDATE accounts a SET cash = a.cash - p_yen WHERE a.id = p_account;
    INSERT INTO ledger (reference, account, yen, mono_ns, why)
        VALUES (withdrawal, p_account, -p_yen, p_ns, 'withdrawal'), (withdrawal, 'BANK', p_yen, p_ns, 'withdrawal');
    INSERT INTO withdrawals (id, key, account, yen, state, created_ns)
        VALUES (withdrawal, p_key, p_account, p_yen, state, p_ns);
END $$;

-- `rejected` (by the bank) and `reversed` (by an operator) give the money back. What is settled stays as it is. Returns
-- the state afterwards.
CREATE FUNCTION settle_withdrawal(
    p_withdrawal text, p_state text, p_reference text, p_how text, p_ns bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    w withdrawals;
BEGIN
    PERFORM 1 FROM accounts a WHERE a.id = (SELECT x.account FROM withdrawals x WHERE x.id = p_withdrawal) FOR UPDATE;
    SELECT * INTO w FROM withdrawals x WHERE x.id = p_withdrawal FOR UPDATE;
    IF w.state NOT IN ('pending', 'unknown') THEN
        RETURN w.state;
    END IF;
    IF p_state = 'unknown' THEN
        UPDATE withdrawals x SET state = p_state, unknown_ns = coalesce(x.unknown_ns, p_ns) WHERE x.id = p_withdrawal;
        RETURN p_state;
    END IF;
    IF p_state IN ('rejected', 'reversed') THEN
        UPDATE accounts a SET cash = a.cash + w.yen WHERE a.id = w.account;
        INSERT INTO ledger (reference, account, yen, mono_ns, why)
            VALUES (w.id || '-back', w.account, w.yen, p_ns, 'withdrawal'),
                   (w.id || '-back', 'BANK', -w.yen, p_ns, 'withdrawal');
    END IF;
    UPDATE withdrawals x SET state = p_state, reference = p_reference, how = p_how, settled_ns = p_ns
        WHERE x.id = p_withdrawal;
    RETURN p_state;
END $$;
