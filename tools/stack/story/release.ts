import { canariesApi, createClient, ordersApi, type Canary, type CanarySpec, type Verdict } from '@keelson/contracts';
import { eventually } from '@keelson/testing';
import { setTimeout as pause } from 'node:timers/promises';
import { apply, deploymentReady } from '../cluster/apply.ts';
import {
  HOST,
  INGRESS,
  NAMESPACE,
  versionManifests,
  versionName,
  type Version,
} from '../cluster/order-demo.manifests.ts';
import type { Platform } from '../platform.ts';
import { showCertificate } from './certificate.ts';
import { Customers, type Tally } from './customers.ts';

const CANARY = 'order-demo';
/** Orders a second: enough for an error rate within seconds, and a quarter of what two busy cores manage. */
const RATE = 30;

/** What must be true at the end for the story to have gone well. */
export interface StoryResult {
  readonly verdicts: readonly { readonly what: string; readonly right: boolean }[];
  readonly verification: Verdict;
  readonly tally: Tally;
  readonly good: boolean;
}

/** The main story: a good release is promoted, a bad one is taken back, and not one order is lost or doubled. */
export async function playRelease(platform: Platform, signal: AbortSignal): Promise<StoryResult> {
  const { progress } = platform;
  const story = new Release(platform, signal);
  const customers = platform.customers(RATE);
  try {
    progress.heading('1  Customers order, through the gateway, over TLS');
    await showCertificate(platform);
    customers.start();
    await story.watch(6_000, () => line(customers.tally));
    progress.good(`${customers.tally.accepted} orders accepted by v1, ${RATE} a second from here on`);

    progress.heading('2  A good version: v2');
    const promoted = await story.release({ version: 'v2' }, 'v1', customers);

    progress.heading('3  A bad version: v3 (12 % of its orders fail, and it crashes now and then)');
    const rolledBack = await story.release({ version: 'v3', errorRate: 0.12, crashAfterSeconds: 6 }, 'v2', customers);

    progress.heading('4  The account');
    await customers.stop();
    const verification = await story.verify();
    const { tally } = customers;
    story.tell(tally, verification);
    await story.showTelegram();
    const verdicts = [
      { what: 'v2 was promoted', right: promoted.phase === 'Promoted' },
      { what: 'v3 was rolled back', right: rolledBack.phase === 'RolledBack' },
      {
        what: 'Telegram heard of the rollback',
        right: platform.telegram.messages.some((one) => /CanaryRolledBack/.test(one.text)),
      },
      { what: 'every order was accepted', right: tally.abandoned === 0 && tally.accepted === tally.placed },
      { what: 'the books show as many orders as were accepted', right: verification.accepted === tally.accepted },
      { what: 'no order lost, doubled or stuck', right: verification.ok },
    ];
    progress.line();
    for (const { what, right } of verdicts) {
      if (right) progress.good(what);
      else progress.bad(what);
    }
    return { verdicts, verification, tally, good: verdicts.every(({ right }) => right) };
  } finally {
    await customers.stop();
    await customers.close();
  }
}

const line = (tally: Tally): string =>
  `${tally.accepted} accepted (${Object.entries(tally.byVersion)
    .map(([version, count]) => `${version} ${count}`)
    .join(', ')}), ${tally.retries} tries repeated`;

class Release {
  readonly #platform: Platform;
  readonly #signal: AbortSignal;
  readonly #canaries;
  readonly #orders;

  constructor(platform: Platform, signal: AbortSignal) {
    this.#platform = platform;
    this.#signal = signal;
    const token = platform.credentials.tokens.operator;
    this.#canaries = createClient(canariesApi, { baseUrl: platform.urls.canary, token });
    this.#orders = createClient(ordersApi, { baseUrl: platform.urls.orders, token, fetch: platform.fetch });
  }

