# shellcheck shell=bash
# Queues that several workers share, counted at the sink: Postfix's smtp-sink writes down every message that it took to the
# last octet. parts/16-queue.sh runs each scene once, e2e/queue runs them many times.

SINK_PORT=2525
SINKS=()
SPACES=("postier-one-$$" "postier-two-$$" "postier-far-$$")

# open_queues ADDRESS: a sink there, and a PostgreSQL server. The profile anna is there before.
open_queues() {
  command -v smtp-sink >/dev/null || die "smtp-sink is not installed"
  sink=$WORK/sink
  rm -rf "$sink" "$WORK/queue-postgres" # of the part before
  install -d -m 711 -o nobody "$sink"
  start_postgres queue-postgres
  start_sink "$1"
  mapfile -t ENVIRONMENT < <(person_env)
  change '.profiles.anna.submission += {host: $ip, port: $port, security: "none", auth: "none"}
    | .profiles.anna.sent_copy = {mode: "none"}' --arg ip "$1" --argjson port "$SINK_PORT"
}

remove_spaces() {
  local space
  for space in "${SPACES[@]}"; do
    ip netns delete "$space" 2>/dev/null || true
  done
}
close_queues() {
  [[ -z ${sink:-} ]] || touch "$sink/stop"
  kill -TERM "${SINKS[@]}" 2>/dev/null || true
  jobs -p | xargs -r kill -KILL 2>/dev/null || true
  stop_postgres
  remove_spaces
}

# start_sink ADDRESS [COMMAND…]: it drops its privileges, so that it can only write to its own folder.
start_sink() {
  (cd "$sink" && exec "${@:2}" smtp-sink -u nobody -D "$sink/taken" "$1:$SINK_PORT" 200) >"$WORK/log/sink.log" 2>&1 &
  SINKS+=("$!")
}
# taken: the ids of the messages that the sink took.
taken_ids() { sed -n 's/^Message-ID: <\(.*\)@queue\.postier\.test>.*/\1/Ip' "$sink/taken" 2>/dev/null || true; }
count_taken() { taken_ids | wc -l; }
took() { [[ $(count_taken) -ge $1 ]]; }
# all_taken COUNT: waits as long as the sink takes more, however slowly.
all_taken() {
  local now=0
  while ((now < $1)); do
    eventually 180 took $((now + 1)) || return 1
    now=$(count_taken)
  done
}

# change FILTER [JQ-ARGUMENTS…]: as an administrator would, in the file.
change() {
  jq "${@:2}" "$1" "$CONFIG" >"$HOME_DIR/changed.json" && cat "$HOME_DIR/changed.json" >"$CONFIG" && rm "$HOME_DIR/changed.json"
}

