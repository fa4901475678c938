# shellcheck shell=bash
# Recordings for the manual: what a person sees, screen after screen, in a real terminal. They are compared with those in
# the tree; RECORD=1 writes them there instead.

RECORDINGS=$E2E/../docs/manual/recordings

# record NAME TITLE: begins a recording.
record() {
  RECORDING=$1
  mkdir -p "$OUT" "$RECORDINGS"
  printf '%s\n' "$2" >"$OUT/$1.txt"
}

# scene KEY TEXT [SECONDS]: what the person pressed, and the screen that came of it, as soon as it shows TEXT.
scene() {
  wait_for "$2" "${3:-30}" || return 1
  { printf '\n──── %s\n\n' "$1" && screen | steady; } >>"$OUT/$RECORDING.txt"
}

# steady leaves out what differs from run to run: durations, the countdown, the code, the temporary folder, ports of the rehearsal's servers, empty lines at the end.
steady() {
  sed -E -e 's/[0-9]+[.,][0-9] s( *)$/0,0 s\1/' -e 's/(Noch|reste|left) [0-9]+:[0-9]+/\1 0:00/' \
    -e 's/[0-9]+ (m?s)\b/0 \1/g' -e 's/\b[0-9]{4} [0-9]{4}\b/4821 0937/' -e 's#\b[0-9]{5,}/config#0/config#' -e 's#e2e\.[[:alnum:]]+/home/(recordings|shared|relay)#home#' -e 's/port [0-9]{5}\b/port 40465/' -e 's/ +$//' |
    sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# recorded: the recording is the one in the tree.
recorded() {
  if [[ -n ${RECORD:-} ]]; then
    cp "$OUT/$RECORDING.txt" "$RECORDINGS/$RECORDING.txt"
  fi
  check "the recording $RECORDING is the one in the manual" diff -u "$RECORDINGS/$RECORDING.txt" "$OUT/$RECORDING.txt"
}
