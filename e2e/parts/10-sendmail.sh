# shellcheck shell=bash
# An invoicing script that knows nothing but /usr/sbin/sendmail sends through profiles that the wizard made: the Sent copy,
# limits, test mode, the suppression list, and what happens when the password is no longer right.

new_person sendmail
code=$(run_into "$OUT/setup-anna.txt" unattended --profile anna)
equal "anna's profile is proven" 0 "$code" "$OUT/setup-anna.txt"
code=$(WHO=$USER_OLD run_into "$OUT/setup-berta.txt" unattended --profile berta --imap-host old.postier.test)
equal "berta's profile is proven" 0 "$code" "$OUT/setup-berta.txt"

# change FILTER [JQ-ARGUMENTS…]: as an administrator would, in the file.
change() {
  jq "${@:2}" "$1" "$CONFIG" >"$HOME_DIR/changed.json" && cat "$HOME_DIR/changed.json" >"$CONFIG" && rm "$HOME_DIR/changed.json"
}
change '.fallback = "berta"'
check "berta is the fallback" postier_as config validate

mkdir -p "$HOME_DIR/bin"
cat >"$HOME_DIR/invoice" <<'END'
#!/bin/sh
# invoice NUMBER TO [FLAGS…]
number=$1 to=$2
shift 2
printf 'From: Billing <anna@postier.test>\nTo: %s\nBcc: %s\nSubject: Invoice %s\n\nInvoice %s\n.\nbehind a dot\n' \
  "$to" "${BLIND:-}" "$number" "$number" | sed '/^Bcc: $/d' | ${MAILER:-/usr/sbin/sendmail} -t -i "$@"
END
chmod 755 "$HOME_DIR/invoice"

# In a mount namespace of the script's own, postier is /usr/sbin/sendmail; the machine's own stays as it is.
[[ -e /usr/sbin/sendmail ]] || die "there is no /usr/sbin/sendmail to stand in for"
BEFORE=$(sha256sum </usr/sbin/sendmail)
invoice() {
  local env
  mapfile -t env < <(person_env)
  # shellcheck disable=SC2016
  env -i "${env[@]}" BLIND="${BLIND:-}" unshare --mount sh -c 'mount --bind "$1" /usr/sbin/sendmail && shift && exec "$@"' sh \
    "$(realpath "$POSTIER")" "$HOME_DIR/invoice" "$@"
}
has() { [[ $(count_messages "${2:-}") == "$1" ]]; }
bertas() { WHO=$USER_OLD count_messages "$@"; }
berta_has() { [[ $(bertas) == "$1" ]]; }
holds() { grep -qF -- "$1" "$(newest_message)"; }
queued() { postier_as queue list --json | jq "${1:-length}"; }
header() { sed '/^\r*$/q' "$1"; }

BLIND=$USER_OLD
code=$(run_into "$OUT/first.txt" invoice 1 "$USER_GOOD")
equal "the script's first invoice is taken" 0 "$code" "$OUT/first.txt"
equal "in silence" "" "$(cat "$OUT/first.txt")"
check "it is in the mailbox on disk" eventually 10 has 1
first=$(newest_message)
says "whole, with its line of one dot" "behind a dot" "$first"
says "over an encrypted, authenticated line" "with ESMTPSA" "$first"
check "the blind copy has arrived, too" eventually 10 berta_has 1
equal "no one sees it" "" "$(header "$first" | grep -i '^bcc:')"
equal "the Sent copy is in the folder that is marked as such, once" 1 "$(count_messages .Gesendet)"
equal "it is the same message" "$(grep -i '^message-id:' "$first" | tr -d '\r')" "$(grep -i '^message-id:' "$(newest_message .Gesendet)" | tr -d '\r')"
equal "nothing waits" 0 "$(queued)"
equal "the machine's own sendmail is as before" "$BEFORE" "$(sha256sum </usr/sbin/sendmail)"
BLIND=

ln -sf "$(realpath "$POSTIER")" "$HOME_DIR/bin/sendmail"
by_path() {
  local env
  mapfile -t env < <(person_env)
  env -i "${env[@]}" PATH="$HOME_DIR/bin:/usr/bin:/bin" MAILER=sendmail "$HOME_DIR/invoice" "$@"
}
check "a link called sendmail, first in PATH, does the same" by_path 2 "$USER_GOOD"
check "its message arrives" eventually 10 has 2

# P-4: the third within an hour waits, and --direct says when.
change '.profiles.anna.limits.per_hour = 2'
code=$(run_into "$OUT/over.txt" invoice 3 "$USER_GOOD")
equal "a message over the limit is accepted" 0 "$code" "$OUT/over.txt"
equal "and waits in the queue, with the cause" "1 own-limit-reached" "$(queued '"\(length) \(.[0].cause)"' | tr -d '"')"
check "it is due in an hour" test "$(postier_as queue list --json | jq '.[0].due | sub("\\.[0-9]+"; "") | fromdateiso8601')" -gt "$(($(date +%s) + 3300))"
direct() { postier_as send --to "$USER_GOOD" --subject "Now or never" --body x --direct "$@"; }
code=$(run_into "$OUT/direct.txt" direct)
equal "--direct does not send it" 75 "$code" "$OUT/direct.txt"
check "and says when it may" grep -qE '20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}' "$OUT/direct.txt"
check "the queue is worked while the limit holds" postier_as queue run
equal "nothing more has left" "2 1" "$(count_messages) $(queued)"
change '.profiles.anna.limits.per_hour = 0'
check "the limit is lifted" postier_as queue retry "$(postier_as queue list --json | jq -r '.[0].id')"
check "the queue sends what waited" postier_as queue run
check "it arrives" eventually 10 has 3
equal "with one Sent copy a message" "3 0" "$(count_messages .Gesendet) $(queued)"

