# shellcheck shell=bash
# diagnose tells apart servers with different faults: for each port the exit code and the one root cause.

new_person diagnose

# told PORT CODE CAUSE FLAGS…: CAUSE is a pattern for the first failed check's cause; - means that nothing failed.
told() {
  local port=$1 want=$2 cause=$3 code=0 file got
  shift 3
  file=$OUT/$port.json
  postier_as diagnose smtp "mail.postier.test:$port" --user "$USER_GOOD" --from "$USER_GOOD" --password-file "$HOME_DIR/password" \
    --json "$@" >"$file" 2>"$OUT/$port.err" </dev/null || code=$?
  got=$(jq -r '[.checks[] | select(.status == "fail") | .cause] | first // "-"' "$file" 2>/dev/null || true)
  if [[ $code == "$want" && $got =~ ^($cause)$ ]]; then
    pass "port $port: $got ($code)"
  else
    fail "port $port: expected $cause ($want), got $got ($code)" "$OUT/$port.err"
  fi
}

told 587 0 -
told 465 0 -
told 25 77 auth-not-offered
told 601 1 cert-expired
told 602 1 cert-name-mismatch
told 603 1 cert-self-signed
told 604 76 tls-stripped
told 605 77 auth-not-offered
told 606 0 -
told 607 1 tls-version-unsupported
told 608 75 mailbox-full --from full@postier.test
told 608 75 greylisted --from grey@postier.test
told 608 1 ip-blocklisted --from listed@postier.test
told 609 0 -
told 610 0 -
told 611 0 -
told 612 68 sender-domain-invalid --from anna@nosuch.invalid
told 613 76 tls-stripped
told 614 69 'connection-dropped|server-timeout' --timeout 5s
told 615 75 starttls-failed
told 1 69 connection-refused
