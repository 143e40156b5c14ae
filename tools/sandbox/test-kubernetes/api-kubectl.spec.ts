import { type TestCluster, eventually, onPath, testCluster } from '@keelson/testing';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { deployment } from './api-objects.ts';
import { type RawApi, rawApi } from './api-raw.ts';

/** A kubectl of this machine: `KUBECTL`, the one that tools/control-plane built, or one on the PATH. */
function findKubectl(): string | undefined {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'keelson-tools');
  const built = existsSync(cache) ? readdirSync(cache).map((name) => join(cache, name, 'kubectl')) : [];
  return [process.env['KUBECTL'] ?? '', ...built, onPath('kubectl') ?? ''].find(
    (path) => path !== '' && existsSync(path),
  );
}

const kubectl = findKubectl();
let cluster: TestCluster;
let api: RawApi;
let namespace: string;
let folder: string;

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  namespace = await cluster.namespace();
  folder = mkdtempSync(join(tmpdir(), 'keelson-kubectl-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  api.close();
  await cluster.stop();
});

describe('what kubectl reads before it does anything', () => {
  test('discovery of all groups is one answer', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const { body } = await api.get('/apis', { accept });
    expect(body.kind).toBe('APIGroupDiscoveryList');
    const apps = body.items.find((item: { metadata: { name: string } }) => item.metadata.name === 'apps');
    const deployments = apps.versions[0].resources.find((r: { resource: string }) => r.resource === 'deployments');
    expect(deployments).toMatchObject({ scope: 'Namespaced', singularResource: 'deployment', shortNames: ['deploy'] });
    expect(deployments.subresources.map((s: { subresource: string }) => s.subresource).sort()).toEqual([
      'scale',
      'status',
    ]);
  });

  test('OpenAPI v3 says that a patch takes fieldValidation, and how lists merge', async () => {
    const { body: index } = await api.get('/openapi/v3');
    const { body } = await api.get(index.paths['apis/apps/v1'].serverRelativeURL);
    const { parameters } = body.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'].patch;
    expect(parameters.map((p: { name: string }) => p.name)).toContain('fieldValidation');
    const { containers } = body.components.schemas['io.k8s.api.core.v1.PodSpec'].properties;
    expect(containers).toMatchObject({
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-list-map-keys': ['name'],
    });
  });
});

// Debian has no kubectl: where there is none, nothing here could tell anything.
if (kubectl !== undefined) {
  describe(`kubectl (${kubectl})`, () => {
    const run = async (...args: string[]): Promise<string> => {
      const { stdout } = await promisify(execFile)(
        kubectl,
        ['--kubeconfig', cluster.kubeconfig, '--namespace', namespace, ...args],
        {
          // Its discovery cache is per server address, and these come and go.
          env: { ...process.env, HOME: folder },
          timeout: 30_000,
        },
      );
      return stdout;
    };
    const manifest = (name: string, object: object): string => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify(object));
      return file;
    };

    test('applies server-side, and by its own three-way merge, what it then gets', async () => {
      const file = manifest('web', deployment('web', { paused: true, replicas: 2 }));
      expect(await run('apply', '--server-side', '-f', file)).toBe('deployment.apps/web serverside-applied\n');
      const own = manifest('own', deployment('own', { paused: true }));
      expect(await run('apply', '-f', own)).toBe('deployment.apps/own created\n');
      expect(await run('apply', '-f', own)).toBe('deployment.apps/own unchanged\n');
      const table = await run('get', 'deployments', 'web', '-o', 'wide');
      expect(table).toMatch(
        /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +0\/2 +0 +0 +\d+s +main +example\/app:1 +app=web\n$/,
      );
    });

    test('applies server-side what it applied by itself before, but not over the head of another', async () => {
      const configured = (name: string, data: object): string =>
        manifest(name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'moved' }, data });
      await run('apply', '-f', configured('one', { a: '1', b: '1' }));
      await run('apply', '--server-side', '-f', configured('two', { a: '2', b: '1' }));
      const managers = await run(
        'get',
        'configmap',
        'moved',
        '-o',
        'jsonpath={.metadata.managedFields[*].manager}',
        '--show-managed-fields',
      );
      expect(managers.split(' ').sort()).toEqual(['kubectl', 'kubectl-last-applied']);
      // Its own record went along: the three-way merge goes on from there.
      expect(await run('apply', '-f', configured('three', { b: '1' }))).toBe('configmap/moved configured\n');
      expect(await run('get', 'configmap', 'moved', '-o', 'jsonpath={.data}')).toBe('{"b":"1"}');
      await run('patch', 'configmap', 'moved', '--type=merge', '-p', '{"data":{"b":"9"}}', '--field-manager=hand');
      await expect(run('apply', '--server-side', '-f', configured('four', { b: '4' }))).rejects.toThrow(
        /conflict with "hand" using v1: \.data\.b/,
      );
    });

    test('describes, labels, scales, patches and deletes', async () => {
      await run('apply', '--server-side', '-f', manifest('tool', deployment('tool', { paused: true })));
      expect(await run('describe', 'deployment', 'tool')).toContain('StrategyType:           RollingUpdate');
      await run('label', 'deployment', 'tool', 'tier=web');
      await run('scale', 'deployment', 'tool', '--replicas=3');
      await run(
        'patch',
        'deployment',
        'tool',
        '-p',
        '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"example/app:2"}]}}}}',
      );
      const wanted = '{.metadata.labels.tier} {.spec.replicas} {.spec.template.spec.containers[0].image}';
      expect(await run('get', 'deployment', 'tool', '-o', `jsonpath=${wanted}`)).toBe('web 3 example/app:2');
      expect(await run('delete', 'deployment', 'tool')).toContain('deployment.apps "tool" deleted');
      await eventually(async () => !(await run('get', 'deployments', '-o', 'name')).includes('tool'));
    });

    test('waits for a condition', async () => {
      await run('apply', '--server-side', '-f', manifest('empty', deployment('empty', { replicas: 0 })));
      expect(await run('wait', '--for=condition=Available', 'deployment/empty', '--timeout=20s')).toContain(
        'condition met',
      );
      expect(await run('rollout', 'status', 'deployment/empty', '--timeout=20s')).toContain('successfully rolled out');
    });

    test('says which field of a manifest is unknown', async () => {
      const file = manifest('typo', deployment('typo', { replica: 3 }));
      await expect(run('apply', '--server-side', '-f', file)).rejects.toThrow(
        '.spec.replica: field not declared in schema',
      );
    });

    test('says which kind of a manifest nobody serves', async () => {
      const file = manifest('strange', { apiVersion: 'example.com/v1', kind: 'Strange', metadata: { name: 'one' } });
      await expect(run('apply', '--server-side', '-f', file)).rejects.toThrow(
        'no matches for kind "Strange" in version "example.com/v1"',
      );
    });

    test('explains a field', async () => {
      expect(await run('explain', 'ingress.spec.rules.http.paths.pathType')).toContain('FIELD: pathType <string>');
    });

    test('watches', async () => {
      const args = [
        '--kubeconfig',
        cluster.kubeconfig,
        '-n',
        namespace,
        'get',
        'configmaps',
        '--watch-only',
        '-o',
        'name',
      ];
      const watching = spawn(kubectl, args, {
        env: { ...process.env, HOME: folder },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let output = '';
      watching.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
      await eventually(
        async () => {
          await api.post(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { generateName: 'seen-' } });
          return output.includes('configmap/seen-');
        },
        { everyMs: 200 },
      );
      watching.kill();
      await once(watching, 'close');
    });
  });
}
