import { defineMessage, type MessageDefinition } from '@keelson/contracts';
import { z } from 'zod';
import { defineSaga, report, type SagaDefinition, send, startedBy } from '../src/saga/index.ts';

const message = (name: string) =>
  defineMessage({
    name: `trip.${name}`,
    version: 1,
    producer: 'test',
    summary: name,
    schema: z.object({ trip: z.string(), why: z.string().optional() }),
  });

export const messages = {
  booked: message('booked'),
  payRequested: message('pay-requested'),
  paid: message('paid'),
  payRefused: message('pay-refused'),
  refundRequested: message('refund-requested'),
  refunded: message('refunded'),
  roomsRequested: message('rooms-requested'),
  hotelReserved: message('hotel-reserved'),
  hotelFull: message('hotel-full'),
  hotelCancelRequested: message('hotel-cancel-requested'),
  hotelCancelled: message('hotel-cancelled'),
  carReserved: message('car-reserved'),
  carCancelRequested: message('car-cancel-requested'),
  carCancelled: message('car-cancelled'),
  mailSent: message('mail-sent'),
  completed: message('completed'),
  compensated: message('compensated'),
} as const;

export interface Trip {
  readonly traveller: string;
}

const ask = (definition: (typeof messages)[keyof typeof messages]) =>
  send<typeof definition, Trip>(definition, ({ key }) => ({ trip: key }));
const told = (definition: (typeof messages)[keyof typeof messages]) =>
  report(definition, ({ trip }) => trip, { detail: ({ why }) => why ?? '' });

/** Seat kept before; paid; then hotel, car and a mail at once; then entered in the books by the service itself. */
export const trip: SagaDefinition<Trip> = defineSaga<Trip>({
  name: 'trip',
  version: 1,
  start: startedBy(
    messages.booked,
    ({ trip }) => trip,
    ({ why }) => ({ traveller: why ?? 'Ada' }),
  ),
  deadlineMs: 60_000,
  undoRetryMs: 1_000,
  stages: [
    { steps: [{ name: 'seat', kind: 'before', undo: { kind: 'local' } }] },
    {
      request: ask(messages.payRequested),
      steps: [
        {
          name: 'payment',
          kind: 'reported',
          done: told(messages.paid),
          failed: told(messages.payRefused),
          timeoutMs: 10_000,
          undo: { kind: 'message', request: ask(messages.refundRequested), done: told(messages.refunded) },
        },
      ],
    },
    {
      request: ask(messages.roomsRequested),
      steps: [
        {
          name: 'hotel',
          kind: 'reported',
          done: told(messages.hotelReserved),
          failed: told(messages.hotelFull),
          undo: { kind: 'message', request: ask(messages.hotelCancelRequested), done: told(messages.hotelCancelled) },
        },
        {
          name: 'car',
          kind: 'reported',
          done: told(messages.carReserved),
          undo: { kind: 'message', request: ask(messages.carCancelRequested), done: told(messages.carCancelled) },
        },
        { name: 'mail', kind: 'reported', done: told(messages.mailSent) },
      ],
    },
    { steps: [{ name: 'books', kind: 'local' }] },
  ],
  completed: [ask(messages.completed)],
  compensated: [send(messages.compensated, ({ key, reason }) => ({ trip: key, why: reason }))],
});

/** The version after it: no car any more. */
export const tripWithoutCar: SagaDefinition<Trip> = defineSaga<Trip>({
  ...trip,
  version: 2,
  stages: trip.stages.map((stage) => ({ ...stage, steps: stage.steps.filter(({ name }) => name !== 'car') })),
});

export const tripCatalogue: Readonly<Record<string, MessageDefinition>> = Object.fromEntries(
  Object.values(messages).map((definition) => [definition.routingKey, definition]),
);
