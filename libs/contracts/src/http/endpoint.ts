import type { z } from 'zod';
import type { Scope } from '../scopes.ts';
import type { ProblemTable } from './problem-table.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * One HTTP operation as both sides see it. Controllers validate with these schemas, the typed client and the OpenAPI
 * document are made from them, so the three cannot drift apart.
 */
export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  readonly method: HttpMethod;
  /** Path with `{name}` for each parameter, as in OpenAPI: `/v1/orders/{id}`. */
  readonly path: string;
  /** Scope that a token needs; `null` for the few open paths (CRL, ACME). */
  readonly scope: Scope | null;
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Media type of the request body; JSON unless said otherwise. */
  readonly bodyType?: string;
  readonly response?: Response;
  /** Media type of the response; JSON unless said otherwise. */
  readonly responseType?: string;
  /** Status of success. */
  readonly status: number;
  /** Problem codes (see problem-table.ts and `Api.problems`) that this operation can answer besides the general ones. */
  readonly problems?: readonly string[];
  /** True where `Idempotency-Key` is honoured; writes only. */
  readonly idempotent?: boolean;
}

/** The whole HTTP contract of one service. */
export interface Api<Endpoints extends Record<string, Endpoint> = Record<string, Endpoint>> {
  readonly service: string;
  readonly title: string;
  readonly version: string;
  /** Problems of this service beyond the general ones. */
  readonly problems?: ProblemTable;
  readonly endpoints: Endpoints;
}

/** Keeps the literal types of an API's endpoints. */
export function defineApi<const Endpoints extends Record<string, Endpoint>>(api: Api<Endpoints>): Api<Endpoints> {
  return api;
}
