import { createClient, eventsApi, type JournalEvent } from '@keelson/contracts';
import type { EventSource } from './look.ts';
import type { FoundEvents } from './warning-events.ts';

/** Rows on a page, and pages read at most: a namespace in which everything burns must not hold a look up. */
const LIMIT = 500;
const PAGES = 10;

/** Warning events from event-relay's journal, newest first. */
export function eventRelay(options: { url: string; token: string }): EventSource {
  // One repetition: the next look asks again anyway.
  const retry = { attempts: 2, maxDelayMs: 1_000 };
  const client = createClient(eventsApi, { baseUrl: options.url, token: options.token, timeoutMs: 5_000, retry });
  return {
    async warnings({ namespace, namePrefix, since }): Promise<FoundEvents> {
      const events: JournalEvent[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < PAGES; page += 1) {
        const found = await client.listEvents({
          query: {
            type: 'Warning',
            kind: 'Pod',
            source: 'kubernetes',
            namespace,
            namePrefix,
            since: since.toISOString(),
            limit: LIMIT,
            ...(cursor === undefined ? {} : { cursor }),
          },
        });
        events.push(...found.items);
        cursor = found.next;
        if (cursor === undefined) return { events, complete: true };
      }
      return { events, complete: false };
    },
  };
}
