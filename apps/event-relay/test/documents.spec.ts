import { eventsApi } from '@keelson/contracts';
import { defineConfig } from '@keelson/service-kit';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { config } from '../src/config.ts';
import { matchSchema, parseRules, RulesError, sinkKinds } from '../src/rules/rules.ts';

const root = join(import.meta.dirname, '..');
const document = (name: string): Promise<string> => readFile(join(root, '../../docs/event-relay', name), 'utf8');

/** The service's sources, without their tests and builders. */
async function code(): Promise<string[]> {
  const names = await readdir(join(root, 'src'), { recursive: true });
  const sources = names.filter((name) => name.endsWith('.ts') && !/\.(spec|builder)\.ts$/.test(name));
  return Promise.all(sources.map((name) => readFile(join(root, 'src', name), 'utf8')));
}

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

  test('every kind of sink is there with all of its options', async () => {
    const rows = [...(await document('configuration.md')).matchAll(/^\| `([a-z]+)` +\| (.*) \|$/gm)];
    const described = new Map(rows.map(([, kind, options]) => [kind!, options!]));
    expect([...described.keys()].toSorted()).toEqual(Object.keys(sinkKinds).toSorted());
    for (const [kind, { shape }] of Object.entries(sinkKinds))
      for (const option of Object.keys(shape)) expect(described.get(kind)).toContain(`\`${option}\``);
  });

  test('every rules document that is shown is accepted, and the faults that are shown are what is said', async () => {
    const texts = await Promise.all(['README.md', 'configuration.md'].map(document));
    const shown = texts.flatMap((text) => [...text.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, yaml]) => yaml!));
    expect(shown.length).toBeGreaterThanOrEqual(3);
    for (const yaml of shown) expect(parseRules(yaml, 'rules.yaml').sinks).toHaveLength(1);
    const wrong = [
      'sinks:',
      '  - name: a',
      '    match:',
      '      kind: [Pod]',
      '    stdout: {}',
      '  - name: b',
      '    stdout: {}',
      '    match:',
      "      namespaces: ['prod-*']",
    ].join('\n');
    const faults = [...texts[1]!.matchAll(/RULES_FILE: (rules\.yaml:.*)/g)].map(([, fault]) => fault!);
    expect(() => parseRules(wrong, 'rules.yaml')).toThrow(new RulesError(faults.join('\n')));
  });

  test('every reason that the platform’s own events have is explained, and no other', async () => {
    const described = [...(await document('api.md')).matchAll(/^\| `([A-Z][A-Za-z]+)` +\|/gm)].map(([, name]) => name!);
    const reason = /'((?:Canary|Certificate)[A-Z][a-z]\w+)'|(?:reason: |MALFORMED = )'(\w+)'/g;
    const made = (await code()).flatMap((text) => [...text.matchAll(reason)].map(([, told, own]) => (told ?? own)!));
    expect(described.toSorted()).toEqual([...new Set(made)].toSorted());
  });

  test('every problem that a caller may get is explained', async () => {
    const text = await document('api.md');
    const own = Object.values(eventsApi.endpoints).flatMap((endpoint) =>
      'problems' in endpoint ? endpoint.problems : [],
    );
    for (const problem of new Set([...own, 'unauthenticated', 'scope-missing', 'invalid-request', 'unavailable']))
      expect(text).toContain(`\`${problem}\``);
  });

  test('every alert has a line on what to do', async () => {
    const rules = await readFile(join(root, '../../deploy/monitoring/rules.yaml'), 'utf8');
    const ours = rules.split('- name: ').find((group) => group.startsWith('keelson-event-relay'))!;
    const alerts = [...ours.matchAll(/alert: (\w+)/g)].map(([, alert]) => alert!);
    const described = [...(await document('operations.md')).matchAll(/^\| `(Keelson\w+)`/gm)].map(
      ([, alert]) => alert!,
    );
    expect(described.toSorted()).toEqual(alerts.toSorted());
  });

  test('every metric is named, and no other', async () => {
    const text = await document('operations.md');
    const defined = new Set(
      (await code()).flatMap((source) => [...source.matchAll(/name: '(keelson_[a-z_]+)'/g)].map(([, name]) => name!)),
    );
    const described = new Set([...text.matchAll(/`(keelson_[a-z_]+)/g)].map(([, name]) => name!));
    expect([...described].toSorted()).toEqual([...defined].toSorted());
  });
});
