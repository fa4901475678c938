# shellcheck shell=bash
# kill -9 at system calls while a message is accepted, sent and tried again: strace delivers the signal when the call begins.
# What was accepted is never lost; it arrives twice only where the process died between the last octet to the server and the
# note of its answer (RFC 1047), and then the queue says so.

command -v strace >/dev/null || die "strace is not installed"
new_person kill
code=$(run_into "$OUT/setup.txt" unattended --profile anna)
equal "the profile is there" 0 "$code" "$OUT/setup.txt"
state=$HOME_DIR/.local/state/postier

# Calls that change the world: what is written to files and to the line, synced, opened, locked and connected.
CALLS='openat write pwrite64 fsync fdatasync fcntl connect'
# Of calls that are made hundreds of times, so many points spread over the run are tried; sending has most that can go wrong.
declare -A POINTS=([accept]="${KILL_POINTS:-3}" [send]="${KILL_POINTS:-8}" [retry]="${KILL_POINTS:-4}")

message() { printf 'From: %s\nTo: %s\nSubject: killed\nMessage-ID: <%s@kill.postier.test>\n\nx\n' "$USER_GOOD" "$USER_GOOD" "$1"; }
traced() { # traced FLAGS… -- ARGUMENTS…
  local env flags=()
  while [[ $1 != -- ]]; do flags+=("$1"); shift; done
  shift
  mapfile -t env < <(person_env)
  timeout -k 5 60 env -i "${env[@]}" strace -f -qq "${flags[@]}" "$POSTIER" "$@"
}
# run_queue: nothing may hold it up for long.
run_queue() {
  local env
  mapfile -t env < <(person_env)
  timeout -k 5 60 env -i "${env[@]}" "$POSTIER" queue run
}
fresh() {
  rm -rf "$state"
  empty_mailbox
  postier_as queue list >/dev/null # the tables are there, as on any machine that has sent before
}
postfix_idle() { postqueue -c "$WORK/postfix/etc" -p | grep -q 'is empty'; }
in_box() { messages | xargs -r -d "\n" grep -lF "<$1@kill.postier.test>" | wc -l; }

# prepare SCENE ID: accept has nothing before it; retry has a message in the queue that is due.
prepare() {
  fresh
  if [[ $1 == retry ]]; then
    message "$2" | postier_as sendmail -odq -t -i
  fi
}
play() { # play SCENE ID FLAGS…
  local scene=$1 id=$2
  shift 2
  case $scene in
    accept) message "$id" | traced "$@" -- sendmail -odq -t -i ;;
    send) message "$id" | traced "$@" -- sendmail -t -i ;;
    retry) traced "$@" -- queue run </dev/null ;;
  esac
}

# points COUNT MOST: at most so many numbers from 1 to COUNT, the first and the last among them.
points() { seq 1 "$1" | awk -v n="$1" -v p="$2" 'NR == 1 || NR == n || int(NR * (p - 1) / n) != int((NR - 1) * (p - 1) / n)'; }

killed=0 lost=0 doubled=0 said=0 doubtful=0
for scene in accept send retry; do
  prepare "$scene" count
  play "$scene" count -o "$WORK/calls" -e trace="${CALLS// /,}" >/dev/null 2>&1
  for call in $CALLS; do
    # strace counts for each thread by itself: no thread makes more calls than the busiest one did.
    count=$(awk -v call="$call(" 'index($2, call) == 1 { n[$1]++ } END { for (t in n) if (n[t] > most) most = n[t]; print most + 0 }' "$WORK/calls")
    ((count > 0)) || continue
    for n in $(points "$count" "${POINTS[$scene]}"); do
      id=$scene-$call-$n code=0
      prepare "$scene" "$id"
      play "$scene" "$id" -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" >"$WORK/kill.out" 2>&1 || code=$?
      # strace dies of the signal of which its child died; a run that had fewer such calls ended well.
      if ((code == 137)); then
        killed=$((killed + 1))
      elif ((code != 0)); then
        fail "$id: exit $code" "$WORK/kill.out"
      fi
      accepted=$(postier_as queue list --all --json | jq length)
      run_queue >"$WORK/kill.run" 2>&1 || fail "$id: the queue cannot be worked" "$WORK/kill.run"
      # What may have been delivered is looked for in the Sent folder after some minutes; the test does not wait for that.
      for left in $(postier_as queue list --json | jq -r '.[].id'); do
        postier_as queue retry "$left" && run_queue >"$WORK/kill.run" 2>&1 || fail "$id: the rest cannot be sent" "$WORK/kill.run"
      done
      eventually 5 postfix_idle || fail "$id: Postfix still delivers"
      arrived=$(in_box "$id")
      if ((accepted > 0 && arrived == 0)) || { [[ $scene == retry ]] && ((arrived == 0)); }; then
        lost=$((lost + 1))
        fail "$id: accepted, and lost" "$WORK/kill.run"
      fi
      if ((code == 0 && accepted == 0)); then
        lost=$((lost + 1))
        fail "$id: ended well, and nothing is kept"
      fi
      doubt=$(postier_as queue list --all --json | jq 'any(.[]; .may_arrive_twice)')
      [[ $doubt == false ]] || doubtful=$((doubtful + 1))
      if ((arrived > 1)); then
        doubled=$((doubled + 1))
        if [[ $doubt == true ]]; then
          said=$((said + 1))
        else
          fail "$id: arrived $arrived times, and nothing says so"
        fi
      fi
      copies=$(messages .Gesendet | wc -l)
      ((copies <= 1)) || fail "$id: $copies Sent copies"
    done
  done
done
printf '        %d kills, %d of them after the last octet; %d messages arrived twice (RFC 1047)\n' "$killed" "$doubtful" "$doubled"
check "the process was killed at many points" test "$killed" -ge 40
equal "nothing that was accepted is lost" 0 "$lost"
equal "what arrived twice was said to" "$doubled" "$said"

# The window itself: each write to the state is held up, and the process is killed when the message lies in the mailbox, while the
# note of the server's answer waits to be written. Nobody can know then; the second copy is the price, and it is said.
prepare send window
message window >"$WORK/window"
traced -o "$WORK/calls" -e trace=pwrite64 -e inject=pwrite64:delay_enter=300000 -- sendmail -t -i <"$WORK/window" >"$WORK/kill.out" 2>&1 &
tracer=$!
in_box_times() { [[ $(in_box window) == "$1" ]]; }
check "the message arrives while its sender is still busy" eventually 20 in_box_times 1
kill -KILL "$(awk 'NR == 1 { print $1 }' "$WORK/calls")"
wait "$tracer" || true
equal "the sender died with the answer unsaid" dot "$(postier_as queue list --json | jq -r '.[0].state')" "$WORK/kill.out"
check "the queue takes it up" run_queue
check "it arrives again" eventually 10 in_box_times 2
equal "and the queue says so" "sent true" "$(postier_as queue list --all --json | jq -r '.[0] | "\(.state) \(.may_arrive_twice)"')"
equal "the Sent folder has it once" 1 "$(count_messages .Gesendet)"
