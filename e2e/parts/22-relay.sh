# shellcheck shell=bash
# The call as it is: a person in French behind a firewall, support in English elsewhere, and the vendor's relay between them.
# Three network namespaces: the person's and the helper's reach the relay's, and nothing reaches theirs. Both screens are the
# recording of the manual, and what was drawn on them is searched for both passwords that were typed.

new_person relay
PERSON_LOCALE=fr_FR.UTF-8
person_net=postier-person-$$ relay_net=postier-relay-$$ helper_net=postier-helper-$$
remove_relay_networks() {
  local space
  [[ -z ${RELAY:-} ]] || kill "$RELAY" 2>/dev/null || true
  [[ -z ${PROVIDER:-} ]] || kill "$PROVIDER" 2>/dev/null || true
  for space in "$person_net" "$relay_net" "$helper_net"; do
    ip netns delete "$space" 2>/dev/null || true
  done
}
trap remove_relay_networks EXIT
for space in "$person_net" "$relay_net" "$helper_net"; do
  ip netns add "$space"
  ip -n "$space" link set lo up
done
# join_networks NAMESPACE NUMBER: a link from the namespace to the relay's.
join_networks() {
  ip -n "$1" link add out type veth peer name "in$2" netns "$relay_net"
  ip -n "$1" address add "10.77.$2.2/24" dev out
  ip -n "$relay_net" address add "10.77.$2.1/24" dev "in$2"
  ip -n "$relay_net" link set "in$2" up
  ip -n "$1" link set out up
}
join_networks "$person_net" 1
join_networks "$helper_net" 2
ip netns exec "$person_net" nft -f - <<'RULES'
table inet wall {
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
  }
}
RULES

for key in support share; do
  ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$HOME_DIR/$key"
done
printf 'postier-role="support",postier-user="Claire" %s\npostier-role="share" %s\n' "$(<"$HOME_DIR/support.pub")" \
  "$(<"$HOME_DIR/share.pub")" >"$HOME_DIR/keys"
chmod 600 "$HOME_DIR/keys"
in_person() { ip netns exec "$person_net" env -i "HOME=$HOME_DIR" PATH=/usr/bin:/bin "$@"; }
rm -f "$OUT/relay.log" "$OUT/relay.out" # of an earlier run
ip netns exec "$relay_net" env -i "HOME=$HOME_DIR" "$POSTIER" serve --listen 0.0.0.0:2222 --authorized-keys "$HOME_DIR/keys" \
  --root "$HOME_DIR/served" >"$OUT/relay.out" 2>"$OUT/relay.log" </dev/null &
RELAY=$!
check "the relay listens" eventually 20 grep -q 'event=listening' "$OUT/relay.log"
fingerprint=$(grep -oE 'SHA256:[A-Za-z0-9+/]{43}' "$OUT/relay.out" | head -n 1)
vendor() {
  jq -n --arg key "$HOME_DIR/share" --arg print "$1" '{version: 1, product: {name: "Dayboard"},
    support: {name: "Dayboard", relay: "ssh://10.77.1.1:2222", host_key: $print, key_file: $key}}' >"$HOME_DIR/vendor.json"
}
vendor "$fingerprint"
check "the vendor file is valid" in_person "POSTIER_VENDOR=$HOME_DIR/vendor.json" "$POSTIER" config validate --vendor

# The person's mail provider is on the person's side of the firewall; its password is shown nowhere.
rm -f "$WORK/provider.json"
ip netns exec "$person_net" env -i "HOME=$HOME_DIR" "$POSTIER" demo --serve --json >"$WORK/provider.json" 2>"$WORK/provider.log" </dev/null &
PROVIDER=$!
check "the person's provider is there" eventually 20 grep -qx '}' "$WORK/provider.json"
provider() { jq -r "$1" "$WORK/provider.json"; }
USER_GOOD=$(provider '.accounts[0].address')
PASSWORD=$(provider '.accounts[0].password')
WRONG_PASSWORD=${PASSWORD%?}b

# behind NAMESPACE VARIABLES…: the shell at this terminal goes on in the namespace.
behind() {
  type_text "exec ip netns exec $1 env ${*:2} bash --noprofile --norc"
  on_tmux send-keys -t "$TERMINAL" Enter
  type_text "clear; printf 'here\n'"
  on_tmux send-keys -t "$TERMINAL" Enter
  eventually 15 bash -c "[[ \$(tmux -S '$WORK/tmux.sock' capture-pane -p -t $TERMINAL | head -n 1) == here ]]"
}
person_variables=("POSTIER_RESOLVER=$(provider .resolver)" "POSTIER_CA_FILE=$(provider .ca_file)" "POSTIER_VENDOR=$HOME_DIR/vendor.json")
rm -f "$WORK/person.octets" "$WORK/helper.octets"
at_terminal person
open_terminal
behind "$person_net" "${person_variables[@]}"
keep_octets "$WORK/person.octets"
at_terminal helper
open_terminal
cat >"$HOME_DIR/ssh.conf" <<CONF
Host share.dayboard.example
HostName 10.77.2.1
Port 2222
IdentityFile $HOME_DIR/support
IdentitiesOnly yes
BatchMode yes
UserKnownHostsFile $HOME_DIR/known
StrictHostKeyChecking accept-new
LogLevel ERROR
SendEnv LC_ALL
CONF
printf 'ssh() { LC_ALL=C.UTF-8 command ssh -F %q "$@"; }; export -f ssh\n' "$HOME_DIR/ssh.conf" >"$HOME_DIR/helper.sh"
type_text ". $HOME_DIR/helper.sh"
on_tmux send-keys -t helper Enter
behind "$helper_net" POSTIER_VENDOR= # nothing of the vendor's is needed there
keep_octets "$WORK/helper.octets"

