import { setTimeout as pause } from 'node:timers/promises';
import { dice } from '../schedule/seeded.ts';
import type { CarryOut } from './carry-out.ts';

const parts = { database: 'PostgreSQL', broker: 'RabbitMQ' } as const;
type Part = keyof typeof parts;

export const cut =
  (part: Part): CarryOut =>
  async ({ place, fault, say }) => {
    const victim = place.process(fault.target!);
    const proxy = victim[part];
    const { connections } = proxy;
    proxy.refuse();
    proxy.cut();
    say(`${connections} connections of ${victim.name} to ${parts[part]} are cut`);
    await pause(fault.outageMs);
    proxy.resume();
    if (fault.outageMs > 0) say(`${victim.name} may connect to ${parts[part]} again`);
  };

export const hang =
  (part: Part): CarryOut =>
  async ({ place, fault, say }) => {
    const victim = place.process(fault.target!);
    const proxy = victim[part];
    proxy.hang();
    say(`${victim.name} hears nothing more of ${parts[part]}, and does not know`);
    await pause(fault.outageMs);
    proxy.resume();
    say(`${victim.name} hears ${parts[part]} again`);
  };

export const slowNetwork: CarryOut = async ({ place, fault, say }) => {
  const victim = place.process(fault.target!);
  const delayMs = dice(fault.seed).between(20, 150);
  for (const part of ['database', 'broker'] as const) victim[part].delayAnswers(delayMs);
  say(`answers to ${victim.name} come ${delayMs} ms late`);
  await pause(fault.outageMs);
  for (const part of ['database', 'broker'] as const) victim[part].delayAnswers(0);
  say(`answers to ${victim.name} come at once again`);
};

export const slowConsumer: CarryOut = async ({ place, fault, say }) => {
  const victim = place.process(fault.target!);
  victim.database.delayAnswers(500);
  say(`${victim.name} is a slow consumer: each answer of its database takes half a second`);
  await pause(fault.outageMs);
  victim.database.delayAnswers(0);
  say(`${victim.name} works at its own speed again`);
};
