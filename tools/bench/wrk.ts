import { startProcess } from '@keelson/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SaturateOptions {
  url: string;
  token: string;
  /** Private to this run: the script in it holds the token, which must not be seen in a process list. */
  folder: string;
  connections: number;
  seconds: number;
}

/** Orders as `keelson orders load` sends them, each with a key of its own; `prefix` tells one run's keys from another's. */
const script = (token: string, prefix: string, skus: readonly string[]): string => `
local n = 0
local skus = {${skus.map((sku) => `"${sku}"`).join(', ')}}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer ${token}"
request = function()
  n = n + 1
  wrk.headers["Idempotency-Key"] = "${prefix}-" .. n
  return wrk.format(nil, nil, nil, string.format(
    '{"customer":"load-%d","phone":"+4915%d","lines":[{"sku":"%s","quantity":1}]}',
    n % 1000, 10000000 + n, skus[n % #skus + 1]))
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"us":%d,"refused":%d,"broken":%d}\\n', summary.requests, summary.duration,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
`;

/** Orders accepted a second from customers who each send the next order when the last is answered (wrk, closed model). */
export async function saturate({ url, token, folder, connections, seconds }: SaturateOptions): Promise<number> {
  const skus = await skusOf(url, token);
  const file = join(folder, 'orders.lua');
  writeFileSync(file, script(token, `wrk-${performance.now()}`, skus), { mode: 0o600 });
  const lines: string[] = [];
  const run = await startProcess({
    name: 'wrk',
    command: ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', file, `${url}/v1/orders`],
    onLine: (line) => lines.push(line),
  });
  await run.exited;
  const result = lines.findLast((line) => line.startsWith('{"requests"'));
  if (result === undefined) throw new Error(`wrk gave no result:\n${lines.join('\n')}`);
  const { requests, us, refused, broken } = JSON.parse(result) as Record<string, number>;
  // The door refuses now and then while it is warm; more than that, and the figure would not say what is accepted.
  if (broken! > 0 || refused! > requests! / 100)
    throw new Error(`wrk: of ${requests} requests ${refused} were refused and ${broken} broke`);
  return (requests! - refused!) / (us! / 1_000_000);
}

/** What there is to order. */
export async function skusOf(url: string, token: string): Promise<string[]> {
  const stock = await fetch(`${url}/v1/stock`, { headers: { authorization: `Bearer ${token}` } });
  const { items } = (await stock.json()) as { items: { sku: string }[] };
  return items.map(({ sku }) => sku);
}
