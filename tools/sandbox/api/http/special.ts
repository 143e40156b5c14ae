import type { IncomingMessage, ServerResponse } from 'node:http';

import { type Attempt, authorize } from '../auth/rbac.ts';
import type { User } from '../auth/tokens.ts';
import { update } from '../core/write.ts';
import { type Json, type KubeObject, timestamp } from '../json.ts';
import type { Resource } from '../registry.ts';
import type { Server } from '../server.ts';
import { podLog } from './pod-log.ts';
import { type ResourceRequest, parseBody, readBody } from './request.ts';
import { sendJson } from './respond.ts';
import { badRequest, conflict, methodNotAllowed, notFound } from './status.ts';

export interface SpecialCall {
  req: IncomingMessage;
  res: ServerResponse;
  user: User;
  parsed: ResourceRequest;
  query: URLSearchParams;
}

type Handler = (server: Server, call: SpecialCall, body: Json) => void | Promise<void>;

/** What is not a stored object: reviews, tokens, bindings, logs. Keyed `METHOD group/plural[/subresource]`. */
const table: Record<string, Handler> = {
  'POST authorization.k8s.io/selfsubjectaccessreviews': (server, { res, user }, body) =>
    review(server, res, body, user),
  'POST authorization.k8s.io/subjectaccessreviews'(server, { res }, body) {
    const { user: name = '', groups = [] } = body.spec ?? {};
    review(server, res, body, { name, groups });
  },
  'POST authentication.k8s.io/selfsubjectreviews': (_server, { res, user }, body) =>
    sendJson(res, 201, { ...body, status: { userInfo: userInfo(user) } }),
  'POST authentication.k8s.io/tokenreviews'(server, { res }, body) {
    const who = server.userOf(body.spec?.token ?? '');
    sendJson(res, 201, {
      ...body,
      status: who ? { authenticated: true, user: userInfo(who) } : { error: 'invalid bearer token' },
    });
  },
  'POST /serviceaccounts/token': issueToken,
  'POST /pods/binding': bind,
  'GET /pods/log': (server, { res, parsed, query }) => podLog(server, res, parsed, query),
};

/** Serves the request if it is one of these; false otherwise. */
export async function special(server: Server, call: SpecialCall): Promise<boolean> {
  const { group, plural, subresource } = call.parsed;
  const key = `${call.req.method} ${group}/${plural}${subresource ? `/${subresource}` : ''}`;
  const handler = table[key];
  if (!handler) {
    const known = Object.keys(table).some((k) => k.split(' ')[1] === key.split(' ')[1]);
    if (known) throw methodNotAllowed();
    return false;
  }
  const raw = call.req.method === 'POST' ? await readBody(call.req) : undefined;
  const type = (call.req.headers['content-type'] ?? '').split(';')[0] ?? '';
  await handler(server, call, call.req.method === 'POST' ? await parseBody(raw, type) : undefined);
  return true;
}

const userInfo = ({ name, uid, groups }: User): Json => ({ username: name, ...(uid ? { uid } : {}), groups });

function review(server: Server, res: ServerResponse, body: Json, user: User): void {
  const { resourceAttributes: r, nonResourceAttributes: n } = body.spec ?? {};
  if (!r === !n) throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  const attempt: Attempt = n
    ? { verb: n.verb, path: n.path }
    : {
        verb: r.verb,
        group: r.group ?? '',
        resource: r.resource,
        subresource: r.subresource,
        name: r.name,
        namespace: r.namespace,
      };
  const { allowed, reason } = authorize(server.cluster, user, attempt);
  sendJson(res, 201, { ...body, status: { allowed, ...(reason ? { reason } : {}) } });
}

function issueToken(server: Server, { res, parsed }: SpecialCall, body: Json): void {
  const { namespace = '', name = '' } = parsed;
  const account = server.cluster.find('/serviceaccounts', namespace, name);
  if (!account) throw notFound({ group: '', plural: 'serviceaccounts', kind: 'ServiceAccount' }, name);
  const seconds = Math.max(600, Number(body?.spec?.expirationSeconds ?? 3600));
  const audiences: string[] = body?.spec?.audiences?.length ? body.spec.audiences : ['https://kubernetes.default.svc'];
  const { token, expires } = server.tokens.issueServiceAccount({
    namespace,
    name,
    uid: account.metadata.uid,
    audiences,
    seconds,
  });
  sendJson(res, 201, {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timestamp(server.cluster.now()) },
    spec: { ...body?.spec, audiences, expirationSeconds: seconds },
    status: { token, expirationTimestamp: timestamp(expires) },
  });
}

/** Binds a pod to a node, as a scheduler does. */
function bind(server: Server, { res, parsed }: SpecialCall, body: Json): void {
  const pods = server.cluster.registry.find('', 'v1', 'pods') as Resource;
  const { namespace, name = '' } = parsed;
  const node = body?.target?.name;
  if (!node) throw badRequest('target.name: Required value');
  const change = (pod: KubeObject): Json => {
    if (pod['spec'].nodeName)
      throw conflict(
        { ...pods, plural: 'pods/binding' },
        name,
        `pod ${name} is already assigned to node ${JSON.stringify(pod['spec'].nodeName)}`,
      );
    if (pod.metadata.deletionTimestamp)
      throw conflict(
        { ...pods, plural: 'pods/binding' },
        name,
        `pod ${name} is being deleted, cannot be assigned to a host`,
      );
    const scheduled = {
      type: 'PodScheduled',
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: timestamp(server.cluster.now()),
      observedGeneration: pod.metadata.generation,
    };
    const conditions = [...(pod['status'].conditions ?? []).filter((c: Json) => c.type !== 'PodScheduled'), scheduled];
    return { ...pod, spec: { ...pod['spec'], nodeName: node }, status: { ...pod['status'], conditions } };
  };
  update(server.cluster, pods, namespace, name, change, {
    manager: 'kube-scheduler',
    subresource: 'binding',
    fieldValidation: 'Ignore',
  });
  sendJson(res, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}
