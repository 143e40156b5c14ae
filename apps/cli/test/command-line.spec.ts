import type { Problem } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runCli } from '../src/run-cli.ts';

/** A service that answers as the contract says; each test chooses its answers by path. */
let server: Server;
let answers: Record<string, { status?: number; body: unknown }>;
let asked: { method: string; path: string; authorization: string | undefined; body: unknown }[];
let url: string;

beforeEach(async () => {
  answers = {};
  asked = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const path = request.url!.split('?')[0]!;
      asked.push({
        method: request.method!,
        path,
        authorization: request.headers.authorization,
        body: text === '' ? undefined : JSON.parse(text),
      });
      const answer = answers[path] ?? { status: 404, body: problem(404, 'not-found') };
      const status = answer.status ?? 200;
      response
        .writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' })
        .end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const problem = (status: number, code: string): Problem => ({
  type: `https://keelson.dev/problems/${code}`,
  title: 'It cannot be done',
  status,
  code,
  traceId: 'abc',
});

async function keelson(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const environment = {
    KEELSON_CERT_URL: url,
    KEELSON_EVENTS_URL: url,
    KEELSON_CANARY_URL: url,
    KEELSON_ORDERS_URL: url,
    KEELSON_TOKEN: 'secret-token-1234',
  };
  const code = await runCli(argv, {
    environment,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

const decision = {
  id: '0190a5f0-0000-7000-8000-000000000009',
  canaryId: '0190a5f0-0000-7000-8000-000000000001',
  release: 1,
  at: '2026-03-01T12:00:00Z',
  act: 'step',
  reason: 'the step held',
  actor: 'controller',
  step: 0,
  weight: 20,
  evidence: [],
};
const canary = {
  id: '0190a5f0-0000-7000-8000-000000000001',
  namespace: 'shop',
  name: 'order-demo',
  team: 'platform',
  spec: {
    stable: { deployment: 'v1', service: 'v1' },
    canary: { deployment: 'v2', service: 'v2' },
    route: { ingress: 'shop', host: 'shop.example', path: '/' },
    steps: [{ weight: 20, holdSeconds: 60, pause: false }],
    analysis: {
      intervalSeconds: 10,
      successRate: { min: 0.99, minSample: 100 },
      warningEvents: { max: 0, ignoreReasons: [] },
      failureLimit: 2,
      inconclusiveLimitSeconds: 600,
    },
  },
  phase: 'Progressing',
  reason: 'step 1 of 1 is healthy',
  release: 1,
  step: 0,
  weight: 20,
  since: '2026-03-01T12:00:00Z',
  evidence: [],
};

describe('output', () => {
  beforeEach(() => (answers['/v1/canaries'] = { body: { items: [canary] } }));

  test('a table has headings, one line a row, and nothing else on stdout', async () => {
    const { code, out, err } = await keelson('canary', 'list');
    expect(code).toBe(0);
    expect(err).toBe('');
    const [head, row, rest] = out.split('\n');
    expect(head).toMatch(/^NAME +PHASE +STEP +WEIGHT +SINCE +WHY$/);
    expect(row).toMatch(/^shop\/order-demo +Progressing +1\/1 +20% +\d+d +step 1 of 1 is healthy$/);
    expect(rest).toBe('');
  });

  test('wide shows more', async () => {
    expect((await keelson('canary', 'list', '-o', 'wide')).out).toMatch(/STABLE +CANARY +TEAM/);
  });

  test('json, yaml, jsonl and name are for programs', async () => {
    expect(JSON.parse((await keelson('-o', 'json', 'canary', 'list')).out)).toEqual({ items: [canary] });
    expect(parse((await keelson('-o', 'yaml', 'canary', 'list')).out)).toEqual({ items: [canary] });
    expect(JSON.parse((await keelson('-o', 'jsonl', 'canary', 'list')).out)).toEqual(canary);
    expect((await keelson('-o', 'name', 'canary', 'list')).out).toBe('shop/order-demo\n');
  });

  test('an empty list says so on stderr and leaves stdout empty', async () => {
    answers['/v1/canaries'] = { body: { items: [] } };
    expect(await keelson('canary', 'list')).toEqual({ code: 0, out: '', err: 'no canaries\n' });
  });

  test('what comes from elsewhere cannot steer the terminal', async () => {
    answers['/v1/canaries'] = { body: { items: [{ ...canary, reason: 'a\u001b[2Jb' }] } };
    expect((await keelson('canary', 'list')).out).toContain('a [2Jb');
  });
});

describe('exit codes', () => {
  const cases = [
    { status: 404, name: 'not found', code: 3 },
    { status: 403, name: 'denied', code: 4 },
    { status: 401, name: 'not known', code: 4 },
    { status: 409, name: 'conflict', code: 5 },
    { status: 422, name: 'wrong request', code: 2 },
    { status: 500, name: 'fault of the service', code: 1 },
  ];
  test.each(cases)('$name is $code', async ({ status, code }) => {
    answers['/v1/canaries/shop/order-demo/abort'] = { status, body: problem(status, 'x') };
    const { code: found, err, out } = await keelson('canary', 'abort', 'shop/order-demo');
    expect(found).toBe(code);
    expect(err).toContain('It cannot be done');
    expect(out).toBe('');
  });

  test('a problem is an object in JSON mode', async () => {
    answers['/v1/canaries'] = { status: 403, body: problem(403, 'missing-scope') };
    const { code, err } = await keelson('canary', 'list', '-o', 'json');
    expect(code).toBe(4);
    expect(JSON.parse(err)).toMatchObject({ code: 'missing-scope', status: 403 });
  });

  test('an unknown command is a fault of use, with a suggestion', async () => {
    const { code, err } = await keelson('canery');
    expect(code).toBe(2);
    expect(err).toContain('Did you mean canary?');
  });

  test('a wrong value is named with what is allowed', async () => {
    expect(await keelson('orders', 'load', '--rate', 'many')).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected a number above 0'),
    });
    expect(await keelson('canary', 'get', 'a/b/c')).toMatchObject({
      code: 2,
      err: expect.stringContaining('NAMESPACE/NAME'),
    });
  });

  test('a missing setting is named with the way out', async () => {
    let err = '';
    const code = await runCli(['canary', 'list'], {
      environment: {},
      out: () => undefined,
      err: (text) => void (err += text),
      signal: new AbortController().signal,
    });
    expect(code).toBe(2);
    expect(err).toContain('KEELSON_CANARY_URL is not set');
    expect(err).toContain('--env-file');
  });
});

test('commands send what was asked, as the bearer of the token', async () => {
  answers['/v1/canaries/shop/order-demo/promote'] = { status: 202, body: { ...canary, phase: 'Promoting' } };
  const { code, out } = await keelson('canary', 'promote', 'shop/order-demo', '--full', '--reason', 'seen enough');
  expect({ code, out }).toEqual({ code: 0, out: 'canary shop/order-demo is Promoting: step 1 of 1 is healthy\n' });
  expect(asked).toEqual([
    {
      method: 'POST',
      path: '/v1/canaries/shop/order-demo/promote',
      authorization: 'Bearer secret-token-1234',
      body: { full: true, reason: 'seen enough' },
    },
  ]);
});

test('canary get tells evidence and decisions', async () => {
  answers['/v1/canaries/shop/order-demo'] = {
    body: { ...canary, evidence: [{ check: 'success-rate', outcome: 'fail', summary: '12 % of 400 requests failed' }] },
  };
  answers['/v1/canaries/shop/order-demo/decisions'] = { body: { items: [decision] } };
  const { out } = await keelson('canary', 'get', 'shop/order-demo');
  expect(out).toContain('success-rate    fail         12 % of 400 requests failed');
  expect(out).toContain('step        controller   the step held');
});

describe('canary apply', () => {
  const files = [
    { name: 'what is no Canary', text: 'kind: Deployment\nmetadata: { name: a }\n', says: 'must be Canary' },
    {
      name: 'an unknown field',
      text: `kind: Canary\nmetadata: { name: a }\nspec: ${JSON.stringify({ ...canary.spec, stepps: [] })}\n`,
      says: 'Unrecognized key: "stepps"',
    },
    { name: 'what is no YAML', text: 'a: [1', says: 'Flow sequence' },
    { name: 'several documents', text: 'a: 1\n---\nb: 2\n', says: 'multiple documents' },
  ];
  test.each(files)('refuses $name, by the name of the file, and sends nothing', async ({ text, says }) => {
    const folder = mkdtempSync(join(tmpdir(), 'keelson-cli-'));
    try {
      const file = join(folder, 'canary.yaml');
      writeFileSync(file, text);
      const { code, err } = await keelson('canary', 'apply', '-f', file);
      expect(code).toBe(2);
      expect(err).toContain(`${file}: `);
      expect(err).toContain(says);
      expect(asked).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('refuses a file that is not there', async () => {
    expect(await keelson('canary', 'apply', '-f', '/no/such/file')).toMatchObject({
      code: 2,
      err: expect.stringContaining('ENOENT'),
    });
  });
});

test('canary list takes the phases that there are', async () => {
  const { code, err } = await keelson('canary', 'list', '--phase', 'Bored');
  expect(code).toBe(2);
  expect(err).toContain('Progressing');
});

test('canary get -w follows a release over a moment in which nobody answers, and fails where it ends badly', async () => {
  const path = '/v1/canaries/shop/order-demo';
  answers[`${path}/decisions`] = { body: { items: [decision] } };
  answers[path] = { status: 503, body: problem(503, 'unavailable') };
  const following = keelson('canary', 'get', 'shop/order-demo', '--watch');
  await eventually(() => asked.length > 3);
  answers[path] = { body: { ...canary, phase: 'Paused' } };
  const paused = asked.length;
  await eventually(() => asked.slice(paused).some((one) => one.path === `${path}/decisions`));
  answers[path] = { body: { ...canary, phase: 'RolledBack', reason: '12 % of 400 requests failed' } };
  const { code, out, err } = await following;
  expect(code).toBe(1);
  expect(out.match(/the step held/g)).toHaveLength(1);
  expect(err).toContain('canary-controller is away');
  expect(err).toContain('it waits for you: keelson canary promote shop/order-demo');
  expect(err).toContain('the release is RolledBack: 12 % of 400 requests failed');
});

test('a revocation asks for --yes', async () => {
  expect(await keelson('cert', 'revoke', '0190a5f0-0000-7000-8000-000000000001')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--yes'),
  });
  expect(asked).toEqual([]);
});

test('orders verify fails where an order is lost, and names it', async () => {
  answers['/v1/verification'] = {
    body: {
      accepted: 2,
      confirmed: 1,
      compensated: 0,
      lost: ['order-1'],
      doubled: [],
      stuck: [],
      negative: [],
      ok: false,
    },
  };
  const { code, out } = await keelson('orders', 'verify');
  expect(code).toBe(1);
  expect(out).toContain('lost      order-1');
});

test('token create gives the token to its holder and its hash to the services', async () => {
  const { out, err } = await keelson(
    'token',
    'create',
    '--name',
    'ci',
    '--team',
    'shop',
    '--scopes',
    'orders:read,orders:write',
  );
  const token = /keelson_\S+/.exec(err)![0];
  expect(JSON.parse(out)).toEqual({
    name: 'ci',
    team: 'shop',
    scopes: ['orders:read', 'orders:write'],
    sha256: createHash('sha256').update(token).digest('hex'),
  });
  expect(await keelson('token', 'create', '--name', 'x', '--team', 'x', '--scopes', 'orders:rite')).toMatchObject({
    code: 2,
  });
});

test('an env file is read as npm start writes it, and a broken line is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-cli-'));
  try {
    const file = join(folder, 'env');
    writeFileSync(file, `# platform\nKEELSON_CANARY_URL='${url}'\nKEELSON_TOKEN="t-0123456789abcdef"\n`);
    answers['/v1/canaries'] = { body: { items: [canary] } };
    let out = '';
    const surroundings = {
      environment: {},
      out: (text: string) => void (out += text),
      err: () => undefined,
      signal: new AbortController().signal,
    };
    expect(await runCli(['--env-file', file, '-o', 'name', 'canary', 'list'], surroundings)).toBe(0);
    expect(out).toBe('shop/order-demo\n');
    writeFileSync(file, 'KEELSON_TOKEN=a b\n');
    let err = '';
    expect(
      await runCli(['--env-file', file, 'canary', 'list'], { ...surroundings, err: (text) => void (err += text) }),
    ).toBe(2);
    expect(err).toContain(`${file}:1: expected NAME='value'`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('completion', () => {
  test('offers sub-commands, options and the names of canaries', async () => {
    answers['/v1/canaries'] = { body: { items: [canary] } };
    expect((await keelson('__complete', '--', 'can')).out).toBe('canary\n');
    expect((await keelson('__complete', '--', 'canary', 'a')).out).toBe('abort\napply\n');
    expect((await keelson('__complete', '--', 'canary', 'abort', 'sh')).out).toBe('shop/order-demo\n');
    expect((await keelson('__complete', '--', 'orders', 'load', '--ra')).out).toBe('--rate\n');
  });
});

test('help names every command and the exit codes', async () => {
  const { code, out } = await keelson('--help');
  expect(code).toBe(0);
  for (const word of ['status', 'canary', 'events', 'cert', 'orders', 'completion', 'Exit codes'])
    expect(out).toContain(word);
});
