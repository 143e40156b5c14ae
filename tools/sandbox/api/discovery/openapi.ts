import { createHash } from 'node:crypto';

import type { Json } from '../json.ts';
import { type Registry, type Resource, apiVersionOf } from '../registry.ts';
import { type Schema, definitionName, definitions, objectMetaName } from '../schema/schema.ts';
import { groups } from './discovery.ts';

const prefix = '#/components/schemas/';

const path = (group: string, version: string): string => (group ? `apis/${group}/${version}` : `api/${version}`);

/** `/openapi/v3`: which documents there are. */
export function openApiIndex(registry: Registry): Json {
  const paths: Json = {};
  for (const [group, versions] of groups(registry)) {
    for (const version of versions) {
      const at = path(group, version);
      const hash = createHash('sha256').update(`${at} ${registry.generation}`).digest('hex').toUpperCase();
      paths[at] = { serverRelativeURL: `/openapi/v3/${at}?hash=${hash}` };
    }
  }
  return { paths };
}

/** References back to where OpenAPI keeps them, and what they reach collected in `wanted`. */
function referenced(value: Json, wanted: Set<string>): Json {
  if (Array.isArray(value)) return value.map((item) => referenced(item, wanted));
  if (typeof value !== 'object' || value === null) return value;
  const out: Json = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key !== '$ref' || typeof inner !== 'string') {
      out[key] = referenced(inner, wanted);
      continue;
    }
    wanted.add(inner);
    // A reference takes no siblings in OpenAPI 3.0; a default beside it needs the wrapping.
    if (Object.keys(value).length > 1) out.allOf = [{ $ref: prefix + inner }];
    else out.$ref = prefix + inner;
  }
  return out;
}

const custom = (r: Resource): string => `${r.group.split('.').toReversed().join('.')}.${r.version}.${r.kind}`;

function schemaFor(r: Resource): [name: string, schema: Schema] {
  if (!r.custom) {
    const name = definitionName(r.group, r.version, r.kind);
    return [name, definitions.get(name) as Schema];
  }
  const gvk = [{ group: r.group, version: r.version, kind: r.kind }];
  const properties = { ...r.schema.properties, metadata: { $ref: objectMetaName } };
  return [custom(r), { ...r.schema, properties, 'x-kubernetes-group-version-kind': gvk }];
}

const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
  name,
  in: 'query',
  schema: { type: 'string', uniqueItems: true },
}));

/** `/openapi/v3/...`: schemas of one group and version, and of its paths as much as kubectl reads. */
export function openApiDocument(registry: Registry, group: string, version: string): Json {
  const resources = registry.all().filter((r) => r.group === group && r.version === version);
  if (resources.length === 0) return undefined;
  const wanted = new Set<string>();
  const schemas: Json = {};
  const paths: Json = {};
  for (const r of resources) {
    const [name, schema] = schemaFor(r);
    schemas[name] = referenced(schema, wanted);
    const gvk = { group, version, kind: r.kind };
    const base = `/${path(group, version)}${r.namespaced ? '/namespaces/{namespace}' : ''}/${r.plural}`;
    const body = { content: { 'application/json': { schema: { $ref: prefix + name } } } };
    const operation = (action: string): Json => ({
      operationId: `${action}${r.kind}`,
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': gvk,
      responses: { 200: { description: 'OK', ...body } },
    });
    paths[base] = { get: operation('list'), post: { ...operation('post'), parameters, requestBody: body } };
    paths[`${base}/{name}`] = {
      get: operation('get'),
      put: { ...operation('put'), parameters, requestBody: body },
      patch: { ...operation('patch'), parameters },
      delete: operation('delete'),
    };
  }
  for (const name of wanted) if (!schemas[name]) schemas[name] = referenced(definitions.get(name) ?? {}, wanted);
  return {
    openapi: '3.0.0',
    info: { title: `Keelson sandbox, ${apiVersionOf({ group, version })}`, version: 'v1.34.4' },
    paths,
    components: { schemas },
  };
}
