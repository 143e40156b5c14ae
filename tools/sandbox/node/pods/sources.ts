import type { KubernetesClient } from '@keelson/kubernetes';
import type { Sources } from '../environment/resolve.ts';
import { configMapResource, secretResource, type ConfigMap, type Secret } from '../kubernetes-objects.ts';
import type { VolumeSources } from '../volumes/prepare.ts';

/**
 * The Secrets and ConfigMaps of a namespace, read when a container starts: each at most once per start, so that its
 * variables and volumes agree with each other.
 */
export function sourcesOf(
  client: KubernetesClient,
  namespace: string,
): { objects: VolumeSources; environment: Sources } {
  const secrets = new Map<string, Promise<Secret | undefined>>();
  const maps = new Map<string, Promise<ConfigMap | undefined>>();
  const once = <T>(cache: Map<string, Promise<T>>, name: string, read: () => Promise<T>): Promise<T> => {
    const known = cache.get(name) ?? read();
    cache.set(name, known);
    return known;
  };
  const objects: VolumeSources = {
    secret: (name) => once(secrets, name, () => client.find(secretResource, { namespace, name })),
    configMap: (name) => once(maps, name, () => client.find(configMapResource, { namespace, name })),
  };
  const environment: Sources = {
    secret: async (name) => {
      const data = await objects.secret(name);
      if (data === undefined) return undefined;
      const decoded = Object.entries(data.data ?? {}).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString(),
      ]);
      return Object.fromEntries(decoded) as Record<string, string>;
    },
    configMap: async (name) => {
      const map = await objects.configMap(name);
      return map === undefined ? undefined : (map.data ?? {});
    },
  };
  return { objects, environment };
}
