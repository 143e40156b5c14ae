import { type RequestOptions, request } from 'node:https';
import type { ServerResponse } from 'node:http';

import { getStored } from '../core/read.ts';
import type { Json } from '../json.ts';
import type { Resource } from '../registry.ts';
import type { Server } from '../server.ts';
import type { ResourceRequest } from './request.ts';
import { ApiError, badRequest } from './status.ts';

/** Fetches a container's log from its node's kubelet port, as kube-apiserver does, and streams it through. */
export function podLog(
  server: Server,
  res: ServerResponse,
  parsed: ResourceRequest,
  query: URLSearchParams,
): Promise<void> {
  const { namespace, name = '' } = parsed;
  const pods = server.cluster.registry.find('', 'v1', 'pods') as Resource;
  const pod = getStored(server.cluster, pods, namespace, name);
  const container = containerOf(pod['spec'], name, query.get('container'));
  const node = pod['spec'].nodeName as string | undefined;
  // kube-apiserver answers an empty log for a pod that no node has yet.
  if (!node) {
    res.writeHead(200, { 'content-type': 'text/plain' }).end();
    return Promise.resolve();
  }
  const status: Json = server.cluster.find('/nodes', undefined, node)?.['status'] ?? {};
  const addresses: Json[] = status.addresses ?? [];
  const preferred = ['InternalIP', 'Hostname', 'ExternalIP'].map((type) => addresses.find((a) => a.type === type));
  const host = preferred.find(Boolean)?.address;
  if (!host)
    throw new ApiError(
      500,
      'InternalError',
      `Internal error occurred: no preferred addresses found; known addresses: [] of node ${node}`,
    );
  const forwarded = new URLSearchParams(query);
  forwarded.delete('container');
  const path = `/containerLogs/${namespace}/${name}/${container}?${forwarded.toString()}`;
  return fetchLog({ host, port: status.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250, path }, res);
}

function containerOf(spec: Json, pod: string, asked: string | null): string {
  const names: string[] = [...spec.containers, ...(spec.initContainers ?? [])].map((c: Json) => c.name);
  if (asked) {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pod}`);
    return asked;
  }
  if (spec.containers.length > 1) {
    throw badRequest(`a container name must be specified for pod ${pod}, choose one of: [${names.join(' ')}]`);
  }
  return spec.containers[0].name;
}

/** HTTPS, as a kubelet has it; its certificate is its own, and nobody could say for which name. */
function fetchLog(o: { host: string; port: number; path: string }, res: ServerResponse): Promise<void> {
  return attempt({ ...o, rejectUnauthorized: false }, res).catch((error: unknown) => {
    throw unreachable(o, error);
  });
}

const unreachable = (o: { host: string; port: number; path: string }, error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(500, 'InternalError', `Get "https://${o.host}:${o.port}${o.path}": ${(error as Error).message}`);

function attempt(options: RequestOptions, res: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, method: 'GET' }, (incoming) => {
      if (incoming.statusCode !== 200) {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => reject(badRequest(Buffer.concat(chunks).toString().trim() || 'the node refused')));
        return;
      }
      res.writeHead(200, { 'content-type': 'text/plain' });
      res.flushHeaders();
      incoming.pipe(res);
      incoming.on('end', () => resolve());
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    res.on('close', () => {
      outgoing.destroy();
      resolve();
    });
    outgoing.end();
  });
}
