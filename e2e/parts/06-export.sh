# shellcheck shell=bash
# Other programs send with the result: the real msmtp, a shell that sources the variables, and readers of JSON.

new_person export
code=$(run_into "$OUT/setup.txt" unattended --profile anna)
equal "the profile is there" 0 "$code" "$OUT/setup.txt"
# Our authority is not one that the machine trusts, so the profile names it.
jq --arg ca "$CA" '.profiles.anna.tls.ca_file = $ca' "$CONFIG" >"$HOME_DIR/edited.json"
cat "$HOME_DIR/edited.json" >"$CONFIG"
check "the configuration with its own authority validates" postier_as config validate

rc=$HOME_DIR/msmtprc
check "export msmtp writes a file" postier_as export msmtp anna --out "$rc"
equal "it is its owner's alone" 600 "$(stat -c %a "$rc")"
sed 's/^/        | /' "$rc"
equal "the password is not in it" "" "$(leaks "$rc")"

# msmtp asks the machine for addresses; libnss-wrapper answers for it, so that /etc/hosts stays as it is.
printf '%s mail.postier.test\n' "$IP" >"$WORK/hosts"
send_by_msmtp() {
  local env
  mapfile -t env < <(person_env)
  printf 'From: %s\nTo: %s\nSubject: by msmtp\nMessage-ID: <msmtp-1@postier.test>\n\nSent by msmtp.\n' "$USER_GOOD" "$USER_GOOD" |
    env -i "${env[@]}" LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_HOSTS="$WORK/hosts" \
      msmtp --file="$rc" "$@" -- "$USER_GOOD"
}
arrived() { [[ $(count_messages) == 1 ]]; }
check "msmtp sends through the exported configuration" send_by_msmtp
check "its message is in the mailbox on disk" eventually 10 arrived
says "word for word" "Sent by msmtp." "$(newest_message)"
says "over an encrypted, authenticated line" "with ESMTPSA" "$(newest_message)"
refuse "msmtp without the profile's authority is refused" send_by_msmtp --tls-trust-file=/etc/ssl/certs/ca-certificates.crt

check "export env writes a file" postier_as export env anna --out "$HOME_DIR/mail.env"
equal "a shell reads it" "mail.postier.test 587 starttls $USER_GOOD $PASSWORD" "$(
  # shellcheck source=/dev/null
  source "$HOME_DIR/mail.env"
  echo "$SMTP_HOST $SMTP_PORT $SMTP_SECURITY $SMTP_USERNAME $(cat "$SMTP_PASSWORD_FILE")"
)"
equal "the password is not in it" "" "$(leaks "$HOME_DIR/mail.env")"
check "export json writes a file" postier_as export json anna --out "$HOME_DIR/mail.json"
check "it names the server" jq -es '[.[0] | .. | strings] | index("mail.postier.test") != null' "$HOME_DIR/mail.json"
equal "the password is not in it" "" "$(leaks "$HOME_DIR/mail.json")"
equal "the formats are listed" "env json msmtp" "$(postier_as export --list | cut -f1 | sort | grep -xE 'env|json|msmtp' | tr '\n' ' ' | sed 's/ $//')"