  /** Keeps a note on the live line for so long. */
  async watch(ms: number, note: () => string): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      this.#signal.throwIfAborted();
      this.#platform.progress.note(note());
      await pause(500);
    }
  }

  /** Deploys a version, starts its canary and follows it to its end. */
  async release(version: Version, from: string, customers: Customers): Promise<Canary> {
    const { progress, client } = this.#platform;
    const name = versionName(version.version);
    await apply(client, versionManifests(this.#platform.orderDemo, version));
    await deploymentReady(client, name);
    progress.say(`Deployment ${name} is ready; Canary ${CANARY} moves traffic to it in steps of 20, 50, 80 and 100 %`);
    const body = { namespace: NAMESPACE, name: CANARY, spec: canarySpec(versionName(from), name) };
    const started = await this.#retried(() => this.#canaries.applyCanary({ body }));
    return this.#follow(started.release, customers);
  }

  /** Tells each decision as it is made, until the release is over. */
  async #follow(release: number, customers: Customers): Promise<Canary> {
    const { progress } = this.#platform;
    const told = new Set<string>();
    const params = { namespace: NAMESPACE, name: CANARY };
    const deadline = performance.now() + 120_000;
    for (;;) {
      this.#signal.throwIfAborted();
      const [canary, decisions] = await this.#retried(() =>
        Promise.all([
          this.#canaries.getCanary({ params }),
          this.#canaries.listDecisions({ params, query: { limit: 100 } }),
        ]),
      );
      for (const decision of decisions.items.toReversed()) {
        if (decision.release < release || told.has(decision.id)) continue;
        told.add(decision.id);
        const tell = `${decision.at.slice(11, 19)}  ${decision.act.padEnd(11)} ${decision.reason}`;
        if (decision.act === 'promoted') progress.good(tell);
        else if (decision.act === 'roll-back') {
          progress.bad(tell);
          for (const evidence of decision.evidence)
            progress.say(`    ${evidence.outcome.padEnd(12)} ${evidence.summary}`);
          for (const event of decision.evidence.flatMap((one) => one.events ?? []).slice(0, 3)) {
            progress.say(
              `                 ${event.object}: ${event.reason} x${event.count}: ${event.message.slice(0, 90)}`,
            );
          }
        } else progress.say(`  ${tell}`);
      }
      const over = canary.release >= release && ['Promoted', 'RolledBack', 'Refused', 'Paused'].includes(canary.phase);
      if (over) return canary;
      if (performance.now() > deadline)
        throw new Error(`the release is still ${canary.phase} after two minutes: ${canary.reason}`);
      progress.note(`${canary.weight} % to the new version; ${line(customers.tally)}`);
      await pause(500);
    }
  }

  /** Waits until every order has ended, or none has for half a minute; then asks the verifier, who names what is stuck. */
  async verify(): Promise<Verdict> {
    const ask = (graceSeconds: number) => this.#retried(() => this.#orders.verifyOrders({ query: { graceSeconds } }));
    let ended = -1;
    for (let since = performance.now(); performance.now() - since < 30_000; await pause(500)) {
      this.#signal.throwIfAborted();
      const now = await ask(86_400);
      const { accepted } = now;
      if (now.confirmed + now.compensated === accepted) break;
      if (now.confirmed + now.compensated > ended) since = performance.now();
      ended = now.confirmed + now.compensated;
      this.#platform.progress.note(`${accepted - ended} orders are still on their way`);
    }
    return ask(0);
  }

  tell(tally: Tally, verdict: Verdict): void {
    const { progress } = this.#platform;
    const versions = Object.entries(tally.byVersion).map(([version, count]) => `${version} ${count}`);
    progress.say(
      `${tally.placed} orders placed, ${tally.retries} tries repeated with the same key; accepted by ${versions.join(', ')}`,
    );
    progress.say(
      `verifier: ${verdict.accepted} accepted, ${verdict.confirmed} confirmed, ${verdict.compensated} compensated, ` +
        `${verdict.lost.length} lost, ${verdict.doubled.length} doubled, ${verdict.stuck.length} stuck, ${verdict.negative.length} negative`,
    );
    for (const [what, ids] of [
      ['lost', verdict.lost],
      ['doubled', verdict.doubled],
      ['stuck', verdict.stuck],
      ['negative', verdict.negative],
    ] as const) {
      for (const id of ids.slice(0, 10)) progress.bad(`${what}: ${id}`);
    }
  }

  /** The messages that the group received, first line each. */
  async showTelegram(): Promise<void> {
    const { progress, telegram } = this.#platform;
    await eventually(() => telegram.messages.some((one) => /CanaryRolledBack/.test(one.text)), {
      withinMs: 15_000,
      describe: 'the message of the rollback in the group',
    }).catch(() => undefined); // its absence is one of the verdicts
    progress.say(`Telegram group: ${telegram.messages.length} messages, among them`);
    const notable = telegram.messages.filter((one) => /Canary|Certificate|BackOff/.test(one.text));
    for (const message of notable.slice(-8)) {
      const [head = '', text = ''] = message.text.split('\n');
      progress.say(`    ${head}  ${text.slice(0, 80)}`);
    }
  }

  /** A service may be down for a moment (a test kills each in turn): what is asked is asked again, for half a minute. */
  async #retried<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        const status = (error as { status?: number }).status;
        const passing = status === undefined || status >= 500 || status === 429;
        if (!passing || performance.now() > deadline || this.#signal.aborted) throw error;
        await pause(500);
      }
    }
  }
}

function canarySpec(stable: string, canary: string): CanarySpec {
  const hold = { holdSeconds: 6, pause: false };
  return {
    stable: { deployment: stable, service: stable },
    canary: { deployment: canary, service: canary },
    route: { ingress: INGRESS, host: HOST, path: '/' },
    steps: [
      { weight: 20, ...hold },
      { weight: 50, ...hold },
      { weight: 80, ...hold },
      { weight: 100, ...hold },
    ],
    analysis: {
      intervalSeconds: 3,
      successRate: { min: 0.97, minSample: 30 },
      // A probe that once took too long on a busy machine is no fault of the version; one that fails on is seen by the
      // readiness of the pods, which is looked at too.
      warningEvents: { max: 0, ignoreReasons: ['Unhealthy'] },
      failureLimit: 3,
      inconclusiveLimitSeconds: 90,
    },
  };
}
