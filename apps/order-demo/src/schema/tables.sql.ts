/** Tables of order-demo. Money in cents, times with time zone, ids UUIDv7 made by the service (sortable by time). */
export const tables = /* sql */ `
-- One row an article. received = available + reserved + sold at every commit; the verifier checks it against the orders.
-- fillfactor 10: these few rows are updated by every batch, so new versions stay on the same page (HOT), no index work.
CREATE TABLE articles (
  sku          text PRIMARY KEY,
  name         text    NOT NULL,
  price_cents  integer NOT NULL CHECK (price_cents >= 0),
  received     bigint  NOT NULL CHECK (received >= 0),
  available    bigint  NOT NULL CHECK (available >= 0),
  reserved     bigint  NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  sold         bigint  NOT NULL DEFAULT 0 CHECK (sold >= 0)
) WITH (fillfactor = 10);

-- Gapless numbers: a sequence leaves holes when a transaction fails, a counter row that commits with its orders does not.
CREATE TABLE document_series (
  series       text PRIMARY KEY,
  last_number  bigint NOT NULL CHECK (last_number >= 0)
) WITH (fillfactor = 10);

-- lines is one value, not rows: an order's lines never change and are never read without it. Two rows and two index
-- entries less for each order is what brought accepting to half the rate of a bare insert.
CREATE TABLE orders (
  id               uuid PRIMARY KEY,
  team             text   NOT NULL,
  principal        text   NOT NULL,
  idempotency_key  text   NOT NULL,
  fingerprint      text   NOT NULL,
  series           text   NOT NULL,
  number           bigint NOT NULL,
  customer         text   NOT NULL,
  phone            text   NOT NULL,
  lines            jsonb  NOT NULL,
  total_cents      bigint NOT NULL,
  accepted_by      text   NOT NULL,
  accepted_at      timestamptz NOT NULL,
  status           text   NOT NULL DEFAULT 'accepted' CHECK (status IN ('accepted', 'confirmed', 'compensated')),
  ended_at         timestamptz,
  reason           text,
  CHECK ((status = 'accepted') = (ended_at IS NULL))
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX orders_idempotency ON orders (principal, idempotency_key);
CREATE UNIQUE INDEX orders_document ON orders (series, number);
-- Small: only what has not ended. The deadline sweep and the verifier read it.
CREATE INDEX orders_open ON orders (accepted_at) WHERE status = 'accepted';

-- The process manager's state: what is known to be done for an order. A row appears with the first message, in whatever
-- order the messages come; each column is set once.
CREATE TABLE order_process (
  order_id      uuid PRIMARY KEY,
  document_at   timestamptz,
  coupon_at     timestamptz,
  notified_at   timestamptz,
  withdrawn_at  timestamptz,
  ended         boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
CREATE INDEX order_process_ready ON order_process (order_id)
  WHERE NOT ended AND document_at IS NOT NULL AND coupon_at IS NOT NULL AND notified_at IS NOT NULL;

-- What the roles did. A row whose made_at is null is a tombstone: the cancellation came before the order itself.
CREATE TABLE documents (
  id            uuid PRIMARY KEY,
  order_id      uuid NOT NULL,
  number        text,
  made_at       timestamptz,
  withdrawn_at  timestamptz
);
CREATE UNIQUE INDEX documents_order ON documents (order_id);

CREATE TABLE coupons (
  id            uuid PRIMARY KEY,
  order_id      uuid NOT NULL,
  customer      text,
  made_at       timestamptz,
  withdrawn_at  timestamptz
);
CREATE UNIQUE INDEX coupons_order ON coupons (order_id);

CREATE TABLE notifications (
  id            uuid PRIMARY KEY,
  order_id      uuid NOT NULL,
  made_at       timestamptz,
  withdrawn_at  timestamptz
);
CREATE UNIQUE INDEX notifications_order ON notifications (order_id);

-- The default SMS provider: what a phone would have got. Idempotent by the notification's id, as real providers are.
CREATE TABLE sms_deliveries (
  id            uuid PRIMARY KEY DEFAULT uuidv7(),
  notification  uuid NOT NULL,
  order_id      uuid NOT NULL,
  phone         text NOT NULL,
  text          text NOT NULL,
  delivered_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX sms_deliveries_notification ON sms_deliveries (notification);
CREATE INDEX sms_deliveries_order ON sms_deliveries (order_id);
`;