# P-5: in test mode only the test address gets mail.
change '.profiles.anna.test_mode = {enabled: true, address: $to}' --arg to "$USER_OLD"
before=$(bertas)
check "the script sends in test mode" invoice 4 "$USER_GOOD"
check "the test address has it" eventually 10 berta_has $((before + 1))
trial=$(WHO=$USER_OLD newest_message)
says "with the recipient it was meant for" "$USER_GOOD" "$trial"
says "and what it said" "Invoice 4" "$trial"
equal "the recipient has nothing" 3 "$(count_messages)"
change '.profiles.anna.test_mode = {enabled: false}'

# P-7: a suppressed recipient is named, the others are served.
check "an address is suppressed" postier_as suppress add "$USER_OLD" --reason "asked to be left alone"
before=$(bertas)
code=$(run_into "$OUT/suppressed.txt" invoice 5 "$USER_GOOD, $USER_OLD")
equal "a message to that one and another is sent" 0 "$code" "$OUT/suppressed.txt"
says "the suppressed one is named" "$USER_OLD" "$OUT/suppressed.txt"
says "with the reason" "asked to be left alone" "$OUT/suppressed.txt"
check "the other has it" eventually 10 has 4
equal "the suppressed one does not" "$before" "$(bertas)"
check "it comes off the list" postier_as suppress remove "$USER_OLD"

# I-6: the log has what left, and the id that the server gave it.
logged() { postier_as log --json | jq -r "[.[] | select(.subject == \"$1\")][0] | $2"; }
equal "the log says who was left out" "$USER_OLD" "$(logged 'Invoice 5' '.recipients[] | select(.result == "suppressed") | .address')"
check "it has the server's queue id" grep -qF "$(logged 'Invoice 1' .queue_id)" "$WORK/log/postfix.log"
equal "and where the Sent copy is" filed "$(logged 'Invoice 1' .sent_copy)"
equal "a spreadsheet has a line for each recipient" "$(postier_as log --json | jq '[.[].recipients | length] | add + 1')" \
  "$(postier_as log export | wc -l)"

# D-5, D-7: the password was changed at the provider.
refusals() { grep -c 'authentication failed' "$WORK/log/postfix.log" || true; }
secret=$HOME_DIR/.config/postier/secrets/anna
cat "$HOME_DIR/wrong-password" >"$secret"
before=$(refusals)
code=$(run_into "$OUT/turned.txt" invoice 6 "$USER_GOOD")
equal "mail still goes when the password is wrong" 0 "$code" "$OUT/turned.txt"
anna() { jq -r ".profiles.anna$1" "$CONFIG"; }
equal "the profile is switched off, with the cause" "false wrong-password" "$(anna '|"\(.enabled) \(.disabled.cause)"')"
equal "the list says so, with the code" "off wrong-password A-14" \
  "$(postier_as profile list --json | jq -r '.[] | select(.name == "anna") | "\(.state) \(.cause) \(.code)"')"
equal "the log says whose place the fallback took" "berta anna" "$(logged 'Invoice 6' '"\(.profile) \(.instead)"')"
check "the queue sends the notice" postier_as queue run
check "the message and the notice are there" eventually 10 has 6
sixth=$(grep -lF "Invoice 6" $(messages) | head -n 1)
notice=$(grep -l "^Auto-Submitted: auto-generated" $(messages) | head -n 1)
says "the message comes from the fallback's address" "<$USER_OLD>" <(header "${sixth:-/dev/null}" | grep -i '^from:')
says "answers go to the author" "$USER_GOOD" <(header "${sixth:-/dev/null}" | grep -i '^reply-to:')
# decoded TEXT FILE
plain_text() { python3 -c 'import email,email.policy,sys;print(email.message_from_binary_file(open(sys.argv[1],"rb"),policy=email.policy.default).get_content())' "$1"; }
plain_text "${notice:-/dev/null}" >"$OUT/notice.txt" || true
says "the notice says how to fix it" "postier setup --edit anna" "$OUT/notice.txt"
for words in "cannot send any more" "ne peut plus envoyer" "kann nicht mehr senden" "(A-14)"; do
  says "the notice has: $words" "$words" "$OUT/notice.txt"
done
check "the next one goes through the fallback" invoice 7 "$USER_GOOD"
check "it arrives" eventually 10 has 7
equal "the wrong password was said once" 1 "$(($(refusals) - before))"

code=$(run_into "$OUT/enable-wrong.txt" postier_as profile enable anna)
equal "it is not switched on while the sign-in is refused" 77 "$code" "$OUT/enable-wrong.txt"
says "the cause is said" "User name or password not accepted" "$OUT/enable-wrong.txt"
says "and what the server said" "535 5.7.8" "$OUT/enable-wrong.txt"
equal "it stays off" false "$(anna .enabled)"
printf '%s' "$PASSWORD" >"$secret"
code=$(run_into "$OUT/enable.txt" postier_as profile enable anna)
equal "with the right password the check passes" 0 "$code" "$OUT/enable.txt"
equal "it is on, and the cause is gone" "true null" "$(anna '|"\(.enabled) \(.disabled)"')"
check "the script sends through it again" invoice 8 "$USER_GOOD"
check "it arrives" eventually 10 has 8
says "from its own address" "<$USER_GOOD>" <(header "$(newest_message)" | grep -i '^from:')
equal "nothing is left in the queue" 0 "$(queued)"
rm -f "$HOME_DIR/password" "$HOME_DIR/wrong-password"
rm -f "${secret%/*}/berta" # the two have the same password
secret_only_in "the password stands nowhere else" "$secret" "$HOME_DIR" "$OUT"
