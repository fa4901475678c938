# shellcheck shell=bash
# The line drops while the server is being tried: nothing is lost but the password, and setup --resume goes on.

new_person dropped
PERSON_LOCALE=fr_FR.UTF-8
open_terminal
mapfile -t flags < <(by_hand)
# Port 606 says nothing for eight seconds: long enough to be in the middle of step 6.
start_in_terminal setup "$USER_GOOD" "${flags[*]}" --smtp-port 606
shows "step 1" "Étape 1/12"
press Enter
shows "step 2" "Étape 2/12"
wait_for "Saisir les serveurs à la main" 30
press m
shows "step 3" "Étape 3/12"
press Enter
wait_for "votre boîte (IMAP)"
press Enter
shows "step 5" "Étape 5/12"
paste_text "$PASSWORD"
press Enter
shows "step 6 at work" "s au plus"
shell=$(on_tmux display-message -p -t person '#{pane_pid}')
program=$(pgrep -P "$shell" -x postier)
close_terminal # the terminal goes away: everything on it gets SIGHUP
check "the program ends with its terminal" eventually 5 gone "$program"

draft=$HOME_DIR/.config/postier/draft.json
check "the draft is kept" test -s "$draft"
equal "it is its owner's alone" 600 "$(stat -c %a "$draft")"
says "it holds the server" "mail.postier.test" "$draft"
rm -f "$HOME_DIR"/*password
equal "the password is in no file" "" "$(leaks "$HOME_DIR" "$OUT")"
check "no configuration was begun" test ! -e "$CONFIG"

open_terminal
start_in_terminal setup --resume
shows "the step that asks for the password, and why" "Bon retour"
check "it is step 5" sees "Étape 5/12"
paste_text "$PASSWORD"
press Enter
wait_for "Étape 6/12"
wait_for "Entrée Continuer" 60
shot "step 6 done"
press Enter
wait_for "Étape 7/12"
wait_for "Entrée Continuer" 60
press Enter
wait_for "Étape 8/12"
wait_for "Entrée M" 20
press Enter
wait_for "Étape 9/12"
wait_for "Entrée Continuer" 60
press Enter
wait_for "Étape 10/12"
press Enter
wait_for "Étape 11/12"
press Enter
shows "step 12" "Étape 12/12" 20
press Enter
shows "the shell again, with exit code 0" "exit 0"
close_terminal
check "the configuration validates" postier_as config validate
equal "the slow server was saved" 606 "$(jq -r '.profiles[].submission.port' "$CONFIG")"
check "the draft is gone" test ! -e "$draft"
