# shellcheck shell=bash
# The life of an invoicing program's customer after the set-up, in French and on a terminal: the provider blocks the account,
# the owner is told, the invoice takes the platform's server, and everything is put right from the home screen. Between the
# set-up and the repair nobody types a command. docs/manual/dayboard.fr.md shows this very run.

new_person life
PERSON_LOCALE=fr_FR.UTF-8
NEW_PASSWORD='Gr#üße-aus-Colmar-3'
VENDOR=$HOME_DIR/vendor.json
eval "$(declare -f person_env | sed '1s/person_env/person_env_of_all/')"
person_env() {
  person_env_of_all
  printf '%s\n' "POSTIER_VENDOR=$VENDOR"
}

# provider_password PASSWORD: what the provider takes for anna from now on.
provider_password() {
  sed "s|^\($USER_GOOD:{PLAIN}\)[^:]*|\1$1|" "$WORK/users" >"$WORK/users.changed"
  cat "$WORK/users.changed" >"$WORK/users"
}
# shellcheck disable=SC2317
as_before() {
  provider_password "$PASSWORD"
  provider_blocks ""
}
trap as_before EXIT

printf '%s' "$PASSWORD" >"$HOME_DIR/platform"
chmod 600 "$HOME_DIR/platform"
jq -n --arg address "$USER_OLD" --arg ca "$CA" --arg secret "$HOME_DIR/platform" '{
  version: 1, product: {name: "Dayboard", label: "Dayboard"},
  support: {name: "Assistance Dayboard", phone: "01 23 45 67 89"},
  fallback: {name: "dayboard", profile: {
    label: "Serveur de Dayboard", enabled: true, from: {name: "Dayboard", address: $address},
    submission: {host: "mail.postier.test", port: 587, security: "starttls", auth: "auto", username: $address},
    credential: {kind: "file", path: $secret, type: "password"}, sent_copy: {mode: "none"}, tls: {ca_file: $ca}}}
}' >"$VENDOR"
chmod 644 "$VENDOR"
check "the vendor file is valid" postier_as config validate --vendor

rm -rf "$OUT/story"
mkdir -p "$OUT/story"
# tell NAME FILE: a scene of the story, with one date, one time and one id for all runs.
tell() {
  sed -E 's/20[0-9]{2}-[0-9]{2}-[0-9]{2}/2026-11-23/g; s/(2026-11-23) [0-9]{2}:[0-9]{2}(:[0-9]{2})?/\1 09:12/g; s/ +$//' "$2" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$OUT/story/$1.txt"
}
tell_screen() { screen >"$OUT/screen.txt" && tell "$1" "$OUT/screen.txt"; }
plain_text() { python3 -c 'import email,email.policy,sys;print(email.message_from_binary_file(open(sys.argv[1],"rb"),policy=email.policy.default).get_content())' "$1"; }
# letter FILE: what a mail program shows above a message.
letter() {
  python3 -c 'import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
for name, label in (("From", "De"), ("Reply-To", "Répondre à"), ("To", "À"), ("Subject", "Objet")):
    if m[name]: print(f"{label} : {m[name]}")' "$1"
}
# invoice NUMBER: as Dayboard sends one, knowing nothing but sendmail.
invoice() {
  printf 'From: Cabinet Durand <%s>\nTo: Client <%s>\nSubject: Facture 2026-%s\n\nVeuillez trouver votre facture.\n' \
    "$USER_GOOD" "$USER_OLD" "$1" | postier_as sendmail -t -i
}
berta_has() { [[ $(WHO=$USER_OLD count_messages) == "$1" ]]; }
notices() { messages | xargs -r grep -l '^Auto-Submitted: auto-generated' || true; }
has_notices() { [[ $(notices | wc -l) == "$1" ]]; }
anna() { jq -r ".profiles.anna$1" "$CONFIG"; }

code=$(run_into "$OUT/setup.txt" unattended --profile anna --label "Cabinet Durand")
equal "Anna is set up" 0 "$code" "$OUT/setup.txt"
equal "with the platform's server to fall back on" dayboard "$(jq -r .fallback "$CONFIG")"
empty_mailbox

check "an invoice leaves" invoice 115
check "and arrives" eventually 10 berta_has 1
letter "$(WHO=$USER_OLD newest_message)" >"$OUT/letter.txt"
tell invoice-before "$OUT/letter.txt"

# Blocked at the provider: it still takes the sign-in, and no message.
provider_blocks "$USER_GOOD" "550 5.7.1 Your account has been suspended from sending: unusual activity"
check "the next invoice is taken all the same" invoice 116
check "it arrives" eventually 10 berta_has 2
letter "$(WHO=$USER_OLD newest_message)" >"$OUT/letter.txt"
tell invoice-fallback "$OUT/letter.txt"
says "from the platform's address" "<$USER_OLD>" "$OUT/letter.txt"
says "under the customer's name" "De : Cabinet Durand" "$OUT/letter.txt"
says "answers go to the customer" "Répondre à : $USER_GOOD" "$OUT/letter.txt"
equal "the profile is off, with the cause" "false account-suspended" "$(anna '|"\(.enabled) \(.disabled.cause)"')"
check "the owner has the notice at once" eventually 10 has_notices 1
notice=$(notices | tail -n 1)
{
  letter "${notice:-/dev/null}"
  echo
  plain_text "${notice:-/dev/null}" | sed '/^-----/,$d'
} >"$OUT/notice.txt"
tell notice "$OUT/notice.txt"
says "it comes from the product" "De : Dayboard" "$OUT/notice.txt"
says "with the cause and its code" "Compte bloqué ou fermé (A-17)" "$OUT/notice.txt"
says "and the server's words" "550 5.7.1" "$OUT/notice.txt"
says "and whom to call" "01 23 45 67 89" "$OUT/notice.txt"
equal "nothing waits" 0 "$(postier_as queue list --json | jq length)"

