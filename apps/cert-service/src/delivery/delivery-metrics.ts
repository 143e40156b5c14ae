import type { Database } from '@keelson/persistence';
import { gauge } from '@keelson/service-kit';

const notAfter = gauge({
  name: 'keelson_delivery_not_after_timestamp_seconds',
  help: 'When the certificate in a delivered Secret expires',
  labelNames: ['namespace', 'secret'],
});
const deliveries = gauge({
  name: 'keelson_deliveries',
  help: 'Deliveries by state',
  labelNames: ['state'],
});

const states = ['pending', 'delivered', 'conflict', 'failed'] as const;

/** Sets the metrics of all deliveries from the database, so that every replica shows the same. */
export async function measureDeliveries(database: Database): Promise<void> {
  const rows = await database.query<{ namespace: string; secret_name: string; state: string; not_after: Date | null }>(
    'select namespace, secret_name, state, not_after from deliveries',
  );
  notAfter.reset();
  for (const { namespace, secret_name: secret, not_after: at } of rows) {
    if (at !== null) notAfter.set({ namespace, secret }, at.getTime() / 1000);
  }
  for (const state of states) deliveries.set({ state }, rows.filter((row) => row.state === state).length);
}
