/** Names of what this library declares, in one place: a person with only the broker's page must find their way. */
export const parkedQueue = (queue: string): string => `${queue}.parked`;

/** Exchange that brings delayed messages back to the queue they are for. */
export const returnExchange = (unitMs: number): string => `keelson.delay.${unitMs}ms.return`;

export const delayName = (unitMs: number, level: number): string =>
  `keelson.delay.${unitMs}ms.level-${String(level).padStart(2, '0')}`;

/** Where a queue's messages wait while it is made anew. */
export const migratingQueue = (queue: string): string => `${queue}.migrating`;
