#!/usr/bin/env bash
# Messages a second through a local Postfix, as e2e starts it: postier's sendmail called for each message, its -bs and its queue
# with one connection, and msmtp and swaks called for each. One run, one machine, the same message, the same server, over
# STARTTLS with a sign-in; every way is checked by what lies in the mailbox. Needs root, for the mail ports. Not a test.
#
#   bench/send.sh [MESSAGES]
set -euo pipefail
export LC_ALL=C.UTF-8
COUNT=${1:-40}
E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")/../e2e" && pwd)
for file in "$E2E"/lib/*.sh "$E2E"/servers/*.sh; do
  # shellcheck source=/dev/null
  source "$file"
done
PATH=$PATH:/usr/sbin:/sbin
((EUID == 0)) || die "the mail ports need root"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/postier-bench.XXXXXX")
ARTIFACTS=$WORK/artifacts RESULTS=$WORK/results
USER_GOOD=anna@postier.test USER_OLD=berta@postier.test PASSWORD='Straight-7' WRONG_PASSWORD=x
mkdir -p "$WORK/log" "$WORK/bin" "$ARTIFACTS"
chmod 755 "$WORK"
: >"$RESULTS"
finish() {
  local code=$?
  trap - EXIT
  stop_all
  rm -rf -- "$WORK"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

if [[ -z ${POSTIER:-} ]]; then
  (cd "$E2E/.." && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$WORK/bin/postier" ./cmd/postier)
  POSTIER=$WORK/bin/postier
fi
{
  choose_addresses
  make_certificates
  make_users
  start_nsd
  start_dovecot provider "$IP" "$E2E/servers/folders-german.in"
  start_dovecot old "$IP2" "$E2E/servers/folders-french.in"
  start_postfix
  new_person bench
  unattended --profile anna
} >"$WORK/log/start" 2>&1 || { tail -n 20 "$WORK/log/start"; exit 1; }
# The copy is the extra that the others do not have; without it all do the same work.
jq --arg ca "$CA" '.profiles.anna.sent_copy = {mode: "none"} | .profiles.anna.tls.ca_file = $ca' "$CONFIG" >"$WORK/config.json"
cat "$WORK/config.json" >"$CONFIG"
postier_as config validate >/dev/null
postier_as export msmtp anna --out "$WORK/msmtprc" >/dev/null 2>&1
printf '%s mail.postier.test\n' "$IP" >"$WORK/hosts"
mapfile -t ENVIRONMENT < <(person_env)
message() { printf 'From: %s\nTo: %s\nSubject: bench\n\nHello\n' "$USER_GOOD" "$USER_GOOD"; }
message >"$WORK/message"
inside() { env -i "${ENVIRONMENT[@]}" "$@"; }

by_sendmail() { inside "$POSTIER" sendmail -t -i <"$WORK/message"; }
by_direct() { inside "$POSTIER" sendmail --direct -t -i <"$WORK/message"; }
by_msmtp() { inside LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_HOSTS="$WORK/hosts" msmtp --file="$WORK/msmtprc" -- "$USER_GOOD" <"$WORK/message"; }
by_swaks() {
  inside swaks --server "$IP" --port 587 --tls --auth PLAIN --auth-user "$USER_GOOD" --auth-password "$PASSWORD" \
    --from "$USER_GOOD" --to "$USER_GOOD" --data "@$WORK/message" >/dev/null
}
each() { local n; for ((n = 0; n < COUNT; n++)); do "$1"; done; }
by_bs() {
  local n
  {
    printf 'EHLO bench\r\n'
    for ((n = 0; n < COUNT; n++)); do
      printf 'MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n' "$USER_GOOD" "$USER_GOOD"
      sed 's/$/\r/' "$WORK/message"
      printf '.\r\n'
    done
    printf 'QUIT\r\n'
  } | inside "$POSTIER" sendmail -bs >/dev/null
}
accept_all() { local n; for ((n = 0; n < COUNT; n++)); do inside "$POSTIER" sendmail -odq -t -i <"$WORK/message"; done; }
by_queue() { inside "$POSTIER" queue run; }

delivered() { [[ $(count_messages) == "$COUNT" ]]; }
declare -A RATE
measure() { # measure NAME COMMAND…: seconds until the last message was handed over
  local name=$1 start end
  shift
  empty_mailbox
  start=$(date +%s%N)
  "$@"
  end=$(date +%s%N)
  eventually 30 delivered || die "$name: $(count_messages) of $COUNT messages arrived"
  RATE[$name]=$(awk -v n="$COUNT" -v t="$((end - start))" 'BEGIN { printf "%.1f", n * 1e9 / t }')
}
measure sendmail each by_sendmail
measure direct each by_direct
measure msmtp each by_msmtp
measure swaks each by_swaks
measure bs by_bs
empty_mailbox
accept_all
measure queue by_queue
printf '%-34s %10s %12s\n' "$COUNT messages" "a second" "times msmtp"
row() { awk -v name="$2" -v rate="${RATE[$1]}" -v base="${RATE[msmtp]}" 'BEGIN { printf "%-34s %10.1f %12.2f\n", name, rate, rate / base }'; }
row sendmail "postier sendmail, a message each"
row direct "the same, --direct"
row msmtp "msmtp, a message each"
row swaks "swaks, a message each"
row bs "postier sendmail -bs, one call"
row queue "postier queue run, after -odq"