# fresh DATABASE: an empty queue there, and nothing taken.
databases=0
fresh() {
  local place
  rm -f "$sink"/* "$HOME_DIR"/queue.db*
  place=$HOME_DIR/queue.db
  if [[ $1 == PostgreSQL ]]; then
    psql -c "DROP DATABASE IF EXISTS queue$databases WITH (FORCE)" 2>/dev/null
    databases=$((databases + 1))
    psql -c "CREATE DATABASE queue$databases"
    place=$(pg_place "queue$databases" socket)
  fi
  change '.queue.database = $place' --arg place "$place"
  postier_as queue list >/dev/null
}
waiting() { postier_as queue list --json | jq -s 'flatten | length'; }
empty() { [[ $(waiting) == 0 ]]; }

# spawn COMMAND…: in the background, with this input, so that $! is the process itself.
spawn() { (exec env -i "${ENVIRONMENT[@]}" "$@") <&0 & }

# message ID.
message() { printf 'From: %s\nTo: sink@postier.test\nSubject: %s\nMessage-ID: <%s@queue.postier.test>\n\nx\n' "$USER_GOOD" "$1" "$1"; }
# dialog WRITER COUNT: what a program says to sendmail -bs.
dialog() {
  printf 'EHLO here\r\n'
  message % | awk -v writer="$1" -v count="$2" -v from="$USER_GOOD" '
    { text = text $0 "\r\n" }
    END {
      for (n = 1; n <= count; n++) {
        one = text
        gsub(/%/, writer "-" n, one)
        printf "MAIL FROM:<%s>\r\nRCPT TO:<sink@postier.test>\r\nDATA\r\n%s.\r\n", from, one
      }
    }'
  printf 'QUIT\r\n'
}

# busy_loops: one a processor.
BUSY=()
busy_loops() {
  local n
  for ((n = 0; n < $(nproc); n++)); do
    (while :; do :; done) &
    BUSY+=("$!")
  done
}
quiet() { kill -KILL "${BUSY[@]}" && wait "${BUSY[@]}" 2>/dev/null; BUSY=(); }

# share DATABASE WORKERS: they send what four programs write at the same time, while every processor is busy with something
# else.
share() {
  local name="$2 workers on one $1" n writers=() workers=() before=$SECONDS accepted
  fresh "$1"
  rm -f "$WORK"/log/queue-writer-*.log
  for n in 1 2 3 4; do
    [[ -e $WORK/dialog-$n ]] || dialog "w$n" $((MESSAGES / 4)) >"$WORK/dialog-$n"
  done
  busy_loops
  for ((n = 1; n <= $2; n++)); do
    spawn "$POSTIER" queue run --daemon >>"$WORK/log/queue-worker.log" 2>&1
    workers+=("$!")
  done
  for n in 1 2 3 4; do
    postier_as sendmail -bs -odq <"$WORK/dialog-$n" >"$WORK/log/queue-writer-$n.log" 2>&1 &
    writers+=("$!")
  done
  wait "${writers[@]}" || true
  accepted=$(cat "$WORK"/log/queue-writer-*.log | grep -c '^250 2.0.0 ok: queued')
  equal "$name: all are accepted" "$MESSAGES" "$accepted"
  check "$name: all leave" all_taken "$MESSAGES"
  check "$name: the queue is empty" eventually 60 empty
  quiet || true
  kill -TERM "${workers[@]}" && wait "${workers[@]}" || true
  # Counted when all have ended, so that what a worker sends last counts, too, and what it leaves.
  equal "$name, $((SECONDS - before)) s: accepted, taken, of these different, left waiting" "$MESSAGES $MESSAGES $MESSAGES 0" \
    "$accepted $(count_taken) $(taken_ids | sort -u | wc -l) $(waiting)"
}

# again NAME COMMAND…: starts it whenever it has ended, as a service manager does, until there is a file "stop".
again() {
  while [[ ! -e $sink/stop ]]; do
    spawn "${@:2}" >>"$WORK/log/queue-$1.log" 2>&1
    printf '%s\n' "$!" >"$HOME_DIR/pids/$1"
    { wait "$!" || sleep 0.05; } 2>/dev/null
  done
}
# write NAME FLAGS…: one process a message, and what each was told.
write() {
  local n id code
  for ((n = 1; ; n++)); do
    [[ ! -e $sink/stop ]] || return 0
    id=$1-$n code=0
    message "$id" >"$HOME_DIR/$1.eml"
    spawn "$POSTIER" sendmail -t -i "${@:2}" <"$HOME_DIR/$1.eml" 2>"$HOME_DIR/$1.said"
    printf '%s\n' "$!" >"$HOME_DIR/pids/$1"
    { wait "$!" || code=$?; } 2>/dev/null
    if ((code == 0)); then
      printf '%s\n' "$id" >>"$HOME_DIR/accepted.$1"
    elif grep -qF "Nothing was accepted" "$HOME_DIR/$1.said"; then
      printf '%s\n' "$id" >>"$HOME_DIR/refused.$1"
    elif ((code != 137)); then
      printf '%s: exit %s: %s\n' "$id" "$code" "$(cat "$HOME_DIR/$1.said")" >>"$WORK/log/queue-told.log"
    fi
  done
}
# ours PID: it is a process of this part.
ours() { [[ $(readlink "/proc/$1/exe") == "$(realpath "$POSTIER")" ]]; }
# kill_some COUNT [restarts]: kill -9 at random moments; with restarts, PostgreSQL is restarted ten times in between, half of
# them without letting transactions end.
kill_some() {
  local killed=0 pid pids restarts=0
  while ((killed < $1)); do
    sleep "$(printf '0.%02d' $((RANDOM % 28 + 2)))"
    if [[ -n ${2:-} ]] && ((killed >= (restarts + 1) * $1 / 11)); then
      restarts=$((restarts + 1))
      pg_ctl restart -m "$( ((restarts % 2)) && echo fast || echo immediate)"
    fi
    pids=("$HOME_DIR"/pids/*)
    pid=$(cat "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null) || continue
    if [[ -n $pid ]] && ours "$pid" && kill -KILL "$pid" 2>/dev/null; then
      killed=$((killed + 1))
    fi
  done
}
# settle: what still waits is tried until nothing is left; what may have been sent is not waited for.
settle() {
  local id round
  for round in 1 2 3 4 5; do
    for id in $(postier_as queue list --json | jq -rs 'flatten | .[].id'); do
      postier_as queue retry "$id" || true
    done
    postier_as queue run || true
    empty && return 0
  done
  return 1
}
collect() { { cat "$HOME_DIR/$1".* 2>/dev/null || true; } | sort -u; }

# survive NAME DATABASE [restarts]
survive() {
  local name=$1 jobs=() doubled unmarked
  fresh "$2"
  rm -rf "$HOME_DIR"/pids "$HOME_DIR"/accepted.* "$HOME_DIR"/refused.*
  mkdir "$HOME_DIR/pids"
  again worker-1 "$POSTIER" queue run --daemon & jobs+=("$!")
  again worker-2 "$POSTIER" queue run --daemon & jobs+=("$!")
  write now-1 & jobs+=("$!")
  write now-2 & jobs+=("$!")
  write later -odq & jobs+=("$!")
  kill_some "$KILLS" "${@:3}"
  touch "$sink/stop"
  for pid in "$HOME_DIR"/pids/worker-*; do
    pid=$(cat "$pid")
    ! ours "$pid" || kill -TERM "$pid" || true
  done
  wait "${jobs[@]}" || true
  check "$name: what is left is sent" settle
  collect accepted >"$HOME_DIR/all.accepted"
  taken_ids | sort -u >"$HOME_DIR/all.taken"
  taken_ids | sort | uniq -d >"$HOME_DIR/all.doubled"
  postier_as queue list --all --json | jq -rs 'flatten | .[] | select(.may_arrive_twice) | .message_id' \
    | sed 's/^<\(.*\)@.*/\1/' | sort -u >"$HOME_DIR/all.marked"
  doubled=$(wc -l <"$HOME_DIR/all.doubled")
  unmarked=$(comm -23 "$HOME_DIR/all.doubled" "$HOME_DIR/all.marked")
  printf '        %s: %d kills, %d accepted, %d taken, %d of them twice, %d marked\n' "$name" "$KILLS" \
    "$(wc -l <"$HOME_DIR/all.accepted")" "$(wc -l <"$HOME_DIR/all.taken")" "$doubled" "$(wc -l <"$HOME_DIR/all.marked")"
  check "$name: messages were accepted" test -s "$HOME_DIR/all.accepted"
  equal "$name: none that was accepted is lost" "" "$(comm -23 "$HOME_DIR/all.accepted" "$HOME_DIR/all.taken" | tr '\n' ' ')"
  equal "$name: none left twice without a mark" "" "$unmarked"
  equal "$name: none of which nothing was accepted has left" "" "$(comm -12 <(collect refused) "$HOME_DIR/all.taken" | tr '\n' ' ')"
}
# Two machines that look alike: host name and PIDs are the same, and only the network leads to the third, with the sink. They
# share the database by its socket, which the namespaces of the network do not part.
open_machines() {
  local space n far=${SPACES[2]}
  for space in "${SPACES[@]}"; do
    ip netns add "$space"
    ip -n "$space" link set lo up
  done
  ip -n "$far" link add bridge type bridge
  ip -n "$far" address add 198.51.100.1/24 dev bridge
  ip -n "$far" link set bridge up
  for n in 0 1; do
    ip -n "${SPACES[n]}" link add out type veth peer name "in$n" netns "$far"
    ip -n "$far" link set "in$n" master bridge up
    ip -n "${SPACES[n]}" address add "198.51.100.$((n + 2))/24" dev out
    ip -n "${SPACES[n]}" link set out up
  done
  start_sink 198.51.100.1 ip netns exec "$far"
  change '.profiles.anna |= (.insecure = true | .submission.host = "198.51.100.1")'
  check "the machines' configuration is valid" postier_as config validate
}
# on MACHINE COMMAND…
on() {
  ip netns exec "${SPACES[$1]}" env -i "${ENVIRONMENT[@]}" unshare --uts --pid --fork --mount-proc \
    sh -c 'hostname mail; echo "$(hostname) $$"; exec "$@"' sh "${@:2}"
}
# both_run: one program writes messages, then both machines work the queue on a busy computer.
both_run() {
  local one code=0
  dialog space "$MESSAGES" | postier_as sendmail -bs -odq >"$WORK/log/queue-writer-1.log" 2>&1
  busy_loops
  on 0 "$POSTIER" queue run -v >"$WORK/log/queue-one.log" 2>&1 &
  one=$!
  on 1 "$POSTIER" queue run -v >"$WORK/log/queue-two.log" 2>&1 || code=$?
  wait "$one" || code=$?
  quiet || true
  return "$code"
}
limit_per_hour() { change '.profiles.anna.limits.per_hour = $limit' --argjson limit "$1"; }
# machines: they share the limit, and the queue.
machines() {
  local code=0 limit=$((MESSAGES / 2))
  fresh PostgreSQL
  limit_per_hour "$limit"
  both_run || code=$?
  equal "both machines work the queue" 0 "$code" "$WORK/log/queue-two.log"
  equal "they have the same host name and the same PID" "mail 1 mail 1" \
    "$(head -qn 1 "$WORK"/log/queue-{one,two}.log | tr '\n' ' ' | sed 's/ $//')"
  equal "together they send what the limit allows, to the message" "$limit $limit" \
    "$(count_taken) $(taken_ids | sort -u | wc -l)"
  equal "the others wait" $((MESSAGES - limit)) "$(waiting)"
  limit_per_hour 0
  fresh PostgreSQL
  code=0
  both_run || code=$?
  equal "both work a queue without a limit" 0 "$code" "$WORK/log/queue-two.log"
  equal "each message left exactly once" "$MESSAGES $MESSAGES 0" "$(count_taken) $(taken_ids | sort -u | wc -l) $(waiting)"
  printf '        one sent %d, two sent %d\n' "$(grep -c anna "$WORK/log/queue-one.log" || true)" \
    "$(grep -c anna "$WORK/log/queue-two.log" || true)"
}
