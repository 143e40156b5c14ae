import type { IncomingMessage, ServerResponse } from 'node:http';

import { type User } from '../auth/tokens.ts';
import { type Attempt } from '../auth/rbac.ts';
import { type DeleteOptions, deleteObject } from '../core/delete.ts';
import { patchObject, patchTypes } from '../core/patch.ts';
import { getStored, list, shown } from '../core/read.ts';
import { type WatchEvent, watch } from '../core/watch.ts';
import { type WriteOptions, create, update } from '../core/write.ts';
import type { Json, KubeObject } from '../json.ts';
import { leftOut } from '../kinds/table.ts';
import { asTable, partial } from '../print/table.ts';
import { type Resource, apiVersionOf } from '../registry.ts';
import type { Server } from '../server.ts';
import { accepts, parseBody, parseJson, parsePath, parseYaml, readBody, unsupportedMediaType } from './request.ts';
import { addWarnings, jsonOf, send, sendJson } from './respond.ts';
import { scaleOf, withScale } from '../core/scale.ts';
import { ApiError, badRequest, forbidden, methodNotAllowed, notFoundAtAll, notServed } from './status.ts';
import { refusal, authorize } from '../auth/rbac.ts';
import { special } from './special.ts';

/** One request to a resource. */
export interface Call {
  server: Server;
  req: IncomingMessage;
  res: ServerResponse;
  user: User;
  query: URLSearchParams;
  resource: Resource;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

const verbs: Record<string, string> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  GET: 'get',
  HEAD: 'get',
  DELETE: 'delete',
};

/** Refuses what a real API server has and the sandbox leaves out, by name; anything else unknown is a plain 404. */
function unknownResource(group: string, version: string, plural: string): ApiError {
  const names = leftOut[group];
  if (names?.includes('*') || names?.includes(plural)) {
    return notServed(group ? `${plural}.${group}/${version}` : `${plural} (${version})`);
  }
  return notFoundAtAll();
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
  if (!resource) throw unknownResource(group, version, plural);
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

const contentType = (req: IncomingMessage): string => (req.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';

const bodyOf = async ({ req }: Call): Promise<Json> => parseBody(await readBody(req), contentType(req));

/** Who writes and how, from the query and the User-Agent. */
function writeOptions({ query, req, res, subresource }: Call): WriteOptions & { managerGiven: boolean } {
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((x) => x !== 'All'))
    throw badRequest(`invalid dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`);
  const given = query.get('fieldManager');
  if (given && given.length > 128) throw badRequest('fieldManager: Too long: may not be more than 128 bytes');
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    throw badRequest(
      `fieldValidation: Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`,
    );
  }
  const warnings: string[] = [];
  return {
    manager: given || ((req.headers['user-agent'] ?? '').split('/')[0] as string) || 'unknown',
    managerGiven: Boolean(given),
    dryRun: dryRun.length > 0,
    fieldValidation: validation,
    warn: (text) => {
      warnings.push(text);
      addWarnings(res, warnings);
    },
    ...(subresource ? { subresource } : {}),
  };
}

/** Answers with one stored object in the shape the client accepts. */
function answer(call: Call, code: number, stored: KubeObject): void {
  const { as } = accepts(call.req.headers.accept);
  const object = shown(call.resource, stored);
  if (as === 'PartialObjectMetadata') sendJson(call.res, code, partial(object));
  else if (as === 'Table') {
    const metadata = { resourceVersion: stored.metadata.resourceVersion };
    sendJson(call.res, code, asTable(call.resource, [object], [stored], metadata, tableOptions(call, true)));
  } else send(call.res, code, jsonOf(object));
}

/** As `answer`, for an object that a write returned (already in its view). */
function answerWritten(call: Call, code: number, object: KubeObject): void {
  const { as } = accepts(call.req.headers.accept);
  if (as !== 'Table') {
    send(call.res, code, jsonOf(as ? partial(object) : object));
    return;
  }
  const stored = call.resource.view ? call.resource.view.toStored(object) : object;
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  sendJson(call.res, code, asTable(call.resource, [object], [stored], metadata, tableOptions(call, true)));
}

const tableOptions = (call: Call, header: boolean): { now: Date; include: string; header: boolean } => ({
  now: call.server.cluster.now(),
  include: call.query.get('includeObject') ?? 'Metadata',
  header,
});

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

const backlogLimit = 16 * 1024 * 1024;

