import type { JournalEvent } from '@keelson/contracts';

/** `shop pod/order-demo-v3-abc`: the object as kubectl would name it, with its namespace before it. */
export function objectText({ kind, namespace, name }: JournalEvent['object']): string {
  return [namespace, `${kind.toLowerCase()}/${name}`].filter((part) => part !== undefined && part !== '').join(' ');
}
