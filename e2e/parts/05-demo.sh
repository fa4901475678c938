# shellcheck shell=bash
# A provider known by its mail exchanger, as postier demo plays it: how many keys the main job takes.

new_person demo
open_terminal
start_in_terminal demo
wait_for "password to type"
shot "before"
secret=$(screen | grep -oE '[a-z]{4}(-[a-z]{4}){3}' | head -n 1)
address=$(screen | grep -oE '[a-z.]+@[a-z.-]+[a-z]' | head -n 1)
check "the demo names its account" test -n "$secret" -a -n "$address"
on_tmux send-keys -t person Enter # starts the wizard; with a real provider there is no such page
shows "step 1" "Step 1/12"
KEYS=0
check "the address is there already" sees "$address"
press Enter
shows "step 2" "Step 2/12"
wait_for "Poste Démo"
press Enter
shows "step 4, the guide" "Step 4/12"
press Enter
shows "step 5" "Step 5/12"
paste_text "$secret"
press Enter
shows "step 6" "Step 6/12"
wait_for "Enter " 20
press Enter
shows "step 7" "Step 7/12"
wait_for "Enter " 20
press Enter
shows "step 8" "Step 8/12"
wait_for "Enter " 20
press Enter
shows "step 9" "Step 9/12"
wait_for "Enter Continue" 30
shot "step 9 done"
press Enter
shows "step 10" "Step 10/12"
press Enter
shows "step 11" "Step 11/12"
press Enter
shows "step 12, saved" "Step 12/12" 20
used=$KEYS
press Enter
shows "the shell again, with exit code 0" "exit 0"
check "the terminal is as it was" terminal_is_restored
close_terminal
printf '        %d keys besides the typed address and the pasted password\n' "$used"
check "at most 10 keys were needed" test "$used" -le 10
equal "nothing was written to the person's home" "" "$(find "$HOME_DIR" -mindepth 1 -name '*.json')"

code=$(run_into "$OUT/unattended.txt" postier_as demo --yes)
equal "demo --yes ends well" 0 "$code" "$OUT/unattended.txt"

# The servers of the demo stay up for every other command.
mapfile -t env < <(person_env)
env -i "${env[@]}" "$POSTIER" demo --serve --json >"$OUT/served.json" 2>"$OUT/served.txt" &
served=$!
of() { jq -r "$1" "$OUT/served.json"; }
check "the servers say where they are" eventually 20 jq -es '.[0].accounts[0].address' "$OUT/served.json"
at_demo() { postier_as --config "$HOME_DIR/demo/config.json" --resolver "$(of .resolver)" --ca-file "$(of .ca_file)" "$@"; }
mkdir -m 700 "$HOME_DIR/demo"
code=$(run_into "$OUT/served-setup.txt" at_demo setup "$(of '.accounts[0].address')" --yes --password-file "$(of '.accounts[0].password_file')" \
  --smtp-host "$(of '.smtp[0].host')" --smtp-port "$(of '.smtp[0].port')" --smtp-security "$(of '.smtp[0].security')" \
  --imap-host "$(of '.imap[0].host')" --imap-port "$(of '.imap[0].port')" --imap-security "$(of '.imap[0].security')")
equal "another process sets up an account at them" 0 "$code" "$OUT/served-setup.txt"
code=$(run_into "$OUT/served-diagnose.txt" at_demo diagnose)
equal "and diagnoses it" 0 "$code" "$OUT/served-diagnose.txt"
folder=$(dirname "$(of .ca_file)")
code=0
kill -INT "$served" && wait "$served" || code=$?
equal "an interruption is the end that is meant" 0 "$code" "$OUT/served.txt"
check "nothing of it is left" test ! -e "$folder"
