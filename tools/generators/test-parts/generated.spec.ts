import { removePrivateFolder, startProcess } from '@keelson/testing';
import { dirname, join } from 'node:path';
import { copyOfWorkspace } from '../test/copy.ts';

describe('a generated service, in a copy of the workspace', () => {
  let copy: string;
  let written: string[];
  const inCopy = async (...command: string[]): Promise<{ code: number | null; output: string }> => {
    const run = await startProcess({
      name: command[0]!,
      command,
      cwd: copy,
      env: {
        NODE_OPTIONS: undefined,
        KEELSON_TEST_SUITE: 'default',
        NX_DAEMON: 'false',
        NX_NO_CLOUD: 'true',
        NX_TUI: 'false',
        NX_INTERACTIVE: 'false',
        NX_ISOLATE_PLUGINS: 'false',
        FORCE_COLOR: '0',
        PATH: `${join(copy, 'node_modules/.bin')}:${process.env['PATH']}`,
      },
    });
    const { code } = await run.exited;
    return { code, output: run.lastLines(200).join('\n') };
  };
  const passes = async (...command: string[]): Promise<string> => {
    const { code, output } = await inCopy(...command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${output}`);
    return output;
  };
  const source = ['--conditions=keelson-source', '--disable-warning=ExperimentalWarning'];

  beforeAll(async () => {
    copy = copyOfWorkspace();
    const output = await passes('nx', 'g', '@keelson/tools:service', 'gift-cards', '--resource=card');
    written = [...output.matchAll(/^(?:CREATE|UPDATE) (\S+)$/gm)].map(([, path]) => path!);
  });
  afterAll(() => removePrivateFolder(dirname(copy)));

  test('passes lint, module boundaries and contract check as it is', async () => {
    expect(written).toEqual(expect.arrayContaining(['apps/gift-cards/src/main.ts', 'libs/contracts/src/index.ts']));
    await passes('node', ...source, 'tools/run/lint.ts', ...written);
  });

  test('passes the type check', () =>
    passes('nx', 'run-many', '-t', 'typecheck', '-p', 'gift-cards,contracts,contract-check'));

  test('its lock file is the one that npm ci wants', () =>
    passes('npm', 'ci', '--dry-run', '--ignore-scripts', '--offline'));

  test('is built, starts, and passes its tests', async () => {
    await passes('nx', 'run-many', '-t', 'build', '-p', 'gift-cards');
    await passes(
      'node',
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '-c',
      'apps/gift-cards/jest.config.mjs',
    );
  });

  test('leaves the checks of the contracts passing', () =>
    passes(
      'node',
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '-c',
      'tools/contract-check/jest.config.mjs',
    ));
});
