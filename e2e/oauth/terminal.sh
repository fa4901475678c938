# shellcheck shell=bash
# A terminal of 80 columns and 24 lines as SSH gives it, with the wizard of a French person in it.

on_tmux() { tmux -S "$WORK/tmux.sock" -f "$ROOT/e2e/lib/tmux.conf" -u "$@"; }

# open_wizard NAME ARGUMENTS… starts the program as the only one of a new terminal, in a home of its own; a later call with the
# same name comes back to that home. Everything the terminal is sent is kept too.
open_wizard() {
  FOLDER=$WORK/person/$1 SHOTS=$WORK/screens/$1
  shift
  mkdir -p -m 700 "$WORK/person" "$FOLDER" "$WORK/screens" "$SHOTS"
  on_tmux new-session -d -s person -x 80 -y 24 env -i "HOME=$FOLDER" PATH=/usr/bin:/bin TERM=screen-256color LANG=fr_FR.UTF-8 \
    SSH_CONNECTION="192.0.2.1 50000 192.0.2.2 22" POSTIER_RESOLVER=127.0.0.1:1 \
    "POSTIER_VENDOR=$WORK/vendor.json" "POSTIER_CONFIG=$FOLDER/config.json" "POSTIER_CA_FILE=$WORK/cert.pem" "$POSTIER" "$@"
  on_tmux pipe-pane -t person "cat >>'$SHOTS/raw'"
  PROGRAM=$(on_tmux display-message -p -t person '#{pane_pid}')
}

# close_terminal drops the line: what runs on it gets SIGHUP.
close_terminal() {
  if [[ -S $WORK/tmux.sock ]]; then
    on_tmux kill-server 2>/dev/null || true
    until_true 10 program_is_gone || kill -KILL "$PROGRAM" 2>/dev/null || true
    until_true 5 test ! -S "$WORK/tmux.sock" || true # the next terminal is another's
  fi
}
program_is_gone() { [[ $(ps -o stat= -p "$PROGRAM" || true) != [!Z]* ]]; }

# screen prints everything that the terminal holds; in the full-screen wizard that is what the person sees.
screen() { on_tmux capture-pane -p -J -S - -t person; }
sees() { grep -qF -- "$1" <<<"$(screen)"; }

# shows TEXT [SECONDS] waits for it and keeps the screen.
shows() {
  if ! until_true "${2:-30}" sees "$1"; then
    screen | grep -v '^ *$' | sed 's/^/  | /' >&2 || true
    die "the screen never showed: $1"
  fi
  screen >>"$SHOTS/text"
}

type_text() { on_tmux send-keys -t person -l "$1"; }
press() { on_tmux send-keys -t person "$1"; }

# new_code waits for a code to type that was not there before, and checks the text next to it.
CODE=
new_code() {
  BEFORE=$CODE
  until_true 30 another_code || { screen >&2; die "the wizard shows no code"; }
  shows "$ISSUER/device"
  shows "Ne saisissez jamais un code"
  shows "en tant que anna@oauth.postier.test"
}
another_code() {
  CODE=$(screen | grep -oE '^ *[A-Z]{4}-[A-Z]{4} *$' | tail -n 1 | tr -d ' ') || return 1
  [[ -n $CODE && $CODE != "$BEFORE" ]]
}

# in_browser NAME agree|decline: what the person does elsewhere.
in_browser() { node "$HERE/person.mjs" "$ISSUER/device?user_code=$CODE" "$@" >>"$WORK/person.log" 2>&1; }

# on_stage QUERY sets the scene at the authorization server.
on_stage() { curl --silent --fail --max-time 10 --cacert "$WORK/cert.pem" -X POST "$ISSUER/stage?$1"; }
