# shellcheck shell=bash
# The wizard without questions, against the good servers: what it says, what it writes, what it leaves in the mailbox.

new_person unattended
code=$(run_into "$OUT/setup.txt" unattended --profile anna)
equal "setup --yes ends well" 0 "$code" "$OUT/setup.txt"

check "the configuration validates" postier_as config validate
check "the configuration is JSON" jq -e . "$CONFIG"
field() { jq -r ".profiles.anna$1" "$CONFIG" 2>/dev/null; }
equal "the address is saved" "$USER_GOOD" "$(field .from.address)"
equal "the submission server is saved" "mail.postier.test:587 starttls" "$(field '.submission|"\(.host):\(.port) \(.security)"')"
equal "the Sent folder was found by its mark" "INBOX.Gesendet" "$(field .sent_copy.folder)"
equal "the profile is the default" anna "$(jq -r .default "$CONFIG")"
check "the digest of what was proven is there" grep -qE '"digest": "sha256:[0-9a-f]{64}"' "$CONFIG"
equal "the sign-in is proven" pass "$(field '.validated.checks["smtp.auth"]')"
equal "the Sent copy is proven" pass "$(field '.validated.checks["imap.readback"]')"
equal "the SPF record is proven" pass "$(field '.validated.checks["dns.spf"]')"
equal "the arrival is proven" pass "$(field '.validated.checks["arrival.delivered"]')"

equal "the test message is in the mailbox on disk" 1 "$(count_messages)"
says "it comes from the address" "$USER_GOOD" "$(newest_message)"
says "it came over an encrypted, authenticated line" "with ESMTPSA" "$(newest_message)"
check "the Sent folder is there on disk" test -d "$(maildir .Gesendet)/cur"
equal "the rehearsal's copy is gone from it" 0 "$(count_messages .Gesendet)"
check "no other folder was made" test ! -e "$(maildir .Sent)"

equal "the secret's file is its owner's alone" 600 "$(stat -c %a "$HOME_DIR/.config/postier/secrets/anna")"
equal "so is the folder of the secrets" 700 "$(stat -c %a "$HOME_DIR/.config/postier/secrets")"
equal "so is the configuration" 600 "$(stat -c %a "$CONFIG")"
equal "so is its folder" 700 "$(stat -c %a "$HOME_DIR/.config/postier")"
equal "the secret is the password" "$PASSWORD" "$(cat "$HOME_DIR/.config/postier/secrets/anna")"
rm -f "$HOME_DIR/password"
secret_only_in "the password stands nowhere else" "$HOME_DIR/.config/postier/secrets/anna" "$HOME_DIR" "$OUT"
equal "the servers' logs do not hold it either" "" "$(leaks "$WORK/log" "$WORK/dovecot-provider/dovecot.log")"
check "no draft is left" test ! -e "$HOME_DIR/.config/postier/draft.json"

code=$(run_into "$OUT/get.txt" postier_as secret get anna)
equal "secret get gives it to a pipe" "0 $PASSWORD" "$code $(cat "$OUT/get.txt")"
rm -f "$OUT/get.txt"

# A mailbox server that marks no folder: the Sent folder is known by its French name.
new_person old-mailbox
code=$(run_into "$OUT/setup.txt" unattended --profile anna --imap-host old.postier.test)
equal "setup --yes ends well without marked folders" 0 "$code" "$OUT/setup.txt"
