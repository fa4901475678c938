# shellcheck shell=bash
# Everything that is started is ended again, by its own process id, in the opposite order.

STARTED=()

stop_later() { STARTED+=("$1"); }

stop_all() {
  local i pid
  for ((i = ${#STARTED[@]} - 1; i >= 0; i--)); do
    pid=${STARTED[i]}
    kill -TERM "$pid" 2>/dev/null || continue
    eventually 5 gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
  done
}

gone() { ! kill -0 "$1" 2>/dev/null; }
