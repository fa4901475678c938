# shellcheck shell=bash
# A person at a terminal of exactly 80 columns and 24 lines, unless it says otherwise: tmux draws it, keys are counted,
# each screen is kept.

KEYS=0
SHOTS=0
TERMINAL=person # whose terminal it is; a helper has another one beside it

on_tmux() { tmux -S "$WORK/tmux.sock" -f "$E2E/lib/tmux.conf" -u "$@"; }

# open_terminal [COLUMNS LINES] starts a shell in the person's environment. It prints its prompt as "$ ".
open_terminal() {
  local env
  mapfile -t env < <(PERSON_LOCALE=C.UTF-8 person_env) # the shell's own; postier gets the person's
  on_tmux new-session -d -s "$TERMINAL" -x "${1:-80}" -y "${2:-24}" \
    env -i "${env[@]}" TERM=screen-256color PS1='$ ' bash --noprofile --norc
  wait_for '$'
  KEYS=0
}

close_terminal() {
  on_tmux kill-server 2>/dev/null || true
  eventually 5 test ! -S "$WORK/tmux.sock" || true
}

# screen prints what the person sees.
screen() { on_tmux capture-pane -p -t "$TERMINAL"; }

# scrollback prints everything that the terminal still holds.
scrollback() { on_tmux capture-pane -p -J -S - -t "$TERMINAL"; }

# shot NAME keeps the screen, as text and with its colours.
shot() {
  SHOTS=$((SHOTS + 1))
  local file
  file=$OUT/$(printf '%02d' "$SHOTS")-$1
  screen >"$file.txt"
  on_tmux capture-pane -p -e -t "$TERMINAL" >"$file.ansi"
}

sees() { screen | grep -qF -- "$1"; }

# wait_for TEXT [SECONDS]: the part ends here when the text does not come.
wait_for() {
  if ! eventually "${2:-30}" sees "$1"; then
    printf '        the screen never showed: %s\n' "$1"
    screen | sed 's/^/        | /'
    return 1
  fi
}

# shows NAME TEXT [SECONDS]: waits for the text, counts, and keeps the screen.
shows() {
  local name=$1
  if wait_for "$2" "${3:-30}"; then
    pass "the screen shows $name"
    shot "${name//[^[:alnum:]]/-}"
  else
    fail "the screen shows $name"
    return 1
  fi
}

# press KEY… counts each as one key.
press() {
  local key
  for key in "$@"; do
    on_tmux send-keys -t "$TERMINAL" "$key"
    KEYS=$((KEYS + 1))
  done
}

# type_text TEXT: typed text is not counted.
type_text() { on_tmux send-keys -t "$TERMINAL" -l "$1"; }

# paste_text TEXT: a bracketed paste, as terminals send it.
paste_text() {
  printf '%s' "$1" | on_tmux load-buffer -b pasted -
  on_tmux paste-buffer -p -d -b pasted -t "$TERMINAL"
}

# start_in_terminal ARGUMENTS…: the program, and its exit code afterwards. Neither counts as keys.
start_in_terminal() {
  type_text "stty -a >$HOME_DIR/stty.before; LC_ALL=${PERSON_LOCALE:-C.UTF-8} postier $*; echo \"exit \$?\"; stty -a >$HOME_DIR/stty.after"
  on_tmux send-keys -t "$TERMINAL" Enter
}

# terminal_is_restored: the line discipline is as it was, and the cursor is there again.
terminal_is_restored() {
  eventually 5 test -s "$HOME_DIR/stty.after" && cmp "$HOME_DIR/stty.before" "$HOME_DIR/stty.after" &&
    [[ $(on_tmux display-message -p -t "$TERMINAL" '#{alternate_on} #{cursor_flag} #{mouse_any_flag}') == "0 1 0" ]]
}

# at_terminal NAME: what follows is done at that terminal.
at_terminal() { TERMINAL=$1; }

# keep_octets FILE: everything that is drawn on the terminal from now on.
keep_octets() { on_tmux pipe-pane -t "$TERMINAL" "cat >'$1'"; }
