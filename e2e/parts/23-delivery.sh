# shellcheck shell=bash
# What is accepted leaves, what cannot leave is refused in words, and no answer says more than is known: a disk that fills
# while a message is on its way, places of the queue that are none, a state of another user, a claim of a machine that is
# gone, an invalid configuration, a clock that was ahead, servers that echo the password.

new_person delivery
code=$(run_into "$OUT/setup.txt" unattended --profile anna)
equal "the profile is there" 0 "$code" "$OUT/setup.txt"
open_queues "$IP"
disk=$HOME_DIR/disk
close_delivery() {
  close_queues
  umount "$disk" 2>/dev/null || true
}
trap close_delivery EXIT
cp "$CONFIG" "$HOME_DIR/as-set-up.json"
settle_down() { cat "$HOME_DIR/as-set-up.json" >"$CONFIG"; }
places() { change '.queue.database = $place' --arg place "$1"; }
send() { message "$1" | postier_as sendmail -t -i "${@:2}"; }
times_taken() { taken_ids | grep -cx "$1" || true; }
column() { postier_as queue list --all --json | jq -rs "flatten | .[] | select(.message_id | test(\"$1@\")) | $2"; }

# A disk that fills while the server has the message and has not answered yet.
slow_port=2526
(cd "$sink" && exec smtp-sink -u nobody -W .:6 -D "$sink/taken" "$IP:$slow_port" 50) >"$WORK/log/slow-sink.log" 2>&1 &
SINKS+=("$!")
install -d "$disk"
mount -t tmpfs -o size=2m,mode=700 none "$disk"
fill() { dd if=/dev/zero of="$disk/fill" bs=1k 2>/dev/null || true; }
in_doubt() { [[ $(sqlite3 -readonly "$disk/queue.db" "SELECT state FROM postier_message" 2>/dev/null) == dot ]]; }
places "$disk/queue.db"
change '.profiles.anna.submission.port = $port' --argjson port "$slow_port"
send during >"$OUT/during.txt" 2>&1 &
sender=$!
check "the message is on its way" eventually 20 in_doubt
fill
code=0
wait "$sender" || code=$?
refuse "a full disk in the middle: it is not said that nothing was accepted" grep -qF "Nothing was accepted" "$OUT/during.txt"
check "the exit code is 0, or 74 for a state that is not known" grep -qxE "0|74" <<<"$code"
rm -f "$disk/fill"
check "with room again, the queue is worked" postier_as queue run
equal "it has left once, or it is marked" true \
  "$( [[ $(times_taken during) == 1 || $(column during .may_arrive_twice) == true ]] && echo true)"
settle_down
umount "$disk"
mount -t tmpfs -o size=300k,mode=700 none "$disk"
places "$disk/queue.db"
for room in 0 40 80 120 160; do
  rm -rf "${disk:?}"/*
  fill && truncate -s "-${room}K" "$disk/fill" 2>/dev/null || true
  code=$(run_into "$OUT/room-$room.txt" send "room-$room" -odq)
  rm -f "$disk/fill"
  waits=$(postier_as queue list --json | jq -s 'flatten | length')
  if ((code == 0)); then
    equal "$room KiB of room: accepted, and it waits" 1 "$waits"
  elif grep -qF "Nothing was accepted" "$OUT/room-$room.txt"; then
    equal "$room KiB of room: nothing was accepted, and nothing waits" "74 0" "$code $waits" "$OUT/room-$room.txt"
  else
    equal "$room KiB of room: refused with 74" 74 "$code" "$OUT/room-$room.txt"
  fi
done
settle_down
umount "$disk"

# Groups (RFC 5322 §3.4).
{
  printf 'From: %s\nTo: team: a@postier.test, c@postier.test;, d@postier.test\n' "$USER_GOOD"
  printf 'Subject: group\nMessage-ID: <group@queue.postier.test>\n\nb\n'
} >"$HOME_DIR/group.eml"
rm -f "$sink/taken"
send_group() { postier_as sendmail -t -i <"$HOME_DIR/group.eml"; }
code=$(run_into "$OUT/group.txt" send_group)
equal "a group of recipients" 0 "$code" "$OUT/group.txt"
check "it arrives" eventually 20 took 1
equal "for each of its members" "a@postier.test c@postier.test d@postier.test" \
  "$(sed -n 's/^X-Rcpt-Args: <\(.*\)>.*/\1/p' "$sink/taken" | sort -u | tr '\n' ' ' | sed 's/ $//')"

