import { breaking, type Change } from './change.ts';
import { compareSchema, type Schema } from './schema.ts';

interface Media {
  readonly schema?: Schema;
}
type Content = Readonly<Record<string, Media>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly security?: ReadonlyArray<Readonly<Record<string, readonly string[]>>>;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

/** The part of an OpenAPI document that compatibility depends on. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

/** What in `next` would break, or surprise, a client written for `base`. */
export function compareOpenApi(base: OpenApi, next: OpenApi): readonly Change[] {
  const changes: Change[] = [];
  for (const [path, methods] of Object.entries(base.paths)) {
    for (const [method, before] of Object.entries(methods)) {
      const where = `${method.toUpperCase()} ${path}`;
      const after = next.paths[path]?.[method];
      if (after === undefined) changes.push(breaking(where, 'the operation was removed'));
      else changes.push(...compareOperation(before, after, base, next, where));
    }
  }
  return changes;
}

function compareOperation(before: Operation, after: Operation, base: OpenApi, next: OpenApi, where: string): Change[] {
  return [
    ...compareNames(before, after, where),
    ...compareParameters(before, after, base, next, where),
    ...compareBody(before, after, base, next, where),
    ...compareResponses(before, after, base, next, where),
  ];
}

function compareNames(before: Operation, after: Operation, where: string): Change[] {
  const scopes = ({ security = [] }: Operation): string[] => security.flatMap((one) => Object.values(one).flat());
  const added = scopes(after).filter((scope) => !scopes(before).includes(scope));
  return [
    ...(before.operationId === after.operationId
      ? []
      : [breaking(where, `operationId was ${before.operationId}, is ${after.operationId}: generated clients change`)]),
    ...(added.length === 0 ? [] : [breaking(where, `needs the scope ${added.join(', ')} now`)]),
  ];
}

const schemas = (document: OpenApi): Readonly<Record<string, Schema>> => document.components?.schemas ?? {};

function compareParameters(before: Operation, after: Operation, base: OpenApi, next: OpenApi, where: string): Change[] {
  const changes: Change[] = [];
  const key = (parameter: Parameter): string => `${parameter.in} parameter ${parameter.name}`;
  const afterByKey = new Map((after.parameters ?? []).map((parameter) => [key(parameter), parameter]));
  for (const parameter of before.parameters ?? []) {
    const name = `${where} ${key(parameter)}`;
    const present = afterByKey.get(key(parameter));
    afterByKey.delete(key(parameter));
    if (present === undefined) {
      changes.push(breaking(name, 'was removed'));
      continue;
    }
    if (parameter.required !== true && present.required === true) changes.push(breaking(name, 'is required now'));
    changes.push(
      ...compareSchema(
        { schema: parameter.schema, components: schemas(base) },
        { schema: present.schema, components: schemas(next) },
        'request',
        name,
      ),
    );
  }
  for (const [name, parameter] of afterByKey) {
    if (parameter.required === true) changes.push(breaking(`${where} ${name}`, 'is new and required'));
  }
  return changes;
}

function compareBody(before: Operation, after: Operation, base: OpenApi, next: OpenApi, where: string): Change[] {
  const name = `${where} body`;
  if (before.requestBody === undefined) {
    return after.requestBody?.required === true ? [breaking(name, 'is new and required')] : [];
  }
  if (after.requestBody === undefined) return [breaking(name, 'is not read any more')];
  return [
    ...(before.requestBody.required !== true && after.requestBody.required === true
      ? [breaking(name, 'is required now')]
      : []),
    ...compareContent(before.requestBody.content, after.requestBody.content, base, next, 'request', name),
  ];
}

/** Successes only: every error is a Problem, whose codes may grow. */
function compareResponses(before: Operation, after: Operation, base: OpenApi, next: OpenApi, where: string): Change[] {
  const successes = (operation: Operation) => Object.entries(operation.responses).filter(([status]) => status < '400');
  return successes(before).flatMap(([status, response]) => {
    const present = after.responses[status];
    if (present === undefined) {
      const now = successes(after).map(([other]) => other);
      return [breaking(where, `answered ${status}, answers ${now.join(', ')} now`)];
    }
    return compareContent(response.content ?? {}, present.content ?? {}, base, next, 'response', `${where} response`);
  });
}

function compareContent(
  before: Content,
  after: Content,
  base: OpenApi,
  next: OpenApi,
  direction: 'request' | 'response',
  where: string,
): Change[] {
  return Object.entries(before).flatMap(([type, { schema }]) => {
    const present = after[type];
    if (present === undefined) return [breaking(where, `the media type ${type} was removed`)];
    return compareSchema(
      { schema, components: schemas(base) },
      { schema: present.schema, components: schemas(next) },
      direction,
      where,
    );
  });
}
