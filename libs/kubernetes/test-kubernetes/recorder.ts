import { ListWatch, type Gap, type KubernetesObject, type ListWatchOptions } from '@keelson/kubernetes';

/** A list-watch that writes down all it is told. */
export type Recorder<T extends KubernetesObject> = {
  watch: ListWatch<T>;
  /** `sync a,b`, `ADDED a`, `gap expired`, in the order they came. */
  told: string[];
  events: { type: string; name: string; object: T; resourceVersion: string }[];
  bookmarks: string[];
  gaps: Gap[];
  errors: { error: unknown; retryInMs: number }[];
};

const started: { stop(): Promise<void> }[] = [];

/** Ends all that were started, also those of a test that failed half-way. */
export async function stopRecorders(): Promise<void> {
  await Promise.all(started.splice(0).map((watch) => watch.stop()));
}

/** Starts it; `onEvent` runs before the event is written down. */
export function record<T extends KubernetesObject>(
  options: Omit<ListWatchOptions<T>, 'onEvent'> & { onEvent?: ListWatchOptions<T>['onEvent'] },
): Recorder<T> {
  const recorder: Omit<Recorder<T>, 'watch'> = { told: [], events: [], bookmarks: [], gaps: [], errors: [] };
  const watch = new ListWatch<T>({
    // Short waits, so that tests of failures are short.
    backoff: { firstDelayMs: 20, maxDelayMs: 200 },
    ...options,
    onSync: async (items, resourceVersion) => {
      await options.onSync?.(items, resourceVersion);
      recorder.told.push(
        `sync ${items
          .map((item) => item.metadata?.name ?? '')
          .toSorted((a, b) => a.localeCompare(b))
          .join(',')}`.trim(),
      );
    },
    onEvent: async (type, object, resourceVersion) => {
      await options.onEvent?.(type, object, resourceVersion);
      const name = object.metadata?.name ?? '';
      recorder.events.push({ type, name, object, resourceVersion });
      recorder.told.push(`${type} ${name}`);
    },
    onBookmark: (resourceVersion) => void recorder.bookmarks.push(resourceVersion),
    onGap: (gap) => {
      recorder.gaps.push(gap);
      recorder.told.push(`gap ${gap.cause}`);
    },
    onError: (error, { retryInMs }) => void recorder.errors.push({ error, retryInMs }),
  });
  started.push(watch);
  watch.start();
  return { ...recorder, watch };
}
