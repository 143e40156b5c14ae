/** The saga's row took the place of order_process. */
export const payments = /* sql */ `
DROP TABLE order_process;

-- What was asked of the payment provider for an order. 'reversing' and 'reversed' with 0 cents are tombstones: the
-- reversal came before the request.
CREATE TABLE payments (
  order_id      uuid PRIMARY KEY,
  amount_cents  bigint NOT NULL,
  state         text NOT NULL CHECK (state IN ('asked', 'taken', 'declined', 'reversing', 'reversed')),
  payment_id    text,
  reason        text,
  asked_at      timestamptz NOT NULL DEFAULT now(),
  ended_at      timestamptz
) WITH (fillfactor = 80);

-- The built-in payment provider's books.
CREATE TABLE payment_ledger (
  id              uuid PRIMARY KEY DEFAULT uuidv7(),
  reference       text NOT NULL,
  amount_cents    bigint NOT NULL,
  refunded_cents  bigint NOT NULL DEFAULT 0,
  status          text NOT NULL,
  booked_at       timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX payment_ledger_reference ON payment_ledger (reference);
`;

/** Bytes apart from documents, whose rows are read by every verification. PDF is compressed already. */
export const invoices = /* sql */ `
CREATE TABLE invoices (
  order_id  uuid PRIMARY KEY,
  pdf       bytea NOT NULL,
  etag      text NOT NULL
);
ALTER TABLE invoices ALTER COLUMN pdf SET STORAGE EXTERNAL;
`;

export const customerAccounts = /* sql */ `
ALTER TABLE coupons ADD COLUMN expired_at timestamptz;

-- Read model: what is answered without a look at the orders. Made from order.confirmed.v2 alone.
CREATE TABLE customer_accounts (
  team           text NOT NULL,
  customer       text NOT NULL,
  orders         bigint NOT NULL,
  spent_cents    bigint NOT NULL,
  last_order_at  timestamptz NOT NULL,
  PRIMARY KEY (team, customer)
) WITH (fillfactor = 70);
`;
