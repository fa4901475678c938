# shellcheck shell=bash
# The watch: a password that is changed at the provider is told once, through the fallback, and so is that it works again. A
# name service that dies is no alarm. Nothing is left in the Sent folder.

new_person watch
code=$(run_into "$OUT/setup-anna.txt" unattended --profile anna)
equal "anna's profile is proven" 0 "$code" "$OUT/setup-anna.txt"
code=$(WHO=$USER_OLD run_into "$OUT/setup-berta.txt" unattended --profile berta --imap-host old.postier.test)
equal "berta's profile is proven" 0 "$code" "$OUT/setup-berta.txt"
check "berta is the fallback" postier_as profile fallback berta

# provider_password PASSWORD: what the provider takes for anna from now on. Dovecot looks at the file once a second.
provider_password() {
  sed "s|^\($USER_GOOD:{PLAIN}\)[^:]*|\1$1|" "$WORK/users" >"$WORK/users.changed"
  cat "$WORK/users.changed" >"$WORK/users"
  eventually 10 doveadm -c "$WORK/dovecot-provider/dovecot.conf" auth test "$USER_GOOD" "$1"
}
trap 'provider_password "$PASSWORD"' EXIT
# watch_into NAME ARGUMENTS…: one round; prints the exit code.
watch_into() { run_into "$OUT/$1.json" postier_as watch --json "${@:2}"; }
# of NAME PROFILE FILTER: what a round found.
of() { jq -r --arg name "$2" ".profiles[] | select(.profile == \$name) | $3" "$OUT/$1.json"; }
refusals() { grep -c 'authentication failed' "$WORK/log/postfix.log" || true; }
# notices: what the program wrote to anna, the newest last.
notices() { messages | xargs -r grep -l '^Auto-Submitted: auto-generated' || true; }
count_notices() { notices | wc -l; }
has_notices() { [[ $(count_notices) == "$1" ]]; }
plain_text() { python3 -c 'import email,email.policy,sys;print(email.message_from_binary_file(open(sys.argv[1],"rb"),policy=email.policy.default).get_content())' "$1"; }
header() { sed '/^\r*$/q' "$1"; }

empty_mailbox
code=$(run_into "$OUT/good.txt" postier_as watch)
equal "all is well" 0 "$code" "$OUT/good.txt"
says "with the days that the certificate has left" "days left" "$OUT/good.txt"
equal "and no message is left anywhere" "0 0" "$(count_messages) $(count_messages .Gesendet)"
code=$(watch_into good)
equal "once more for a program, on one line" "0 1 working" "$code $(wc -l <"$OUT/good.json") $(of good anna .state)"
equal "of the domain it is known what it published" "pass" "$(of good anna '.checks[] | select(.id == "dns.spf") | .status')"

# A name service that is dead, before and after the time in which a second failure counts.
code=$(RESOLVER=$IP:5354 watch_into dead-1)
refuse "a dead name service is a failure of the run" test "$code" = 0
equal "but says nothing about the profiles" "unjudged unjudged" "$(of dead-1 anna .state) $(of dead-1 berta .state)"

provider_password "$WRONG_PASSWORD"
before=$(refusals)
code=$(watch_into first)
equal "the password was changed at the provider" "77 doubtful A-14" "$code $(of first anna '"\(.state) \(.code)"')" "$OUT/first.json"
equal "berta's is as it was" working "$(of first berta .state)"
equal "nobody is told after one failure" 0 "$(jq '[.profiles[].notices[]] | length' "$OUT/first.json")"
code=$(watch_into at-once anna)
equal "a second look at once does not sign in again" "77 1" "$code $(($(refusals) - before))"

sleep 31 # the time that two failures have to be apart

code=$(RESOLVER=$IP:5354 watch_into dead-2)
equal "the name service is still dead, and nobody is told" "doubtful unjudged 0" \
  "$(of dead-2 anna .state) $(of dead-2 berta .state) $(jq '[.profiles[].notices[]] | length' "$OUT/dead-2.json")"
