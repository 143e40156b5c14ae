import { CallerError } from '@keelson/service-kit';

/** `app=shop,version=v2` as a map; equality terms only, as the contract says. */
export function parseLabelSelector(selector: string | undefined): Record<string, string> | undefined {
  if (selector === undefined || selector === '') return undefined;
  const labels = new Map<string, string>();
  for (const term of selector.split(',')) {
    const [, name, value] = /^\s*([A-Za-z0-9_./-]+)\s*==?\s*([A-Za-z0-9_.-]*)\s*$/.exec(term) ?? [];
    if (name === undefined || value === undefined)
      throw refused(`labelSelector has the term "${term}"`, 'allowed: name=value, several joined by commas');
    if ((labels.get(name) ?? value) !== value)
      throw refused(`labelSelector wants ${name} to have two values`, 'a label has one value; nothing can match');
    labels.set(name, value);
  }
  return Object.fromEntries(labels);
}

const refused = (detail: string, allowed: string): CallerError =>
  new CallerError('invalid-request', { detail, errors: [{ pointer: 'query/labelSelector', detail: allowed }] });
