# shellcheck shell=bash
# The wizard over SSH with OpenSSH's own client and server: a person in French on a practice host up to saved mail, what is
# refused, and the system's sshd with ForceCommand.

new_person served
PERSON_LOCALE=fr_FR.UTF-8
KEYS_FILE=$HOME_DIR/people
ssh-keygen -q -t ed25519 -N '' -C anna -f "$HOME_DIR/anna"
ssh-keygen -q -t ed25519 -N '' -C bert -f "$HOME_DIR/bert"
printf 'postier-user="anna" %s\npostier-user="bert" %s\n' "$(<"$HOME_DIR/anna.pub")" "$(<"$HOME_DIR/bert.pub")" >"$KEYS_FILE"
chmod 600 "$KEYS_FILE"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# leads_to PORT TEXT: what answers on the port begins so.
leads_to() {
  local said
  said=$(exec 9<>"/dev/tcp/127.0.0.1/$1" && timeout 3 head -c 8 <&9) 2>/dev/null || true
  [[ $said == "$2"* ]]
}
listens() { (exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# serve ARGUMENTS…: starts the server; its lines go to served.log.
serve() {
  local env
  mapfile -t env < <(person_env)
  rm -f "$OUT/served.log" # of an earlier start
  env -i "${env[@]}" "$POSTIER" serve --listen "127.0.0.1:$SSH_PORT" --authorized-keys "$KEYS_FILE" --root "$HOME_DIR/served" "$@" \
    >"$OUT/served.txt" 2>"$OUT/served.log" </dev/null &
  SERVED=$!
  eventually 20 grep -q 'event=listening' "$OUT/served.log"
}
end_server() {
  kill -TERM "$SERVED"
  local code=0
  wait "$SERVED" || code=$?
  printf '%s' "$code" >"$OUT/served.code"
}
ssh_options() {
  printf '%s\n' -F none -p "$SSH_PORT" -i "$HOME_DIR/${WHO_KEY:-anna}" -o IdentitiesOnly=yes -o BatchMode=yes \
    -o "UserKnownHostsFile=$HOME_DIR/known" -o StrictHostKeyChecking=accept-new -o LogLevel=ERROR -o ConnectTimeout=20
}
over_ssh() {
  local options
  mapfile -t options < <(ssh_options)
  timeout 30 ssh "${options[@]}" "$@"
}

SSH_PORT=$(free_port)

# ---- A person in French, on a host to practise on.
check "the practice host starts" serve --demo
says "and says by which key it is known" "SHA256:" "$OUT/served.txt"
equal "its key is for its own eyes only" 600 "$(stat -c %a "$HOME_DIR/served/.host-key")"

open_terminal
mapfile -t options < <(ssh_options)
type_text "LC_ALL=fr_FR.UTF-8 ssh ${options[*]} -o SendEnv=LC_ALL marie@127.0.0.1; echo \"exit \$?\""
on_tmux send-keys -t person Enter
shows "the practice account, in French" "mot de passe à taper" 30
secret=$(screen | grep -oE '[a-z]{4}(-[a-z]{4}){3}' | head -n 1)
check "the account has a password to type" test -n "$secret"
press Enter
shows "step 1 in French" "Étape 1/12"
on_tmux resize-window -t person -x 100 -y 30
shows "the same step in a greater window" "Étape 1/12"
on_tmux resize-window -t person -x 80 -y 24
press C-z # a key that would stop a program of one's own
press Enter
shows "step 2 over SSH" "Étape 2/12"
wait_for "Poste Démo"
press Enter
wait_for "Étape 4/12"
press Enter
wait_for "Étape 5/12"
paste_text "$secret"
press Enter
wait_for "Étape 6/12"
wait_for "Entrée " 30
press Enter
wait_for "Étape 7/12"
wait_for "Entrée " 30
press Enter
wait_for "Étape 8/12"
wait_for "Entrée " 30
press Enter
wait_for "Étape 9/12"
wait_for "Entrée Continuer" 40
press Enter
wait_for "Étape 10/12"
press Enter
wait_for "Étape 11/12"
press Enter
shows "step 12 over SSH, saved" "Étape 12/12" 30
press Enter
shows "the person's own shell again, with exit code 0" "exit 0"
check "the person's terminal is as it was" test "$(on_tmux display-message -p -t person '#{alternate_on} #{cursor_flag}')" = "0 1"
close_terminal
check "one line for the sign-in" grep -q 'event=sign-in account=anna role=user key=SHA256:.* user=marie' "$OUT/served.log"
check "one line for the end" grep -q 'event=end account=anna .*reason=done code=0' "$OUT/served.log"
refuse "no line holds the password" grep -F "$secret" "$OUT/served.log" "$OUT/served.txt"
equal "the demonstration wrote nothing into the person's folder" "" "$(find "$HOME_DIR/served/anna" -type f)"

# ---- What is refused, by the clients that people have.
code=$(run_into "$OUT/exec.txt" over_ssh anna@127.0.0.1 id)
equal "a command is refused" 64 "$code" "$OUT/exec.txt"
says "in words" "No commands can be run here" "$OUT/exec.txt"
code=$(run_into "$OUT/no-terminal.txt" over_ssh -T anna@127.0.0.1)
equal "a session without a terminal is refused" 64 "$code" "$OUT/no-terminal.txt"
printf 'x' >"$HOME_DIR/file"
mapfile -t options < <(ssh_options | sed 's/^-p$/-P/')
refuse "sftp copies nothing" timeout 30 sftp "${options[@]}" -b /dev/null anna@127.0.0.1
refuse "scp copies nothing there" timeout 30 scp "${options[@]}" "$HOME_DIR/file" anna@127.0.0.1:file
refuse "nor by the old protocol" timeout 30 scp -O "${options[@]}" anna@127.0.0.1:/etc/passwd "$HOME_DIR/taken"
check "and nothing was taken" test ! -e "$HOME_DIR/taken"
refuse "-R is refused" over_ssh -o ExitOnForwardFailure=yes -N -R 127.0.0.1:0:127.0.0.1:25 anna@127.0.0.1
LOCAL_PORT=$(free_port)
over_ssh -N -L "127.0.0.1:$LOCAL_PORT:127.0.0.1:$SSH_PORT" anna@127.0.0.1 >"$OUT/forward.txt" 2>&1 &
forward=$!
check "the client listens for -L" eventually 10 listens "$LOCAL_PORT"
refuse "-L leads nowhere" leads_to "$LOCAL_PORT" SSH-2.0
kill "$forward" 2>/dev/null || true
wait "$forward" 2>/dev/null || true
SOCKS_PORT=$(free_port)
over_ssh -N -D "127.0.0.1:$SOCKS_PORT" anna@127.0.0.1 >"$OUT/socks.txt" 2>&1 &
forward=$!
check "the client listens for -D" eventually 10 listens "$SOCKS_PORT"
refuse "-D leads nowhere" curl -sS --max-time 5 --socks5 "127.0.0.1:$SOCKS_PORT" "telnet://127.0.0.1:$SSH_PORT"
kill "$forward" 2>/dev/null || true
wait "$forward" 2>/dev/null || true
eval "$(ssh-agent -s)" >"$OUT/agent.txt"
ssh-add -q "$HOME_DIR/bert"
code=$(run_into "$OUT/agent-forward.txt" over_ssh -A -X -T anna@127.0.0.1)
equal "an agent and a display are offered in vain" 64 "$code" "$OUT/agent-forward.txt"
kill "$SSH_AGENT_PID"
ssh-keygen -q -t ed25519 -N '' -f "$HOME_DIR/stranger"
WHO_KEY=stranger refuse "a stranger's key opens nothing" over_ssh -tt anna@127.0.0.1

# ---- Support joins the step of a person with the spoken code, in a language of its own.
ssh-keygen -q -t ed25519 -N '' -f "$HOME_DIR/support"
printf 'postier-role="support",postier-user="help-desk" %s\n' "$(<"$HOME_DIR/support.pub")" >>"$KEYS_FILE"
as_support() { WHO_KEY=support over_ssh support@127.0.0.1 "$@"; }
code=$(run_into "$OUT/list-none.txt" as_support list)
equal "support may ask who shares" 0 "$code" "$OUT/list-none.txt"
says "no one yet" "No one shares" "$OUT/list-none.txt"
open_terminal
mapfile -t options < <(ssh_options)
type_text "LC_ALL=fr_FR.UTF-8 ssh ${options[*]} -o SendEnv=LC_ALL marie@127.0.0.1; echo \"exit \$?\""
on_tmux send-keys -t person Enter
wait_for "mot de passe à taper"
press Enter
wait_for "Étape 1/12"
press F6
shows "the code to say, in French" "Dites ce code"
spoken=$(screen | grep -oE '[0-9]{4} [0-9]{4}' | head -n 1)
check "the code has two groups" test -n "$spoken"
as_support list >"$OUT/list.txt" 2>&1 || true
says "support sees that anna shares" "anna: waits" "$OUT/list.txt"
refuse "but not her code" grep -qE '[0-9]{4} ?[0-9]{4}' "$OUT/list.txt"
code=$(run_into "$OUT/support-exec.txt" as_support cat /etc/passwd)
equal "support runs no command" 64 "$code" "$OUT/support-exec.txt"
mapfile -t options < <(WHO_KEY=support ssh_options)
on_tmux new-session -d -s helper -x 80 -y 24 "LC_ALL=en_GB.UTF-8 ssh ${options[*]} -o SendEnv=LC_ALL -t support@127.0.0.1 join $spoken; sleep 100"
helper_sees() { on_tmux capture-pane -p -t helper | grep -qF -- "$1"; }
check "the helper sees the same step in English" eventually 20 helper_sees "Step 1/12"
shows "who looks" "help-desk"
press Enter
wait_for "Étape 2/12"
check "the helper follows to step 2" eventually 10 helper_sees "Step 2/12"
on_tmux send-keys -t helper w
on_tmux send-keys -t helper -l "press Enter three times"
on_tmux send-keys -t helper Enter
shows "the helper's line" "press Enter three times"
check "one line for the join" grep -q 'event=join account=anna .*helper=help-desk' "$OUT/served.log"
press F6
check "the person ends it" eventually 10 bash -c "! tmux -S '$WORK/tmux.sock' capture-pane -p -t helper | grep -q 'Step 2/12'"
code=$(run_into "$OUT/join-again.txt" as_support join "$spoken")
equal "a code works once" 77 "$code" "$OUT/join-again.txt"
close_terminal
end_server
equal "SIGTERM ends the server well" 0 "$(<"$OUT/served.code")" "$OUT/served.log"

# ---- Two people with settings of their own; the server ends in the middle.
check "the server starts" serve --allow-networks "$(printf '%s/32,%s/32' "$IP" "$IP2")"
# at_terminal KEY: a person signs in at the terminal.
at_terminal() {
  open_terminal
  mapfile -t options < <(WHO_KEY=$1 ssh_options)
  type_text "LC_ALL=fr_FR.UTF-8 ssh ${options[*]} -o SendEnv=LC_ALL x@127.0.0.1; echo \"exit \$?\""
  on_tmux send-keys -t person Enter
}
at_terminal anna
wait_for "Étape 1/12"
type_text "$USER_GOOD"
press Enter
wait_for "Étape 2/12" 30
end_server
equal "SIGTERM in the middle of a set-up ends the server well" 0 "$(<"$OUT/served.code")" "$OUT/served.log"
shows "why it closed" "le serveur s'arrête"
wait_for "exit 130"
check "the terminal is as it was after that, too" test "$(on_tmux display-message -p -t person '#{alternate_on} #{cursor_flag}')" = "0 1"
close_terminal
check "what anna had entered is stored" test -s "$HOME_DIR/served/anna/draft.json"
check "the server starts again" serve
at_terminal bert
shows "bert's own first step" "Étape 1/12"
refuse "nothing of anna's is on bert's screen" sees "$USER_GOOD"
press C-c
wait_for "exit 130"
close_terminal
at_terminal anna
wait_for "Étape 2/12" 40
check "anna goes on where she was" sees "Étape 2/12"
press C-c
wait_for "Entrée Quitter"
press Enter
wait_for "exit 130"
close_terminal
end_server
equal "only their folders are there" "anna bert" "$(find "$HOME_DIR/served" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | xargs)"
equal "for no one else" "700 700" "$(stat -c %a "$HOME_DIR"/served/anna "$HOME_DIR"/served/bert | xargs)"

# ---- The system's own server, with ForceCommand.
mkdir -p /run/sshd
cat >"$HOME_DIR/sshd.conf" <<CONF
ListenAddress 127.0.0.1:$SSH_PORT
HostKey $HOME_DIR/sshd.key
PidFile $HOME_DIR/sshd.pid
AuthorizedKeysFile $KEYS_FILE.plain
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
DisableForwarding yes
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
ForceCommand env HOME=$HOME_DIR/forced POSTIER_RESOLVER=$RESOLVER POSTIER_CA_FILE=$CA $POSTIER setup
CONF
mkdir -m 700 "$HOME_DIR/forced"
cp "$HOME_DIR/anna.pub" "$KEYS_FILE.plain"
ssh-keygen -q -t ed25519 -N '' -f "$HOME_DIR/sshd.key"
rm -f "$HOME_DIR/known"
/usr/sbin/sshd -D -e -f "$HOME_DIR/sshd.conf" >"$OUT/sshd.log" 2>&1 &
SSHD=$!
at_root() {
  open_terminal
  mapfile -t options < <(ssh_options)
  type_text "LC_ALL=fr_FR.UTF-8 ssh ${options[*]} -o SendEnv=LC_ALL root@127.0.0.1; echo \"exit \$?\""
  on_tmux send-keys -t person Enter
}
check "sshd listens" eventually 10 leads_to "$SSH_PORT" SSH-2.0
at_root
shows "step 1 by ForceCommand" "Étape 1/12"
type_text "$USER_GOOD"
press Enter
wait_for "Étape 2/12" 30
press C-c
wait_for "Entrée Quitter"
press Enter
shows "how to continue" "postier setup --resume"
close_terminal
code=$(run_into "$OUT/forced.txt" over_ssh root@127.0.0.1 cat /etc/passwd)
refuse "ForceCommand runs no other command" grep -q '^root:' "$OUT/forced.txt"
check "and the draft is the account's own" test -s "$HOME_DIR/forced/.config/postier/draft.json"
kill "$SSHD"
wait "$SSHD" 2>/dev/null || true
