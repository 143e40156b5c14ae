import { removePrivateFolder } from '@keelson/testing';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyOfWorkspace } from './copy.ts';

describe('nx g @keelson/tools:service', () => {
  let copy: string;
  beforeAll(() => {
    copy = copyOfWorkspace();
  });
  afterAll(() => removePrivateFolder(dirname(copy)));

  const generate = (...args: string[]): { code: number; output: string } => {
    try {
      const output = execFileSync(
        process.execPath,
        [join(copy, 'node_modules/nx/dist/bin/nx.js'), 'g', '@keelson/tools:service', ...args, '--dry-run'],
        {
          cwd: copy,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
          env: {
            ...process.env,
            NODE_OPTIONS: '',
            // nx colours also what goes into a pipe where FORCE_COLOR is set.
            FORCE_COLOR: '0',
            NX_DAEMON: 'false',
            NX_INTERACTIVE: 'false',
            NX_ISOLATE_PLUGINS: 'false',
          },
        },
      );
      return { code: 0, output };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { code: status, output: stdout + stderr };
    }
  };

  test('names what it would write, and in a dry run writes nothing', () => {
    const { code, output } = generate('gift-cards', '--resource=card');
    expect(output).toContain('CREATE apps/gift-cards/src/cards/cards.controller.ts');
    expect(output).toContain('CREATE libs/contracts/src/gift-cards/messages.ts');
    expect(output).toContain('CREATE docs/gift-cards/README.md');
    for (const changed of ['libs/contracts/src/catalogue.ts', 'libs/contracts/src/scopes.ts', 'package-lock.json'])
      expect(output).toContain(`UPDATE ${changed}`);
    expect(code).toBe(0);
    expect(existsSync(join(copy, 'apps/gift-cards'))).toBe(false);
  });

  const faults = [
    { args: ['Gift'], says: 'lower case words with hyphens' },
    { args: ['order-demo'], says: 'apps/order-demo is there already' },
    { args: ['shop', '--resource=order'], says: 'there are scopes for orders already' },
    { args: ['shop', '--resource=two-words'], says: 'one lower case word' },
    { args: ['shop', '--resource=sheep', '--plural=sheep'], says: 'the same as --resource' },
  ];
  test.each(faults)('refuses $args with what is allowed', ({ args, says }) => {
    const { code, output } = generate(...args);
    expect(output).toContain(says);
    expect(code).toBe(1);
  });

  test('its templates take the packages of order-demo in the same versions', () => {
    const read = (path: string) =>
      JSON.parse(readFileSync(path, 'utf8').replaceAll(/<%= \w+ %>/g, 'x')) as { dependencies: Record<string, string> };
    const template = read(join(copy, 'tools/generators/service/files/app/package.json.template')).dependencies;
    const model = read(join(copy, 'apps/order-demo/package.json')).dependencies;
    expect(model).toMatchObject(template);
    expect(readdirSync(join(copy, 'tools/generators/service/files'))).toEqual(['app', 'contracts', 'docs']);
  });
});
