import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeFileSync } from 'node:fs';
import type { Credentials } from '../credentials.ts';
import { NAMESPACE } from '../cluster/order-demo.manifests.ts';
import { SERVICE_NAMESPACE } from '../cluster/service-accounts.ts';
import { Supervised } from './supervised.ts';

/**
 * As the images run it: the young generation's default of three times 16 MiB is what an idle service pays most for. No
 * `--enable-source-maps`: it reads the maps of all libraries at the start, 10 MiB, and the JavaScript is readable as it is.
 */
export const NODE_FLAGS = ['--max-semi-space-size=4'] as const;

export const SERVICE_NAMES = ['cert-service', 'event-relay', 'canary-controller'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** All that the three services beside the cluster must be told. */
export interface ServicesInput {
  readonly root: string;
  readonly runFolder: string;
  readonly ports: Readonly<Record<ServiceName, number>>;
  readonly databases: Readonly<Record<ServiceName, string>>;
  readonly amqpUrl: string;
  readonly managementUrl: string | undefined;
  /** For each the account that deploy/kubernetes gives it. */
  readonly kubeconfigs: Readonly<Record<ServiceName, string>>;
  readonly prometheusUrl: string;
  readonly credentials: Credentials;
  readonly telegram: { readonly url: string; readonly token: string; readonly chatId: number };
  readonly report: (line: string) => void;
}

export const serviceUrl = (input: Pick<ServicesInput, 'ports'>, name: ServiceName): string =>
  `http://127.0.0.1:${input.ports[name]}`;

/** Starts one of them as a process of its own that is started again when it ends; resolves when it is ready. */
export function startService(input: ServicesInput, name: ServiceName): Promise<Supervised> {
  const url = serviceUrl(input, name);
  return Supervised.start(
    {
      name,
      command: [
        join(input.root, 'node_modules/.bin/node'),
        ...NODE_FLAGS,
        join(input.root, `apps/${name}/dist/main.js`),
      ],
      env: {
        // Nothing of ours may leak into a service from the environment of whoever starts the stack.
        ...Object.fromEntries(
          ['READY_FILE', 'CONFIG_FILE', 'KUBECONFIG', 'NODE_OPTIONS'].map((key) => [key, undefined]),
        ),
        HOST: '127.0.0.1',
        PORT: String(input.ports[name]),
        DATABASE_URL: input.databases[name],
        AMQP_URL: input.amqpUrl,
        AMQP_MANAGEMENT_URL: input.managementUrl,
        TOKENS_FILE: input.credentials.tokensFile,
        KUBECONFIG: input.kubeconfigs[name],
        LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'info',
        ...own(input, name),
      },
      ready: { url: `${url}/readyz` },
      timeoutMs: 60_000,
    },
    input.report,
  );
}

function own(input: ServicesInput, name: ServiceName): Record<string, string> {
  switch (name) {
    case 'cert-service':
      return {
        KEY_ENCRYPTION_KEY_FILE: input.credentials.keyEncryptionKeyFile,
        DELIVERY_NAMESPACES: NAMESPACE,
        PUBLIC_URL: serviceUrl(input, name),
      };
    case 'event-relay':
      return { CLUSTER: 'sandbox', RULES_FILE: writeRules(input) };
    case 'canary-controller':
      return {
        PROMETHEUS_URL: input.prometheusUrl,
        EVENTS_URL: serviceUrl(input, 'event-relay'),
        SERVICE_TOKEN: input.credentials.tokens['canary-controller'],
        LEASE_NAMESPACE: SERVICE_NAMESPACE,
        LEASE_DURATION_SECONDS: '3',
      };
    default:
      return name satisfies never;
  }
}

/** What goes to the Telegram group: the cluster's Warnings, and what the platform itself has to tell. */
function writeRules(input: ServicesInput): string {
  const telegram = {
    apiUrl: input.telegram.url,
    token: { file: join(input.runFolder, 'telegram-token') },
    chatId: input.telegram.chatId,
    paceMs: 100,
  };
  writeFileSync(telegram.token.file, input.telegram.token, { mode: 0o600 });
  const file = join(input.runFolder, 'rules.yaml');
  writeFileSync(
    file,
    stringify({
      sinks: [
        {
          name: 'telegram-cluster',
          // A probe that fails while a pod starts is no news; the canary's analysis looks at those, too.
          match: { sources: ['kubernetes', 'alertmanager'], types: ['Warning'], excludeReasons: ['Unhealthy'] },
          telegram,
        },
        { name: 'telegram-platform', match: { sources: ['platform'] }, telegram },
      ],
    }),
  );
  return file;
}
