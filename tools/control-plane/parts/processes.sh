# shellcheck shell=bash disable=SC2154
# Starting and ending the components. NAME.pid holds "PID STARTTIME", so that a
# reused PID is never hit.

start_time() { # nothing for a dead process that init has not yet reaped
  sed -nE 's/.*\) ([^ZX].*)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

pid_of() { # prints the PID if the component runs
  local pid started
  read -r pid started 2>/dev/null <"$dir/$1.pid" || return 1
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] || return 1
  echo "$pid"
}

start() { # NAME ARGS...: in a session of its own, so no terminal's signal reaches it
  local name=$1 pid
  shift
  printf '%s\n' "$@" >"$dir/$name.args"
  CONTROLPLANE_LOG_LIMIT=$log_limit CONTROLPLANE_PARENT=$(cat "$dir/parent" 2>/dev/null || true) \
    GOGC=${CONTROL_PLANE_GOGC:-50} \
    setsid "$bin/$name" "$@" </dev/null >>"$dir/logs/$name.log" 2>&1 9>&- &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$dir/$name.pid"
  disown "$pid" 2>/dev/null || true
}

stop() { # always by SIGKILL: a polite API server drains watches for a minute, and
  # etcd's data is whole after the death of a process (only not of the machine)
  local pid
  if pid=$(pid_of "$1"); then
    kill -KILL "$pid" 2>/dev/null || true
    while pid_of "$1" >/dev/null; do sleep 0.05; done
  fi
  rm -f "$dir/$1.pid"
}

stop_all() {
  local name
  for name in kube-scheduler kube-controller-manager kube-apiserver etcd; do stop "$name"; done
}
