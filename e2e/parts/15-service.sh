# shellcheck shell=bash
# The same programs run as users without a configuration. One service has it, runs as a user of its own, and takes their
# messages on the machine's socket.

new_person service
code=$(run_into "$OUT/setup.txt" unattended --profile anna)
equal "there is a profile" 0 "$code" "$OUT/setup.txt"
jq --arg ca "$CA" '.profiles.anna.tls.ca_file = $ca' "$CONFIG" >"$HOME_DIR/changed.json"
cat "$HOME_DIR/changed.json" >"$CONFIG"
check "mail for root goes to berta" postier_as alias set root "$USER_OLD"

service=$WORK/service
cp -r "$(dirname "$CONFIG")" "$service"
mkdir -p "$WORK/home"/{empty,www-empty}
chmod 700 "$WORK/home"/{empty,www-empty}
chown www-data: "$WORK/home/www-empty"
make_machine "$WORK/home/empty" "$WORK/home/www-empty"
uid=64321
printf 'postier:x:%s:%s::%s:/usr/sbin/nologin\n' "$uid" "$uid" "$service" >>"$stage/passwd"
chown -R "$uid:$uid" "$service" "$stage/run"
chmod 700 "$service"
install -m 755 "$(realpath "$POSTIER")" "$WORK/bin/postier-service"

trap end_daemons EXIT
start_service() {
  daemon postier service env POSTIER_CONFIG="$service/config.json" HOME="$service" LC_ALL=C \
    "$WORK/bin/postier-service" queue run --daemon --socket /run/postier/submit
  server=$!
  check "the service listens" eventually 20 test -S "$stage/run/submit"
}
# allow JSON: who may submit.
allow() {
  jq --argjson list "$1" '.submit.allow = $list' "$service/config.json" >"$WORK/changed.json"
  cat "$WORK/changed.json" >"$service/config.json"
}
# send_as USER FILE: hands in one message; prints the exit code.
send_as() {
  run_into "$2" as "$1" env "${@:3}" sh -c 'printf "Subject: alone\n\nmark-%s-alone\n" "$USER" | sendmail root'
}

code=$(send_as www-data "$OUT/none.txt")
equal "without service and configuration" 78 "$code" "$OUT/none.txt"
says "one way out is an account of one's own" "postier setup" "$OUT/none.txt"
says "the other is the machine's service" "postier service install --system" "$OUT/none.txt"

start_service
programs_send
programs_arrive
check "the service ends when it is asked to" eventually 20 gone "$server"
says "the service names who handed a message in" "accepted from www-data" "$WORK/log/service.log"
for secret in "$PASSWORD" "$USER_OLD"; do
  refuse "the service logs neither the password nor a recipient" grep -qF -- "$secret" "$WORK/log/service.log"
done
start_service
queue_length() {
  as postier env POSTIER_CONFIG="$service/config.json" "$WORK/bin/postier-service" queue list --json | jq length
}
empty_queue() { [[ $(queue_length) == 0 ]]; }
check "nothing waits" eventually 10 empty_queue

code=$(send_as root "$OUT/of-service.txt" POSTIER_CONFIG="$service/config.json")
equal "root sends through the service, whose configuration is not root's" 0 "$code" "$OUT/of-service.txt"
arrives mark-root-alone "$USER_OLD" "$USER_GOOD | - | -"
code=$(run_into "$OUT/foreign.txt" as root env POSTIER_CONFIG="$service/config.json" "$WORK/bin/postier-service" alias list)
equal "root does not read it" 78 "$code" "$OUT/foreign.txt"
says "and is told whose it is" "sudo -u postier" "$OUT/foreign.txt"

allow '["root"]'
code=$(send_as www-data "$OUT/refused.txt")
equal "a user who is not allowed" 77 "$code" "$OUT/refused.txt"
says "is told so in words" "takes no messages from the user “www-data”" "$OUT/refused.txt"
refuse "PHP is told that it failed" as www-data php -r 'exit(mail("root", "from PHP", "mark-refused\n") ? 0 : 1);'
allow '["root", "@www-data"]'
equal "a group is allowed" 0 "$(send_as www-data "$OUT/group.txt")" "$OUT/group.txt"
arrives mark-www-data-alone "$USER_OLD" "$USER_GOOD | - | -"
refuse "and what was refused has not arrived" arrived mark-refused "$USER_OLD"

kill -KILL "$server"
check "the service was killed" eventually 5 gone "$server"
equal "a service that does not run is for later" 75 "$(send_as root "$OUT/down.txt")" "$OUT/down.txt"
start_service
check "and takes messages when it runs again" eventually 10 as root sh -c 'echo mark-again | sendmail root'
eventually 10 arrived mark-again "$USER_OLD" || fail "mark-again does not arrive"
end_daemons
check "the service has ended" eventually 20 gone "$server"
