import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';

/** A list of values of a term, each of this form. */
const values = (form: RegExp, message: string) => z.array(z.string().max(253).regex(form, message)).min(1).max(200);

// What no event can have would never match, and say nothing: better to hear of it at start.
const namespaces = values(
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  'is no name of a namespace (lower-case letters, digits and dashes, at most 63); patterns are not understood',
);
const kinds = values(/^[A-Z][A-Za-z0-9]*$/, 'is no kind: kinds are written as in manifests, such as Pod');
const words = values(/^[^*?\s]+$/, 'has a space, * or ?: patterns are not understood');

/** Which events a sink gets. Every term that is there must hold; a term holds if one of its values does. */
export const matchSchema = z
  .strictObject({
    types: z
      .array(z.enum(['Normal', 'Warning']))
      .min(1)
      .optional(),
    sources: z
      .array(z.enum(['kubernetes', 'platform', 'alertmanager']))
      .min(1)
      .optional(),
    namespaces: namespaces.optional(),
    kinds: kinds.optional(),
    reasons: words.optional(),
    excludeReasons: words.optional(),
    clusters: words.optional(),
  })
  .refine((match) => !match.reasons?.every((reason) => match.excludeReasons?.includes(reason)), {
    path: ['excludeReasons'],
    message: 'leaves out every reason that `reasons` allows: nothing can match',
  })
  .default({});

const secretText = z.union(
  [z.string().min(1), z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })],
  { error: 'must be a text, {env: NAME} or {file: PATH}' },
);
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be a URL that begins with http:// or https://' }).refine(
  (url) => {
    const { username, password } = new URL(url);
    return username === '' && password === '';
  },
  // Node refuses such a request, and names the URL in its error.
  { error: 'must not have a user or password in it: use a header', abort: true },
);
const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits and dashes, at most 63');
/** RFC 9110, 5.1 */
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is no name of a header');

const CHAT = 'must be a number such as -1001234567890, or @channel';

/** The kinds of sinks, with the options of each. */
export const sinkKinds = {
  telegram: z.strictObject({
    apiUrl: httpUrl.default('https://api.telegram.org'),
    token: secretText,
    chatId: z
      .union([z.int(), z.string()], { error: CHAT })
      .transform(String)
      .refine((chat) => /^(-?\d+|@\w+)$/.test(chat), CHAT),
    threadId: z.int().optional(),
    /** Telegram takes 20 messages a minute in a group. */
    paceMs: z.int().min(0).max(60_000).default(3_000),
  }),
  webhook: z.strictObject({
    url: httpUrl,
    headers: z.record(headerName, secretText).default({}),
    timeoutMs: z.int().min(100).max(120_000).default(10_000),
  }),
  stdout: z.strictObject({}),
  kafka: z.strictObject({
    brokers: z.array(z.string().regex(/^[^:\s]+:\d+$/, 'must be host:port')).min(1),
    topic: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be letters, digits, dots, dashes and underscores, at most 249')
      .default('heapster-events'),
  }),
};
const kindNames = Object.keys(sinkKinds) as (keyof typeof sinkKinds)[];

const sinkSchema = z
  .strictObject({ name, match: matchSchema, ...z.strictObject(sinkKinds).partial().shape })
  .refine((sink) => kindNames.filter((kind) => sink[kind] !== undefined).length === 1, {
    message: `needs exactly one of ${kindNames.join(', ')}`,
  });

const rulesSchema = z.strictObject({
  sinks: z
    .array(sinkSchema)
    .max(100)
    .superRefine((sinks, context) => {
      for (const [index, sink] of sinks.entries()) {
        if (sinks.findIndex(({ name: other }) => other === sink.name) < index)
          context.addIssue({ code: 'custom', path: [index, 'name'], message: 'two sinks have the same name' });
      }
    }),
});

export type Rules = z.infer<typeof rulesSchema>;
export type SinkRule = Rules['sinks'][number];
export type Match = z.infer<typeof matchSchema>;
export type SecretText = z.infer<typeof secretText>;

/** The rules document has faults; the message names each with its line. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
}

/** Reads and checks the rules; throws {@link RulesError} that lists every fault with line and column. */
export function loadRules(path: string): Rules {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new RulesError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  return parseRules(source, path);
}

/** See {@link loadRules}; `file` is only for the messages. */
export function parseRules(source: string, file: string): Rules {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  if (document.errors.length > 0)
    throw new RulesError(document.errors.map((error) => `${file}: ${error.message}`).join('\n'));
  const parsed = rulesSchema.safeParse(contentOf(document, file));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap(placed).map(({ path, message }) => {
    const { line, col } = lines.linePos(offsetOf(document, path) ?? 0);
    return `${file}:${line}:${col}: ${path.join('.') || 'document'}: ${message}`;
  });
  throw new RulesError(faults.join('\n'));
}

function contentOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new RulesError(`${file}: ${(error as Error).message}`); // aliases that grow without bound
  }
}

/** The issues of zod, an option that is unknown at its own place rather than at that of what holds it. */
function placed(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code === 'invalid_key') return [{ path: issue.path, message: issue.issues[0]?.message ?? issue.message }];
  if (issue.code !== 'unrecognized_keys') return [issue];
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is an unknown option' }));
}

/** Where in the text the key or value at a path begins; that of the nearest enclosing value where it is missing. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  const holder: unknown = document.getIn(path.slice(0, -1), true);
  if (isMap(holder)) {
    const pair = holder.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
    if (pair !== undefined && isScalar(pair.key) && pair.key.range) return pair.key.range[0];
  }
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.range) return node.range[0];
  }
  return undefined;
}