# The provider lifts the block and asks for a new password. Anna looks at the home screen.
provider_blocks ""
provider_password "$NEW_PASSWORD"
open_terminal
start_in_terminal
shows "what is wrong, and the key for it" "A-17"
tell_screen home-blocked
press Enter
shows "the field to look at" "Étape 5/12"
tell_screen home-fix
paste_text "$NEW_PASSWORD"
press Enter
shows "step 6" "Étape 6/12 · Envoi" 20
wait_for "Entrée Continuer" 20
press Enter
shows "step 7" "Étape 7/12"
wait_for "Entrée Continuer" 20
press Enter
shows "step 9, since the records of the domain do not depend on the password" "Étape 9/12"
wait_for "Entrée Continuer" 60
press Enter
shows "step 11, the page with all settings" "Étape 11/12"
press Enter
shows "step 12" "Étape 12/12" 20
press Enter
shows "the home screen again, all clear" "Profils de messagerie"
wait_for "OK, vérifié"
tell_screen home-clear
equal "the profile is on again" "true null" "$(anna '|"\(.enabled) \(.disabled)"')"
check "the repair took at most 10 keys" test "$KEYS" -le 10
printf '        %d keys from the home screen to the all-clear\n' "$KEYS"

# A day with the home screen: the five switches, none of which asks a server.
provider_blocks "$USER_GOOD" "550 no connection is needed for any of this"
keys_of() { # NAME FILTER WANT KEY…
  KEYS=0
  local key
  for key in "${@:4}"; do
    case $key in
      =*) type_text "${key#=}" ;;
      *) press "$key" ;;
    esac
    sleep 0.2
  done
  holds() { [[ $(jq -r "$1" "$CONFIG") == "$2" ]]; }
  check "$1, in $KEYS keys" eventually 5 holds "$2" "$3"
  check "$1 takes at most six" test "$KEYS" -le 6
  wait_for "enregistré"
}
keys_of "test mode on" '.profiles.anna.test_mode.enabled' true m Space Enter
tell_screen test-mode
keys_of "test mode off" '.profiles.anna.test_mode.enabled' false m Space Enter
keys_of "a limit" '.profiles.anna.limits.per_day' 90 l Down =90 Enter
keys_of "a kind off" '.profiles.anna.kinds.devis' false k =devis Enter
KEYS=0
press b
wait_for "Ne plus rien envoyer"
type_text "client@example.fr"
press Enter
wait_for "enregistrée."
equal "an address is on the blacklist" client@example.fr "$(postier_as suppress list --json | jq -r '.[].pattern')"
press f
holds_fallback() { [[ $(jq -r .fallback "$CONFIG") == anna ]]; }
check "the fallback, in one key" eventually 5 holds_fallback
press Down f
fallback_again() { [[ $(jq -r .fallback "$CONFIG") == dayboard ]]; }
check "and back" eventually 5 fallback_again
provider_blocks ""

# The watch and the queue have their pages, too. "c" checks at once, against the servers.
setting() { [[ $(jq -r "$1" "$CONFIG") == "$2" ]]; }
press Home w
shows "the page of the watch" "Vérifier les profils régulièrement"
press Space
shows "the watch switched on" "[Oui] Non"
press c
shows "what it found" "Entrée Retour" 60
check "the watch is on" setting .watch.every_hours 24
equal "the profile works" working "$(postier_as watch status anna --json | jq -r '.profiles[0].state')"
press Enter
wait_for "OK, vérifié"
press w
shows "when it was checked last" "Dernière vérification"
press Space
shows "the watch switched off" "Oui [Non]"
press Enter
check "the watch is off" eventually 5 setting .watch.every_hours null
wait_for "enregistrée."
press u
shows "the page of the queue" "En attente"
press Down Enter
check "the delivery mode" eventually 5 setting .queue.mode direct
wait_for "enregistrée."
press u
shows "the page of the queue again" "En attente"
press Up Enter
check "and back" eventually 5 setting .queue.mode queue
wait_for "enregistrée."

check "the next invoice leaves" invoice 117
check "and arrives" eventually 10 berta_has 3
letter "$(WHO=$USER_OLD newest_message)" >"$OUT/letter.txt"
tell invoice-after "$OUT/letter.txt"
says "from Anna's own address again" "De : Cabinet Durand <$USER_GOOD>" "$OUT/letter.txt"
press Home g
shows "what was sent" "Facture 2026-117"
tell_screen log
press Escape
wait_for "OK, vérifié" # only the home screen says so; Esc and a letter at once would be Alt and the letter
press q
shows "the shell again" "exit 0"
check "the terminal is as it was" terminal_is_restored
close_terminal

# M-6: the address of a profile is changed from its command, too.
new_address() { jq -r .profiles.anna.from.address "$CONFIG"; }
code=$(WHO=$USER_OLD run_into "$OUT/edit.txt" unattended --edit anna --imap-host old.postier.test)
equal "setup --edit with a new address" "0 $USER_OLD" "$code $(new_address)" "$OUT/edit.txt"

# The manual shows this run. STORY=write e2e/run 18 writes it anew.
story=$E2E/../docs/manual/dayboard.fr.md
check "the manual shows what was seen" python3 "$E2E/lib/story.py" "$story" "$OUT/story" "${STORY:-compare}"
refuse "no password is in the story" grep -rqF -e "$PASSWORD" -e "$NEW_PASSWORD" "$OUT"
