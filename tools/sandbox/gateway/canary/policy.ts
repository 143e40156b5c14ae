/**
 * ingress-nginx's traffic shaping policy of a canary Ingress, from its annotations. Source: the annotations page of
 * ingress-nginx and `route_to_alternative_balancer` of its balancer.
 */
export type CanaryPolicy = {
  header: string;
  headerValue: string;
  headerPattern: RegExp | undefined;
  cookie: string;
  weight: number;
  weightTotal: number;
};

export const noCanary: CanaryPolicy = {
  header: '',
  headerValue: '',
  headerPattern: undefined,
  cookie: '',
  weight: 0,
  weightTotal: 100,
};

/** What the choice needs of a request. */
export type CanaryRequest = {
  /** A header's value by its lower-case name; several of one name joined with ", ". */
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
};

/**
 * Whether a request goes to the canary. Header before cookie before weight, and each only decides if it says something:
 * - header with a value: that exact value sends to the canary, any other falls through;
 * - header with a pattern (only without a value): a match sends to the canary, anything else falls through;
 * - header alone: `always` and `never` decide;
 * - cookie: `always` and `never` decide;
 * - weight out of weightTotal, which counts only above 100.
 * `random` is from [0, 1).
 */
export function choosesCanary(policy: CanaryPolicy, request: CanaryRequest, random: () => number): boolean {
  const header = policy.header === '' ? undefined : request.header(policy.header.toLowerCase());
  if (header !== undefined) {
    if (policy.headerValue !== '') {
      if (header === policy.headerValue) return true;
    } else if (policy.headerPattern !== undefined) {
      if (policy.headerPattern.test(header)) return true;
    } else if (header === 'always') {
      return true;
    } else if (header === 'never') {
      return false;
    }
  }
  const cookie = policy.cookie === '' ? undefined : request.cookie(policy.cookie);
  if (cookie === 'always') return true;
  if (cookie === 'never') return false;
  const total = policy.weightTotal > 100 ? policy.weightTotal : 100;
  return Math.floor(random() * total) + 1 <= policy.weight;
}

/** A cookie's value; names are compared without regard to case, as nginx's `$cookie_NAME` does. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const wanted = name.toLowerCase();
  for (const part of header.split(';')) {
    const at = part.indexOf('=');
    if (at !== -1 && part.slice(0, at).trim().toLowerCase() === wanted) return part.slice(at + 1).trim();
  }
  return undefined;
}
