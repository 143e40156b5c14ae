interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string | undefined;
}

type List<Input, Item> = (input: Input) => Promise<Page<Item>>;

/**
 * Every row of a list, page after page, fetched as they are consumed.
 *
 * @example
 * ```ts
 * for await (const order of paginate(orders.listOrders, { query: { status: 'accepted' } })) { ... }
 * ```
 */
export async function* paginate<Input extends object, Item>(
  list: List<Input, Item>,
  input?: NoInfer<Input>,
): AsyncGenerator<Item, void, void> {
  const query = (input as { query?: { cursor?: string } } | undefined)?.query;
  let cursor = query?.cursor;
  for (;;) {
    const page = await list({ ...input, query: { ...query, ...(cursor === undefined ? {} : { cursor }) } } as Input);
    yield* page.items;
    if (page.next === undefined) return;
    // A service that gives the same cursor back would keep a program busy for ever.
    if (page.next === cursor) throw new Error(`the list does not go on: cursor ${cursor} came back`);
    cursor = page.next;
  }
}