record relay "La personne est derrière un pare-feu, l'assistance ailleurs ; le relais du fournisseur les relie, du mot de passe faux au courrier enregistré."
at_terminal person
start_in_terminal setup "$USER_GOOD" --share
scene "la personne : postier setup --share" "Dites ce code"
spoken=$(screen | grep -oE '[0-9]{4} [0-9]{4}' | head -n 1)
equal "nothing listens on the person's machine but the provider" "" \
  "$(ip netns exec "$person_net" ss -Hltn | awk '{print $4}' | grep -vE '^(127\.|\[::1\])' || true)"
at_terminal helper
type_text "clear; ssh -t support@share.dayboard.example join $spoken; echo \"exit \$?\""
on_tmux send-keys -t helper Enter
scene "l'assistance, ailleurs : ssh -t support@share.dayboard.example join 4821 0937" "Step 1/12"
at_terminal person
check "the person sees who looks, and through which relay" eventually 15 sees "Claire · 10.77.1.1"
press Enter
wait_for "Étape 2/12"
wait_for "smtp.atelier-demo.example"
at_terminal helper
wait_for "Step 2/12"
wait_for "smtp.atelier-demo.example"
press w
wait_for "Line for the person"
type_text "That is your provider: press Enter"
wait_for "press Enter"
press Enter
wait_for "The person sees"
at_terminal person
scene "la personne : Entrée ; l'assistance écrit" "assistance│ That is your provider"
press Enter
scene "la personne : Entrée" "Étape 5/12"
at_terminal helper
scene "l'assistance voit" "Step 5/12"
at_terminal person
paste_text "$WRONG_PASSWORD"
wait_for "•••"
press Enter
scene "la personne : un mot de passe, Entrée" "A-14" 60
at_terminal helper
scene "l'assistance voit" "A-14" 60
press Enter
wait_for "you point here"
at_terminal person
scene "l'assistance montre ; la personne voit" "l'assistance montre ceci"
press Enter
wait_for "Étape 5/12"
paste_text "$PASSWORD"
wait_for "•••"
press Enter
scene "la personne : Entrée, le mot de passe, Entrée" "Le serveur prend votre courrier" 60
press Enter
wait_for "Étape 7/12"
wait_for "seront classées dans le dossier" 60
press Enter
wait_for "Étape 8/12"
wait_for "Votre domaine se porte garant" 60
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
press Enter
wait_for "exit 0"
at_terminal helper
wait_for "exit 0"
scene "la personne : Entrée ; l'assistance voit" "You are no longer looking."
recorded
close_terminal
check "what was saved validates" postier_as config validate
check "one line of the join" grep -q 'event=join .*role=share.*helper=Claire' "$OUT/relay.log"
equal "the password crossed in no form" "" "$(leaks "$WORK/helper.octets" "$OUT/relay.log" "$OUT/relay.out")"
equal "nor did the wrong one" "" "$(PASSWORD=$WRONG_PASSWORD leaks "$WORK/helper.octets" "$OUT/relay.log" "$OUT/relay.out")"
equal "the person's screen does not show them either" "" \
  "$(leaks "$WORK/person.octets"; PASSWORD=$WRONG_PASSWORD leaks "$WORK/person.octets")"
check "the person saw what was typed only as signs" shows_length "$WORK/person.octets"
refuse "the helper never saw as many signs as letters, nor their number" shows_length "$WORK/helper.octets"
check "both searches would find the password and its length there" would_find "$WORK/helper.octets"
equal "the recording holds neither" "" "$(leaks "$OUT/relay.txt"; PASSWORD=$WRONG_PASSWORD leaks "$OUT/relay.txt")"

# A relay with another key is shown nothing.
ssh-keygen -q -t ed25519 -N '' -f "$HOME_DIR/other"
vendor "$(ssh-keygen -lf "$HOME_DIR/other.pub" | awk '{print $2}')"
at_terminal person
open_terminal
behind "$person_net" "${person_variables[@]}"
start_in_terminal setup --share
shows "that the relay is not the one that was named" "n'est pas celui que"
press C-c
wait_for "exit 130"
close_terminal
kill "$RELAY"
code=0
wait "$RELAY" || code=$?
equal "the relay ends well" 0 "$code" "$OUT/relay.log"
RELAY=
kill "$PROVIDER"
wait "$PROVIDER" || true
PROVIDER=
