import type { ChannelModel } from 'amqplib';

/** From the server properties of connection.start. */
export interface Broker {
  /** `RabbitMQ`, where it is one. */
  readonly product: string;
  /** `3.10.8` */
  readonly version: string;
}

export function brokerOf(model: ChannelModel): Broker {
  const { serverProperties } = model.connection as { serverProperties?: { product?: unknown; version?: unknown } };
  const text = (value: unknown): string => (typeof value === 'string' ? value : 'unknown');
  return { product: text(serverProperties?.product), version: text(serverProperties?.version) };
}

/** Whether the broker is this version or newer; false for one whose version says nothing. */
export function isAtLeast({ version }: Broker, major: number, minor: number): boolean {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (match === null) return false;
  const [ours, theirs] = [major * 1_000 + minor, Number(match[1]) * 1_000 + Number(match[2])];
  return theirs >= ours;
}
