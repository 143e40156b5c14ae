import { hostname } from 'node:os';
import { parseArgs } from 'node:util';

export type NodeOptions = {
  kubeconfig: string;
  name: string;
  /** Logs, volumes and the list of processes; undefined: a temporary folder of this run. */
  stateDir: string | undefined;
  crashLoopBaseMs: number;
  crashLoopMaxMs: number;
  /** How soon a container that could not be created is tried again. */
  retryMs: number;
  heartbeatMs: number;
  maxPods: number;
  schedules: boolean;
  /** Pods of these namespaces only; empty: of all. */
  namespaces: string[];
  deletesNode: boolean;
};

export const usage = `usage: node --conditions=keelson-source tools/sandbox/node/main.ts --kubeconfig FILE [OPTIONS]

Runs the pods of a Kubernetes API as processes of this machine. See tools/sandbox/README.md.

  --kubeconfig FILE        the cluster (required)
  --name NAME              the Node object's name (sandbox-node-1); several nodes need several names
  --state-dir DIR          logs, volumes and the list of processes; needed for pods to keep them over a restart
                           of the node (default: a temporary folder, removed at the end)
  --crash-loop-base DUR    first delay of a crash loop (10s), doubled each time
  --crash-loop-max DUR     longest delay of a crash loop (300s)
  --retry DUR              how soon a container that could not be created (no ConfigMap, no command) is tried again (10s)
  --heartbeat DUR          how often the Lease is renewed (10s)
  --max-pods N             capacity that the Node object states (500)
  --namespace NS           take pods of this namespace only; may be given several times (all)
  --delete-node            delete the Node object at the end instead of marking it not ready
  --no-scheduler           leave pods without a node to someone else
  --help                   this text
`;

/** Reads the command line. Throws an Error that names the option, its value and what is allowed. */
export function parseOptions(argv: string[]): NodeOptions | 'help' {
  const { values } = parseArgs({
    args: argv,
    strict: true,
    options: {
      kubeconfig: { type: 'string' },
      name: { type: 'string', default: 'sandbox-node-1' },
      'state-dir': { type: 'string' },
      'crash-loop-base': { type: 'string', default: '10s' },
      'crash-loop-max': { type: 'string', default: '300s' },
      retry: { type: 'string', default: '10s' },
      heartbeat: { type: 'string', default: '10s' },
      'max-pods': { type: 'string', default: '500' },
      namespace: { type: 'string', multiple: true, default: [] },
      'delete-node': { type: 'boolean', default: false },
      'no-scheduler': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.kubeconfig === undefined)
    throw new Error('--kubeconfig is missing; it names the file of the cluster to join');
  if (!/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/.test(values.name)) {
    throw new Error(
      `--name is "${values.name}"; allowed are lower-case letters, digits, "-" and "." (for example ${hostname().toLowerCase()})`,
    );
  }
  const maxPods = Number(values['max-pods']);
  if (!Number.isInteger(maxPods) || maxPods < 1)
    throw new Error(`--max-pods is "${values['max-pods']}"; allowed is a whole number from 1`);
  return {
    kubeconfig: values.kubeconfig,
    name: values.name,
    stateDir: values['state-dir'],
    crashLoopBaseMs: duration('--crash-loop-base', values['crash-loop-base']),
    crashLoopMaxMs: duration('--crash-loop-max', values['crash-loop-max']),
    retryMs: duration('--retry', values.retry),
    heartbeatMs: duration('--heartbeat', values.heartbeat),
    maxPods,
    schedules: !values['no-scheduler'],
    namespaces: values.namespace,
    deletesNode: values['delete-node'],
  };
}

function duration(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const unit = match?.[2];
  const ms = Number(match?.[1]) * (unit === 'm' ? 60_000 : unit === 's' ? 1000 : 1);
  if (!(ms > 0)) throw new Error(`${option} is "${text}"; allowed is a duration above zero such as 500ms, 10s or 5m`);
  return ms;
}
