import type { KubernetesClient } from './client.ts';
import type { SelectOptions } from './options.ts';
import { isGone } from './errors.ts';
import type { Resource } from './resources.ts';

export type WholeList<T> = { items: T[]; resourceVersion: string };

/** A page small enough not to stall the server, large enough for few round trips: what client-go takes. */
export const defaultPageSize = 500;

/**
 * The whole collection at one resourceVersion, page by page. A list that takes so long that its state is compacted
 * away (410 on a continue token) is asked for once more, without pages, since another one would be no faster.
 */
export async function listWhole<T>(
  client: KubernetesClient,
  resource: Resource<T>,
  options: SelectOptions & {
    pageSize?: number | undefined;
    signal?: AbortSignal | undefined;
    timeoutMs?: number | undefined;
  },
): Promise<WholeList<T>> {
  const { pageSize = defaultPageSize, ...select } = options;
  const items: T[] = [];
  let token: string | undefined;
  for (;;) {
    try {
      const page = await client.list(resource, { ...select, limit: pageSize, continue: token });
      for (const item of page.items) items.push(item);
      token = page.metadata.continue;
      if (token === undefined || token === '') return { items, resourceVersion: page.metadata.resourceVersion ?? '' };
    } catch (error) {
      if (!isGone(error) || token === undefined) throw error;
      const whole = await client.list(resource, select);
      return { items: whole.items, resourceVersion: whole.metadata.resourceVersion ?? '' };
    }
  }
}
