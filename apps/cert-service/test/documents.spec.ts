import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { certificatesApi } from '@keelson/contracts';
import { configSchema } from '../src/config.ts';
import { policyRules } from '../src/issuance/policy.ts';

const root = join(import.meta.dirname, '..');
const document = (name: string): Promise<string> => readFile(join(root, '../../docs/cert-service', name), 'utf8');
const own = Object.entries(configSchema.shape);

describe('the documents say what the code does', () => {
  test('every variable of this service stands in the table, and no other', async () => {
    const text = await document('configuration.md');
    const described = [...text.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, name]) => name!);
    const names = own.map(([name]) => name);
    expect(described.filter((name) => !names.includes(name))).toEqual([]);
    const base = ['HOST', 'PORT', 'READY_FILE', 'DATABASE_URL', 'AMQP_URL', 'TOKENS_FILE', 'LOG_LEVEL', 'CONFIG_FILE'];
    const general = /^(AMQP_|OTEL_|BODY_|REQUEST_|RATE_|DRAIN_|SHUTDOWN_)/;
    const missing = names.filter((name) => !described.includes(name) && !base.includes(name) && !general.test(name));
    expect(missing).toEqual([]);
  });

  test('every operation and every rule of the policy is named', async () => {
    const text = await document('api.md');
    for (const { method, path } of Object.values(certificatesApi.endpoints))
      expect(text).toContain(`${method} ${path}`);
    for (const rule of policyRules) expect(text).toContain(`\`${rule}\``);
    for (const code of Object.keys(certificatesApi.problems ?? {})) {
      if (!code.startsWith('delivery-')) expect(text).toContain(`\`${code}\``);
    }
  });

  test('every metric is named, and no other', async () => {
    const text = await document('operations.md');
    const sources = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
    const code = (await Promise.all(sources.map((name) => readFile(join(root, 'src', name), 'utf8')))).join('\n');
    const defined = new Set([...code.matchAll(/name: '(keelson_[a-z_]+)'/g)].map(([, name]) => name!));
    const described = new Set([...text.matchAll(/`(keelson_[a-z_]+)/g)].map(([, name]) => name!));
    expect([...described].toSorted()).toEqual([...defined].toSorted());
  });
});
