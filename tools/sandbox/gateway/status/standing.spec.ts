import { Standing } from './standing.ts';

describe('a fault', () => {
  test('is due once it has stood for the whole time, and stays due', () => {
    const standing = new Standing(3_000);
    expect(standing.look(['a'], 1_000)).toEqual({ due: [], nextMs: 3_000 });
    expect(standing.look(['a'], 3_999)).toEqual({ due: [], nextMs: 1 });
    expect(standing.look(['a'], 4_000)).toEqual({ due: ['a'], nextMs: undefined });
    expect(standing.look(['a'], 9_000)).toEqual({ due: ['a'], nextMs: undefined });
  });

  test('that went in between begins anew', () => {
    const standing = new Standing(3_000);
    standing.look(['a'], 0);
    expect(standing.look([], 2_000)).toEqual({ due: [], nextMs: undefined });
    expect(standing.look(['a'], 3_000)).toEqual({ due: [], nextMs: 3_000 });
  });

  test('waits for itself: the next look is when the first of several will be due', () => {
    const standing = new Standing(3_000);
    standing.look(['a'], 0);
    expect(standing.look(['b', 'a'], 1_000)).toEqual({ due: [], nextMs: 2_000 });
    expect(standing.look(['b', 'a'], 3_000)).toEqual({ due: ['a'], nextMs: 1_000 });
  });
});
