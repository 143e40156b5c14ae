import { badRequest } from '../http/status.ts';

export type Labels = Record<string, string>;
export type Matcher<T> = (subject: T) => boolean;

const requirement =
  /^\s*(?:(!)\s*([^\s=!,()]+)|([^\s=!,()]+)\s+(in|notin)\s*\(([^)]*)\)|([^\s=!,()]+)\s*(==|=|!=)\s*([^\s,=!()]*)|([^\s=!,()]+))\s*$/;

/** Splits at commas outside of parentheses. */
const parts = (text: string): string[] => text.split(/,(?![^(]*\))/);

/** Parses a label selector (`a=b,c!=d,e in (f,g),h,!i`); throws 400 on anything else. */
export function labelSelector(text: string | undefined): Matcher<Labels> | undefined {
  if (!text?.trim()) return undefined;
  const tests = parts(text).map((part): Matcher<Labels> => {
    const m = requirement.exec(part);
    if (!m)
      throw badRequest(
        `unable to parse requirement: found '${part.trim()}' in the label selector ${JSON.stringify(text)}`,
      );
    const [, not, absent, setKey = '', operator, values = '', key = '', sign, value = '', present = ''] = m;
    if (not) return (labels) => labels[absent as string] === undefined;
    if (operator) {
      const set = new Set(values.split(',').map((v) => v.trim()));
      return operator === 'in'
        ? (labels) => labels[setKey] !== undefined && set.has(labels[setKey])
        : (labels) => labels[setKey] === undefined || !set.has(labels[setKey]);
    }
    if (sign) return sign === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
    return (labels) => labels[present] !== undefined;
  });
  return (labels) => tests.every((test) => test(labels));
}

/** Parses a field selector (`a=b,c!=d`); a field that is not in `supported` is a 400, as on a real API server. */
export function fieldSelector(text: string | undefined, supported: ReadonlySet<string>): Matcher<Labels> | undefined {
  if (!text?.trim()) return undefined;
  const tests = text.split(/(?<!\\),/).map((part): Matcher<Labels> => {
    const m = /^\s*([^=!]+?)\s*(==|=|!=)(.*)$/.exec(part);
    if (!m) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    const [, name = '', sign, raw = ''] = m;
    if (!supported.has(name)) throw badRequest(`field label not supported: ${name}`);
    const value = raw.trim().replace(/\\([,=\\])/g, '$1');
    return sign === '!=' ? (fields) => fields[name] !== value : (fields) => (fields[name] ?? '') === value;
  });
  return (fields) => tests.every((test) => test(fields));
}

/** Whether a metav1.LabelSelector matches; an empty one matches everything. */
export function matchesLabelSelector(
  selector:
    | {
        matchLabels?: Labels;
        matchExpressions?: { key: string; operator: string; values?: string[] }[];
      }
    | undefined,
  labels: Labels,
): boolean {
  if (!selector) return false;
  if (!Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === 'In') return value !== undefined && values.includes(value);
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    return operator === 'Exists' ? value !== undefined : value === undefined;
  });
}
