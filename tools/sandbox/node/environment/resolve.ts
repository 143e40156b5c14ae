import type { Container, EnvironmentVariable, Pod } from '../kubernetes-objects.ts';
import { toLoopback } from '../network/addresses.ts';
import { expand } from './expand.ts';

/** Where Secrets and ConfigMaps come from: undefined means that the object does not exist. */
export type Sources = {
  secret(name: string): Promise<Record<string, string> | undefined>;
  configMap(name: string): Promise<Record<string, string> | undefined>;
};

export type EnvironmentInput = {
  pod: Pod;
  container: Container;
  podIp: string;
  hostIp: string;
  /** What every process gets before the pod's own variables: PATH, HOME, HOSTNAME, VOLUME_... */
  base: Record<string, string>;
  sources: Sources;
};

/** The container cannot be started with this spec: kubelet's waiting reason CreateContainerConfigError. */
export class ContainerConfigError extends Error {}

/**
 * The environment of a container: envFrom first, then env in its order, each value expanded by those before it.
 * Throws ContainerConfigError with kubelet's wording when a Secret, ConfigMap, key or field is missing.
 */
export async function resolveEnvironment(input: EnvironmentInput): Promise<Record<string, string>> {
  const { container, sources } = input;
  const environment: Record<string, string> = { ...input.base };
  for (const source of container.envFrom ?? []) {
    const kind = source.secretRef === undefined ? 'configmap' : 'secret';
    const reference = source.secretRef ?? source.configMapRef;
    const name = reference?.name ?? '';
    const data = kind === 'secret' ? await sources.secret(name) : await sources.configMap(name);
    if (data === undefined) {
      if (reference?.optional === true) continue;
      throw new ContainerConfigError(`${kind} "${name}" not found`);
    }
    for (const [key, value] of Object.entries(data)) environment[`${source.prefix ?? ''}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, input, environment);
    if (value !== undefined) environment[variable.name] = value;
  }
  return environment;
}

async function valueOf(
  variable: EnvironmentVariable,
  input: EnvironmentInput,
  environment: Record<string, string>,
): Promise<string | undefined> {
  const from = variable.valueFrom;
  if (from === undefined || from === null) return expand(variable.value ?? '', (name) => environment[name]);
  if (from.fieldRef !== undefined) return fieldOf(from.fieldRef.fieldPath, input);
  for (const [kind, reference] of [
    ['secret', from.secretKeyRef],
    ['configmap', from.configMapKeyRef],
  ] as const) {
    if (reference === undefined) continue;
    const name = reference.name ?? '';
    const data = kind === 'secret' ? await input.sources.secret(name) : await input.sources.configMap(name);
    const value = data?.[reference.key];
    if (value !== undefined) return value;
    if (reference.optional === true) return undefined;
    if (data === undefined) throw new ContainerConfigError(`${kind} "${name}" not found`);
    const title = kind === 'secret' ? 'Secret' : 'ConfigMap';
    throw new ContainerConfigError(
      `couldn't find key ${reference.key} in ${title} ${input.pod.metadata.namespace}/${name}`,
    );
  }
  throw new ContainerConfigError(
    `env ${variable.name}: valueFrom.${Object.keys(from).join(', ')} is not supported by the sandbox's node; ` +
      'use value, fieldRef, secretKeyRef or configMapKeyRef',
  );
}

/**
 * A downward API field. status.podIP is the address that the process can bind (127.R.x.y), not the one in the API
 * (10.R.x.y): a process of this machine has no other.
 */
export function fieldOf(path: string, input: Pick<EnvironmentInput, 'pod' | 'podIp' | 'hostIp'>): string {
  const { metadata, spec } = input.pod;
  const subscript = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (subscript !== null) {
    const map = subscript[1] === 'labels' ? metadata.labels : metadata.annotations;
    return map?.[subscript[2] ?? ''] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return formatMap(metadata.labels);
    case 'metadata.annotations':
      return formatMap(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? '';
    case 'status.podIP':
    case 'status.podIPs':
      return toLoopback(input.podIp);
    case 'status.hostIP':
    case 'status.hostIPs':
      return input.hostIp;
    default:
      throw new ContainerConfigError(`unsupported fieldPath: ${path}`);
  }
}

const formatMap = (map: Record<string, string> | undefined): string =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
