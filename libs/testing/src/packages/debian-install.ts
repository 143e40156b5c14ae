const mark = 'keelson: no service starts while its package is installed';

/**
 * A bash script that installs Debian packages without starting their services: invoke-rc.d asks policy-rc.d, which
 * answers 101, "not allowed" (Debian's policy-rc.d specification). A policy of the machine's own is put back
 * afterwards, also when the script is ended by a signal; one that a killed run of ours left is recognised and removed.
 * One run at a time, by flock; another program's hold on dpkg is waited for.
 */
export function debianInstall(
  packages: readonly string[],
  { policy = '/usr/sbin/policy-rc.d', lock = '/var/lock/keelson-apt.lock' } = {},
): string {
  const names = packages.join(' ');
  return `
set -u
exec 9>${lock}
flock -n 9 || { echo "waiting for another installation to end"; flock 9; }
policy=${policy}
saved=$policy.before-keelson
if [ -e "$policy" ] && grep -q '${mark}' "$policy"; then rm -f "$policy"; fi
if [ -e "$saved" ] && [ ! -e "$policy" ]; then mv "$saved" "$policy"; fi
restore() { rm -f "$policy"; if [ -e "$saved" ]; then mv "$saved" "$policy"; fi; }
trap restore EXIT
trap 'exit 143' TERM INT HUP
if [ -e "$policy" ]; then mv "$policy" "$saved"; fi
printf '#!/bin/sh\\n# ${mark}\\nexit 101\\n' > "$policy"
chmod 755 "$policy"
apt='apt-get -y --no-install-recommends -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3'
# 9 is closed for the children: a service that a package starts after all would hold the lock for ever.
if ! $apt install ${names} 9>&-; then
  echo "waiting for fresh package lists"
  apt-get -o DPkg::Lock::Timeout=600 update 9>&- && $apt install ${names} 9>&-
fi
`;
}
