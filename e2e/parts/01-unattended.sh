# shellcheck shell=bash
# The wizard without questions, against the good servers: what it says, what it writes, what it leaves in the mailbox.

new_person unattended
code=$(run_into "$OUT/setup.txt" unattended --profile anna)
equal "setup --yes ends well" 0 "$code" "$OUT/setup.txt"

check "the configuration validates" postier_as config validate
check "the configuration is JSON" jq -es '.[0]' "$CONFIG"
# went_through FOLDER FILE: the log has the message saved to the folder and expunged from it, by its Message-ID.
went_through() {
  local id log=$WORK/dovecot-provider/dovecot.log
  id=$(sed -n 's/^Message-I[Dd]: *\(<[^>]*>\).*/\1/p' "$2" | head -n 1)
  [[ -n $id ]] && grep -qF "save: box=$1, msgid=$id" "$log" && grep -qF "expunge: box=$1, msgid=$id" "$log"
}
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

# The program removes what it tried with; this server keeps what was removed, and logs what came and went.
trial=$(removed .INBOX)
check "the test message was in the mailbox on disk" test -f "$trial"
says "it comes from the address" "From: <$USER_GOOD>" "$trial"
says "it came over an encrypted, authenticated line" "with ESMTPSA" "$trial"
says "it says what it is" "Subject: " "$trial"
equal "the inbox is as empty as before" 0 "$(count_messages)"
check "the Sent folder is there on disk" test -d "$(maildir .Gesendet)/cur"
copy=$(removed .Gesendet)
check "the rehearsal's copy was in it" test -f "$copy"
check "the copy was filed as read" grep -q ':2,.*S' <<<"$copy"
check "the server saw it come and go" went_through INBOX.Gesendet "$copy"
equal "the Sent folder is as empty as before" 0 "$(count_messages .Gesendet)"
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
WHO=$USER_OLD
code=$(run_into "$OUT/setup.txt" unattended --imap-host old.postier.test)
equal "setup --yes ends well where no folder is marked" 0 "$code" "$OUT/setup.txt"
equal "the Sent folder was found by its French name" "INBOX.Éléments envoyés" \
  "$(jq -r '.profiles[].sent_copy.folder' "$CONFIG" 2>/dev/null)"
equal "the test message was in that mailbox on disk" 1 "$(removed .INBOX | wc -l)"
equal "the rehearsal's copy was in its Sent folder" 1 "$(removed '.*ments envoy*' | wc -l)"
equal "nothing is left of either" "0 0" "$(count_messages) $(count_messages '.&AMk-l&AOk-ments envoy&AOk-s')"
check "the Sent folder is there on disk, in modified UTF-7" test -d "$(maildir '.&AMk-l&AOk-ments envoy&AOk-s')"

# Thunderbird sends already: its settings are taken over, with the Sent folder as Thunderbird writes it, and proven. It keeps
# its password.
new_person takeover
profile=$HOME_DIR/.thunderbird/a1b2c3d4.default-release
mkdir -p "$profile"
sed -e 's/@durand.example/@postier.test/g; s/contact\(@\|%40\)/anna\1/g; s/%40durand.example@imap.durand.example/%40postier.test@imap.durand.example/g' \
  -e 's/\(smtp\|imap\|mail\)\.durand\.example/mail.postier.test/g' -e 's|/Messages envoy&AOk-s");|/INBOX/Gesendet");|' \
  "$E2E/../config/importer/testdata/prefs.js" >"$profile/prefs.js"
code=$(run_into "$OUT/import.txt" postier_as import auto "$profile/prefs.js" --password-file "$HOME_DIR/password")
equal "import ends well" 0 "$code" "$OUT/import.txt"
equal "with the servers, the reply address and the Sent folder of Thunderbird" \
  "mail.postier.test:587 starttls accueil@postier.test INBOX.Gesendet" \
  "$(jq -r '.profiles[] | "\(.submission.host):\(.submission.port) \(.submission.security) \(.reply_to) \(.sent_copy.folder)"' "$CONFIG")"
equal "and proven" "pass pass" "$(jq -r '.profiles[].validated.checks | "\(.["smtp.auth"]) \(.["imap.readback"])"' "$CONFIG")"
check "Thunderbird's file is as it was" test "$(grep -c '^user_pref' "$profile/prefs.js")" = \
  "$(grep -c '^user_pref' "$E2E/../config/importer/testdata/prefs.js")"
