/** Where a text goes: right before or right after another one, which must be there exactly once. */
export type Insertion = { readonly text: string } & ({ readonly before: string } | { readonly after: string });

/** Throws an Error that names what was looked for, where it is not there exactly once. */
export function insert(source: string, insertion: Insertion): string {
  const mark = 'before' in insertion ? insertion.before : insertion.after;
  const parts = source.split(mark);
  if (parts.length !== 2)
    throw new Error(
      `expected ${JSON.stringify(mark)} once, found it ${parts.length - 1} times: the file has changed its form`,
    );
  const [head, tail] = parts as [string, string];
  return 'before' in insertion ? `${head}${insertion.text}${mark}${tail}` : `${head}${mark}${insertion.text}${tail}`;
}