# One place of the queue has one meaning; a password is in none of them, and comes out nowhere.
readonly DATABASE_PASSWORD=S3cretDBpw
mkdir -p "$HOME_DIR/here"
tried=0
for place in "postgres://postier:$DATABASE_PASSWORD@$IP:1/postier" "postgres://$IP:1/postier?sslpassword=$DATABASE_PASSWORD" \
  "postgres://$IP:1/postier?password=$DATABASE_PASSWORD" "host=$IP password=$DATABASE_PASSWORD" \
  file:///var/x.db sqlite:///x.db mysql://u@h/db "host=/run dbname=postier" '~/q.db' "\${HOME}/q.db" :memory: \
  postgres:postier; do
  tried=$((tried + 1))
  places "$place"
  for command in "config validate" "sendmail -t -i" "queue run" "config show"; do
    # shellcheck disable=SC2086
    (cd "$HOME_DIR/here" && message place | postier_as $command) >"$OUT/place-$tried-${command// /-}.txt" 2>&1 && code=0 || code=$?
    [[ $command == "config show" ]] || equal "$command refuses ${place//$DATABASE_PASSWORD/…}" 78 "$code" "$OUT/place-$tried-${command// /-}.txt"
  done
done
equal "no password of a database is shown" "" "$(grep -lF "$DATABASE_PASSWORD" "$OUT"/place-* || true)"
equal "and no file is made where the caller stands" "" "$(ls -A "$HOME_DIR/here")"
settle_down

# The state of another user.
foreign=$HOME_DIR/foreign
install -d -m 1777 "$foreign"
: >"$foreign/queue.db"
chmod 600 "$foreign/queue.db"
chown www-data "$foreign/queue.db"
places "$foreign/queue.db"
code=$(run_into "$OUT/foreign.txt" send foreign -odq)
equal "a state that belongs to another user is refused" 78 "$code" "$OUT/foreign.txt"
equal "and nothing is written there" 0 "$(stat -c %s "$foreign/queue.db")"
settle_down

# A configuration of another user, outside this one's home: it serves its owner, whom no hint may lock out.
shared=$WORK/shared-config
install -d -m 700 "$shared"
cp "$CONFIG" "$shared/config.json"
chown -R www-data "$shared"
code=$(run_into "$OUT/other.txt" send other --config "$shared/config.json")
equal "a configuration of another user" 78 "$code" "$OUT/other.txt"
says "is that user's" "sudo -u www-data" "$OUT/other.txt"
refuse "and is not to be taken away" grep -qE "chown|chmod" "$OUT/other.txt"

# A claim of a machine that lost its database: it has PIDs of its own, so no other machine can know that it is dead.
fresh PostgreSQL
change '.profiles.anna.submission.port = $port' --argjson port "$slow_port"
message claimed >"$HOME_DIR/claimed.eml"
(exec env -i "${ENVIRONMENT[@]}" unshare --uts --pid --fork --kill-child --mount-proc "$POSTIER" sendmail -t -i) \
  <"$HOME_DIR/claimed.eml" >"$OUT/claimed.txt" 2>&1 &
other=$!
on_its_way() { [[ $(psql -d "queue$databases" -c "SELECT state FROM postier_message") == dot ]]; }
check "the other machine is sending" eventually 20 on_its_way
kill -KILL "$other"
wait "$other" 2>/dev/null || true
change '.profiles.anna.submission.port = $port' --argjson port "$SINK_PORT"
message mine >"$HOME_DIR/mine.eml"
check "another message is accepted" postier_as sendmail -t -i -odq <"$HOME_DIR/mine.eml"
in_time() {
  local env
  mapfile -t env < <(person_env)
  timeout -k 5 60 env -i "${env[@]}" "$POSTIER" "$@"
}
check "queue run does not wait for the other machine's claim" in_time queue run
equal "and sends what it may" 1 "$(times_taken mine)"
settle_down

# What validate refuses, send refuses.
refused() {
  local code
  change "$2"
  code=$(run_into "$OUT/invalid.txt" postier_as config validate)
  equal "validate refuses $1" 78 "$code" "$OUT/invalid.txt"
  code=$(run_into "$OUT/invalid.txt" send invalid -odq)
  equal "sendmail refuses $1" 78 "$code" "$OUT/invalid.txt"
  settle_down
}
refused "a port that cannot be" '.profiles.anna.submission.port = 99999'
refused "a limit below nothing" '.profiles.anna.limits.per_day = -1'
refused "an unknown credential" '.profiles.anna.credential.kind = "zzz"'
refused "a default that is not there" '.default = "nope"'
refused "a sender that is no address" '.profiles.anna.senders = ["x y"]'
refused "an unknown key" '.profiles.anna.colour = "red"'

