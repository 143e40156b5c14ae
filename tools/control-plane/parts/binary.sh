# shellcheck shell=bash disable=SC2154
# The one binary: built once, cached by the hash of its sources and Go's version.

binary_path() {
  local key
  key=$( (cd "$source_dir" && cat go.mod go.sum *.go && GOTOOLCHAIN=local go version) | sha256sum)
  echo "${XDG_CACHE_HOME:-$HOME/.cache}/keelson-tools/controlplane-${key:0:16}/controlplane"
}

need_go() { # the first build is long: say at once what would stop it
  command -v go >/dev/null || die "Go is not installed; building the control plane needs Go 1.24 or newer (https://go.dev/dl/)"
  local found
  found=$(GOTOOLCHAIN=local go env GOVERSION)
  [ "$(printf '%s\n' go1.24 "$found" | sort -V | head -n 1)" = go1.24 ] || die "Go is $found; building the control plane needs Go 1.24 or newer"
}

build() {
  local binary version package flags
  need_go
  binary=$(binary_path)
  if [ ! -x "$binary" ]; then
    mkdir -p "$(dirname "$binary")"
    (
      flock 9 # two callers at once: the second finds the first one's binary
      if [ ! -x "$binary" ]; then
        say "building the control plane (the first time: many minutes)"
        version=$(sed -n 's/^[[:space:]]*k8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' "$source_dir/go.mod" | head -n 1)
        flags='-s -w'
        for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
          flags+=" -X $package.gitVersion=$version -X $package.gitTreeState=archive"
          flags+=" -X $package.gitMajor=$(echo "${version#v}" | cut -d. -f1)"
          flags+=" -X $package.gitMinor=$(echo "$version" | cut -d. -f2)"
        done
        (cd "$source_dir" && GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0 nice -n 5 \
          go build -p 2 -mod=readonly -buildvcs=false -trimpath -ldflags="$flags" -o "$binary.new" .) >&2
        mv -f "$binary.new" "$binary"
      fi
    ) 9>"$binary.lock"
  fi
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    ln -sfn controlplane "$(dirname "$binary")/$name"
  done
  echo "$binary"
}
