import { PAGES, type PageName } from '../../pages.ts';

/** The parameters of a page's path: `namespace` and `name` of `/canaries/:namespace/:name`. */
type ParameterOf<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParameterOf<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

export type PageParams<Page extends PageName> = { readonly [Name in ParameterOf<(typeof PAGES)[Page]>]: string };

/** Query of an address; undefined and empty values are left out. */
export type Query = Readonly<Record<string, string | undefined>>;

export type PageMatch = { [Page in PageName]: { readonly page: Page; readonly params: PageParams<Page> } }[PageName];

/** The page that an address's path belongs to; undefined where there is none. */
export function matchPage(path: string): PageMatch | undefined {
  const given = segments(path);
  for (const [page, pattern] of Object.entries(PAGES) as [PageName, string][]) {
    const wanted = segments(pattern);
    if (wanted.length !== given.length) continue;
    const params: Record<string, string> = {};
    const fits = wanted.every((segment, at) => {
      if (!segment.startsWith(':')) return segment === given[at];
      const value = decoded(given[at]!);
      if (value === undefined) return false;
      params[segment.slice(1)] = value;
      return true;
    });
    if (fits) return { page, params } as PageMatch;
  }
  return undefined;
}

/** The address of a page. */
export function addressOf<Page extends PageName>(
  page: Page,
  ...[params, query]: keyof PageParams<Page> extends never
    ? [params?: undefined, query?: Query]
    : [params: PageParams<Page>, query?: Query]
): string {
  const values = (params ?? {}) as Readonly<Record<string, string>>;
  const path = PAGES[page].replaceAll(/:([^/]+)/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  return withQuery(path, query ?? {});
}

/** A path with a query. */
export function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, value);
  // The same filters make the same address, whichever was set first.
  search.sort();
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}

const segments = (path: string): string[] => path.split('/').filter((segment) => segment !== '');

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // a stray percent sign names nothing
  }
}
