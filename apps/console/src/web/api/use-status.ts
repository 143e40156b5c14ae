import { problemSchema, ProblemError } from '@keelson/contracts';
import { type PlatformStatus, platformStatusSchema } from '../../status.ts';
import { type Reading, useRead } from './use-read.ts';

/** The state of the four services, as the console's server sees it. */
export const useStatus = (everyMs = 3_000): Reading<PlatformStatus> => useRead('status', readStatus, { everyMs });

async function readStatus(signal: AbortSignal): Promise<PlatformStatus> {
  const answer = await fetch('/api/status', { signal });
  const body: unknown = await answer.json();
  if (!answer.ok) throw new ProblemError(problemSchema.parse(body), { operation: 'GET /api/status' });
  return platformStatusSchema.parse(body);
}