function watchObjects(call: Call): void {
  const { res, resource, server } = call;
  const { as } = accepts(call.req.headers.accept);
  let stop: (() => void) | undefined;
  let ended = false;
  let first = true;
  const line = (event: WatchEvent): string => {
    if (event.type === 'ERROR') return JSON.stringify(event);
    if (event.type === 'BOOKMARK') {
      return JSON.stringify(
        as === 'Table'
          ? {
              ...event,
              object: {
                kind: 'Table',
                apiVersion: 'meta.k8s.io/v1',
                metadata: event.object['metadata'],
                columnDefinitions: null,
                rows: [],
              },
            }
          : event,
      );
    }
    const object = shown(resource, event.object);
    if (as === 'Table') {
      const table = asTable(resource, [object], [event.object], {}, tableOptions(call, first));
      first = false;
      return JSON.stringify({ type: event.type, object: table });
    }
    return `{"type":"${event.type}","object":${as ? JSON.stringify(partial(object)) : jsonOf(object)}}`;
  };
  const open = (): void => {
    if (res.headersSent) return;
    res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    res.flushHeaders();
  };
  const finish = (): void => {
    if (ended) return;
    ended = true;
    stop?.();
    server.watches.delete(finish);
    res.end();
  };
  const sink = {
    send(event: WatchEvent): void {
      if (ended) return;
      open();
      res.write(`${line(event)}\n`);
      // A client that does not read is cut off rather than buffered for without end; it resumes or gets 410.
      if (res.writableLength > backlogLimit) res.destroy();
    },
    end: finish,
  };
  stop = watch(server.cluster, resource, call.namespace, call.query, sink, { bookmarkMs: server.bookmarkMs });
  open();
  if (ended) {
    stop();
    return;
  }
  server.watches.add(finish);
  res.on('close', finish);
}

async function patchOne(call: Call): Promise<void> {
  if (call.name === undefined) throw methodNotAllowed();
  const type = contentType(call.req);
  if (!patchTypes.includes(type)) throw unsupportedMediaType(type, patchTypes);
  const raw = await readBody(call.req);
  const patch = type === 'application/apply-patch+yaml' ? await parseYaml(raw) : parseJson(raw);
  const force = call.query.get('force') === 'true';
  const options = writeOptions(call);
  const { cluster } = call.server;
  const { namespace, name, resource } = call;
  if (call.subresource === 'scale') {
    const { patchedScale } = await import('../core/scale.ts');
    const change = (current: KubeObject): Json =>
      withScale(resource, current, patchedScale(resource, current, patch, type));
    sendJson(call.res, 200, scaleOf(resource, update(cluster, resource, namespace, name, change, options)));
    return;
  }
  const { object, created } = patchObject(cluster, resource, { namespace, name, patch, type, force }, options);
  answerWritten(call, created ? 201 : 200, object);
}

async function deleteOptions(call: Call): Promise<DeleteOptions> {
  const raw = await readBody(call.req);
  const body: Json = raw ? await parseBody(raw, contentType(call.req)) : {};
  const { query } = call;
  const grace = query.get('gracePeriodSeconds') ?? body?.gracePeriodSeconds;
  const policy = query.get('propagationPolicy') ?? body?.propagationPolicy;
  if (policy && !['Background', 'Foreground', 'Orphan'].includes(policy)) {
    throw badRequest(
      `propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan", ""`,
    );
  }
  return {
    ...(grace === undefined || grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy ? { propagationPolicy: policy } : {}),
    orphanDependents: body?.orphanDependents ?? query.get('orphanDependents') === 'true',
    ...(body?.preconditions ? { preconditions: body.preconditions } : {}),
    dryRun: query.getAll('dryRun').includes('All') || body?.dryRun?.includes?.('All') === true,
  };
}

async function deleteOne(call: Call): Promise<void> {
  const { resource, server, name } = call;
  const options = await deleteOptions(call);
  const { done, object } = deleteObject(server.cluster, resource, call.namespace, name as string, options);
  if (!done || resource.strategy.returnsDeleted) {
    answerWritten(call, 200, shown(resource, object));
    return;
  }
  sendJson(call.res, 200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(resource.group ? { group: resource.group } : {}),
      kind: resource.plural,
      uid: object.metadata.uid,
    },
  });
}

async function deleteMany(call: Call): Promise<void> {
  const options = await deleteOptions(call);
  const { resource, server } = call;
  if (!resource.verbs.includes('deletecollection')) throw methodNotAllowed();
  const { items, metadata } = list(server.cluster, resource, call.namespace, call.query);
  for (const { metadata: m } of items) deleteObject(server.cluster, resource, m.namespace, m.name, options);
  const objects = items.map((stored) => shown(resource, stored));
  sendJson(call.res, 200, { kind: resource.listKind, apiVersion: apiVersionOf(resource), metadata, items: objects });
}
