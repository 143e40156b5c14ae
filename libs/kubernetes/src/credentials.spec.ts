import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execCredentials, tokenFile } from './credentials.ts';

const folder = mkdtempSync(join(tmpdir(), 'keelson-credentials-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a token file is read again after a minute, and at once after a refusal', async () => {
  const path = join(folder, 'token');
  let now = 0;
  const credentials = tokenFile(path, () => now);
  writeFileSync(path, 'first\n');
  expect(await credentials.authorization()).toBe('Bearer first');
  writeFileSync(path, 'second\n');
  now = 59_999;
  expect(await credentials.authorization()).toBe('Bearer first');
  now = 60_000;
  expect(await credentials.authorization()).toBe('Bearer second');
  writeFileSync(path, 'third\n');
  credentials.refused();
  expect(await credentials.authorization()).toBe('Bearer third');
});

describe('an exec plug-in', () => {
  const plugin = (name: string, script: string): { command: string; runs: () => number } => {
    const count = join(folder, `${name}.count`);
    writeFileSync(count, '');
    writeFileSync(join(folder, name), `#!/bin/sh\nprintf x >>'${count}'\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
    return { command: `./${name}`, runs: () => readFileSync(count, 'utf8').length };
  };
  const answer = (status: object): string => `cat <<'END'\n${JSON.stringify({ kind: 'ExecCredential', status })}\nEND`;

  test('is run once for as long as its credential is valid, and again after a refusal', async () => {
    const { command, runs } = plugin('valid', answer({ token: 'abc', expirationTimestamp: '2999-01-01T00:00:00Z' }));
    const credentials = execCredentials({ command }, folder);
    const both = await Promise.all([credentials.authorization(), credentials.authorization()]);
    expect(both).toEqual(['Bearer abc', 'Bearer abc']);
    expect(runs()).toBe(1);
    credentials.refused();
    await credentials.authorization();
    expect(runs()).toBe(2);
  });

  test('is run again once its credential has expired', async () => {
    const { command, runs } = plugin('expired', answer({ token: 'abc', expirationTimestamp: '2020-01-01T00:00:00Z' }));
    const credentials = execCredentials({ command }, folder);
    await credentials.authorization();
    const before = runs();
    await credentials.authorization();
    expect(runs()).toBeGreaterThan(before);
  });

  test('gets its arguments, its environment and the cluster information', async () => {
    const { command } = plugin(
      'environment',
      `printf '{"status":{"token":"%s-%s-%s"}}' "$1" "$REGION" "$(printf %s "$KUBERNETES_EXEC_INFO" | grep -o '"kind":"[A-Za-z]*"' | cut -d'"' -f4)"`,
    );
    const credentials = execCredentials(
      { command, args: ['login'], env: [{ name: 'REGION', value: 'north' }] },
      folder,
    );
    expect(await credentials.authorization()).toBe('Bearer login-north-ExecCredential');
  });

  test('may give a client certificate instead of a token', async () => {
    const { command } = plugin('certificate', answer({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }));
    const credentials = execCredentials({ command }, folder);
    expect(await credentials.authorization()).toBeUndefined();
    expect(await credentials.certificate?.()).toEqual({ cert: 'CERT', key: 'KEY' });
  });

  test('that fails is told in its own words, and tried again', async () => {
    const { command, runs } = plugin('failing', 'echo "please log in first" >&2; exit 1');
    const credentials = execCredentials({ command }, folder);
    await expect(credentials.authorization()).rejects.toThrow('./failing failed: please log in first');
    await expect(credentials.authorization()).rejects.toThrow('please log in first');
    expect(runs()).toBe(2);
  });
});
