# shellcheck shell=bash disable=SC2154
# What up, down and status do.

fail_start() {
  local name
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    [ -f "$dir/logs/$name.log" ] || continue
    pid_of "$name" >/dev/null || say "$name is not running"
    tail -n 8 "$dir/logs/$name.log" | cut -c1-400 | sed "s/^/$name: /" >&2
  done
  stop_all
  die "$1; the logs are in $dir/logs"
}

start_apiserver() { # from the arguments of last time
  local args
  mapfile -t args <"$dir/kube-apiserver.args"
  start kube-apiserver "${args[@]}"
}

wait_ready() {
  local flags=()
  [ ! -f "$dir/kube-controller-manager.args" ] || flags=(--service-account)
  "$bin/controlplane" wait --kubeconfig "$kubeconfig" --timeout "${timeout}s" "${flags[@]}" 2>"$dir/logs/wait.log" &
  local waiter=$!
  while kill -0 "$waiter" 2>/dev/null; do # a component that died ends the wait at once
    if ! all_run; then
      kill "$waiter" 2>/dev/null || true
      wait "$waiter" 2>/dev/null || true
      return 1
    fi
    sleep 0.1
  done
  wait "$waiter"
}

all_run() { # whatever has been started
  local name
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    if [ -f "$dir/$name.args" ] && ! pid_of "$name" >/dev/null; then return 1; fi
  done
}

start_controllers() { # and the scheduler
  if [ -n "$controllers" ]; then
    start kube-controller-manager --kubeconfig="$dir/controller-manager.kubeconfig" \
      --secure-port=0 --leader-elect=false --use-service-account-credentials \
      --controllers="$controllers" --profiling=false \
      --root-ca-file="$dir/pki/ca.crt" --service-account-private-key-file="$dir/pki/service-accounts.key" \
      "${controller_args[@]}"
  fi
  if [ "$scheduler" = yes ]; then
    start kube-scheduler --kubeconfig="$dir/scheduler.kubeconfig" --secure-port=0 --leader-elect=false --profiling=false
  fi
}

up() {
  local binary ports port try
  binary=$(build)
  bin=$(dirname "$binary")
  mkdir -p "$dir"
  chmod 700 "$dir"
  exec 9>"$dir/lock"
  flock 9
  if pid_of etcd >/dev/null && pid_of kube-apiserver >/dev/null; then echo "$kubeconfig"; return; fi
  stop_all
  rm -f "$dir/parent"
  if [ -n "$with_parent" ]; then
    local started
    started=$(start_time "$with_parent")
    [ -n "$started" ] || die "--with-parent $with_parent: no such process"
    echo "$with_parent $started" >"$dir/parent"
  fi
  mkdir -p "$dir/logs"
  make_keys
  for try in 1 2 3; do
    mapfile -t ports < <("$binary" free-ports 3)
    port=${ports[0]}
    echo "http://127.0.0.1:${ports[1]}" >"$dir/etcd.url"
    rm -f "$dir"/logs/* "$dir"/*.args
    write_kubeconfig "$kubeconfig" admin "$port"
    write_kubeconfig "$dir/controller-manager.kubeconfig" controller-manager "$port"
    write_kubeconfig "$dir/scheduler.kubeconfig" scheduler "$port"

    start etcd --name=test --data-dir="$dir/etcd" --log-level=warn --unsafe-no-fsync \
      --listen-client-urls="http://127.0.0.1:${ports[1]}" --advertise-client-urls="http://127.0.0.1:${ports[1]}" \
      --listen-peer-urls="http://127.0.0.1:${ports[2]}" --initial-advertise-peer-urls="http://127.0.0.1:${ports[2]}" \
      --initial-cluster="test=http://127.0.0.1:${ports[2]}"

    local cache_sizes=() resource
    for resource in "${no_watch_cache[@]}"; do cache_sizes+=("--watch-cache-sizes=$resource#0"); done
    # TaintNodesByCondition taints every new Node, and the controller that lifts the taint once it is ready is left out.
    printf '%s\n' --disable-admission-plugins=TaintNodesByCondition --etcd-servers="http://127.0.0.1:${ports[1]}" \
      --bind-address=127.0.0.1 --secure-port="$port" --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \
      --tls-cert-file="$dir/pki/apiserver.crt" --tls-private-key-file="$dir/pki/apiserver.key" \
      --client-ca-file="$dir/pki/ca.crt" --authorization-mode=RBAC \
      --service-account-issuer=https://kubernetes.default.svc \
      --service-account-key-file="$dir/pki/service-accounts.pub" \
      --service-account-signing-key-file="$dir/pki/service-accounts.key" \
      --service-cluster-ip-range=10.96.0.0/16 --allow-privileged --profiling=false \
      --event-ttl="$event_ttl" "${cache_sizes[@]}" "${apiserver_args[@]}" >"$dir/kube-apiserver.args"
    start_apiserver

    # One after the other: the controller manager gives up on an API server that lets it in too late (10 s).
    if wait_ready && start_controllers && wait_ready; then echo "$kubeconfig"; return; fi
    if [ "$try" = 3 ] || ! grep -qs 'address already in use' "$dir"/logs/*.log; then break; fi
    stop_all
  done
  fail_start "it did not get ready$(sed 's/^controlplane: /: /' "$dir/logs/wait.log" 2>/dev/null)"
}

down() {
  [ -d "$dir" ] || return 0
  stop_all
  # Remove only what this script makes, never a folder that it did not fill.
  if [ "$keep" = no ]; then
    rm -rf "$dir/etcd" "$dir/pki" "$dir/logs"
    rm -f "$dir"/{kubeconfig,controller-manager.kubeconfig,scheduler.kubeconfig,etcd.url,parent,lock} "$dir"/*.args
    rmdir "$dir" 2>/dev/null || true
  fi
}

status() {
  local name pid all=0 ticks
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    if [[ $name != etcd && $name != kube-apiserver && ! -f $dir/$name.args ]] && pid_of kube-apiserver >/dev/null; then
      printf '%-24s off\n' "$name"
    elif pid=$(pid_of "$name"); then
      ticks=$(sed 's/.*) //' "/proc/$pid/stat" | awk '{print $12 + $13}')
      printf '%-24s pid %-8s rss %4d MiB  cpu %d.%02d s\n' "$name" "$pid" \
        "$(($(awk '/^VmRSS/{print $2}' "/proc/$pid/status") / 1024))" $((ticks / 100)) $((ticks % 100))
    else
      printf '%-24s not running\n' "$name"
      all=1
    fi
  done
  [ ! -f "$kubeconfig" ] || echo "kubeconfig               $kubeconfig"
  return "$all"
}

need_up() {
  pid_of etcd >/dev/null && pid_of kube-apiserver >/dev/null || die "nothing runs in $dir (control-plane up)"
  bin=$(dirname "$(readlink -f "/proc/$(pid_of kube-apiserver)/exe")")
}
