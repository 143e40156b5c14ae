import { UNCLAIMED } from '@keelson/contracts';
import type { ChannelModel } from 'amqplib';
import { messageOf } from '../message-of.ts';
import { declaring } from '../topology/declare.ts';
import { describeDifference } from '../topology/difference.ts';
import type { FoundNode, ManagementApi } from '../topology/management.ts';
import { parkedQueue } from '../topology/names.ts';
import { readTopology } from '../topology/read.ts';
import { isOfEvents, type Needs, topologyOf } from '../topology/topology.ts';
import type { DelaySettings } from '../topology/delays.ts';

/** One thing that was looked at. */
export interface Finding {
  readonly check: string;
  /** `unknown`: it could not be seen, with the reason in `detail`. */
  readonly state: 'ok' | 'wrong' | 'warning' | 'unknown';
  readonly detail: string;
  readonly remedy?: string;
}

export interface Examined {
  readonly model: ChannelModel;
  readonly management: ManagementApi | undefined;
  readonly needs: readonly Needs[];
  readonly exchange: string;
  readonly delays: DelaySettings;
}

const MANAGEMENT_HINT = 'set AMQP_MANAGEMENT_URL (http://host:15672) to see it';

/** Looks at the broker from every side that it shows; makes and changes nothing. */
export async function examine(examined: Examined): Promise<Finding[]> {
  const { management } = examined;
  return [
    versionFinding(examined.model),
    management === undefined
      ? { check: 'source', state: 'unknown', detail: 'read by AMQP alone', remedy: MANAGEMENT_HINT }
      : { check: 'source', state: 'ok', detail: 'read by the management API and AMQP' },
    ...(await topologyFindings(examined)),
    ...(await queueFindings(examined)),
    ...(await nodeFindings(management)),
    {
      check: 'consumer timeout',
      state: 'unknown',
      detail: 'the broker tells nobody; RabbitMQ has 30 minutes by default',
      remedy:
        'where rabbitmq.conf sets consumer_timeout, give it to the services too (consumerTimeoutMs), so that handlers end before it',
    },
  ];
}

function versionFinding(model: ChannelModel): Finding {
  const properties = (model.connection as unknown as { serverProperties?: { version?: string } }).serverProperties;
  const version = properties?.version ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const check = 'version';
  if (version === '') return { check, state: 'unknown', detail: 'the broker does not tell its version' };
  if (major > 3 || (major === 3 && minor >= 10)) return { check, state: 'ok', detail: `RabbitMQ ${version}` };
  const remedy = 'upgrade to 3.10 or newer: dead-lettering at least once needs it';
  return { check, state: 'wrong', detail: `RabbitMQ ${version} is too old`, remedy };
}

async function topologyFindings({ model, management, needs, exchange, delays }: Examined): Promise<Finding[]> {
  const wanted = topologyOf(needs, { exchange, delays });
  const { differences, unknown } = await readTopology(model, wanted, management);
  const parts = wanted.exchanges.length + wanted.queues.length + wanted.bindings.length;
  return [
    ...(differences.length === 0
      ? [{ check: 'topology', state: 'ok', detail: `${parts} exchanges, queues and bindings fit` } as const]
      : differences.map((difference): Finding => {
          const [detail, ...remedy] = describeDifference(difference).split(', ');
          return { check: 'topology', state: 'wrong', detail: detail!, remedy: remedy.join(', ') };
        })),
    ...unknown.map((detail): Finding => ({ check: 'topology', state: 'unknown', detail, remedy: MANAGEMENT_HINT })),
  ];
}

async function queueFindings({ model, needs }: Examined): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const need of needs) {
    const { queue } = need;
    // Of a stream's readers the broker has no count: each is a place in a table of its own.
    if (need.kind === 'stream') continue;
    try {
      const { messageCount, consumerCount } = await declaring(model, (channel) => channel.checkQueue(queue));
      if (consumerCount === 0) {
        findings.push({
          check: 'consumers',
          state: 'wrong',
          detail: `nobody reads ${queue}; ${messageCount} messages wait`,
          remedy: `start the service that consumes it: ${queue.split('.')[0]}`,
        });
      } else findings.push({ check: 'consumers', state: 'ok', detail: `${queue}: ${consumerCount}` });
    } catch (error) {
      if (!/NOT[-_]FOUND/.test(messageOf(error)))
        findings.push({ check: 'consumers', state: 'unknown', detail: `${queue}: ${messageOf(error)}` });
    }
  }
  const lots = needs.filter(isOfEvents).map(({ queue }) => queue);
  for (const queue of lots.length === 0 ? [] : [...lots, UNCLAIMED]) {
    try {
      const { messageCount } = await declaring(model, (channel) => channel.checkQueue(parkedQueue(queue)));
      if (messageCount > 0) {
        const what = queue === UNCLAIMED ? 'delayed messages found no queue' : `messages of ${queue} were given up`;
        findings.push({
          check: 'parked',
          state: 'warning',
          detail: `${messageCount} ${what}`,
          remedy: `keelson messages parked ${queue}`,
        });
      }
    } catch (error) {
      // A missing parking lot is a finding of the topology already.
      if (!/NOT[-_]FOUND/.test(messageOf(error)))
        findings.push({ check: 'parked', state: 'unknown', detail: `${queue}: ${messageOf(error)}` });
    }
  }
  return findings;
}

async function nodeFindings(management: ManagementApi | undefined): Promise<Finding[]> {
  if (management === undefined)
    return [{ check: 'alarms', state: 'unknown', detail: 'memory, disk and feature flags', remedy: MANAGEMENT_HINT }];
  try {
    const [nodes, flags] = await Promise.all([management.nodes(), management.featureFlags()]);
    const disabled = flags.filter(({ state }) => state === 'disabled').map(({ name }) => name);
    return [
      ...nodes.flatMap(nodeFinding),
      disabled.length === 0
        ? { check: 'feature flags', state: 'ok', detail: `${flags.length} enabled` }
        : {
            check: 'feature flags',
            state: 'warning',
            detail: `not enabled: ${disabled.join(', ')}`,
            remedy: 'rabbitmqctl enable_feature_flag all (an upgrade of RabbitMQ may need them)',
          },
    ];
  } catch (error) {
    return [{ check: 'alarms', state: 'unknown', detail: messageOf(error) }];
  }
}

function nodeFinding(node: FoundNode): Finding[] {
  const wrong = (detail: string, remedy: string): Finding => ({ check: 'alarms', state: 'wrong', detail, remedy });
  if (!node.running)
    return [wrong(`node ${node.name} is down`, 'start it; quorum queues need more than half of their nodes')];
  const findings = [
    ...(node.mem_alarm === true
      ? [
          wrong(
            `node ${node.name} has a memory alarm (${bytes(node.mem_used)} of ${bytes(node.mem_limit)}): publishers are blocked`,
            'let consumers catch up, or raise vm_memory_high_watermark',
          ),
        ]
      : []),
    ...(node.disk_free_alarm === true
      ? [
          wrong(
            `node ${node.name} has a disk alarm (${bytes(node.disk_free)} free, limit ${bytes(node.disk_free_limit)}): publishers are blocked`,
            'free some disk, or lower disk_free_limit',
          ),
        ]
      : []),
  ];
  if (findings.length > 0) return findings;
  return [{ check: 'alarms', state: 'ok', detail: `${node.name}: ${bytes(node.disk_free)} disk free, no alarm` }];
}

const bytes = (count: number | undefined): string =>
  count === undefined ? 'unknown' : `${(count / 1_048_576).toFixed(0)} MiB`;
