# shellcheck shell=bash
# The call as it is: a person in French behind a firewall, support in English elsewhere, and the vendor's relay between them.
# Three network namespaces: the person's and the helper's reach the relay's, and nothing reaches theirs. Both screens are
# recorded and searched for the password.

new_person relay
PERSON_LOCALE=fr_FR.UTF-8
person_net=postier-person-$$ relay_net=postier-relay-$$ helper_net=postier-helper-$$
remove_relay_networks() {
  local space
  [[ -z ${RELAY:-} ]] || kill "$RELAY" 2>/dev/null || true
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
rm -f "$OUT/relay.log" "$OUT/relay.txt" # of an earlier run
ip netns exec "$relay_net" env -i "HOME=$HOME_DIR" "$POSTIER" serve --listen 0.0.0.0:2222 --authorized-keys "$HOME_DIR/keys" \
  --root "$HOME_DIR/served" >"$OUT/relay.txt" 2>"$OUT/relay.log" </dev/null &
RELAY=$!
check "the relay listens" eventually 20 grep -q 'event=listening' "$OUT/relay.log"
fingerprint=$(grep -oE 'SHA256:[A-Za-z0-9+/]{43}' "$OUT/relay.txt" | head -n 1)
vendor() {
  jq -n --arg key "$HOME_DIR/share" --arg print "$1" '{version: 1, product: {name: "Dayboard"},
    support: {name: "Dayboard", relay: "ssh://10.77.1.1:2222", host_key: $print, key_file: $key}}' >"$HOME_DIR/vendor.json"
}
vendor "$fingerprint"
check "the vendor file is valid" in_person "POSTIER_VENDOR=$HOME_DIR/vendor.json" "$POSTIER" config validate --vendor

# A terminal each, both recorded.
open_terminal
type_text "exec env LC_ALL=fr_FR.UTF-8 POSTIER_VENDOR=$HOME_DIR/vendor.json ip netns exec $person_net bash --noprofile --norc"
on_tmux send-keys -t person Enter
on_tmux pipe-pane -t person "cat >$OUT/person.raw"
type_text "postier demo; echo \"exit \$?\""
on_tmux send-keys -t person Enter
wait_for "mot de passe à taper"
secret=$(screen | grep -oE '[a-z]{4}(-[a-z]{4}){3}' | head -n 1)
wrong=${secret%?}b
press Enter
wait_for "Étape 1/12"
press F6
shows "the relay's code" "Dites ce code"
spoken=$(screen | grep -oE '[0-9]{4} [0-9]{4}' | head -n 1)
equal "nothing listens on the person's machine but the demo" "" \
  "$(ip netns exec "$person_net" ss -Hltn | awk '{print $4}' | grep -vE '^(127\.|\[::1\])' || true)"
at_helper() { on_tmux send-keys -t helper "$@"; }
on_tmux new-session -d -s helper -x 100 -y 30 env LC_ALL=en_GB.UTF-8 ip netns exec "$helper_net" bash --noprofile --norc
on_tmux pipe-pane -t helper "cat >$OUT/helper.raw"
at_helper -l "ssh -F none -p 2222 -i $HOME_DIR/support -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile=$HOME_DIR/known -o StrictHostKeyChecking=accept-new -o SendEnv=LC_ALL -t support@10.77.2.1 join $spoken"
at_helper Enter
helper_screen() { on_tmux capture-pane -p -t helper; }
helper_sees() { helper_screen | grep -qF -- "$1"; }
# helper_follows TEXT NAME: what the person did is there in English.
helper_follows() {
  check "the helper sees $2" eventually 15 helper_sees "$1"
  helper_screen >"$OUT/helper-${2//[^[:alnum:]]/-}.txt"
}
helper_follows "Step 1/12" "step 1 in English"
shows "who looks, and through which relay" "Claire · 10.77.1.1"
press Enter
wait_for "Étape 2/12"
wait_for "Poste Démo"
press Enter
wait_for "Étape 4/12"
helper_follows "Step 4/12" "the guide"
press Enter
wait_for "Étape 5/12"
helper_follows "Step 5/12" "the step of the password"
at_helper w
at_helper -l "now paste the app password"
at_helper Enter
shows "the helper's line" "now paste the app password"
paste_text "$wrong"
press Enter
wait_for "Étape 6/12"
helper_follows "Step 6/12" "the test of the password"
wait_for "ÉCHEC" 30
check "the helper sees that it failed" eventually 15 helper_sees "FAIL"
press Enter
wait_for "Étape 5/12"
paste_text "$secret"
press Enter
wait_for "Étape 6/12"
wait_for "Entrée Continuer" 30
for step in 7 8; do
  press Enter
  wait_for "Étape $step/12"
  wait_for "Entrée " 40
done
press Enter
wait_for "Étape 9/12"
wait_for "Entrée Continuer" 40
press Enter
wait_for "Étape 10/12"
press Enter
wait_for "Étape 11/12"
press Enter
shows "saved mail, with support at the person's side" "Étape 12/12" 30
helper_follows "Step 12/12" "the last step"
press Enter
wait_for "exit 0"
check "the helper is told that it is over" eventually 15 bash -c "! tmux -S '$WORK/tmux.sock' capture-pane -p -t helper | grep -q 'Step 12/12'"
close_terminal
check "one line of the join" grep -q 'event=join .*role=share.*helper=Claire' "$OUT/relay.log"
# The guide of the rehearsal shows the practice password to everyone; the mistyped one was typed and shown nowhere.
refuse "what was typed is not in what the helper saw" grep -qF -- "$wrong" "$OUT/helper.raw"
refuse "nor in what the relay wrote" grep -qF -- "$wrong" "$OUT/relay.log" "$OUT/relay.txt"
refuse "nor is its length" grep -qE '(\*|•|●){5}' "$OUT/helper.raw"

# A relay with another key is shown nothing.
ssh-keygen -q -t ed25519 -N '' -f "$HOME_DIR/other"
vendor "$(ssh-keygen -lf "$HOME_DIR/other.pub" | awk '{print $2}')"
open_terminal
type_text "exec env LC_ALL=fr_FR.UTF-8 POSTIER_VENDOR=$HOME_DIR/vendor.json ip netns exec $person_net bash --noprofile --norc"
on_tmux send-keys -t person Enter
type_text "postier setup --share; echo \"exit \$?\""
on_tmux send-keys -t person Enter
shows "that the relay is not the one that was named" "n'est pas celui que"
press C-c
wait_for "exit 130"
close_terminal
kill "$RELAY"
code=0
wait "$RELAY" || code=$?
equal "the relay ends well" 0 "$code" "$OUT/relay.log"
RELAY=
