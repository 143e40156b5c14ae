import { eventsApi } from '@keelson/contracts';
import { defineConfig } from '@keelson/service-kit';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { config } from '../src/config.ts';
import { matchSchema } from '../src/rules/rules.ts';

const root = join(import.meta.dirname, '..');
const document = (name: string): Promise<string> => readFile(join(root, '../../docs/event-relay', name), 'utf8');

describe('the documents say what the code does', () => {
  test('every variable of this service stands in the table, and no other', async () => {
    const described = [...(await document('configuration.md')).matchAll(/^\| `([A-Z_]+)` /gm)].map(([, name]) => name!);
    // The keys that every service has are described with the service kit.
    const shared = Object.keys(defineConfig({}).shape);
    const own = Object.keys(config.shape).filter((name) => !shared.includes(name));
    expect(described.toSorted()).toEqual(own.toSorted());
  });

  test('every term of a match is shown', async () => {
    const text = await document('configuration.md');
    for (const term of Object.keys(matchSchema.unwrap().shape)) expect(text).toContain(`      ${term}: [`);
  });

  test('every operation and every filter of the search is named, with its scope', async () => {
    const text = await document('api.md');
    for (const { method, path, scope } of Object.values(eventsApi.endpoints))
      expect(text).toMatch(new RegExp(`\\| \`${method} ${path.replaceAll(/[{}]/g, '\\$&')}\` +\\| \`${scope}\` `));
    const { limit: _limit, cursor: _cursor, order: _order, ...filters } = eventsApi.endpoints.listEvents.query.shape;
    for (const filter of Object.keys(filters)) expect(text).toContain(`\`${filter}\``);
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
