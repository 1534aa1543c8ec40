-- The order's side of the state machine: what customers ask for. One call, one short transaction.

-- The next number at the exchange. With the handler for an overflow prepared (`auto`), the second range takes over once
-- the first one is used up.
CREATE FUNCTION next_order_number(OUT series text, OUT number bigint) LANGUAGE plpgsql AS $$
DECLARE
    chosen text := (SELECT value FROM operations WHERE name = 'order-number-range');
BEGIN
    series := '';
    IF chosen = '1' THEN
        number := nextval('order_number');
        RETURN;
    END IF;
    IF chosen = 'auto' THEN
        BEGIN
            number := nextval('order_number');
            RETURN;
        EXCEPTION WHEN sequence_generator_limit_exceeded THEN
            UPDATE operations SET value = '2' WHERE name = 'order-number-range' AND value = 'auto';
        END;
    END IF;
    series := 'R';
    number := nextval('order_number_2');
END $$;

CREATE FUNCTION place_order(
    p_account text, p_key text, p_code text, p_side text, p_quantity integer, p_price integer, p_ns bigint,
    OUT verdict text, OUT order_id text, OUT cl_ord_id text, OUT state text, OUT series text, OUT number bigint
) LANGUAGE plpgsql AS $$
DECLARE
    free bigint;
    name bigint;
BEGIN
    SELECT a.cash - a.reserved INTO free FROM accounts a WHERE a.id = p_account FOR UPDATE;
    SELECT 'REPEATED', o.id, o.cl_ord_id, o.state INTO verdict, order_id, cl_ord_id, state
        FROM orders o WHERE o.account = p_account AND o.key = p_key;
    IF FOUND THEN
        RETURN;
    END IF;
    IF p_side = 'buy' THEN
        IF free < p_quantity::bigint * p_price
            AND (SELECT d.value FROM operations d WHERE d.name = 'order-checks') = 'on' THEN
            verdict := 'BUYING_POWER';
            RETURN;
        END IF;
        UPDATE accounts a SET reserved = a.reserved + p_quantity::bigint * p_price WHERE a.id = p_account;
    ELSE
        UPDATE positions p SET reserved = p.reserved + p_quantity
            WHERE p.account = p_account AND p.code = p_code AND p.quantity - p.reserved >= p_quantity;
        IF NOT FOUND THEN
            verdict := 'NO_POSITION';
            RETURN;
        END IF;
    END IF;
    SELECT n.series, n.number INTO series, number FROM next_order_number() n;
    name := nextval('order_id');
    verdict := 'PLACED';
    order_id := 'O-' || lpad(name::text, 8, '0');
    cl_ord_id := 'K-' || lpad(name::text, 8, '0') || '-1';
    state := 'pending-new';
    INSERT INTO orders (id, key, account, code, side, quantity, price, state, reserved_quantity, cl_ord_id,
            number, series, created_ns)
        VALUES (order_id, p_key, p_account, p_code, p_side, p_quantity, p_price, state, p_quantity, cl_ord_id,
            number, series, p_ns);
    INSERT INTO order_ids VALUES (cl_ord_id, order_id);
END $$;

-- Ends an order that is in one of p_from and gives back what is still reserved for it. Returns its state afterwards.
CREATE FUNCTION close_order(p_order text, p_from text[], p_state text, p_reason text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    o orders;
BEGIN
    PERFORM 1 FROM accounts a WHERE a.id = (SELECT x.account FROM orders x WHERE x.id = p_order) FOR UPDATE;
    SELECT * INTO o FROM orders x WHERE x.id = p_order;
    IF NOT o.state = ANY (p_from) THEN
        RETURN o.state;
    END IF;
    PERFORM release_reserve(o, o.reserved_quantity);
    UPDATE orders x SET state = p_state, reason = p_reason, reserved_quantity = 0 WHERE x.id = p_order;
    RETURN p_state;
END $$;

-- The caller holds the account's lock.
CREATE FUNCTION release_reserve(o orders, p_quantity integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF o.side = 'buy' THEN
        UPDATE accounts a SET reserved = a.reserved - p_quantity::bigint * o.price WHERE a.id = o.account;
    ELSE
        UPDATE positions p SET reserved = p.reserved - p_quantity WHERE p.account = o.account AND p.code = o.code;
    END IF;
END $$;

CREATE FUNCTION mark_unknown(p_order text, p_ns bigint) RETURNS text LANGUAGE sql AS $$
    UPDATE orders SET state = 'unknown', unknown_ns = coalesce(unknown_ns, p_ns)
        WHERE id = p_order AND state = 'pending-new';
    SELECT state FROM orders WHERE id = p_order;
$$;

-- When an order comes into a passing state and out of it, whoever moves it: on the database's own clock, for no client
-- can stamp an instant that lies within a statement.
CREATE FUNCTION stamp_passing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    passing CONSTANT text[] := ARRAY['pending-new', 'unknown', 'pending-cancel'];
BEGIN
    IF OLD.state = ANY (passing) AND NOT NEW.state = ANY (passing) THEN
        NEW.settled_at := clock_timestamp();
    ELSIF NEW.state = ANY (passing) AND NOT OLD.state = ANY (passing) THEN
        NEW.passing_at := clock_timestamp();
        NEW.settled_at := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_passing BEFORE UPDATE OF state ON orders FOR EACH ROW EXECUTE FUNCTION stamp_passing();
