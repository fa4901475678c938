# shellcheck shell=bash
# What holds and what does not: one line each, counted in the file $RESULTS, so that parts may run in subshells.

pass() {
  printf 'pass %s\n' "$1" >>"$RESULTS"
  printf '  ok    %s\n' "$1"
}

# fail NAME [FILE]: the end of FILE is shown, as evidence.
fail() {
  printf 'fail %s\n' "$1" >>"$RESULTS"
  printf '  FAIL  %s\n' "$1"
  if [[ $# -gt 1 && -s $2 ]]; then
    tail -n 60 "$2" | sed 's/^/        | /'
  fi
}

# check NAME COMMAND…: the command must succeed; what it said is shown when it does not.
check() {
  local name=$1 said=$WORK/said.$BASHPID
  shift
  if "$@" >"$said" 2>&1; then
    pass "$name"
  else
    fail "$name" "$said"
  fi
}

# refuse NAME COMMAND…: the command must fail.
refuse() {
  local name=$1 said=$WORK/said.$BASHPID
  shift
  if "$@" >"$said" 2>&1; then
    fail "$name" "$said"
  else
    pass "$name"
  fi
}

# equal NAME WANT GOT [FILE]
equal() {
  if [[ $2 == "$3" ]]; then
    pass "$1"
  else
    fail "$1: expected '$2', got '$3'" "${4:-/dev/null}"
  fi
}

# says NAME TEXT FILE: the file holds the text.
says() {
  if grep -qF -- "$2" "$3"; then
    pass "$1"
  else
    fail "$1: '$2' is not there" "$3"
  fi
}

# run_into FILE COMMAND…: standard output and error go to FILE; prints the exit code.
run_into() {
  local file=$1 code=0
  shift
  "$@" >"$file" 2>&1 </dev/null || code=$?
  printf '%s' "$code"
}

# eventually SECONDS COMMAND…: tries until it succeeds. The seconds are those of a quiet machine; a busy one has four times as
# long, since nothing here is a measurement.
eventually() {
  local until=$((SECONDS + 4 * $1))
  shift
  until "$@" >"$WORK/tried" 2>&1; do
    if ((SECONDS >= until)); then
      return 1
    fi
    sleep 0.05
  done
}

die() {
  printf 'e2e: %s\n' "$*" >&2
  exit 1
}

# need NAME SECONDS COMMAND…: something without which nothing else can be believed.
need() {
  local name=$1 seconds=$2
  shift 2
  if ! eventually "$seconds" "$@"; then
    tail -n 40 "$WORK/tried" >&2
    die "$name: not so after $seconds s"
  fi
  pass "$name"
}
