import { join } from 'node:path';
import { PartError, privateFolder, removePrivateFolder, startProcess } from '@keelson/testing';

const node = (script: string): string[] => [process.execPath, '-e', script];

describe('a managed process', () => {
  test('is ready when its line comes, and the line tells its URL', async () => {
    const server = await startProcess({
      name: 'server',
      command: node(
        `console.log(JSON.stringify({ msg: 'listening', url: 'http://127.0.0.1:1' })); setInterval(() => {}, 1000)`,
      ),
      ready: { line: /"listening"/ },
    });
    expect([server.url, server.running()]).toEqual(['http://127.0.0.1:1', true]);
    expect(await server.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('is ready when its file is written', async () => {
    const folder = privateFolder('ready');
    const file = join(folder, 'ready.json');
    const server = await startProcess({
      name: 'server',
      command: node(
        `fs.writeFileSync(process.env.READY_FILE, '{"url":"http://127.0.0.1:2"}'); setInterval(() => {}, 1000)`,
      ),
      env: { READY_FILE: file },
      ready: { file },
    });
    expect(server.url).toBe('http://127.0.0.1:2');
    await server.stop(0);
    removePrivateFolder(folder);
  });

  test('that ends before it is ready fails with its name, cause and last 20 lines', async () => {
    const starting = startProcess({
      name: 'cert-service',
      command: node(`for (let i = 1; i <= 30; i++) console.error('line ' + i); process.exit(78)`),
      ready: { line: /never/ },
      remedy: 'mend its configuration',
    });
    const error: unknown = await starting.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PartError);
    expect((error as PartError).message).toMatch(/^cert-service: ended with exit code 78 before it was ready\n/);
    expect((error as PartError).lines).toEqual(Array.from({ length: 20 }, (_, i) => `line ${i + 11}`));
    expect((error as PartError).message).toContain('remedy: mend its configuration');
  });

  test('that stays silent is stopped and fails with the time it had', async () => {
    const starting = startProcess({
      name: 'mute',
      command: node('setInterval(() => {}, 1000)'),
      ready: { line: /never/ },
      timeoutMs: 200,
    });
    await expect(starting).rejects.toThrow('mute: was not ready within 0.2 s');
  });

  test('that does not exist fails with the reason', async () => {
    await expect(
      startProcess({ name: 'ghost', command: ['/no/such/program'], ready: { line: /never/ } }),
    ).rejects.toThrow(/ghost: ended with exit code 12[67]/);
  });

  test('that ignores SIGTERM is killed after the grace', async () => {
    const stubborn = await startProcess({
      name: 'stubborn',
      command: node(`process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)`),
      ready: { line: /up/ },
    });
    expect(await stubborn.stop(100)).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
