import { z } from 'zod';
import { SCOPES } from '../scopes.ts';
import { defineApi } from './endpoint.ts';

/** Whom a service takes a token for; `*` stands for every team, or for all scopes. */
export const identitySchema = z
  .object({ name: z.string(), team: z.string(), scopes: z.array(z.enum(['*', ...SCOPES])) })
  .meta({ id: 'Identity' });

/** What every service answers besides its own operations. */
export const identityApi = defineApi({
  service: 'every service',
  title: 'Keelson identity',
  version: '1.0.0',
  endpoints: {
    whoAmI: {
      method: 'GET',
      path: '/v1/whoami',
      // Open to the router, so that a token without any scope can ask, too; without a valid token it is a 401.
      scope: null,
      summary: 'Whose token this is, and what it may do',
      response: identitySchema,
      status: 200,
    },
  },
});

export type Identity = z.infer<typeof identitySchema>;
