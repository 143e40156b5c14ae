import type { IncomingMessage, ServerResponse } from 'node:http';

import type { User } from '../auth/tokens.ts';
import { shown } from '../core/read.ts';
import type { WriteOptions } from '../core/write.ts';
import type { Json, KubeObject } from '../json.ts';
import { asTable, partial } from '../print/table.ts';
import type { Resource } from '../registry.ts';
import type { Server } from '../server.ts';
import { accepts, parseBody, readBody } from './request.ts';
import { addWarnings, jsonOf, send, sendJson } from './respond.ts';
import { badOptions, badRequest, notSupported } from './status.ts';

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

export const contentType = (req: IncomingMessage): string =>
  (req.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';

export const bodyOf = async ({ req }: Call): Promise<Json> => parseBody(await readBody(req), contentType(req));

/** Who writes and how, from the query and the User-Agent. */
export function writeOptions({ query, req, res, subresource }: Call): WriteOptions & { managerGiven: boolean } {
  const dryRun = query.getAll('dryRun');
  checkDryRun(
    req.method === 'POST' ? 'CreateOptions' : req.method === 'PUT' ? 'UpdateOptions' : 'PatchOptions',
    dryRun,
  );
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

export function checkDryRun(kind: string, values: string[]): void {
  if (values.some((value) => value !== 'All')) throw badOptions(kind, [notSupported('dryRun', values, ['All'])]);
}

/** Answers with one stored object in the shape the client accepts. */
export function answer(call: Call, code: number, stored: KubeObject): void {
  const { as } = accepts(call.req.headers.accept);
  const object = shown(call.resource, stored);
  if (as === 'PartialObjectMetadata') sendJson(call.res, code, partial(object));
  else if (as === 'Table') {
    const metadata = { resourceVersion: stored.metadata.resourceVersion };
    sendJson(call.res, code, asTable(call.resource, [object], [stored], metadata, tableOptions(call, true)));
  } else send(call.res, code, jsonOf(object));
}

/** As `answer`, for an object that a write returned (already in its view). */
export function answerWritten(call: Call, code: number, object: KubeObject): void {
  const { as } = accepts(call.req.headers.accept);
  if (as !== 'Table') {
    send(call.res, code, jsonOf(as ? partial(object) : object));
    return;
  }
  const stored = call.resource.view ? call.resource.view.toStored(object) : object;
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  sendJson(call.res, code, asTable(call.resource, [object], [stored], metadata, tableOptions(call, true)));
}

export const tableOptions = (call: Call, header: boolean): { now: Date; include: string; header: boolean } => ({
  now: call.server.cluster.now(),
  include: call.query.get('includeObject') ?? 'Metadata',
  header,
});
