/** The verifier's statements: each names its suspects, and none where all is well. */

export const counts = /* sql */ `
SELECT count(*)::int AS accepted,
       (count(*) FILTER (WHERE status = 'confirmed'))::int AS confirmed,
       (count(*) FILTER (WHERE status = 'compensated'))::int AS compensated
  FROM orders`;

export const missing = /* sql */ `
SELECT e.id FROM unnest($1::uuid[]) AS e(id) WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = e.id) ORDER BY e.id`;

export const holes = /* sql */ `
SELECT s.series, g.number
  FROM (SELECT d.series, greatest(d.last_number, coalesce(max(o.number), 0)) AS last
          FROM document_series d LEFT JOIN orders o USING (series)
         GROUP BY d.series, d.last_number
        HAVING count(DISTINCT o.number) <> greatest(d.last_number, coalesce(max(o.number), 0))) AS s,
       generate_series(1, s.last) AS g(number)
 WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.series = s.series AND o.number = g.number)
 ORDER BY s.series, g.number`;

export const orphans = /* sql */ `
SELECT e.order_id AS "orderId", e.what
  FROM (SELECT order_id, 'document' AS what FROM documents
        UNION ALL SELECT order_id, 'coupon' FROM coupons
        UNION ALL SELECT order_id, 'SMS' FROM sms_deliveries) AS e
 WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = e.order_id)
 ORDER BY e.order_id, e.what`;

// Young orders are left out: they are on their way. The outbox is small, so it is read once and hashed.
export const open = /* sql */ `
SELECT o.id, o.accepted_at AS "acceptedAt", coalesce(b.unsent, 0)::int AS unsent, s.state AS "sagaState",
       s.steps, s.waiting_for AS "waitingFor", s.due_at AS "dueAt", s.reason
  FROM orders o
  LEFT JOIN saga s ON s.name = 'order' AND s.key = o.id::text
  LEFT JOIN (SELECT aggregate, count(*) AS unsent
               FROM (SELECT aggregate FROM outbox UNION ALL SELECT aggregate FROM outbox_deferred) AS waiting
              GROUP BY aggregate) AS b ON b.aggregate = o.id::text
 WHERE o.status = 'accepted' AND o.accepted_at <= $1
 ORDER BY o.id`;

// The other way round is open above: an order that is open while its saga has ended.
export const contradictions = /* sql */ `
SELECT o.id AS "orderId", o.status, s.state AS "sagaState"
  FROM orders o JOIN saga s ON s.name = 'order' AND s.key = o.id::text
 WHERE (o.status = 'confirmed' AND s.state <> 'completed') OR (o.status = 'compensated' AND s.state <> 'compensated')
 ORDER BY o.id`;

export const incomplete = /* sql */ `
SELECT o.id AS "orderId", w.what
  FROM orders o
  LEFT JOIN documents d ON d.order_id = o.id AND d.made_at IS NOT NULL AND d.withdrawn_at IS NULL
  LEFT JOIN coupons c ON c.order_id = o.id AND c.made_at IS NOT NULL AND c.withdrawn_at IS NULL
  LEFT JOIN sms_deliveries s ON s.order_id = o.id
  LEFT JOIN payments p ON p.order_id = o.id AND p.state = 'taken'
  CROSS JOIN LATERAL (VALUES ('document', d.id), ('coupon', c.id), ('SMS', s.id), ('payment', p.order_id)) AS w(what, id)
 WHERE o.status = 'confirmed' AND w.id IS NULL
 ORDER BY o.id, w.what`;

export const notWithdrawn = /* sql */ `
SELECT o.id AS "orderId", e.what, o.ended_at AS "endedAt"
  FROM (SELECT order_id, 'document' AS what FROM documents WHERE made_at IS NOT NULL AND withdrawn_at IS NULL
        UNION ALL
        SELECT order_id, 'coupon' FROM coupons WHERE made_at IS NOT NULL AND withdrawn_at IS NULL
        UNION ALL
        SELECT order_id, 'payment' FROM payments WHERE state IN ('asked', 'taken', 'reversing')) AS e
  JOIN orders o ON o.id = e.order_id AND o.status = 'compensated'
 ORDER BY o.id, e.what`;

export const duplicates = /* sql */ `
SELECT e.id::text AS id, e.what, e.count::int AS count
  FROM (SELECT order_id AS id, 'documents' AS what, count(*) FROM documents WHERE made_at IS NOT NULL GROUP BY 1 HAVING count(*) > 1
        UNION ALL
        SELECT order_id, 'coupons', count(*) FROM coupons WHERE made_at IS NOT NULL GROUP BY 1 HAVING count(*) > 1
        UNION ALL
        SELECT order_id, 'SMS', count(*) FROM sms_deliveries GROUP BY 1 HAVING count(*) > 1
        UNION ALL
        SELECT unnest(array_agg(id)), 'orders with the same idempotency key', count(*)
          FROM orders GROUP BY principal, idempotency_key HAVING count(*) > 1
        UNION ALL
        SELECT unnest(array_agg(id)), 'orders with the same document number', count(*)
          FROM orders GROUP BY series, number HAVING count(*) > 1) AS e
 ORDER BY 1, 2`;

export const moneyOfOrders = /* sql */ `
SELECT id, status, total_cents AS "totalCents", ended_at AS "endedAt"
  FROM orders WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT 10000`;

export const stock = /* sql */ `
SELECT a.sku, a.received, a.available, a.reserved, a.sold,
       coalesce(sum(l.units) FILTER (WHERE l.status = 'accepted'), 0)::bigint AS "inOpenOrders",
       coalesce(sum(l.units) FILTER (WHERE l.status = 'confirmed'), 0)::bigint AS "inConfirmedOrders"
  FROM articles a
  LEFT JOIN (SELECT x.sku, o.status, sum(x.quantity) AS units
               FROM orders o, jsonb_to_recordset(o.lines) AS x(sku text, quantity int)
              GROUP BY 1, 2) AS l ON l.sku = a.sku
 GROUP BY a.sku ORDER BY a.sku`;
