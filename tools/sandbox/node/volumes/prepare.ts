import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { ConfigMap, KeyToPath, Pod, Secret, Volume, VolumeMount } from '../kubernetes-objects.ts';

/**
 * A process has no mount namespace here, so a volume is a folder whose path the process learns from its environment:
 * `VOLUME_<NAME>` (upper case, other characters than letters and digits as `_`), which `$(VOLUME_<NAME>)` puts into
 * command, args and env. With subPath the variable names that file or folder. mountPath itself is not honoured.
 */
export const volumeVariable = (volume: string): string =>
  `VOLUME_${volume.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;

/** The volume cannot be provided: kubelet's event FailedMount. */
export class MountError extends Error {}

export type VolumeSources = {
  secret(name: string): Promise<Secret | undefined>;
  configMap(name: string): Promise<ConfigMap | undefined>;
};

/** Makes the folders of all the pod's volumes and returns their paths by volume. Throws MountError. */
export async function prepareVolumes(pod: Pod, folder: string, sources: VolumeSources): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const volume of pod.spec.volumes ?? []) {
    const path = await prepareVolume(volume, join(folder, 'volumes', volume.name), sources);
    if (path !== undefined) paths.set(volume.name, path);
  }
  return paths;
}

/** The environment that tells a container its mounts. */
export function volumeEnvironment(
  mounts: readonly VolumeMount[] | undefined,
  paths: ReadonlyMap<string, string>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const mount of mounts ?? []) {
    const path = paths.get(mount.name);
    if (path === undefined) continue;
    environment[volumeVariable(mount.name)] = mount.subPath === undefined ? path : within(path, mount.subPath);
  }
  return environment;
}

async function prepareVolume(volume: Volume, path: string, sources: VolumeSources): Promise<string | undefined> {
  if (volume.emptyDir !== undefined) {
    mkdirSync(path, { recursive: true });
    return path;
  }
  if (volume.hostPath !== undefined) return volume.hostPath.path;
  if (volume.secret !== undefined) {
    const { secretName = '', optional, items, defaultMode } = volume.secret;
    const secret = await sources.secret(secretName);
    if (secret === undefined && optional !== true) throw failed(volume, `secret "${secretName}" not found`);
    writeKeys(volume, path, decode(secret?.data), items, defaultMode, optional === true);
    return path;
  }
  if (volume.configMap !== undefined) {
    const { name = '', optional, items, defaultMode } = volume.configMap;
    const map = await sources.configMap(name);
    if (map === undefined && optional !== true) throw failed(volume, `configmap "${name}" not found`);
    const text = Object.entries(map?.data ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value)]);
    writeKeys(volume, path, new Map([...text, ...decode(map?.binaryData)]), items, defaultMode, optional === true);
    return path;
  }
  // Every pod of a real API server gets one with its token; a process of this machine could not find it anyway.
  if (volume.projected !== undefined && volume.name.startsWith('kube-api-access-')) return undefined;
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
  throw failed(
    volume,
    `volumes of kind ${kind} are not supported by the sandbox's node; use emptyDir, secret, configMap or hostPath`,
  );
}

const decode = (data: Record<string, string> | undefined): Map<string, Buffer> =>
  new Map(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));

function writeKeys(
  volume: Volume,
  path: string,
  data: ReadonlyMap<string, Buffer>,
  items: KeyToPath[] | undefined,
  defaultMode: number | undefined,
  optional: boolean,
): void {
  const wanted = items ?? [...data.keys()].map((key): KeyToPath => ({ key, path: key }));
  rmSync(path, { recursive: true, force: true });
  const fresh = `${path}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  for (const item of wanted) {
    const content = data.get(item.key);
    if (content === undefined) {
      if (optional) continue;
      throw failed(volume, `references non-existent secret or configmap key: ${item.key}`);
    }
    const file = within(fresh, item.path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, item.mode ?? defaultMode ?? 0o644);
  }
  renameSync(fresh, path);
}

/** `path` below `folder`, never outside of it. */
function within(folder: string, path: string): string {
  const clean = normalize(path);
  if (clean.startsWith('..') || clean.startsWith('/')) {
    throw new MountError(`path "${path}" is outside of its volume; allowed are relative paths without ".."`);
  }
  return join(folder, clean);
}

const failed = (volume: Volume, why: string): MountError =>
  new MountError(`MountVolume.SetUp failed for volume "${volume.name}" : ${why}`);
