# shellcheck shell=bash
# PostgreSQL from the distribution's packages: a server of a part's own in $WORK, on a port that is free. The machine's own
# is neither used nor started.

# start_postgres NAME: the cluster is in $WORK/NAME; the part that starts it ends it with stop_postgres, in a trap as well.
start_postgres() {
  PG_BIN=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
  [[ -x $PG_BIN/initdb && -x $PG_BIN/postgres ]] || die "PostgreSQL is not installed"
  PG_DIR=$WORK/$1
  PG_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  install -d -m 711 -o postgres "$PG_DIR" "$PG_DIR/run"
  install -d -m 700 -o postgres "$PG_DIR/data"
  # Trust is for a server on a loopback address that lives for a minute; a real one has passwords or certificates.
  check "a database cluster is made" as_postgres "$PG_BIN/initdb" -D "$PG_DIR/data" -A trust -U postgres --no-sync
  pg_ctl start
  need "PostgreSQL answers" 20 pg_ready
}

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
pg_ready() { "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$PG_PORT"; }

# pg_ctl start|stop|restart [FLAGS…]
pg_ctl() {
  as_postgres "$PG_BIN/pg_ctl" "$1" -D "$PG_DIR/data" -l "$PG_DIR/log" -t 30 -s \
    -o "-k $PG_DIR/run -h 127.0.0.1 -p $PG_PORT" "${@:2}"
}

stop_postgres() {
  pg_ctl stop -m fast || kill -KILL "$(head -n 1 "$PG_DIR/data/postmaster.pid")" || true
  cp "$PG_DIR/log" "$WORK/log/$(basename "$PG_DIR").log" || true
}

psql() { "$PG_BIN/psql" -XAtq -h 127.0.0.1 -p "$PG_PORT" -U postgres "$@"; }

# pg_place DATABASE [socket]: as queue.database names it. Network namespaces share the socket.
pg_place() {
  if [[ ${2:-} == socket ]]; then
    printf 'postgres:///%s?host=%s&port=%s&user=postgres' "$1" "$PG_DIR/run" "$PG_PORT"
  else
    printf 'postgres://postgres@127.0.0.1:%s/%s?sslmode=disable' "$PG_PORT" "$1"
  fi
}
