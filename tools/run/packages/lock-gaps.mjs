// Plain JavaScript, used by the lint and by complete-lock.mjs.

/** Platforms as package names spell them -> as npm's `os`, `cpu` and `libc` do. */
const systems = {
  darwin: 'darwin',
  win32: 'win32',
  freebsd: 'freebsd',
  android: 'android',
  openharmony: 'openharmony',
  linux: 'linux',
};
const processors = {
  arm64: 'arm64',
  x64: 'x64',
  arm: 'arm',
  ppc64: 'ppc64',
  s390x: 's390x',
  ia32: 'ia32',
  riscv64: 'riscv64',
  loong64: 'loong64',
};

/**
 * Optional packages that package-lock.json should name and does not: those of other platforms. npm leaves them out when
 * its registry cannot show them, and `npm ci` then refuses the lock file everywhere. Returns entries to add, by path.
 */
export function lockGaps(packages) {
  const gaps = {};
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolves(packages, path, name) || entry.peerDependenciesMeta?.[name]) continue;
      const words = name.split(/[-/]/);
      const os = words.find((word) => word in systems);
      const cpu = words.find((word) => word in processors);
      const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
      gaps[`node_modules/${name}`] = {
        version,
        ...(cpu ? { cpu: [processors[cpu]] } : {}),
        ...(entry.dev ? { dev: true } : {}),
        ...(libc && os === 'linux' ? { libc: [libc] } : {}),
        optional: true,
        ...(os ? { os: [systems[os]] } : {}),
      };
    }
  }
  return gaps;
}

/** Node's way up the folders from `path` to a `node_modules/<name>`. */
function resolves(packages, path, name) {
  for (
    let folder = path;
    ;
    folder = folder.includes('/node_modules/') ? folder.slice(0, folder.lastIndexOf('/node_modules/')) : ''
  ) {
    if (packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}
