import { CallerError } from '@keelson/service-kit';

/** `app=shop,version=v2` as a map; equality terms only, as the contract says. */
export function parseLabelSelector(selector: string | undefined): Record<string, string> | undefined {
  if (selector === undefined || selector === '') return undefined;
  const labels: Record<string, string> = {};
  for (const term of selector.split(',')) {
    const match = /^\s*([A-Za-z0-9_./-]+)\s*==?\s*([A-Za-z0-9_.-]*)\s*$/.exec(term);
    if (!match) {
      throw new CallerError('invalid-request', {
        detail: `labelSelector has the term "${term}"`,
        errors: [{ pointer: 'query/labelSelector', detail: 'allowed: name=value, several joined by commas' }],
      });
    }
    labels[match[1]!] = match[2]!;
  }
  return labels;
}
