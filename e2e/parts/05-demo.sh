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
