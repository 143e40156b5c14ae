import type { IncomingMessage, ServerResponse } from 'node:http';

import { type Attempt, authorize, refusal } from '../auth/rbac.ts';
import type { User } from '../auth/tokens.ts';
import { patchObject, patchTypes } from '../core/patch.ts';
import { getStored, list, shown } from '../core/read.ts';
import { patchedScale, scaleOf, withScale } from '../core/scale.ts';
import { create, update } from '../core/write.ts';
import type { Json, KubeObject } from '../json.ts';
import { leftOut } from '../kinds/table.ts';
import { asTable, partial } from '../print/table.ts';
import { apiVersionOf } from '../registry.ts';
import type { Server } from '../server.ts';
import { type Call, answer, answerWritten, bodyOf, contentType, tableOptions, writeOptions } from './call.ts';
import { deleteMany, deleteOne } from './deletes.ts';
import { accepts, parseJson, parsePath, parseYaml, readBody, unsupportedPatchType } from './request.ts';
import { addWarnings, jsonOf, send, sendJson } from './respond.ts';
import { special } from './special.ts';
import { ApiError, forbidden, methodNotAllowed, notFoundAtAll, notServed, resourceNotServed } from './status.ts';
import { watchObjects } from './watches.ts';

const verbs: Record<string, string> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  GET: 'get',
  HEAD: 'get',
  DELETE: 'delete',
};

/** Refuses what a real API server has and the sandbox leaves out, by name; anything else unknown is a plain 404. */
function unknownResource(server: Server, group: string, version: string, plural: string): ApiError | 'no such group' {
  const names = leftOut[group];
  if (names?.includes('*') || names?.includes(plural)) {
    return resourceNotServed(group ? `${plural}.${group}/${version}` : `${plural} (${version})`);
  }
  return server.cluster.registry.hasGroupVersion(group, version) ? notFoundAtAll() : 'no such group';
}

/** Serves a resource path: finds the resource, asks RBAC, and does it. */
export async function serveResource(
  server: Server,
  req: IncomingMessage,
  res: ServerResponse,
  user: User,
  url: URL,
): Promise<void> {
  const parsed = parsePath(url.pathname);
  if (!parsed) throw notFoundAtAll();
  const { group, version, plural, namespace, name, subresource } = parsed;
  const query = url.searchParams;
  const watching = query.get('watch') === 'true' || query.get('watch') === '1';
  let verb = verbs[req.method ?? ''];
  if (!verb) throw methodNotAllowed();
  if (verb === 'get' && name === undefined) verb = watching ? 'watch' : 'list';
  if (verb === 'delete' && name === undefined) verb = 'deletecollection';

  const attempt: Attempt = {
    verb,
    group,
    resource: plural,
    ...(subresource ? { subresource } : {}),
    ...(name ? { name } : {}),
    // A namespace itself is authorized in its own scope, so that a Role there may grant reading it.
    ...(namespace ? { namespace } : plural === 'namespaces' && name ? { namespace: name } : {}),
  };
  const verdict = authorize(server.cluster, user, attempt);
  const resource = server.cluster.registry.find(group, version, plural);
  if (!verdict.allowed) throw forbidden(resource ?? { group, plural, kind: plural }, name, refusal(user, attempt));
  if (await special(server, { req, res, user, parsed, query })) return;
  if (!resource) {
    const refused = unknownResource(server, group, version, plural);
    if (refused !== 'no such group') throw refused;
    // Not a Status: nobody serves this group, so the real server's outermost handler answers.
    send(res, 404, '404 page not found\n', 'text/plain; charset=utf-8');
    return;
  }
  if (resource.namespaced && namespace === undefined && name !== undefined) throw notFoundAtAll();
  if (!resource.namespaced && namespace !== undefined) throw notFoundAtAll();
  const call: Call = { server, req, res, user, query, resource, namespace, name, subresource };
  if (subresource && !((subresource === 'status' && resource.status) || (subresource === 'scale' && resource.scale))) {
    throw notServed(`${plural}/${subresource}`);
  }
  await handlers[verb]?.(call);
}

const handlers: Record<string, (call: Call) => void | Promise<void>> = {
  get(call) {
    const stored = getStored(call.server.cluster, call.resource, call.namespace, call.name as string);
    if (call.subresource === 'scale') sendJson(call.res, 200, scaleOf(call.resource, stored));
    else answer(call, 200, stored);
  },
  list: listObjects,
  watch: watchObjects,
  async create(call) {
    if (call.name !== undefined) throw methodNotAllowed();
    const body = await bodyOf(call);
    if (call.resource.namespaced && call.namespace === undefined) throw notFoundAtAll();
    const object = create(call.server.cluster, call.resource, call.namespace, body, writeOptions(call));
    answerWritten(call, 201, object);
  },
  async update(call) {
    const { cluster } = call.server;
    if (call.name === undefined) throw methodNotAllowed();
    const body = await bodyOf(call);
    const options = { ...writeOptions(call), replace: true };
    if (call.subresource !== 'scale') {
      const object = update(cluster, call.resource, call.namespace, call.name, () => body, options);
      answerWritten(call, 200, object);
      return;
    }
    const change = (current: KubeObject): Json => withScale(call.resource, current, body);
    const object = update(cluster, call.resource, call.namespace, call.name, change, options);
    sendJson(call.res, 200, scaleOf(call.resource, object));
  },
  patch: patchOne,
  delete: deleteOne,
  deletecollection: deleteMany,
};

function listObjects(call: Call): void {
  const { as } = accepts(call.req.headers.accept);
  const { resource } = call;
  const { items, metadata } = list(call.server.cluster, resource, call.namespace, call.query);
  for (const text of resource.strategy.warnings?.({}) ?? []) addWarnings(call.res, [text]);
  const objects = items.map((stored) => shown(resource, stored));
  if (as === 'Table') {
    sendJson(call.res, 200, asTable(resource, objects, items, metadata, tableOptions(call, true)));
    return;
  }
  const partials = as === 'PartialObjectMetadataList';
  const head = partials
    ? '"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1"'
    : `"kind":${JSON.stringify(resource.listKind)},"apiVersion":${JSON.stringify(apiVersionOf(resource))}`;
  // Items are joined from their cached text: a list of a thousand is a copy, not a thousand serialisations.
  const texts = objects.map((object) => (partials ? JSON.stringify(partial(object)) : jsonOf(object)));
  send(call.res, 200, `{${head},"metadata":${JSON.stringify(metadata)},"items":[${texts.join(',')}]}`);
}

async function patchOne(call: Call): Promise<void> {
  if (call.name === undefined) throw methodNotAllowed();
  const type = contentType(call.req);
  if (!patchTypes.includes(type)) throw unsupportedPatchType();
  const raw = await readBody(call.req);
  const patch = type === 'application/apply-patch+yaml' ? await parseYaml(raw) : parseJson(raw);
  const force = call.query.get('force') === 'true';
  const options = writeOptions(call);
  const { cluster } = call.server;
  const { namespace, name, resource } = call;
  if (call.subresource === 'scale') {
    const change = (current: KubeObject): Json =>
      withScale(resource, current, patchedScale(resource, current, patch, type));
    sendJson(call.res, 200, scaleOf(resource, update(cluster, resource, namespace, name, change, options)));
    return;
  }
  const { object, created } = patchObject(cluster, resource, { namespace, name, patch, type, force }, options);
  answerWritten(call, created ? 201 : 200, object);
}
