/** Flags of the command line and the setting that each stands for. */
const FLAGS: Readonly<Record<string, string>> = {
  role: 'ROLE',
  'app-version': 'APP_VERSION',
  host: 'HOST',
  port: 'PORT',
};

/**
 * Reads `--name=value` and `--name value` into settings. A flag wins over the environment, because in a pod's
 * specification it stands in the command, which is what tells one Deployment from another.
 * Throws Error naming the argument, what is allowed, and the way out.
 */
export function settingsFromFlags(args: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (let index = 0; index < args.length; index += 1) {
    const match = /^--([a-z-]+)(?:=(.*))?$/.exec(args[index]!);
    const setting = match ? FLAGS[match[1]!] : undefined;
    if (!match || !setting) throw new Error(`unknown argument ${JSON.stringify(args[index])}; allowed: ${usage()}`);
    const value = match[2] ?? args[(index += 1)];
    if (value === undefined) throw new Error(`--${match[1]} needs a value: --${match[1]}=VALUE`);
    settings[setting] = value;
  }
  return settings;
}

const usage = () =>
  Object.entries(FLAGS)
    .map(([flag, setting]) => `--${flag}=VALUE (or ${setting} in the environment)`)
    .join(', ');
