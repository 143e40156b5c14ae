import { setTimeout as pause } from 'node:timers/promises';
import type { CarryOut } from './carry-out.ts';

export const killProcess: CarryOut = async ({ place, fault, say }) => {
  const victim = place.process(fault.target!);
  await victim.kill();
  say(`kill -9 of ${victim.name}`);
  await pause(fault.outageMs);
  await victim.start();
  say(`${victim.name} is started again`);
};

export const killRole: CarryOut = async ({ place, fault, say }) => {
  const victims = place.ofRole(fault.target!);
  await Promise.all(victims.map((victim) => victim.kill()));
  say(`kill -9 of every ${fault.target}: ${victims.map(({ name }) => name).join(', ')}`);
  await pause(fault.outageMs);
  await Promise.all(victims.map((victim) => victim.start()));
  say(`${fault.target}: started again`);
};

export const killRelays: CarryOut = async ({ place, fault, say }) => {
  const victims = place.relays;
  await Promise.all(victims.map((victim) => victim.kill()));
  say(`kill -9 of every outbox relay: ${victims.map(({ name }) => name).join(', ')}`);
  await pause(fault.outageMs);
  await Promise.all(victims.map((victim) => victim.start()));
  say('outbox relays: started again');
};

export const endProcess: CarryOut = async ({ place, fault, say }) => {
  const victim = place.process(fault.target!);
  say(`SIGTERM to ${victim.name}`);
  const begun = performance.now();
  await victim.end();
  say(`${victim.name} has drained and ended after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  await pause(fault.outageMs);
  await victim.start();
  say(`${victim.name} is started again`);
};

export const freezeProcess: CarryOut = async ({ place, fault, say }) => {
  const victim = place.process(fault.target!);
  victim.freeze();
  say(`${victim.name} is frozen`);
  await pause(fault.outageMs);
  victim.thaw();
  say(`${victim.name} goes on`);
};
