import { eventually } from '@keelson/testing';

import { Cluster } from '../core/cluster.ts';
import { create, update } from '../core/write.ts';
import type { Json } from '../json.ts';
import type { Resource } from '../registry.ts';
import { expireEvents } from './event-ttl.ts';

const ttlMs = 100;

describe('Events', () => {
  let at = Date.parse('2026-03-01T12:00:00Z');
  const cluster = new Cluster({ window: 100, now: () => new Date(at) });
  const events = cluster.registry.find('', 'v1', 'events') as Resource;
  const namespaces = cluster.registry.find('', 'v1', 'namespaces') as Resource;
  const options = { manager: 'test' };
  const anEvent = (name: string): Json => ({
    metadata: { name },
    involvedObject: { kind: 'Pod', namespace: 'shop', name: 'p' },
    reason: 'Tried',
    type: 'Normal',
  });
  const names = (): string[] =>
    cluster.store
      .collection('/events')
      .list('shop')
      .map(({ metadata }) => metadata.name);

  test('go when nobody has written them for their time, and tell those who watch', async () => {
    create(cluster, namespaces, undefined, { metadata: { name: 'shop' } }, options);
    const gone: string[] = [];
    cluster.store.listen((collection, { type, object }) => {
      if (collection === '/events' && type === 'DELETED') gone.push(object.metadata.name);
    });
    const stop = expireEvents(cluster, ttlMs);
    create(cluster, events, 'shop', anEvent('quiet'), options);
    create(cluster, events, 'shop', anEvent('repeated'), options);
    at += ttlMs - 1;
    update(cluster, events, 'shop', 'repeated', (current) => ({ ...current, count: 2 }), options);
    at += 1;
    await eventually(() => names().length === 1);
    expect(names()).toEqual(['repeated']);
    at += ttlMs;
    await eventually(() => names().length === 0);
    expect(gone).toEqual(['quiet', 'repeated']);
    stop();
  });
});
