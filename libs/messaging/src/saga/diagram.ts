import { type SagaDefinition, type Send, type StageDefinition, stepsOf } from './definition.ts';
import type { SagaSnapshot } from './snapshot.ts';

/** The definition as a Mermaid flowchart; with a saga, each step has the class of its state. */
export function diagramOf<Data>(definition: SagaDefinition<Data>, saga?: SagaSnapshot<Data>): string {
  const undone = stepsOf(definition)
    .filter(({ undo }) => undo !== undefined)
    .toReversed();
  const lines = [
    'flowchart LR',
    `  started(["${definition.start.message.routingKey}"]) --> ${namesOf(definition.stages[0])}`,
    ...definition.stages.flatMap(({ steps }) =>
      steps.map(
        (step) =>
          `  ${step.name}["${step.name}<br/>${step.kind === 'reported' ? step.done.message.routingKey : words[step.kind]}"]`,
      ),
    ),
    ...definition.stages.slice(1).map((stage, index) => {
      const asked = stage.request ? `|${stage.request.message.routingKey}|` : '';
      return `  ${namesOf(definition.stages[index])} -->${asked} ${namesOf(stage)}`;
    }),
    `  ${namesOf(definition.stages.at(-1))} --> completed(["${endOf('completed', definition.completed)}"])`,
    `  failed{{"${failuresOf(definition).join('<br/>')}"}}`,
    ...undone.map(({ name, undo }) => {
      const what = undo?.kind === 'message' ? undo.done.message.routingKey : words.local;
      return `  undo_${name}["undo ${name}<br/>${what}"]`;
    }),
    `  ${['failed', ...undone.map(({ name }) => `undo_${name}`)].join(' -.-> ')} -.-> compensated(["${endOf('compensated', definition.compensated)}"])`,
  ];
  if (saga) for (const [name, { state }] of Object.entries(saga.steps)) lines.push(`  class ${name} ${state}`);
  return `${lines.join('\n')}\n`;
}

const words = { local: 'by the service itself', before: 'done before' } as const;

const namesOf = <Data>(stage: StageDefinition<Data> | undefined): string =>
  stage?.steps.map(({ name }) => name).join(' & ') ?? '';

const endOf = <Data>(state: string, messages: readonly Send<Data>[] = []): string =>
  [state, ...messages.map(({ message }) => message.routingKey)].join('<br/>');

const failuresOf = <Data>(definition: SagaDefinition<Data>): string[] => [
  ...stepsOf(definition).flatMap((step) =>
    step.kind === 'reported' && step.failed ? step.failed.message.routingKey : [],
  ),
  'cancelled',
  'too late',
];
