import { startProcess } from '@keelson/testing';
import { join } from 'node:path';

/** Asks for a part in a process of its own, in which no program can be found. */
async function ask(options: string): Promise<string> {
  const index = JSON.stringify(join(import.meta.dirname, '../src/index.ts'));
  const script = `
    import { ensurePart } from ${index};
    process.env.PATH = '';
    await ensurePart('kafka', ${options}).then(() => console.log('had'), (error) => console.log(error.message));
  `;
  const asking = await startProcess({
    name: 'ask',
    command: [
      process.execPath,
      '--input-type=module-typescript',
      '--disable-warning=ExperimentalWarning',
      '-e',
      script,
    ],
    env: { NODE_OPTIONS: undefined },
  });
  await asking.exited;
  return asking.lastLines().join('\n');
}

describe('a part that is not installed', () => {
  test('is refused with the command that installs it where installing is forbidden', async () => {
    const said = await ask('{ allowInstall: false }');
    expect(said).toContain('Kafka: it is not installed, and installing is forbidden (--no-install)');
    expect(said).toContain('remedy: apt-get install default-jre-headless maven');
  });

  test('is refused in a clear sentence where there is no apt-get', async () => {
    expect(await ask('{ allowInstall: true }')).toContain('this machine has no apt-get to install it with');
  });
});
