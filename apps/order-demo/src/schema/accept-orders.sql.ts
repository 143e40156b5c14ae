/**
 * accept_orders(batch, series, accepted_by): writes many orders in one statement, so one round trip and one commit.
 *
 * Order of locks: the number series, then the articles by SKU. Every accepting transaction takes the series first, so
 * two of them never wait for each other crosswise, and an idempotency key cannot be inserted by two at once. Measured
 * against taking the series last: no faster, because the hot articles serialise the batches anyway.
 *
 * Outcome of each order: accepted, replayed (same key, same fingerprint), reused (same key, other body), unknown-sku,
 * out-of-stock. Refusals cost no number and leave no row.
 *
 * The SET clauses pin index lookups: the plans are cached in the session, and one made while the tables were empty
 * would go on scanning them when they hold a million rows.
 */
export const acceptOrders = /* sql */ `
CREATE FUNCTION accept_orders(batch jsonb, series_name text, version text)
RETURNS TABLE (n int, outcome text, id uuid, number bigint, series text, total_cents bigint, accepted_at timestamptz,
               accepted_by text, faults jsonb)
LANGUAGE plpgsql
SET enable_seqscan TO off SET enable_hashjoin TO off SET enable_mergejoin TO off
AS $$
#variable_conflict use_column
DECLARE
  at        timestamptz := date_trunc('milliseconds', clock_timestamp());
  stamp     text := to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
  last      bigint;
  known     int[];
  chosen    int[];
  refusals  jsonb := '{}';
  skus      text[];
  units     bigint[];
  prices    jsonb;
BEGIN
  SELECT s.last_number INTO last FROM document_series s WHERE s.series = series_name FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO document_series VALUES (series_name, 0) ON CONFLICT DO NOTHING;
    SELECT s.last_number INTO last FROM document_series s WHERE s.series = series_name FOR UPDATE;
  END IF;

  SELECT array_agg(r.n) INTO known
    FROM jsonb_to_recordset(batch) AS r(n int, principal text, key text)
    JOIN orders o ON o.principal = r.principal AND o.idempotency_key = r.key;

  SELECT d.skus, d.units INTO skus, units FROM demand_of(batch, NULL) AS d;
  PERFORM 1 FROM articles a WHERE a.sku = ANY (skus) ORDER BY a.sku FOR UPDATE;
  SELECT jsonb_object_agg(a.sku, a.price_cents) INTO prices FROM articles a WHERE a.sku = ANY (skus);

  IF known IS NOT NULL OR EXISTS (
    SELECT 1 FROM unnest(skus, units) AS d(sku, units) LEFT JOIN articles a ON a.sku = d.sku
     WHERE a.sku IS NULL OR a.available < d.units)
  THEN
    SELECT d.chosen, d.refusals INTO chosen, refusals FROM decide_orders(batch, coalesce(known, '{}')) AS d;
    SELECT d.skus, d.units INTO skus, units FROM demand_of(batch, chosen) AS d;
  END IF;

  RETURN QUERY
  WITH wanted AS MATERIALIZED (
    SELECT r.*, last + row_number() OVER (ORDER BY r.n) AS number, priced.lines AS priced_lines, priced.total
      FROM jsonb_to_recordset(batch) AS r(n int, id uuid, team text, principal text, key text, fingerprint text,
                                          customer text, phone text, lines jsonb, traceparent text),
           LATERAL (SELECT sum(l.quantity * (prices ->> l.sku)::bigint)::bigint AS total,
                           jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', l.quantity, 'priceCents', prices -> l.sku)) AS lines
                      FROM jsonb_to_recordset(r.lines) AS l(sku text, quantity int)) AS priced
     WHERE chosen IS NULL OR r.n = ANY (chosen)
  ), taken AS (
    UPDATE articles a SET available = a.available - d.units, reserved = a.reserved + d.units
      FROM unnest(skus, units) AS d(sku, units)
     WHERE a.sku = d.sku
  ), numbered AS (
    UPDATE document_series s SET last_number = last + (SELECT count(*) FROM wanted) WHERE s.series = series_name
  ), placed AS (
    INSERT INTO orders (id, team, principal, idempotency_key, fingerprint, series, number, customer, phone, lines,
                        total_cents, accepted_by, accepted_at)
    SELECT w.id, w.team, w.principal, w.key, w.fingerprint, series_name, w.number, w.customer, w.phone, w.priced_lines,
           w.total, version, at
      FROM wanted w
  ), announced AS (
    -- order.accepted.v1 as @keelson/messaging writes it; its CloudEvents id is the order's own.
    INSERT INTO outbox (aggregate, message_id, routing_key, mandatory, headers, body)
    SELECT w.id, w.id, 'order.accepted.v1', true,
           jsonb_strip_nulls(jsonb_build_object(
             'cloudEvents:specversion', '1.0', 'cloudEvents:id', w.id, 'cloudEvents:source', 'order-demo',
             'cloudEvents:type', 'dev.keelson.order.accepted.v1', 'cloudEvents:time', stamp,
             'cloudEvents:partitionkey', w.id, 'traceparent', w.traceparent)),
           json_build_object(
             'orderId', w.id, 'documentNumber', series_name || '-' || lpad(w.number::text, greatest(6, length(w.number::text)), '0'),
             'customer', w.customer, 'phone', w.phone, 'lines', w.lines, 'totalCents', w.total, 'acceptedAt', stamp)::text
      FROM wanted w ORDER BY w.n
  )
  SELECT w.n, 'accepted', w.id, w.number, series_name, w.total, at, version, NULL::jsonb FROM wanted w;

  IF known IS NOT NULL THEN
    RETURN QUERY
    SELECT r.n, CASE WHEN o.fingerprint = r.fingerprint THEN 'replayed' ELSE 'reused' END,
           o.id, o.number, o.series, o.total_cents, o.accepted_at, o.accepted_by, NULL::jsonb
      FROM jsonb_to_recordset(batch) AS r(n int, principal text, key text, fingerprint text)
      JOIN orders o ON o.principal = r.principal AND o.idempotency_key = r.key
     WHERE r.n = ANY (known);
  END IF;
  RETURN QUERY
  SELECT f.key::int, f.value ->> 'outcome', NULL::uuid, NULL::bigint, NULL::text, NULL::bigint, NULL::timestamptz,
         NULL::text, f.value -> 'faults'
    FROM jsonb_each(refusals) AS f;
END
$$;

-- What the orders of a batch (all, or those chosen) want of each article.
CREATE FUNCTION demand_of(batch jsonb, chosen int[], OUT skus text[], OUT units bigint[])
LANGUAGE sql AS $$
  SELECT array_agg(d.sku), array_agg(d.units)
    FROM (SELECT l.sku, sum(l.quantity) AS units
            FROM jsonb_to_recordset(batch) AS r(n int, lines jsonb), jsonb_to_recordset(r.lines) AS l(sku text, quantity int)
           WHERE chosen IS NULL OR r.n = ANY (chosen)
           GROUP BY l.sku) AS d
$$;

-- The slow way, taken only when a batch holds a known key or the stock does not suffice for all of it: order by order,
-- first come first served.
CREATE FUNCTION decide_orders(batch jsonb, known int[], OUT chosen int[], OUT refusals jsonb)
LANGUAGE plpgsql AS $$
DECLARE
  stock   jsonb;
  trial   jsonb;
  faults  jsonb;
  missing boolean;
  wish    record;
  line    record;
BEGIN
  chosen := '{}';
  refusals := '{}';
  SELECT coalesce(jsonb_object_agg(a.sku, a.available), '{}') INTO stock FROM articles a
   WHERE a.sku IN (SELECT l.sku FROM jsonb_to_recordset(batch) AS r(lines jsonb), jsonb_to_recordset(r.lines) AS l(sku text));
  FOR wish IN SELECT r.n, r.lines FROM jsonb_to_recordset(batch) AS r(n int, lines jsonb)
               WHERE NOT r.n = ANY (known) ORDER BY r.n LOOP
    trial := stock;
    faults := '[]';
    missing := false;
    FOR line IN SELECT l.sku, l.quantity, l.position - 1 AS index
                  FROM ROWS FROM (jsonb_to_recordset(wish.lines) AS (sku text, quantity int))
                       WITH ORDINALITY AS l(sku, quantity, position) LOOP
      IF trial -> line.sku IS NULL THEN
        missing := true;
        faults := faults || jsonb_build_object('line', line.index, 'sku', line.sku);
      ELSIF (trial ->> line.sku)::bigint < line.quantity THEN
        faults := faults || jsonb_build_object('line', line.index, 'sku', line.sku,
                                               'available', (trial ->> line.sku)::bigint);
      ELSE
        trial := jsonb_set(trial, ARRAY[line.sku], to_jsonb((trial ->> line.sku)::bigint - line.quantity));
      END IF;
    END LOOP;
    IF faults = '[]' THEN
      stock := trial;
      chosen := chosen || wish.n;
    ELSE
      refusals := refusals || jsonb_build_object(wish.n::text, jsonb_build_object(
        'outcome', CASE WHEN missing THEN 'unknown-sku' ELSE 'out-of-stock' END, 'faults', faults));
    END IF;
  END LOOP;
END
$$;
`;
