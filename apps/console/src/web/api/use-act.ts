import { useState } from 'react';

/** A write: whether it is under way, and why it failed. */
export interface Act<Input extends unknown[]> {
  readonly pending: boolean;
  readonly error: unknown;
  readonly run: (...input: Input) => Promise<boolean>;
  readonly reset: () => void;
}

/** Carries a write out; `run` resolves with whether it succeeded. While one is under way another is not begun. */
export function useAct<Input extends unknown[]>(write: (...input: Input) => Promise<void>): Act<Input> {
  const [state, setState] = useState<{ pending: boolean; error: unknown }>({ pending: false, error: undefined });
  return {
    ...state,
    run: async (...input) => {
      if (state.pending) return false;
      setState({ pending: true, error: undefined });
      try {
        await write(...input);
        setState({ pending: false, error: undefined });
        return true;
      } catch (error) {
        setState({ pending: false, error });
        return false;
      }
    },
    reset: () => setState({ pending: false, error: undefined }),
  };
}
