import { Argument, type Command } from 'commander';
import type { Run } from '../command.ts';

/** `keelson completion bash|zsh|fish`: a script that asks the CLI itself what fits. */
export function addCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .description('print a completion script: source <(keelson completion bash)')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(
      run(async ({ print }, _options: object, shell: 'bash' | 'zsh' | 'fish') => {
        print.text(SCRIPTS[shell]);
      }),
    );
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(
      run(async (context, _options: object, words: string[]) => {
        const fits = await candidates(program, words, async () => {
          if (!context.settings.has('canary-controller')) return [];
          const page = await context.settings.client('canary-controller').listCanaries({ query: { limit: 200 } });
          return page.items.map((canary) => `${canary.namespace}/${canary.name}`);
        });
        for (const fit of fits) context.print.text(fit);
      }),
    );
}

/** What may stand at the place of the last word: sub-commands, options, or live names of canaries. */
export async function candidates(
  program: Command,
  words: readonly string[],
  canaries: () => Promise<string[]>,
): Promise<string[]> {
  const typed = words.at(-1) ?? '';
  let command = program;
  const path: string[] = [];
  for (const word of words.slice(0, -1)) {
    const next = command.commands.find((one) => one.name() === word);
    if (!next) continue;
    command = next;
    path.push(word);
  }
  const options = command.options
    .map((option) => option.long)
    .filter((long): long is string => typeof long === 'string');
  const names = command.commands.map((one) => one.name()).filter((name) => !name.startsWith('__'));
  const live = path[0] === 'canary' && command.registeredArguments.length > 0 ? await canaries().catch(() => []) : []; // no answer: no names
  return [...names, ...live, ...(typed.startsWith('-') ? options : [])].filter((fit) => fit.startsWith(typed)).sort();
}

const SCRIPTS = {
  bash: `_keelson() {
  local IFS=$'\\n'
  COMPREPLY=($(keelson __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -F _keelson keelson`,
  zsh: `#compdef keelson
_keelson() {
  local -a fits
  fits=("\${(@f)$(keelson __complete -- "\${words[@]:1:$((CURRENT-1))}" 2>/dev/null)}")
  compadd -a fits
}
compdef _keelson keelson`,
  fish: `function __keelson_complete
  set -l words (commandline -opc) (commandline -ct)
  keelson __complete -- $words[2..-1] 2>/dev/null
end
complete -c keelson -f -a '(__keelson_complete)'`,
} as const;
