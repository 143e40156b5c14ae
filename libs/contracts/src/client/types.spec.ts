import { certificatesApi } from '../certificates/index.ts';
import { ordersApi } from '../orders/index.ts';
import { createClient } from './create-client.ts';
import { paginate } from './paginate.ts';

// Checked by the compiler: a line marked ts-expect-error that compiles is an error.
async function types(): Promise<void> {
  const orders = createClient(ordersApi, { baseUrl: 'http://127.0.0.1:1' });
  const certificates = createClient(certificatesApi, { baseUrl: 'http://127.0.0.1:1' });
  await orders.listOrders();
  await orders.listOrders({ query: { status: 'accepted', limit: 5 } });
  const order = await orders.placeOrder({
    body: { customer: 'c', phone: '+4930123456', lines: [{ sku: 'a', quantity: 1 }] },
    idempotencyKey: 'k',
  });
  order.status satisfies 'accepted' | 'confirmed' | 'compensated';
  (await certificates.getCrl()) satisfies Uint8Array;
  await certificates.issueCertificate({ body: { csr: '...' } });
  for await (const { documentNumber } of paginate(orders.listOrders, { query: { customer: 'c' } })) {
    documentNumber satisfies string;
  }
  // @ts-expect-error a parameter is missing
  await orders.getOrder();
  // @ts-expect-error no such status
  await orders.listOrders({ query: { status: 'shipped' } });
  // @ts-expect-error reading has no idempotency key
  await orders.getOrder({ params: { id: 'x' }, idempotencyKey: 'k' });
  // @ts-expect-error the body is missing
  await orders.placeOrder({});
}

test('wrong calls do not compile', () => {
  expect(types).toBeInstanceOf(Function);
});

test('the client has one function for each operation', () => {
  const client = createClient(ordersApi, { baseUrl: 'http://127.0.0.1:1' });
  expect(Object.keys(client)).toEqual(Object.keys(ordersApi.endpoints));
});
