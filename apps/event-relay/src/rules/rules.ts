import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';

const text = z.string().min(1).max(253);
const texts = z.array(text).min(1).max(200);

/** Which events a sink gets. Every term that is there must hold; a term holds if one of its values does. */
export const matchSchema = z
  .strictObject({
    types: z
      .array(z.enum(['Normal', 'Warning']))
      .min(1)
      .optional(),
    sources: z
      .array(z.enum(['kubernetes', 'platform', 'alertmanager', 'http']))
      .min(1)
      .optional(),
    namespaces: texts.optional(),
    kinds: texts.optional(),
    reasons: texts.optional(),
    excludeReasons: texts.optional(),
    clusters: texts.optional(),
  })
  .default({});

const secretText = z.union([
  z.string().min(1),
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);
const httpUrl = z.url({ protocol: /^https?$/ });
const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits and dashes, at most 63');

const sinkSchema = z
  .strictObject({
    name,
    match: matchSchema,
    telegram: z
      .strictObject({
        apiUrl: httpUrl.default('https://api.telegram.org'),
        token: secretText,
        chatId: z.coerce.string().min(1),
        threadId: z.number().int().optional(),
        /** Telegram takes 20 messages a minute in a group. */
        paceMs: z.number().int().min(0).max(60_000).default(3_000),
      })
      .optional(),
    webhook: z
      .strictObject({
        url: httpUrl,
        headers: z.record(z.string(), secretText).default({}),
        timeoutMs: z.number().int().min(100).max(120_000).default(10_000),
      })
      .optional(),
    stdout: z.strictObject({}).optional(),
    kafka: z
      .strictObject({
        brokers: z.array(z.string().regex(/^[^:]+:\d+$/, 'must be host:port')).min(1),
        topic: z.string().min(1).max(249).default('heapster-events'),
      })
      .optional(),
  })
  .refine(
    (sink) => [sink.telegram, sink.webhook, sink.stdout, sink.kafka].filter((kind) => kind !== undefined).length === 1,
    {
      message: 'needs exactly one of telegram, webhook, stdout, kafka',
    },
  );

const rulesSchema = z.strictObject({
  sinks: z
    .array(sinkSchema)
    .max(100)
    .refine((sinks) => new Set(sinks.map((sink) => sink.name)).size === sinks.length, {
      message: 'two sinks have the same name',
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
  return parseRules(readFileSync(path, 'utf8'), path);
}

/** See {@link loadRules}; `file` is only for the messages. */
export function parseRules(source: string, file: string): Rules {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  if (document.errors.length > 0)
    throw new RulesError(document.errors.map((error) => `${file}: ${error.message}`).join('\n'));
  const parsed = rulesSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const { line, col } = lines.linePos(offsetOf(document, issue.path) ?? 0);
    return `${file}:${line}:${col}: ${issue.path.join('.') || 'document'}: ${issue.message}`;
  });
  throw new RulesError(faults.join('\n'));
}

/** Where in the text the value at a path begins; that of the nearest enclosing value where it is missing. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.range) return node.range[0];
  }
  return undefined;
}
