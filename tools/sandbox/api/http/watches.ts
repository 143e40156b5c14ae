import { type WatchEvent, watch } from '../core/watch.ts';
import { shown } from '../core/read.ts';
import { asTable, partial } from '../print/table.ts';
import { type Call, tableOptions } from './call.ts';
import { accepts } from './request.ts';
import { jsonOf } from './respond.ts';

const backlogLimit = 16 * 1024 * 1024;

/** Streams a watch, one JSON document a line, until the client leaves or its time is up. */
export function watchObjects(call: Call): void {
  const { res, resource, server } = call;
  const { as } = accepts(call.req.headers.accept);
  let stop: (() => void) | undefined;
  let ended = false;
  let first = true;
  const line = (event: WatchEvent): string => {
    if (event.type === 'ERROR') return JSON.stringify(event);
    if (event.type === 'BOOKMARK') {
      return JSON.stringify(
        as === 'Table'
          ? {
              ...event,
              object: {
                kind: 'Table',
                apiVersion: 'meta.k8s.io/v1',
                metadata: event.object['metadata'],
                columnDefinitions: null,
                rows: [],
              },
            }
          : event,
      );
    }
    const object = shown(resource, event.object);
    if (as === 'Table') {
      const table = asTable(resource, [object], [event.object], {}, tableOptions(call, first));
      first = false;
      return JSON.stringify({ type: event.type, object: table });
    }
    return `{"type":"${event.type}","object":${as ? JSON.stringify(partial(object)) : jsonOf(object)}}`;
  };
  const open = (): void => {
    if (res.headersSent) return;
    res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    res.flushHeaders();
  };
  const finish = (): void => {
    if (ended) return;
    ended = true;
    stop?.();
    server.watches.delete(finish);
    res.end();
  };
  const sink = {
    send(event: WatchEvent): void {
      if (ended) return;
      open();
      res.write(`${line(event)}\n`);
      // A client that does not read is cut off rather than buffered for without end; it resumes or gets 410.
      if (res.writableLength > backlogLimit) res.destroy();
    },
    end: finish,
  };
  stop = watch(server.cluster, resource, call.namespace, call.query, sink, { bookmarkMs: server.bookmarkMs });
  open();
  if (ended) {
    stop();
    return;
  }
  server.watches.add(finish);
  res.on('close', finish);
}
