import { type DeleteOptions, deleteObject } from '../core/delete.ts';
import { list, shown } from '../core/read.ts';
import type { Json } from '../json.ts';
import { apiVersionOf } from '../registry.ts';
import { type Call, answerWritten, checkDryRun, contentType } from './call.ts';
import { parseBody, readBody } from './request.ts';
import { sendJson } from './respond.ts';
import { badRequest, methodNotAllowed } from './status.ts';

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
  const dryRun = [...query.getAll('dryRun'), ...(body?.dryRun ?? [])];
  checkDryRun('DeleteOptions', dryRun);
  return {
    ...(grace === undefined || grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy ? { propagationPolicy: policy } : {}),
    orphanDependents: body?.orphanDependents ?? query.get('orphanDependents') === 'true',
    ...(body?.preconditions ? { preconditions: body.preconditions } : {}),
    dryRun: dryRun.length > 0,
  };
}

export async function deleteOne(call: Call): Promise<void> {
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

export async function deleteMany(call: Call): Promise<void> {
  const options = await deleteOptions(call);
  const { resource, server } = call;
  if (!resource.verbs.includes('deletecollection')) throw methodNotAllowed();
  const { items, metadata } = list(server.cluster, resource, call.namespace, call.query);
  for (const { metadata: m } of items) deleteObject(server.cluster, resource, m.namespace, m.name, options);
  const objects = items.map((stored) => shown(resource, stored));
  sendJson(call.res, 200, { kind: resource.listKind, apiVersion: apiVersionOf(resource), metadata, items: objects });
}
