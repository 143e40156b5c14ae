import { ContainerConfigError, fieldOf, resolveEnvironment, type Sources } from './resolve.ts';
import type { Container, Pod } from '../kubernetes-objects.ts';

const sources: Sources = {
  secret: async (name) => (name === 'db' ? { password: 's3cret', user: 'orders' } : undefined),
  configMap: async (name) => (name === 'settings' ? { COLOUR: 'green' } : undefined),
};

const aPod = (container: Partial<Container>): Pod => ({
  metadata: { name: 'web-1', namespace: 'shop', uid: 'u-1', labels: { app: 'web', tier: 'front' } },
  spec: { nodeName: 'node-1', containers: [{ name: 'web', ...container }] },
});

const resolve = (container: Partial<Container>): Promise<Record<string, string>> => {
  const pod = aPod(container);
  const first = pod.spec.containers[0];
  if (first === undefined) throw new Error('no container');
  return resolveEnvironment({
    pod,
    container: first,
    podIp: '10.117.1.2',
    hostIp: '127.117.0.1',
    base: { PATH: '/bin' },
    sources,
  });
};

describe('the environment of a container', () => {
  test('later variables see earlier ones, and env wins over envFrom', async () => {
    const environment = await resolve({
      envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'DB_', secretRef: { name: 'db' } }],
      env: [
        { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'URL', value: 'http://$(HOST):$(PORT)/$(COLOUR)' },
        { name: 'PORT', value: '8080' },
        { name: 'COLOUR', value: 'blue' },
      ],
    });
    expect(environment).toEqual({
      PATH: '/bin',
      COLOUR: 'blue',
      DB_password: 's3cret',
      DB_user: 'orders',
      HOST: '127.117.1.2',
      URL: 'http://127.117.1.2:$(PORT)/green',
      PORT: '8080',
    });
  });

  test('a value from a Secret is not expanded again', async () => {
    const environment = await resolve({
      env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
    });
    expect(environment['P']).toBe('s3cret');
  });

  test.each([
    [{ secretKeyRef: { name: 'none', key: 'x' } }, 'secret "none" not found'],
    [{ secretKeyRef: { name: 'db', key: 'x' } }, "couldn't find key x in Secret shop/db"],
    [{ configMapKeyRef: { name: 'none', key: 'x' } }, 'configmap "none" not found'],
    [{ resourceFieldRef: { resource: 'limits.cpu' } }, 'valueFrom.resourceFieldRef is not supported'],
    [{ fieldRef: { fieldPath: 'spec.nothing' } }, 'unsupported fieldPath: spec.nothing'],
  ])('a variable from %j is refused with the reason', async (valueFrom, message) => {
    await expect(resolve({ env: [{ name: 'X', valueFrom }] })).rejects.toThrow(message);
    await expect(resolve({ env: [{ name: 'X', valueFrom }] })).rejects.toBeInstanceOf(ContainerConfigError);
  });

  test('what is optional and missing is left out', async () => {
    const environment = await resolve({
      envFrom: [{ secretRef: { name: 'none', optional: true } }],
      env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } }],
    });
    expect(environment).toEqual({ PATH: '/bin' });
  });

  test('labels come whole or one by one', () => {
    const input = { pod: aPod({}), podIp: '10.1.1.1', hostIp: '127.1.0.1' };
    expect(fieldOf('metadata.labels', input)).toBe('app="web"\ntier="front"');
    expect(fieldOf("metadata.labels['app']", input)).toBe('web');
    expect(fieldOf("metadata.annotations['none']", input)).toBe('');
  });
});
