-- The exchange's side of the state machine: what has happened there. Each is idempotent.

-- First half of a posting: every lock and balance. False: this execution has been posted before.
CREATE FUNCTION apply_execution(
    p_exec text, p_cl text, p_account text, p_code text, p_side text, p_quantity integer, p_price integer
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    o        orders;
    released integer := 0;
    sign     integer := CASE p_side WHEN 'buy' THEN 1 ELSE -1 END;
BEGIN
    PERFORM 1 FROM accounts a WHERE a.id = p_account FOR UPDATE;
    IF EXISTS (SELECT 1 FROM executions e WHERE e.exec_id = p_exec) THEN
        RETURN false;
    END IF;
    SELECT x.* INTO o FROM orders x JOIN order_ids i ON i.order_id = x.id WHERE i.cl_ord_id = p_cl;
    IF FOUND THEN
        released := least(p_quantity, o.reserved_quantity);
        PERFORM release_reserve(o, released);
    END IF;
    UPDATE accounts a SET cash = a.cash - sign * p_quantity::bigint * p_price WHERE a.id = p_account;
    INSERT INTO positions AS p (account, code, quantity) VALUES (p_account, p_code, sign * p_quantity)
        ON CONFLICT (account, code) DO UPDATE SET quantity = p.quantity + excluded.quantity;
    UPDATE orders x SET
        filled = x.filled + p_quantity,
        reserved_quantity = x.reserved_quantity - released,
        state = CASE WHEN x.filled + p_quantity >= x.quantity THEN 'filled'
                     WHEN x.state = 'pending-cancel' THEN x.state
                     ELSE 'partially-filled' END
        WHERE x.id = o.id;
    RETURN true;
END $$;

-- Second half: the records, stamped p_ns just before commit, and the session's next number with them.
CREATE FUNCTION record_execution(
    p_exec text, p_cl text, p_account text, p_code text, p_side text, p_quantity integer, p_price integer,
    p_poss_dup boolean, p_received_ns bigint, p_ns bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    yen bigint := CASE p_side WHEN 'buy' THEN -1 ELSE 1 END * p_quantity::bigint * p_price;
BEGIN
    INSERT INTO executions VALUES (p_exec, (SELECT i.order_id FROM order_ids i WHERE i.cl_ord_id = p_cl), p_cl,
        p_account, p_code, p_side, p_quantity, p_price, p_poss_dup, p_received_ns, p_ns);
    INSERT INTO ledger (reference, account, yen, mono_ns, why)
        VALUES (p_exec, p_account, yen, p_ns, 'trade'), (p_exec, 'HOUSE', -yen, p_ns, 'trade');
    INSERT INTO outbox VALUES (p_exec, p_account, CASE WHEN p_poss_dup THEN 'held' ELSE 'pending' END, p_ns);
END $$;

-- The exchange has accepted the order. It overrides `rejected`: what rests there is live, whatever we had concluded.
CREATE FUNCTION accept_order(p_cl text) RETURNS void LANGUAGE sql AS $$
    UPDATE orders SET state = CASE WHEN filled > 0 THEN 'partially-filled' ELSE 'new' END
        WHERE id = (SELECT order_id FROM order_ids WHERE cl_ord_id = p_cl)
          AND state IN ('pending-new', 'unknown', 'rejected') AND filled < quantity;
$$;

-- The exchange would not cancel: the order is what its fills say.
CREATE FUNCTION refuse_cancel(p_cl text) RETURNS void LANGUAGE sql AS $$
    UPDATE orders SET state = CASE WHEN filled >= quantity THEN 'filled' WHEN filled > 0 THEN 'partially-filled' ELSE 'new' END
        WHERE id = (SELECT order_id FROM order_ids WHERE cl_ord_id = p_cl) AND state = 'pending-cancel';
$$;

CREATE FUNCTION end_order(p_cl text, p_state text, p_reason text) RETURNS void LANGUAGE sql AS $$
    SELECT close_order(order_id, ARRAY['pending-new', 'new', 'partially-filled', 'pending-cancel', 'unknown'], p_state, p_reason)
        FROM order_ids WHERE cl_ord_id = p_cl;
$$;

CREATE FUNCTION keep_next_in(p_identity text, p_next_in bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE session SET next_in = p_next_in WHERE identity = p_identity;
$$;
