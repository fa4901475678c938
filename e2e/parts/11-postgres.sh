# shellcheck shell=bash
# Two machines on one PostgreSQL from the distribution's packages: the limit holds over both to the message, and nothing
# leaves twice. The server is one of our own in $WORK, on a port that is free; the machine's own is neither used nor started.

bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[[ -x $bin/initdb && -x $bin/postgres ]] || die "PostgreSQL is not installed"
command -v go >/dev/null || die "go is not installed"

dir=$WORK/postgres
install -d -m 700 -o postgres "$dir" "$dir/data" "$dir/run"
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
# Trust is for a server on a loopback address that lives for a minute; a real one has passwords or certificates.
check "a database cluster is made" as_postgres "$bin/initdb" -D "$dir/data" -A trust -U postgres --no-sync
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_postgres "$bin/postgres" -D "$dir/data" -k "$dir/run" -h 127.0.0.1 -p "$port" >"$WORK/log/postgres.log" 2>&1 &
server=$!
stop_postgres() { as_postgres "$bin/pg_ctl" stop -D "$dir/data" -m fast -t 20 -s || kill -KILL "$server" || true; }
trap stop_postgres EXIT
ready() { "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; }
need "PostgreSQL answers" 20 ready
psql() { "$bin/psql" -XAtq -h 127.0.0.1 -p "$port" -U postgres "$@"; }
for database in tested shared; do
  check "the database $database is made" psql -c "CREATE DATABASE $database"
done
place() { printf 'postgres://postgres@127.0.0.1:%s/%s?sslmode=disable' "$port" "$1"; }

queues_in_go() {
  local name
  (cd "$E2E/.." && POSTIER_TEST_POSTGRES=$(place tested) go test -count=1 -tags postgres -run 'TestTwoMachines|OnPostgres|GoesAway|CommitIsLost' -v ./delivery) \
    | tee "$WORK/go"
  for name in TestTwoMachines TestWorkersOnPostgres TestDatabaseGoesAway TestAnswerToTheCommitIsLost TestStandingsOnPostgres TestLogOnPostgres TestReleaseOnPostgres; do
    grep -q -- "--- PASS: $name" "$WORK/go" || return 1
  done
}
check "go test: queues share a limit and survive a database that goes away, and nothing leaves twice, also on a busy machine" queues_in_go

# Two machines: each its own home, configuration and processes; they share nothing but the database.
LIMIT=6 EACH=5
for machine in one two; do
  new_person "machine-$machine"
  code=$(run_into "$OUT/setup.txt" unattended --profile anna)
  equal "machine $machine has a profile" 0 "$code" "$OUT/setup.txt"
  jq --arg place "$(place shared)" --argjson limit "$LIMIT" '.queue.database = $place | .profiles.anna.limits.per_day = $limit' "$CONFIG" >"$HOME_DIR/changed.json"
  cat "$HOME_DIR/changed.json" >"$CONFIG"
  check "machine $machine names the database" postier_as config validate
done
empty_mailbox

# on MACHINE COMMAND…: in that machine's home. The machines have equal host names, and process tables of their own in which the
# same PIDs are used, as containers have: nothing of that may make them take each other's process for one of theirs.
on() {
  local env
  HOME_DIR=$WORK/home/machine-$1
  mapfile -t env < <(person_env)
  env -i "${env[@]}" unshare --uts --pid --fork --mount-proc sh -c 'hostname mail && exec "$@"' sh "${@:2}"
}
# wait_for PID LOG: the exit code of a background job, and what it said.
wait_for() { wait "$1" || { cat "$2"; return 1; }; }
write_from() {
  local n
  for ((n = 1; n <= EACH; n++)); do
    on "$1" "$POSTIER" send --to "$USER_GOOD" --subject "$1 $n" --body x || return 1
  done
}
write_from one >"$WORK/log/machine-one.log" 2>&1 &
first=$!
write_from two >"$WORK/log/machine-two.log" 2>&1 &
second=$!
check "machine one writes" wait_for "$first" "$WORK/log/machine-one.log"
check "machine two writes at the same time" wait_for "$second" "$WORK/log/machine-two.log"
arrived() { [[ $(count_messages) == "$1" ]]; }
check "as many arrive as the limit allows" eventually 10 arrived "$LIMIT"
equal "the others wait, and both machines see them" "$((2 * EACH - LIMIT)) $((2 * EACH - LIMIT))" \
  "$(on one "$POSTIER" queue list --json | jq length) $(on two "$POSTIER" queue list --json | jq length)"

check "one machine lifts the limit for both" on one "$POSTIER" limits reset anna
for id in $(on one "$POSTIER" queue list --json | jq -r '.[].id'); do
  on two "$POSTIER" queue retry "$id"
done
on one "$POSTIER" queue run >"$WORK/log/machine-one.log" 2>&1 &
first=$!
on two "$POSTIER" queue run >"$WORK/log/machine-two.log" 2>&1 &
second=$!
check "machine one works the queue" wait_for "$first" "$WORK/log/machine-one.log"
check "machine two works it at the same time" wait_for "$second" "$WORK/log/machine-two.log"
check "all have arrived" eventually 10 arrived $((2 * EACH))
equal "none twice" $((2 * EACH)) "$(messages | xargs -r -d '\n' grep -hi '^message-id:' | sort -u | wc -l)"
equal "each has one Sent copy" $((2 * EACH)) "$(messages .Gesendet | xargs -r -d '\n' grep -hi '^message-id:' | sort -u | wc -l)"
equal "and not more" $((2 * EACH)) "$(count_messages .Gesendet)"
equal "the queue is empty" 0 "$(on two "$POSTIER" queue list --json | jq length)"
stop_postgres
trap - EXIT
