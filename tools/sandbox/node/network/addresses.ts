/**
 * The fixed mapping between the pod addresses in the API (10.R.x.y: a real API server refuses loopback addresses in an
 * EndpointSlice) and those a process on this machine can listen on (127.R.x.y).
 */

/** 10.a.b.c -> 127.a.b.c; any other address comes back unchanged. */
export const toLoopback = (address: string): string => address.replace(/^10\./, '127.');

/** 127.a.b.c -> 10.a.b.c; any other address comes back unchanged. */
export const toPodNetwork = (address: string): string => address.replace(/^127\./, '10.');

/** The node's own loopback address, 127.R.0.1: its kubelet-like port listens there and nothing else does. */
export const nodeAddress = (range: number): string => `127.${range}.0.1`;

export const podCidr = (range: number): string => `10.${range}.0.0/16`;

/** R of `10.R.0.0/16`, or undefined for anything else. */
export function rangeOfCidr(cidr: string | undefined): number | undefined {
  const match = /^10\.(\d{1,3})\.0\.0\/16$/.exec(cidr ?? '');
  return match === null ? undefined : Number(match[1]);
}

/** First and last R a node may take: above 10.96 (a usual Service range) and below the broadcast end of 127/8. */
export const FIRST_RANGE = 100;
export const LAST_RANGE = 250;

/**
 * The order in which a node called `name` tries the ranges: its former one first (pods keep their addresses over a
 * restart), then all others from a start that depends on the name, so that nodes side by side seldom collide.
 */
export function rangesToTry(name: string, former: number | undefined): number[] {
  const count = LAST_RANGE - FIRST_RANGE + 1;
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  const all = Array.from({ length: count }, (_, i) => FIRST_RANGE + ((hash + i) % count));
  return former === undefined ? all : [former, ...all.filter((range) => range !== former)];
}

/**
 * Hands out the addresses 10.R.1.1 to 10.R.254.254 to pods. The most recently freed address is reused last, so that a
 * proxy with an old list of endpoints does not reach another pod by mistake.
 */
export class AddressPool {
  readonly #range: number;
  readonly #used = new Map<string, string>();
  #next = 0;

  constructor(range: number) {
    this.#range = range;
  }

  /** The pod's address; `wanted` (what its status says) is kept if it is in this range and free. */
  take(owner: string, wanted?: string): string {
    for (const [address, by] of this.#used) if (by === owner) return address;
    if (wanted !== undefined && this.#isOurs(wanted) && !this.#used.has(wanted)) {
      this.#used.set(wanted, owner);
      return wanted;
    }
    for (let i = 0; i < 254 * 254; i++) {
      const n = this.#next;
      this.#next = (this.#next + 1) % (254 * 254);
      const address = `10.${this.#range}.${1 + Math.floor(n / 254)}.${1 + (n % 254)}`;
      if (this.#used.has(address)) continue;
      this.#used.set(address, owner);
      return address;
    }
    throw new Error(`All 64516 addresses of 10.${this.#range}.0.0/16 are taken; start a second node.`);
  }

  release(owner: string): void {
    for (const [address, by] of this.#used) if (by === owner) this.#used.delete(address);
  }

  #isOurs(address: string): boolean {
    const match = /^10\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
    return match !== null && Number(match[1]) === this.#range && Number(match[2]) >= 1 && Number(match[3]) >= 1;
  }
}
