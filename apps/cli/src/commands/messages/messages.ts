import type { Command } from 'commander';
import type { Run } from '../../command.ts';
import { addBroker } from './broker.ts';
import { addParked } from './parked.ts';

/** `keelson messages ...` */
export function addMessages(program: Command, run: Run): void {
  const messages = program.command('messages').description('queues, parked messages, and the broker they are on');
  addParked(messages, run);
  addBroker(messages, run);
}
