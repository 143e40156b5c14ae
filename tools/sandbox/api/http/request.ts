import type { IncomingMessage } from 'node:http';

import { ApiError, badRequest } from './status.ts';
import type { Json } from '../json.ts';

/** A request to a resource, taken apart as k8s.io/apiserver's RequestInfo does. */
export interface ResourceRequest {
  group: string;
  version: string;
  plural: string;
  namespace?: string;
  name?: string;
  subresource?: string;
  /** What follows the subresource (`proxy/...`). */
  rest?: string;
}

/** Takes a resource path apart; undefined for any other path. */
export function parsePath(path: string): ResourceRequest | undefined {
  const [root, ...parts] = path.split('/').filter(Boolean).map(decodePart);
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'apis' ? (parts.shift() ?? '') : '';
  const version = parts.shift();
  if (!version || parts.length === 0) return undefined;
  const request: ResourceRequest = { group, version, plural: '' };
  // /namespaces/N/PLURAL is a resource in a namespace; /namespaces/N and its own subresources are the namespace.
  if (parts[0] === 'namespaces' && parts.length > 2 && !['status', 'finalize'].includes(parts[2] as string)) {
    request.namespace = parts[1] as string;
    parts.splice(0, 2);
  }
  const [plural = '', name, subresource, ...rest] = parts;
  request.plural = plural;
  if (name !== undefined) request.name = name;
  if (subresource !== undefined) request.subresource = subresource;
  if (rest.length > 0) request.rest = rest.join('/');
  return request;
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest(`the path has an escape that is none: ${JSON.stringify(text)}`);
  }
}

const bodyLimit = 3 * 1024 * 1024; // as kube-apiserver's

/** Reads the body, at most 3 MiB; undefined where there is none. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit)
      throw new ApiError(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728');
    chunks.push(chunk);
  }
  return size === 0 ? undefined : Buffer.concat(chunks);
}

const jsonTypes = ['application/json', 'application/yaml', ''];

export function unsupportedMediaType(type: string, allowed: readonly string[]): ApiError {
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${allowed.join(', ')}` +
      (type.includes('protobuf')
        ? ' (the sandbox does not serve protobuf, which kubectl create sends: add --dry-run=client -o yaml | kubectl apply -f -, or use --cluster=real)'
        : ''),
  );
}

/** A patch of no known kind; the real server says no more than this. */
export const unsupportedPatchType = (): ApiError =>
  new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});

/** Parses a JSON (or YAML) body by its Content-Type. */
export async function parseBody(body: Buffer | undefined, contentType: string): Promise<Json> {
  if (!jsonTypes.includes(contentType))
    throw unsupportedMediaType(contentType, ['application/json', 'application/yaml']);
  return contentType === 'application/yaml' ? parseYaml(body) : parseJson(body);
}

export function parseJson(body: Buffer | undefined): Json {
  try {
    return JSON.parse(body?.toString('utf8') ?? '');
  } catch (error) {
    throw badRequest(`the object provided is unrecognized (must be of type JSON): ${(error as Error).message}`);
  }
}

export async function parseYaml(body: Buffer | undefined): Promise<Json> {
  const text = body?.toString('utf8') ?? '';
  // JSON is YAML, and most apply patches are JSON: the quick way first.
  if (text.trimStart().startsWith('{')) return parseJson(body);
  const { parse } = await import('yaml');
  try {
    return parse(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
}

/** `Accept`, as far as it matters: the first offer that can be served. */
export function accepts(header: string | undefined): {
  as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
} {
  const offers = (header ?? '*/*').split(',').map((offer) => offer.trim());
  for (const offer of offers) {
    const [type = '', ...parameters] = offer.split(';').map((part) => part.trim());
    if (!['application/json', '*/*', 'application/*', ''].includes(type)) continue;
    const as = parameters.find((p) => p.startsWith('as='))?.slice(3);
    if (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
      if (parameters.includes('v=v1')) return { as };
      continue;
    }
    if (!as) return {};
  }
  throw new ApiError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json (the sandbox does not serve others; use --cluster=real)',
  );
}
