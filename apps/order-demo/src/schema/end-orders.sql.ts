/**
 * end_orders(ids, outcome, reasons): gives accepted orders their end, many in one statement: confirmed moves their stock
 * from reserved to sold, compensated puts it back on the shelf. Orders that have ended already are left alone and not
 * returned, so the first end wins and a repeated call changes nothing.
 *
 * Locks: the orders by id, then the articles by SKU; accept_orders never waits for an existing order, so the two
 * cannot wait for each other crosswise.
 */
const endOrdersBy = (create: string, noteEnd: string) => /* sql */ `
${create} FUNCTION end_orders(ids uuid[], outcome text, reasons text[])
RETURNS TABLE (id uuid, ended_at timestamptz, reason text)
LANGUAGE plpgsql
SET enable_seqscan TO off SET enable_hashjoin TO off SET enable_mergejoin TO off
AS $$
#variable_conflict use_column
DECLARE
  at   timestamptz := date_trunc('milliseconds', clock_timestamp());
  open uuid[];
BEGIN
  SELECT array_agg(o.id) INTO open
    FROM (SELECT id FROM orders WHERE id = ANY (ids) AND status = 'accepted' ORDER BY id FOR UPDATE) AS o;
  IF open IS NULL THEN
    RETURN;
  END IF;

${noteEnd}  RETURN QUERY
    UPDATE orders o SET status = outcome, ended_at = at, reason = w.reason
      FROM unnest(ids, reasons) AS w(id, reason)
     WHERE o.id = w.id AND o.id = ANY (open)
    RETURNING o.id, o.ended_at, o.reason;

  -- The articles come last: their locks are the ones that everybody needs.
  PERFORM 1 FROM articles a
    WHERE a.sku IN (SELECT l.sku FROM orders o, jsonb_to_recordset(o.lines) AS l(sku text) WHERE o.id = ANY (open))
    ORDER BY a.sku FOR UPDATE;
  UPDATE articles a
     SET reserved  = a.reserved - d.units,
         sold      = a.sold + CASE WHEN outcome = 'confirmed' THEN d.units ELSE 0 END,
         available = a.available + CASE WHEN outcome = 'compensated' THEN d.units ELSE 0 END
    FROM (SELECT l.sku, sum(l.quantity) AS units
            FROM orders o, jsonb_to_recordset(o.lines) AS l(sku text, quantity int)
           WHERE o.id = ANY (open) GROUP BY l.sku) AS d
   WHERE a.sku = d.sku;
END
$$;
`;

/** As it was first made: it noted the end in order_process. */
export const endOrders = endOrdersBy(
  'CREATE',
  `  INSERT INTO order_process (order_id, ended) SELECT unnest(open), true
    ON CONFLICT (order_id) DO UPDATE SET ended = true;

`,
);

/** Since orders have sagas, whose row holds the end. */
export const endOrdersOfSagas = endOrdersBy('CREATE OR REPLACE', '');
