# shellcheck shell=bash
# The same steps as plain lines, in French: on a terminal, where the password must not be echoed, and through a pipe.

new_person plain
PERSON_LOCALE=fr_FR.UTF-8
open_terminal
mapfile -t flags < <(by_hand)
start_in_terminal --plain setup "$USER_GOOD"

# enter_until TEXT: agrees to what is proposed until the text is there; each Enter waits for the line that it answers.
enter_until() {
  local until=$((SECONDS + 240)) before
  while ! scrollback | grep -qF -- "$1"; do
    ((SECONDS < until)) || { scrollback | tail -n 40; return 1; }
    before=$(scrollback)
    press Enter
    eventually 3 changed "$before" || true
  done
}
changed() { [[ $(scrollback) != "$1" ]]; }

enter_until "5 sur 12" # what the domain announces is agreed to
wait_for "Mot de passe"
paste_text "$PASSWORD"
press Enter
enter_until "exit 0"
scrollback >"$OUT/terminal.txt"
says "it ends well on a terminal" "exit 0" "$OUT/terminal.txt"
says "every step has its number, in French" "Étape 12 sur 12" "$OUT/terminal.txt"
refuse "the password was not echoed" grep -qF -- "$PASSWORD" "$OUT/terminal.txt"
check "the terminal is as it was" terminal_is_restored
check "the configuration validates" postier_as config validate
close_terminal

new_person pipe
# An empty line agrees; where the password is asked for it only asks again, so that a few too many do no harm.
lines() {
  printf '\n%.0s' {1..25}
  printf '%s\n' "$PASSWORD"
  printf '\n%.0s' {1..40}
}
through_pipe() { lines | postier_as --plain setup "$USER_GOOD" "${flags[@]}" >"$OUT/pipe.txt" 2>&1; }
check "it ends well through a pipe" through_pipe
says "up to the last step, in French" "Étape 12 sur 12" "$OUT/pipe.txt"
check "the configuration validates" postier_as config validate
refuse "no control character is written" grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$OUT/pipe.txt"
refuse "the password is not in what is said" grep -qF -- "$PASSWORD" "$OUT/pipe.txt"

new_person ended
code=$(run_into "$OUT/ended.txt" postier_as --plain setup "$USER_GOOD")
equal "the end of input is an interruption" 130 "$code" "$OUT/ended.txt"
refuse "before anything is kept there is nothing to resume" grep -qF -- --resume "$OUT/ended.txt"
check "nothing is kept" test ! -e "$(dirname "$CONFIG")/draft.json"
one_answer() { echo | postier_as --plain setup "$USER_GOOD"; }
code=$(run_into "$OUT/ended-later.txt" one_answer)
equal "so is the end of input in the second step" 130 "$code" "$OUT/ended-later.txt"
says "which says how to go on" "setup --resume" "$OUT/ended-later.txt"
check "what was entered is kept" test -s "$(dirname "$CONFIG")/draft.json"
check "nothing was configured" test ! -e "$CONFIG"
