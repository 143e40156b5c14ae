import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { SERVICE_NAMES } from '../services/services.ts';

const root = join(import.meta.dirname, '../../..');
const monitoring = join(root, 'deploy/monitoring');
const kubernetes = join(root, 'deploy/kubernetes');
// Debian's package prometheus, which every test run has, brings promtool.
const promtool = (...args: string[]) => promisify(execFile)('promtool', args, { cwd: monitoring });

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { runbook: string };
}
const { groups } = parse(readFileSync(join(monitoring, 'rules.yaml'), 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

describe('the alerts', () => {
  test('are well-formed, and fire when they should and not before', async () => {
    await promtool('check', 'rules', 'rules.yaml');
    await promtool('test', 'rules', 'rules.test.yaml');
  });

  test('have a unit test each', () => {
    const tested = readFileSync(join(monitoring, 'rules.test.yaml'), 'utf8');
    for (const { alert } of rules) expect(tested).toContain(`alertname: ${alert}\n`);
  });

  test('ask for metrics that the services have', () => {
    const sources = ['apps', 'libs']
      .flatMap((kind) => readdirSync(join(root, kind)).map((name) => join(root, kind, name, 'src')))
      .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const asked = new Set(
      rules.flatMap(({ expr }) => expr.match(/\b(?:keelson|order_demo|http_server)_[a-z_]+/g) ?? []),
    );
    expect(asked.size).toBeGreaterThan(10);
    for (const metric of asked) expect(sources).toContain(`'${metric.replace(/_(bucket|count|sum)$/, '')}'`);
  });

  test('name a page that is there, and how urgent it is', () => {
    for (const { alert, labels, annotations } of rules) {
      expect({ alert, page: existsSync(join(root, annotations.runbook)) }).toEqual({ alert, page: true });
      expect(['page', 'ticket']).toContain(labels.severity);
    }
  });
});

test('each service that talks to Kubernetes has an account of its own, and no right to everything', () => {
  for (const name of SERVICE_NAMES) {
    const objects = parseAllDocuments(readFileSync(join(kubernetes, `${name}.yaml`), 'utf8')).map(
      (document) => document.toJS() as { kind: string; metadata: { name: string }; rules?: Record<string, string[]>[] },
    );
    expect(objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name)).toEqual([
      name,
    ]);
    for (const rule of objects.flatMap((object) => object.rules ?? [])) {
      expect([...rule['apiGroups']!, ...rule['resources']!, ...rule['verbs']!]).not.toContain('*');
    }
  }
});
