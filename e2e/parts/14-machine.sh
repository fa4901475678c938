# shellcheck shell=bash
# The programs of a machine send through the configuration of the user who runs them: each user has one.

new_person machine
code=$(run_into "$OUT/setup.txt" unattended --profile anna)
equal "root has a profile" 0 "$code" "$OUT/setup.txt"
jq --arg ca "$CA" '.profiles.anna.tls.ca_file = $ca' "$CONFIG" >"$HOME_DIR/changed.json"
cat "$HOME_DIR/changed.json" >"$CONFIG"
check "mail for root goes to berta" postier_as alias set root "$USER_OLD"
check "the configuration is valid" postier_as config validate
rm -f "$HOME_DIR"/{changed.json,password,wrong-password}

# The web server's user has a copy of its own.
www=$WORK/home/www
mkdir -p "$www"
cp -r "$HOME_DIR/.config" "$www/"
chown -R www-data: "$www"
chmod 700 "$www"

make_machine "$HOME_DIR" "$www"
trap end_daemons EXIT
programs_send
programs_arrive
equal "nothing waits" 0 "$(postier_as queue list --json | jq length)"
