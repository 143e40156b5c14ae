/**
 * Takes the schemas of the kinds that the sandbox serves from a real API server's OpenAPI v3 documents, without their
 * descriptions, one definition a line: `node extract.ts PATH_OF_KUBECTL > built-in.jsonl` (KUBECONFIG says which server).
 */
import { execFileSync } from 'node:child_process';

type Schema = Record<string, unknown>;

const documents = [
  'api/v1',
  'apis/apps/v1',
  'apis/networking.k8s.io/v1',
  'apis/discovery.k8s.io/v1',
  'apis/coordination.k8s.io/v1',
  'apis/events.k8s.io/v1',
  'apis/rbac.authorization.k8s.io/v1',
  'apis/apiextensions.k8s.io/v1',
  'apis/authentication.k8s.io/v1',
  'apis/authorization.k8s.io/v1',
  'apis/autoscaling/v1',
];

const kinds = new Set(
  (
    'Pod Service Deployment ReplicaSet Event Secret ConfigMap EndpointSlice Endpoints Ingress IngressClass Lease Namespace Node ' +
    'CustomResourceDefinition ServiceAccount Role RoleBinding ClusterRole ClusterRoleBinding Scale Binding TokenRequest ' +
    'SelfSubjectAccessReview SubjectAccessReview TokenReview SelfSubjectReview DeleteOptions Status'
  ).split(' '),
);

const prefix = '#/components/schemas/';
const all = new Map<string, Schema>();
const wanted: string[] = [];

for (const document of documents) {
  const text = execFileSync(process.argv[2] ?? 'kubectl', ['get', '--raw', `/openapi/v3/${document}`], {
    maxBuffer: 1 << 26,
  });
  const schemas = (JSON.parse(text.toString()) as { components: { schemas: Record<string, Schema> } }).components
    .schemas;
  for (const [name, schema] of Object.entries(schemas)) {
    all.set(name, schema);
    const gvks = (schema['x-kubernetes-group-version-kind'] ?? []) as { kind: string }[];
    if (gvks.some(({ kind }) => kinds.has(kind))) wanted.push(name);
  }
}

const kept = new Map<string, unknown>();

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value as Schema)) {
    if (key === 'description' && typeof inner === 'string') continue;
    // OpenAPI 3.0 wraps a reference that has siblings in allOf; unwrapped it is half the size and one case less.
    const only =
      key === 'allOf' && Array.isArray(inner) && inner.length === 1 ? (inner[0] as Schema)['$ref'] : undefined;
    const reference = only ?? (key === '$ref' && typeof inner === 'string' ? inner : undefined);
    if (typeof reference === 'string') {
      wanted.push(reference.slice(prefix.length));
      out['$ref'] = reference.slice(prefix.length);
    } else out[key] = strip(inner);
  }
  return out;
}

for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
  const schema = all.get(name);
  if (schema && !kept.has(name)) kept.set(name, strip(schema));
}

for (const name of [...kept.keys()].sort()) console.log(JSON.stringify([name, kept.get(name)]));
