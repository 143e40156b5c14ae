import { createClient, eventsApi, type JournalEvent } from '@keelson/contracts';
import type { EventSource } from './look.ts';

/** Warning events from event-relay's journal. A page is enough: one event too many already decides. */
export function eventRelay(options: { url: string; token: string }): EventSource {
  const client = createClient(eventsApi, { baseUrl: options.url, token: options.token, timeoutMs: 5_000 });
  return {
    async warnings({ namespace, namePrefix, since }): Promise<JournalEvent[]> {
      const page = await client.listEvents({
        query: {
          type: 'Warning',
          kind: 'Pod',
          source: 'kubernetes',
          namespace,
          namePrefix,
          since: since.toISOString(),
          limit: 500,
        },
      });
      return page.items;
    },
  };
}
