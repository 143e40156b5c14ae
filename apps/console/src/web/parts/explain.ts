import { ContractError, NoAnswerError, ProblemError } from '@keelson/contracts';

/** A failure in words, with the ways out. */
export interface Explained {
  readonly title: string;
  readonly detail: string | undefined;
  readonly faults: readonly string[];
  /** Finds the request in the logs of the service. */
  readonly requestId: string | undefined;
  readonly signIn: boolean;
}

/** What a failed call means to whoever looks at the page. */
export function explain(error: unknown): Explained {
  const none = { faults: [], requestId: undefined, signIn: false };
  if (error instanceof ProblemError) {
    const { title, detail, errors, traceId, status } = error.problem;
    return {
      title,
      detail,
      faults: (errors ?? []).map((fault) => `${fault.pointer}: ${fault.detail}`),
      requestId: traceId,
      signIn: status === 401,
    };
  }
  if (error instanceof NoAnswerError)
    return {
      ...none,
      title: 'The console’s server does not answer',
      detail: 'Check the network; the page tries again by itself.',
    };
  if (error instanceof ContractError)
    return {
      ...none,
      title: 'The answer is not what this console understands',
      detail: `Service and console may be of different versions. ${error.message}`,
    };
  return {
    ...none,
    title: 'Something went wrong in the page',
    detail: error instanceof Error ? error.message : String(error),
  };
}
