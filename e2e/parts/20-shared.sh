# shellcheck shell=bash
# A person in French and a helper in English, at two terminals, from a wrong password to saved mail; what was drawn on both
# sides is searched for the secrets. Then a line that drops, a helper on plain lines, wrong codes, and the answers replayed.

new_person shared
PERSON_RUNTIME=$HOME_DIR/run
mkdir -m 700 "$PERSON_RUNTIME"
answers=$HOME_DIR/answers.json

# spoken prints the code that the person sees.
spoken() { screen | grep -oE '[0-9]{4} [0-9]{4}' | head -n 1; }

# joins [FLAGS…]: the helper's program with the code that the person says, at the helper's terminal.
joins() {
  local code
  at_terminal person
  wait_for "Dites ce code"
  code=$(spoken)
  at_terminal helper
  PERSON_LOCALE=C.UTF-8 start_in_terminal "$@" join "$code"
}

at_terminal person
PERSON_LOCALE=fr_FR.UTF-8
open_terminal
keep_octets "$WORK/person.octets"
at_terminal helper
open_terminal 80 24
keep_octets "$WORK/helper.octets"

record shared "Une personne en français et l'assistance en anglais regardent la même étape, du mot de passe faux au courrier enregistré."
at_terminal person
start_in_terminal setup "$USER_GOOD" --share --record "$answers"
scene "la personne : postier setup --share" "Dites ce code"
joins
scene "l'assistance : postier join 4821 0937" "Step 1/12"
at_terminal person
wait_for "L'ASSISTANCE REGARDE"
press Enter
wait_for "_submissions._tcp.postier.test"
wait_for "Saisir les serveurs à la main"
press Enter
scene "la personne : Entrée, Entrée" "Étape 5/12"
at_terminal helper
scene "l'assistance voit" "Step 5/12"
at_terminal person
paste_text "$WRONG_PASSWORD"
press Enter
scene "la personne : un mot de passe, Entrée" "A-14" 60
at_terminal helper
scene "l'assistance voit" "A-14" 60
press Enter
wait_for "you point here"
press w
type_text "Caps Lock is on, please type it once more"
press Enter
wait_for "The person sees"
press F5
shows "the technician's details on the helper's side" "smtp.greeting  PASS"
press Escape
at_terminal person
scene "l'assistance montre et écrit ; la personne voit" "assistance│ Caps Lock is on"
check "the person sees where support points" sees "l'assistance montre ceci"
press Enter
wait_for "Étape 5/12"
paste_text "$PASSWORD"
wait_for "•••"
press Enter
scene "la personne : Entrée, le mot de passe, Entrée" "Le serveur prend votre courrier" 60
at_terminal helper
wait_for "Step 6/12"
type_text "x1+"
press y F6 BSpace
at_terminal person
press Enter
wait_for "Étape 7/12"
wait_for "seront classées dans le dossier" 60
press Enter
wait_for "Étape 8/12"
wait_for "Entrée M"
press Enter
wait_for "Étape 9/12"
wait_for "est arrivé et a été retrouvé" 60
press Enter
wait_for "Étape 10/12"
press Enter
wait_for "Étape 11/12"
press Enter
scene "la personne : Entrée jusqu'à l'étape 12" "Étape 12/12"
at_terminal helper
scene "l'assistance voit" "Step 12/12"
at_terminal person
press F6
scene "la personne : F6" "Vous avez mis fin au partage"
at_terminal helper
wait_for "You are no longer looking."
check "the helper's program ends well" sees "exit 0"
at_terminal person
press Enter
wait_for "exit 0"
close_terminal
recorded

check "the configuration validates" postier_as config validate
equal "no key of the helper's reached a field" "null" "$(jq -r '.profiles[].kinds' "$CONFIG")"
equal "the password crossed in no form" "" "$(leaks "$WORK/helper.octets")"
equal "nor did the wrong one" "" "$(PASSWORD=$WRONG_PASSWORD leaks "$WORK/helper.octets")"
equal "the person's screen does not show it either" "" "$(leaks "$WORK/person.octets" "$OUT")"
check "the person saw what was typed only as signs" shows_length "$WORK/person.octets"
refuse "the helper never saw as many signs as letters, nor their number" shows_length "$WORK/helper.octets"
check "both searches would find the password and its length there" would_find "$WORK/helper.octets"
refuse "no socket is left" compgen -G "$PERSON_RUNTIME/postier/*.sock"
equal "the folder of the sockets is its owner's alone" 700 "$(stat -c %a "$PERSON_RUNTIME/postier")"