code=$(watch_into second)
equal "the second failure counts" "77 failing" "$code $(of second anna .state)" "$OUT/second.json"
equal "the owner is told" "failing $USER_GOOD sent" "$(of second anna '.notices[] | "\(.kind) \(.to) \(.result)"')"
check "the notice is in the owner's mailbox" eventually 10 has_notices 1
notice=$(notices | tail -n 1)
says "it came through the fallback" "<$USER_OLD>" <(header "${notice:-/dev/null}" | grep -i '^from:')
plain_text "${notice:-/dev/null}" >"$OUT/notice.txt" || true
says "it has the cause and the code for the phone" "User name or password not accepted (A-14)" "$OUT/notice.txt"
says "it has the server's words" "535 5.7.8" "$OUT/notice.txt"
says "it says how to fix it" "postier setup --edit anna" "$OUT/notice.txt"
says "in French too" "ne fonctionne plus" "$OUT/notice.txt"
equal "the list says so" "failing wrong-password A-14" \
  "$(postier_as profile list --json | jq -r '.[] | select(.name == "anna") | "\(.state) \(.cause) \(.code)"')"
code=$(watch_into third)
check "watch status knows it without asking" postier_as watch status anna --json
equal "watch status says so" "failing A-14 true" \
  "$(postier_as watch status anna --json | jq -r '.profiles[0] | "\(.state) \(.stopped[0].code) \(.stopped[0].confirmed)"')"
equal "the third time nobody is told" "77 failing 0" "$code $(of third anna .state) $(jq '[.profiles[].notices[]] | length' "$OUT/third.json")"
equal "the refused password was tried twice" 2 "$(($(refusals) - before))"

# The report for support: anna's profile cannot send, so it leaves through berta's, and is what was shown.
code=$(run_into "$OUT/report-unasked.txt" postier_as report anna --to "$USER_OLD")
equal "nothing is sent without a yes" 64 "$code" "$OUT/report-unasked.txt"
reports() { WHO=$USER_OLD messages | xargs -r grep -l '^Subject: .*for support: A-14' || true; }
code=0
postier_as report anna --to "$USER_OLD" --yes >"$OUT/report.md" 2>"$OUT/report.err" || code=$?
equal "the report is sent" 0 "$code" "$OUT/report.err"
says "through the fallback" "Sent through berta" "$OUT/report.err"
has_report() { [[ $(reports | wc -l) == 1 ]]; }
check "support has it, with the code in the subject" eventually 10 has_report
report=$(reports | head -n 1)
attachment() { python3 -c 'import email,email.policy,sys;m=email.message_from_binary_file(open(sys.argv[1],"rb"),policy=email.policy.default);sys.stdout.buffer.write(next(m.iter_attachments()).get_payload(decode=True))' "$1"; }
attachment "${report:-/dev/null}" >"$OUT/report-sent.md" || true
check "it is the report that was shown" cmp "$OUT/report.md" "$OUT/report-sent.md"
says "an answer goes to anna" "$USER_GOOD" <(header "${report:-/dev/null}" | grep -i '^reply-to:')

provider_password 'a-new-password'
printf 'a-new-password' >"$HOME_DIR/.config/postier/secrets/anna"
code=$(watch_into mended)
equal "with the new password it works again" "0 working" "$code $(of mended anna .state)" "$OUT/mended.json"
equal "the owner is told" "working $USER_GOOD sent" "$(of mended anna '.notices[] | "\(.kind) \(.to) \(.result)"')"
check "the all-clear is in the mailbox" eventually 10 has_notices 2
clear=$(notices | tail -n 1)
says "it came from the profile itself" "<$USER_GOOD>" <(header "${clear:-/dev/null}" | grep -i '^from:')
code=$(watch_into after)
equal "once" "0 0" "$code $(jq '[.profiles[].notices[]] | length' "$OUT/after.json")"
equal "there are two notices and nothing else" "2 2 0" "$(count_notices) $(count_messages) $(count_messages .Gesendet)"
equal "the list says that it works" working "$(postier_as profile list --json | jq -r '.[] | select(.name == "anna") | .state')"

# The service does it by itself, when the configuration says so.
provider_password "$WRONG_PASSWORD"
check "the service is told to watch" postier_as watch set --every-hours 24 --notify "$USER_OLD"
check "the configuration is valid" postier_as config validate
mapfile -t env < <(person_env)
env -i "${env[@]}" "$POSTIER" queue run --daemon >"$WORK/log/watch-service.log" 2>&1 </dev/null &
service=$!
says_failing() { grep -q 'anna .*failed once' "$WORK/log/watch-service.log"; }
check "the service watches when it starts" eventually 30 says_failing
kill -TERM "$service"
check "and ends when it is asked to" eventually 20 gone "$service"
provider_password "$PASSWORD"
rm -f "$HOME_DIR/password" "$HOME_DIR/wrong-password" "$HOME_DIR/.config/postier/secrets/anna"
secret_only_in "the password stands nowhere else" "$HOME_DIR/.config/postier/secrets/berta" "$HOME_DIR" "$OUT" "$WORK/log/watch-service.log"
