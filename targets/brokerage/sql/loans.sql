-- Repaying a margin loan. Locks in the order account, loan; each function is one short transaction.

CREATE FUNCTION take_repayment(
    p_account text, p_key text, p_yen bigint, p_ns bigint, OUT verdict text, OUT repayment text, OUT state text
) LANGUAGE plpgsql AS $$
DECLARE
    free bigint;
BEGIN
    SELECT a.cash - a.reserved INTO free FROM accounts a WHERE a.id = p_account FOR UPDATE;
    SELECT 'REPEATED', r.id, r.state INTO verdict, repayment, state
        FROM repayments r WHERE r.account = p_account AND r.key = p_key;
    IF FOUND THEN
        RETURN;
    END IF;
    IF free < p_yen THEN
        verdict := 'BUYING_POWER';
        RETURN;
    END IF;
    UPDATE loans l SET principal = l.principal - p_yen WHERE l.account = p_account AND l.principal >= p_yen;
    IF NOT FOUND THEN
        verdict := 'NO_LOAN';
        RETURN;
    END IF;
    verdict := 'TAKEN';
    repayment := 'R-' || lpad(nextval('repayment_number')::text, 8, '0');
    state := 'pending';
    UPDATE accounts a SET cash = a.cash - p_yen WHERE a.id = p_account;
    INSERT INTO ledger (reference, account, yen, mono_ns, why)
        VALUES (repayment, p_account, -p_yen, p_ns, 'repayment'), (repayment, 'LOANS', p_yen, p_ns, 'repayment');
    INSERT INTO repayments VALUES (repayment, p_key, p_account, p_yen, state, p_ns);
END $$;

-- The bank's word. `rejected` gives the money back; nothing changes what is settled. Returns the state afterwards.
CREATE FUNCTION settle_repayment(p_repayment text, p_state text, p_ns bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r repayments;
BEGIN
    IF p_state = 'rejected' THEN
        PERFORM 1 FROM accounts a WHERE a.id = (SELECT x.account FROM repayments x WHERE x.id = p_repayment) FOR UPDATE;
    END IF;
    SELECT * INTO r FROM repayments x WHERE x.id = p_repayment FOR UPDATE;
    IF r.state NOT IN ('pending', 'unknown') THEN
        RETURN r.state;
    END IF;
    IF p_state = 'rejected' THEN
        UPDATE loans l SET principal = l.principal + r.yen WHERE l.account = r.account;
        UPDATE accounts a SET cash = a.cash + r.yen WHERE a.id = r.account;
        INSERT INTO ledger (reference, account, yen, mono_ns, why)
            VALUES (r.id || '-back', r.account, r.yen, p_ns, 'repayment'),
                   (r.id || '-back', 'LOANS', -r.yen, p_ns, 'repayment');
    END IF;
    UPDATE repayments x SET state = p_state, settled_ns = CASE WHEN p_state = 'unknown' THEN NULL ELSE p_ns END
        WHERE x.id = p_repayment;
    RETURN p_state;
END $$;

-- A correcting entry, with who asked for it and who else agreed. False: there is no such account.
CREATE FUNCTION adjust_account(
    p_reference text, p_account text, p_yen bigint, p_reason text, p_request text, p_approver text, p_ns bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts a SET cash = a.cash + p_yen WHERE a.id = p_account;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO ledger (reference, account, yen, mono_ns, why)
        VALUES (p_reference, p_account, p_yen, p_ns, 'adjustment'), (p_reference, 'HOUSE', -p_yen, p_ns, 'adjustment');
    INSERT INTO adjustments VALUES (p_reference, p_account, p_yen, p_reason, p_request, p_approver, p_ns);
    RETURN true;
END $$;
