import { createDatabaseAs } from '@keelson/testing';

/** A database and a role of its own for each name; the URLs by name. What is there from an earlier run is used again. */
export async function createDatabase<Name extends string>(
  adminUrl: string,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  const urls = {} as Record<Name, string>;
  for (const name of names)
    urls[name] = await createDatabaseAs(adminUrl, { name: `keelson_${name.replaceAll('-', '_')}` });
  return urls;
}
