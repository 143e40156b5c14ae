import { renameSync, writeFileSync } from 'node:fs';
import type { Platform } from './platform.ts';

/** Everything that other programs need to use the running platform, by the names that documentation and tests use. */
export function environmentOf(platform: Platform): Record<string, string> {
  const { urls, databases } = platform;
  return {
    KEELSON_CERT_URL: urls.cert,
    KEELSON_EVENTS_URL: urls.events,
    KEELSON_CANARY_URL: urls.canary,
    KEELSON_ORDERS_URL: urls.orders,
    KEELSON_CONSOLE_URL: urls.console,
    KEELSON_GATEWAY_URL: urls.gateway,
    KEELSON_TELEGRAM_URL: urls.telegram,
    KEELSON_TOKEN: platform.credentials.tokens.operator,
    KEELSON_CA_FILE: platform.caFile,
    KUBECONFIG: platform.kubeconfig,
    AMQP_URL: platform.amqpUrl,
    ...(platform.managementUrl === undefined ? {} : { AMQP_MANAGEMENT_URL: platform.managementUrl }),
    PROMETHEUS_URL: urls.prometheus,
    KEELSON_CERT_DATABASE_URL: databases['cert-service'],
    KEELSON_EVENTS_DATABASE_URL: databases['event-relay'],
    KEELSON_CANARY_DATABASE_URL: databases['canary-controller'],
    KEELSON_ORDERS_DATABASE_URL: databases['order-demo'],
  };
}

/** Writes it as a file for `set -a; . FILE`; whole or not at all, readable by its owner alone. */
export function writeEnvFile(path: string, platform: Platform): void {
  const lines = Object.entries(environmentOf(platform)).map(
    ([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`,
  );
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, `${lines.join('\n')}\n`, { mode: 0o600 });
  renameSync(draft, path);
}