# What support learned once is replayed on the next machine.
equal "the answers are their owner's alone" 600 "$(stat -c %a "$answers")"
equal "they hold no password" "" "$(leaks "$answers")"
settings() { jq -S 'del(.profiles[].validated) | .profiles' "$1"; }
settings "$CONFIG" >"$WORK/recorded.json"
cp "$answers" "$WORK/answers.json"
new_person replayed
code=$(run_into "$OUT/replay.txt" postier_as setup --answers "$WORK/answers.json" --password-file "$HOME_DIR/password")
equal "the recorded answers run without a person" 0 "$code" "$OUT/replay.txt"
settings "$CONFIG" >"$WORK/replayed.json"
check "and come to the same configuration" diff "$WORK/recorded.json" "$WORK/replayed.json"

# The person's line drops while support looks. The code was valid once; the person resumes, and support gets a new one.
new_person shared-drop
PERSON_RUNTIME=$HOME_DIR/run
mkdir -m 700 "$PERSON_RUNTIME"
at_terminal person
open_terminal
at_terminal helper
open_terminal 100 30
at_terminal person
start_in_terminal setup "$USER_GOOD" --share
joins
wait_for "Step 1/12"
at_terminal person
press Enter
wait_for "Saisir les serveurs à la main"
press Enter
wait_for "Étape 5/12"
at_terminal helper
wait_for "Step 5/12"
at_terminal person
old=$(spoken || true)
shell=$(on_tmux display-message -p -t person '#{pane_pid}')
program=$(pgrep -P "$shell" -x postier)
on_tmux kill-session -t person
check "the program ends with its terminal" eventually 5 gone "$program"
at_terminal helper
wait_for "exit "
shot "the view is over"
at_terminal person
open_terminal
start_in_terminal setup --resume --share
wait_for "Étape 5/12"
joins --plain
shows "the step on plain lines" "Step 5 of 12"
type_text "1"
press Enter
at_terminal person
shows "where support points" "l'assistance montre ceci"
press F6
at_terminal helper
wait_for "You are no longer looking."
for _ in 1 2; do
  code=$(run_into "$OUT/none.txt" postier_as join 00000000)
  equal "no one shares any more" 69 "$code" "$OUT/none.txt"
done

# Five wrong codes end the offer.
at_terminal person
press F6
wait_for "Dites ce code"
right=$(spoken)
wrong="${right:0:8}$(((${right:8:1} + 1) % 10))"
for _ in 1 2 3 4 5; do
  code=$(run_into "$OUT/wrong.txt" postier_as join "$wrong")
  equal "a wrong code is refused" 77 "$code" "$OUT/wrong.txt"
done
shows "that five wrong codes were tried" "Cinq codes faux"
code=$(run_into "$OUT/late.txt" postier_as join "$right")
equal "the right one is worth nothing now" 69 "$code" "$OUT/late.txt"
code=$(run_into "$OUT/malformed.txt" postier_as join 12)
equal "a code of two digits is none" 64 "$code" "$OUT/malformed.txt"

# afresh NAME: an empty terminal, on which nothing of before can be taken for what comes.
afresh() {
  at_terminal "$1"
  on_tmux kill-session -t "$1"
  open_terminal 100 30
}

# Ctrl+C on plain lines is the person's own wish: the view has ended, and was not lost.
afresh helper
afresh person
start_in_terminal setup --resume --share --plain
joins --plain
wait_for "Step 5 of 12"
at_terminal person
wait_for "L'assistance regarde"
press C-c
wait_for "exit 130"
at_terminal helper
shows "that the person ended the view" "You are no longer looking."
check "and no error" eventually 10 sees "exit 0"

# A run of checks waits for the helper, who sees each verdict, and the result stays until Enter.
afresh helper
afresh person
start_in_terminal diagnose smtp mail.postier.test:465 --share
wait_for "dès que l'assistance regarde"
joins --plain
shows "the checks on the helper's side" "PASS smtp.tls"
at_terminal person
shows "that support sees the result" "L'assistance voit ce résultat"
press Enter
wait_for "exit 0"
at_terminal helper
wait_for "You are no longer looking."
check "and the helper's program ends well" eventually 10 sees "exit 0"

close_terminal
at_terminal person
unset PERSON_RUNTIME