# Accepted, or counted against a limit, while the clock was ten years ahead.
for database in SQLite PostgreSQL; do
  fresh "$database"
  change '.profiles.anna.limits.per_hour = 0'
  message ahead >"$HOME_DIR/ahead.eml"
  check "$database: a message is accepted" postier_as sendmail -t -i -odq <"$HOME_DIR/ahead.eml"
  query() {
    case $database in SQLite) sqlite3 "$HOME_DIR/queue.db" "$1" ;; *) psql -d "queue$databases" -c "$1" ;; esac
  }
  digits=$(query "SELECT length(CAST(accepted AS TEXT)) FROM postier_message") # seconds, or parts of them
  ten_years="315360000$(printf '%0*d' $((digits - 10)) 0)"
  query "UPDATE postier_message SET accepted = accepted + $ten_years, due = due + $ten_years"
  check "$database: the queue is worked" postier_as queue run
  equal "$database: what was accepted ten years ahead has left" 1 "$(times_taken ahead)"
  for n in 1 2 3; do
    query "INSERT INTO postier_sent (profile, at) SELECT 'anna', accepted + $ten_years FROM postier_message"
  done
  change '.profiles.anna.limits.per_hour = 2'
  check "$database: another one is accepted" send counted
  due=$(postier_as queue list --json | jq -s 'flatten | .[0].due | sub("\\.[0-9]+"; "") | fromdateiso8601')
  check "$database: what was counted ten years ahead holds it up for an hour at most" test "$due" -le $(($(date +%s) + 3605))
done
settle_down

# Servers that echo the password.
PASSWORD_ODD='k"a'\''N$(id)%2F;\\&<y>é=`#+ z'
printf '%s\n' "$PASSWORD_ODD" >"$HOME_DIR/odd"
chmod 600 "$HOME_DIR/odd"
python3 "$E2E/servers/echo.py" serve "$IP" 2527 "$HOME_DIR/odd" >"$WORK/log/echo.log" 2>&1 &
SINKS+=("$!")
answers() { (: >"/dev/tcp/$IP/2527") 2>/dev/null; }
check "the echo is there" eventually 20 answers
fresh SQLite
change '.profiles.anna.submission += {port: 2527, auth: "plain"} | .profiles.anna.credential.path = $path' --arg path "$HOME_DIR/odd"
mkdir -p "$OUT/echo"
send echoed -v >"$OUT/echo/send.txt" 2>&1 || true
postier_as queue list >"$OUT/echo/list.txt" 2>&1
postier_as queue list --json >"$OUT/echo/list.json" 2>&1
postier_as log >"$OUT/echo/log.txt" 2>&1
postier_as diagnose anna >"$OUT/echo/diagnose.txt" 2>&1 || true
postier_as diagnose anna --json --transcript >"$OUT/echo/diagnose.json" 2>/dev/null || true
for format in md html json; do
  postier_as report anna --format "$format" --out "$OUT/echo/report.$format" >"$OUT/echo/said-$format.txt" 2>&1 || true
done
says "the server did refuse" "535" "$OUT/echo/diagnose.txt"
equal "no form of the password can be read anywhere" "" "$(python3 "$E2E/servers/echo.py" find "$HOME_DIR/odd" "$OUT"/echo/*)"
settle_down

# A domain whose records lead to this computer: that is said before anything is contacted.
code=$(run_into "$OUT/loopback.txt" postier_as diagnose "$USER_GOOD" --only smtp)
says "an address of this computer is named" "$IP, an address of this computer or its network" "$OUT/loopback.txt"
asked_nowhere() { env -i "${ENVIRONMENT[@]}" POSTIER_RESOLVER="$IP2:1" "$POSTIER" diagnose "$USER_GOOD"; }
code=$(run_into "$OUT/nowhere.txt" asked_nowhere)
equal "a name service that does not answer" 69 "$code" "$OUT/nowhere.txt"
says "is named as the cause" "The name service is not answering" "$OUT/nowhere.txt"

# An escape sequence in the name of a profile.
change '.profiles["\u001b[2Jrel"] = .profiles.anna | .default = "\u001b[2Jrel"'
for command in "config validate" "config show" "profile list" "queue list" "limits show"; do
  # shellcheck disable=SC2086
  postier_as $command >"$OUT/escape.txt" 2>&1 || true
  refuse "$command writes no escape sequence of the file's" grep -qF $'\e' "$OUT/escape.txt"
done
settle_down
close_delivery
trap - EXIT
