import { startProcess } from '@keelson/testing';
import { join } from 'node:path';
import { against, type Figure } from '../figures.ts';
import { oneInsertRate } from '../one-insert.ts';
import { Place } from '../place.ts';

interface Load {
  elapsedSeconds: number;
  accepted: number;
  refused: number;
  failed: number;
  dropped: number;
  latencyMs: { p50: number; p99: number };
}

/**
 * Orders accepted a second by one api process while every request waits for its durable commit, found by raising the
 * arrival rate (open model, a process of its own) until it no longer keeps up; then the latency at 70 % of that.
 */
export async function orderAccept(root: string): Promise<Figure[]> {
  const place = await new Place(root).start();
  try {
    const inserts = await oneInsertRate(place.postgres.adminUrl, 16, 5);
    const service = await place.service('order-demo', { ROLE: 'api', SEED_STOCK: '100000000' }, ['--role=api']);
    const load = (rate: number, seconds: number): Promise<Load> =>
      generate(root, service.url!, place.token, rate, seconds);
    await load(500, 3); // warm-up
    let best = 0;
    for (let rate = Math.max(200, inserts * 0.2); ; rate *= 1.25) {
      const run = await load(rate, 5);
      const perSecond = run.accepted / run.elapsedSeconds;
      best = Math.max(best, perSecond);
      if (perSecond < rate * 0.95 || run.refused > 0) break;
    }
    const calm = await load(best * 0.7, 8);
    const inserts2 = await oneInsertRate(place.postgres.adminUrl, 16, 5);
    const reference = (inserts + inserts2) / 2; // before and after: the machine drifts
    return [
      against('order-accept', best, 'orders/s', reference, 'one-insert transactions/s, 16 connections'),
      { name: 'order-accept-p50-70', value: calm.latencyMs.p50, unit: 'ms' },
      { name: 'order-accept-p99-70', value: calm.latencyMs.p99, unit: 'ms' },
    ];
  } finally {
    await place.stop();
  }
}

async function generate(root: string, url: string, token: string, rate: number, seconds: number): Promise<Load> {
  const lines: string[] = [];
  const run = await startProcess({
    name: 'load',
    command: [
      join(root, 'node_modules/.bin/node'),
      join(root, 'apps/cli/dist/main.js'),
      '-o',
      'jsonl',
      'orders',
      'load',
      `--rate=${Math.round(rate)}`,
      `--for=${seconds}s`,
    ],
    env: { NODE_OPTIONS: undefined, KEELSON_ORDERS_URL: url, KEELSON_TOKEN: token, KEELSON_CA_FILE: undefined },
    onLine: (line) => lines.push(line),
  });
  await run.exited;
  const result = lines.findLast((line) => line.startsWith('{'));
  if (result === undefined) throw new Error(`the load generator gave no result:\n${lines.join('\n')}`);
  return JSON.parse(result) as Load;
}
