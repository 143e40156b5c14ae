import { Client, type ClientConfig } from 'pg';

/**
 * A connection whose end is never an unhandled error. pg's pool listens only while the connection is idle: one that the
 * server ends while it is checked out and between two statements would otherwise end the process. Whoever has it hears
 * of it all the same, since the next statement on it rejects.
 */
export class PoolClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
