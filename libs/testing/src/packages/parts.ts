import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';

export type PartName = 'rabbitmq' | 'prometheus' | 'kafka' | 'chromium' | 'poppler' | 'wrk';

/** How a part is had on Debian, and how one does without. */
export interface PartDefinition {
  title: string;
  packages: readonly string[];
  installed(): boolean;
  /** Environment variable by which one of one's own is used instead, where there is one. */
  instead?: string;
}

export const parts: Record<PartName, PartDefinition> = {
  rabbitmq: {
    title: 'RabbitMQ',
    packages: ['rabbitmq-server'],
    installed: () => rabbitMqHome() !== undefined && onPath('epmd') !== undefined,
    instead: 'AMQP_URL',
  },
  prometheus: {
    title: 'Prometheus',
    packages: ['prometheus'],
    installed: () => onPath('prometheus') !== undefined,
    instead: 'PROMETHEUS_URL',
  },
  kafka: {
    title: 'Kafka',
    packages: ['default-jre-headless', 'maven'],
    installed: () => onPath('java') !== undefined && onPath('mvn') !== undefined,
  },
  chromium: {
    title: 'Chromium',
    packages: ['chromium'],
    installed: () => onPath('chromium') !== undefined,
  },
  poppler: {
    title: 'Poppler',
    packages: ['poppler-utils'],
    installed: () => onPath('pdftotext') !== undefined,
  },
  wrk: {
    title: 'wrk',
    packages: ['wrk'],
    installed: () => onPath('wrk') !== undefined,
  },
};

/** The folder of RabbitMQ's own scripts. Debian's wrappers in /usr/sbin change the user and write to /var/log. */
export function rabbitMqHome(): string | undefined {
  const base = '/usr/lib/rabbitmq/lib';
  try {
    const names = readdirSync(base).filter((name) => name.startsWith('rabbitmq_server-'));
    return names.length > 0 ? join(base, names.toSorted().at(-1) as string) : undefined;
  } catch {
    return undefined; // the package is not installed
  }
}

/** Where a program is, or undefined. Looks where root's programs are, too. */
export function onPath(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
