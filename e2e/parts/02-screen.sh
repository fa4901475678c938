# shellcheck shell=bash
# A person sets the provider up by hand, in French, on a terminal of 80x24: first with a wrong password, corrected with one key.

new_person screen
PERSON_LOCALE=fr_FR.UTF-8
open_terminal
equal "the terminal is 80x24" 80x24 "$(on_tmux display-message -p -t person '#{pane_width}x#{pane_height}')"
start_in_terminal setup

shows "step 1" "Étape 1/12 · Adresse"
type_text "$USER_GOOD"
press Enter
shows "step 2" "Étape 2/12 · Fournisseur"
shows "what the domain announces" "_submissions._tcp.postier.test" 30
wait_for "Saisir les serveurs à la main"
press m
shows "step 3" "Étape 3/12 · Serveurs"
wait_for "courrier sortant"
type_text mail.postier.test
press Enter
shows "step 3, the mailbox" "votre boîte (IMAP)"
type_text mail.postier.test
press Enter
shows "step 5" "Étape 5/12 · Mot de passe"
paste_text "$WRONG_PASSWORD"
press Enter
shows "step 6" "Étape 6/12 · Envoi"
shows "that the password was refused, and where to fix it" "Retaper le mot de passe (étape 5)" 20
press Enter
shows "step 5 again, the field marked" "À corriger en premier"
paste_text "$PASSWORD"
press Enter
shows "that the server takes mail" "Étape 6/12 · Envoi" 20
wait_for "Entrée Continuer" 20
shot "step 6 done"
press Enter
shows "step 7" "Étape 7/12 · Copie des envois"
wait_for "Entrée Continuer" 20
shot "step 7 done"
check "the Sent folder is named" sees "Gesendet"
press Enter
shows "step 8" "Étape 8/12 · Domaine"
wait_for "Entrée M" 20
press Enter
shows "step 9" "Étape 9/12 · Message d'essai"
wait_for "Entrée Continuer" 60
shot "step 9 done"
press Enter
shows "step 10" "Étape 10/12 · Options"
press Enter
shows "step 11" "Étape 11/12 · Vérifier"
wait_for "Enregistrer"
press Enter
shows "step 12" "Étape 12/12 · Terminé" 20
used=$KEYS
press Enter
shows "the shell again, with exit code 0" "exit 0"
check "the terminal is as it was" terminal_is_restored
scrollback >"$OUT/scrollback.txt"
says "the result stays in the scrollback" "config.json" "$OUT/scrollback.txt"
says "in French" "Terminé" "$OUT/scrollback.txt"
refuse "the password was never on the screen" grep -rqF -e "$PASSWORD" -e "$WRONG_PASSWORD" "$OUT"
close_terminal

check "the configuration validates" postier_as config validate
equal "the saved folder is the marked one" "INBOX.Gesendet" "$(jq -r '.profiles[].sent_copy.folder' "$CONFIG")"
equal "the secret is the password that was pasted" "$PASSWORD" "$(cat "$HOME_DIR"/.config/postier/secrets/*)"
equal "one test message came, and was removed" "1 0" "$(removed '.INBOX' | wc -l) $(count_messages)"
printf '        %d keys from the address to the saved configuration, servers by hand, one of them to correct the password\n' "$used"
check "at most 14 keys were needed" test "$used" -le 14
sed 's/^/        | /' "$OUT/scrollback.txt" | grep -v '| *$' | tail -n 30
