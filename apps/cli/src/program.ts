import { Command, Option } from 'commander';
import { runner, type Surroundings } from './command.ts';
import { addCanary } from './commands/canary.ts';
import { addCert } from './commands/cert.ts';
import { addCompletion } from './commands/completion.ts';
import { addEvents } from './commands/events.ts';
import { addMessages } from './commands/messages/messages.ts';
import { addOrders } from './commands/orders.ts';
import { addStatus } from './commands/status.ts';
import { addToken } from './commands/token.ts';
import { FORMATS } from './output/printer.ts';

/** The whole command line; nothing is read and nobody is called before a command runs. */
export function makeProgram(surroundings: Surroundings): Command {
  const program = new Command('keelson')
    .description('Certificates, cluster events, gray releases and the order workload from a terminal')
    .version('0.1.0')
    .addOption(new Option('-o, --output <format>', 'how data is printed').choices(FORMATS).default('table'))
    .option('--env-file <path>', 'read URLs and token from this file instead of the environment')
    .showSuggestionAfterError()
    .configureOutput({ writeOut: surroundings.out, writeErr: surroundings.err })
    .exitOverride()
    .addHelpText(
      'after',
      `
Environment: KEELSON_CERT_URL, KEELSON_EVENTS_URL, KEELSON_CANARY_URL, KEELSON_ORDERS_URL, KEELSON_TOKEN (or
KEELSON_TOKEN_FILE), KEELSON_CA_FILE for a private root certificate; AMQP_URL and AMQP_MANAGEMENT_URL for
keelson messages doctor, plan and apply.
Exit codes: 0 ok, 1 failed check, 2 usage, 3 not found, 4 denied, 5 conflict or time-out.`,
    );
  const run = runner(program, surroundings);
  for (const add of [addStatus, addCanary, addEvents, addCert, addOrders, addMessages, addToken, addCompletion])
    add(program, run);
  // Options that commander copies to sub-commands only when they are made through it.
  const inherit = (command: Command): void => {
    for (const child of command.commands) {
      child.copyInheritedSettings(command);
      inherit(child);
    }
  };
  inherit(program);
  return program;
}
