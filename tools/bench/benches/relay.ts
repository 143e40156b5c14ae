import { eventsApi } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { request } from 'undici';
import { against, type Figure } from '../figures.ts';
import { Place } from '../place.ts';

const EVENTS = 10_000;
const BATCH = 500;

/** Events in over HTTP (Alertmanager's webhook), through the durable journal, out to a webhook one by one and in order. */
export async function relay(root: string): Promise<Figure[]> {
  const place = await new Place(root).start();
  let received = 0;
  const receiver = createServer((incoming, response) => {
    incoming.resume().on('end', () => {
      received += 1;
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const target = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  try {
    const raw = await rawRate(target, 3);
    const rawRows = await rawInsertRate(place.postgres.adminUrl, 3);
    received = 0;
    const rules = join(place.folder, 'rules.yaml');
    writeFileSync(rules, `sinks: [{ name: hook, webhook: { url: "${target}" } }]\n`);
    const service = await place.service('event-relay', { EVENT_APIS: 'none', RULES_FILE: rules, CLUSTER: 'bench' });
    await eventually(() => sinkIsThere(service.url!, place.token), { withinMs: 60_000 });
    const started = performance.now();
    for (let n = 0; n < EVENTS; n += BATCH) await send(service.url!, place.token, n);
    const journalled = EVENTS / ((performance.now() - started) / 1000);
    await eventually(() => received >= EVENTS, { withinMs: 120_000, everyMs: 20, describe: 'every event at the sink' });
    const delivered = EVENTS / ((performance.now() - started) / 1000);
    return [
      against('relay-journal', journalled, 'events/s', rawRows, `bare inserts of ${BATCH} rows a transaction, rows/s`),
      against('relay-webhook', delivered, 'events/s', raw, 'raw sequential POSTs/s to the same receiver'),
    ];
  } finally {
    await place.stop();
    receiver.closeAllConnections();
    receiver.close();
  }
}

async function rawRate(target: string, seconds: number): Promise<number> {
  const body = JSON.stringify({ message: 'x'.repeat(500) });
  const end = performance.now() + seconds * 1000;
  let count = 0;
  while (performance.now() < end) {
    const answer = await request(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await answer.body.dump();
    count += 1;
  }
  return count / seconds;
}

/** Rows a second of the same size and so many to a transaction, inserted by one client that does nothing else. */
async function rawInsertRate(adminUrl: string, seconds: number): Promise<number> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(
    'CREATE TABLE raw_rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE, body jsonb NOT NULL)',
  );
  const end = performance.now() + seconds * 1000;
  const started = performance.now();
  let count = 0;
  for (; performance.now() < end; count += BATCH) {
    const bodies = Array.from({ length: BATCH }, (_, index) => JSON.stringify(alert(count + index)));
    await client.query(
      "INSERT INTO raw_rows (key, body) SELECT b->>'fingerprint', b FROM unnest($1::jsonb[]) AS t(b)",
      [bodies],
    );
  }
  const rate = count / ((performance.now() - started) / 1000);
  await client.query('DROP TABLE raw_rows');
  await client.end();
  return rate;
}

const alert = (n: number) => ({
  status: 'firing',
  labels: { alertname: 'Bench', severity: 'warning', pod: `pod-${n}` },
  annotations: { summary: 'a benchmark’s alert' },
  startsAt: '2026-03-01T12:00:00Z',
  fingerprint: `f-${n}`,
});

async function sinkIsThere(url: string, token: string): Promise<boolean> {
  const answer = await fetch(`${url}${eventsApi.endpoints.listSinks.path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { items } = (await answer.json()) as { items: { state: string }[] };
  return items[0]?.state === 'delivering';
}

async function send(url: string, token: string, from: number): Promise<void> {
  const alerts = Array.from({ length: BATCH }, (_, index) => alert(from + index));
  const answer = await request(`${url}${eventsApi.endpoints.receiveAlerts.path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ version: '4', groupKey: 'g', status: 'firing', receiver: 'bench', alerts }),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 202) throw new Error(`${answer.statusCode}: ${text}`);
}
