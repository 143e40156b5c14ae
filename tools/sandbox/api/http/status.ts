import type { Json, JsonObject } from '../json.ts';

/** One fault of one field, in the terms of k8s.io/apimachinery/pkg/util/validation/field. */
export interface FieldError {
  reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
    | 'FieldValueNotFound'
    | 'FieldManagerConflict';
  field: string;
  message: string;
}

/** A value as Go's field errors print it: strings quoted, objects and lists as JSON, an absent one as null. */
export const shown = (value: Json): string => (value === undefined ? 'null' : JSON.stringify(value));

const withDetail = (text: string, detail?: string): string => (detail ? `${text}: ${detail}` : text);

export const required = (field: string, detail?: string): FieldError => ({
  reason: 'FieldValueRequired',
  field,
  message: withDetail('Required value', detail),
});
export const invalid = (field: string, value: Json, detail: string): FieldError => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${shown(value)}: ${detail}`,
});
export const typeInvalid = (field: string, value: Json, detail: string): FieldError => ({
  reason: 'FieldValueTypeInvalid',
  field,
  message: `Invalid value: ${shown(value)}: ${detail}`,
});
export const notSupported = (field: string, value: Json, allowed: readonly Json[]): FieldError => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${allowed.map(shown).join(', ')}`,
});
export const duplicate = (field: string, value: Json): FieldError => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${shown(value)}`,
});
export const forbiddenField = (field: string, detail: string): FieldError => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${detail}`,
});
export const tooLong = (field: string, detail: string): FieldError => ({
  reason: 'FieldValueTooLong',
  field,
  message: `Too long: ${detail}`,
});

/** Anything that has a group and a plural, for messages. */
export interface Named {
  group: string;
  plural: string;
  kind: string;
}

const qualified = (name: string, group: string): string => (group ? `${name}.${group}` : name);

/** An answer that is a metav1.Status with `status: Failure`. */
export class ApiError extends Error {
  readonly code: number;
  readonly status: JsonObject;
  readonly headers: Record<string, string>;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: JsonObject,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.code = code;
    this.headers = headers;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
      code,
    };
  }
}

const about = (r: Named, name?: string): JsonObject => ({
  ...(name ? { name } : {}),
  ...(r.group ? { group: r.group } : {}),
  kind: r.plural,
});

export const notFound = (r: Named, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${qualified(r.plural, r.group)} "${name}" not found`, about(r, name));

export const alreadyExists = (r: Named, name: string): ApiError =>
  new ApiError(409, 'AlreadyExists', `${qualified(r.plural, r.group)} "${name}" already exists`, about(r, name));

export const conflict = (r: Named, name: string, why: string): ApiError =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(r.plural, r.group)} "${name}": ${why}`,
    about(r, name),
  );

export const modified = 'the object has been modified; please apply your changes to the latest version and try again';

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message);

export const unauthorized = (): ApiError => new ApiError(401, 'Unauthorized', 'Unauthorized');

export const forbidden = (r: Named, name: string | undefined, why: string, causes?: FieldError[]): ApiError =>
  new ApiError(
    403,
    'Forbidden',
    name
      ? `${qualified(r.plural, r.group)} "${name}" is forbidden: ${why}`
      : `${qualified(r.plural, r.group)} is forbidden: ${why}`,
    { ...about(r, name), ...(causes ? { causes } : {}) },
  );

/** 422 with one cause per field, messages joined as Go's aggregate does. */
export function unprocessable(r: Named, name: string, errors: readonly FieldError[]): ApiError {
  const texts = [...new Set(errors.map((e) => `${e.field}: ${e.message}`))];
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new ApiError(422, 'Invalid', `${qualified(r.kind, r.group)} "${name}" is invalid: ${all}`, {
    ...(name ? { name } : {}),
    ...(r.group ? { group: r.group } : {}),
    kind: r.kind,
    causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
  });
}

export const expired = (message: string): ApiError => new ApiError(410, 'Expired', message);

export const methodNotAllowed = (): ApiError =>
  new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export const notFoundAtAll = (): ApiError =>
  new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});

const leftOutText = (what: string): string => `the sandbox does not serve ${what}; use --cluster=real`;

/** What a real API server has and the sandbox leaves out: named, so that nobody takes the gap for their own mistake. */
export const notServed = (what: string): ApiError => new ApiError(501, 'NotImplemented', leftOutText(what));

/** As notServed, for a whole resource: 404, which is what clients take for "not on this server" (kubectl describe does). */
export const resourceNotServed = (what: string): ApiError => new ApiError(404, 'NotFound', leftOutText(what), {});

/** What the real server answers with 500 and no reason: faults of a patch that it finds while it works it out. */
export const unreasoned = (message: string): ApiError => new ApiError(500, '', message);

/** 422 about an options object (ListOptions, PatchOptions, ...) rather than about what is stored. */
export const badOptions = (kind: string, errors: readonly FieldError[]): ApiError =>
  unprocessable({ group: 'meta.k8s.io', plural: kind, kind }, '', errors);
