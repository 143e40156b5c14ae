import { z } from 'zod';

/** Where the stable problem types live; each code has a page of that name in docs/problems. */
export const PROBLEM_BASE = 'https://keelson.dev/problems/';

/** One fault in a request, RFC 9457 section 3 extension as in its own example: pointer plus detail. */
export const problemErrorSchema = z.object({
  /** RFC 6901 JSON pointer into the body, or `query/<name>`, `header/<name>`, `path/<name>`. */
  pointer: z.string(),
  detail: z.string(),
});

/** RFC 9457 problem details as every Keelson service answers them (`application/problem+json`). */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    /** The last part of `type`: stable, for programs to switch on. */
    code: z.string(),
    /** Trace id of the request, to find it in logs and traces. */
    traceId: z.string().optional(),
    errors: z.array(problemErrorSchema).optional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;
