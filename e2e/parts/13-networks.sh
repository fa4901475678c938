# shellcheck shell=bash
# Networks that are broken, in namespaces of this part's own: each ends in one root, and in the same one ten times out of
# ten. "here" is the person's computer, "there" the rest of the world, "alone" a computer without a network.

new_person networks
readonly TIMES=10
readonly LONGEST=15 # seconds for ten runs side by side: a deadline of 3 s, its repetition, and the control questions

here=postier-here-$$ there=postier-there-$$ alone=postier-alone-$$
remove_networks() {
  local space
  for space in "$here" "$there" "$alone"; do
    ip netns delete "$space" 2>/dev/null || true
  done
}
trap remove_networks EXIT # the far end ends with its standard input, which is this shell's

for space in "$here" "$there" "$alone"; do
  ip netns add "$space"
  ip -n "$space" link set lo up
done
ip -n "$here" link add out type veth peer name in netns "$there"
ip -n "$here" address add 198.51.100.2/24 dev out
ip -n "$here" address add 2001:db8::2/64 dev out nodad
for last in 25 26 27 53 {61..77} 80; do
  ip -n "$there" address add "198.51.100.$last/24" dev in
done
ip -n "$there" address add 2001:db8::27/64 dev in nodad
ip -n "$there" link set in up
ip -n "$here" link set out up
ip -n "$here" route add default via 198.51.100.53
ip -n "$here" -6 route add default via 2001:db8::27

# Port 465 of one server is dropped on the way, and port 3 of all.
ip netns exec "$there" nft -f - <<'RULES'
table inet far {
  chain input {
    type filter hook input priority 0;
    tcp dport 3 drop
    ip daddr 198.51.100.26 tcp dport 465 drop
  }
}
RULES

(cd "$E2E/.." && go build -o "$WORK/bin/networks" ./e2e/networks)
mkdir -p "$WORK/networks"
coproc FAR { exec ip netns exec "$there" "$WORK/bin/networks" "$WORK/networks" 2>"$WORK/log/networks.log"; }
IFS= read -r -t 10 -u "${FAR[0]}" said
equal "the far end is up" ready "$said" "$WORK/log/networks.log"

# run_once NAMESPACE RESOLVER FILE FLAGS…: a diagnosis of everything, as JSON.
run_once() {
  local namespace=$1 resolver=$2 file=$3
  shift 3
  ip netns exec "$namespace" env -i "HOME=$HOME_DIR" PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "POSTIER_RESOLVER=$resolver" \
    "POSTIER_CA_FILE=$WORK/networks/ca.pem" "$POSTIER" diagnose "${ADDRESS:-anna@postier.test}" --json --timeout 3s \
    --password-file "$HOME_DIR/password" --smtp-port 465 --smtp-security tls --imap-port 993 --imap-security tls \
    --smtp-host mail.postier.test --imap-host mail.postier.test --sent-copy server "$@" >"$file" 2>"$file.err" </dev/null || true
}

# The root, what failed, and which records count as read although there was none.
read -r -d '' SUMMARY <<'JQ' || true
"\(.root.id // "-") \(.root.cause // "-"): " + ([.checks[] | select(.status == "fail") | .id] | join(" "))
JQ

# ends NAME WANT NAMESPACE RESOLVER FLAGS…: ten runs at once that all end as WANT.
ends() {
  local name=$1 want=$2 try got took before=$SECONDS jobs=() stem=$OUT/${1//[^[:alnum:]]/-}
  shift 2
  for try in $(seq "$TIMES"); do
    run_once "$1" "$2" "$stem.$try.json" "${@:3}" &
    jobs+=("$!")
  done
  wait "${jobs[@]}"
  took=$((SECONDS - before))
  for try in $(seq "$TIMES"); do
    jq -r "$SUMMARY" "$stem.$try.json" 2>/dev/null || printf 'no report\n'
  done | sort | uniq -c | sed 's/^ *//' >"$stem.txt"
  got=$(cat "$stem.txt")
  check "$name: in time" test "$took" -le "$LONGEST"
  equal "$name ($took s)" "$TIMES $want" "$got" "$stem.1.json.err"
  refuse "$name: no check is judged twice" jq -se 'any(.[]; [.checks[].id] | length != (unique | length))' "$stem".*.json
  refuse "$name: nothing passes that was not read" jq -se 'any(.[].checks[]; .status == "pass" and (.id | startswith("dns.")))
    and any(.[]; .root.cause == "no-network" or .root.id == "net.resolver")' "$stem".*.json
}

good=198.51.100.53:53
ends "everything works" "dns.dkim dkim-missing: " "$here" "$good"
ends "no network" "net.local no-network: net.local" "$alone" "$good"
ends "NXDOMAIN for all" "net.resolver resolver-denies: net.resolver" "$here" 198.51.100.61:53
ADDRESS=anna@gmail.com ends "NXDOMAIN for all, at Gmail" "net.resolver resolver-denies: net.resolver" "$here" 198.51.100.61:53 \
  --smtp-host smtp.gmail.com --imap-host imap.gmail.com
ends "no records for all" "net.resolver resolver-denies: net.resolver" "$here" 198.51.100.72:53
ends "invented addresses" "net.resolver resolver-invents: net.resolver" "$here" 198.51.100.62:53
ends "a silent resolver" "net.resolver dns-failure: net.resolver" "$here" 198.51.100.63:53
ends "answers to another query" "net.resolver dns-failure: net.resolver" "$here" 198.51.100.69:53
ends "answers that are no DNS" "net.resolver dns-failure: net.resolver" "$here" 198.51.100.70:53
ends "SERVFAIL for all" "net.resolver dns-failure: net.resolver" "$here" 198.51.100.71:53
ends "FORMERR for all" "net.resolver dns-failure: net.resolver" "$here" 198.51.100.76:53
ends "truncated, and no TCP" "net.resolver resolver-no-tcp: net.resolver" "$here" 198.51.100.68:53
ends "truncated over TCP too" "net.resolver dns-failure: net.resolver" "$here" 198.51.100.74:53
ends "FORMERR to EDNS" "dns.dkim dkim-missing: " "$here" 198.51.100.64:53
ends "a bare FORMERR to EDNS" "dns.dkim dkim-missing: " "$here" 198.51.100.65:53
ends "NOTIMP to EDNS" "dns.dkim dkim-missing: " "$here" 198.51.100.66:53
ends "small datagrams, and no TCP" "dns.dkim dkim-missing: " "$here" 198.51.100.67:53
ends "truncated, and TCP" "dns.dkim dkim-missing: " "$here" 198.51.100.73:53
ends "forged answers before the right one" "dns.dkim dkim-missing: " "$here" 198.51.100.75:53
ends "IPv6 accepts and stays silent" "net.connect6 ipv6-broken: " "$here" "$good" --smtp-host two.postier.test
ends "465 dropped, 587 good" "net.connect port-blocked: net.connect" "$here" "$good" --smtp-host half.postier.test
ends "a captive portal" "net.local captive-portal: net.local" "$here" "$good" \
  --smtp-host 198.51.100.80 --imap-host 198.51.100.80
ends "a captive portal that every name leads to" "net.local captive-portal: net.local" "$here" 198.51.100.77:53
ends "a firewall that rejects everything" "net.local connections-blocked: net.local" "$here" "$good" \
  --imap-host two.postier.test --smtp-port 2 --imap-port 2
ends "a firewall that drops everything" "net.connect port-blocked: net.connect" "$here" "$good" \
  --imap-host two.postier.test --smtp-port 3 --imap-port 3
ends "an alias that leads to itself" "net.resolve zone-unanswered: net.resolve" "$here" "$good" --smtp-host loop.postier.test
ends "a closed port everywhere" "net.connect connection-refused: net.connect" "$here" "$good" --smtp-port 2 --imap-port 2
run_matrix() {
  ip netns exec "$here" env -i "HOME=$HOME_DIR" PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$POSTIER" diagnose smtp mail.postier.test \
    --matrix --json --timeout 3s --resolver 198.51.100.61:53 </dev/null || true
}
run_matrix >"$OUT/matrix.json" 2>"$OUT/matrix.err"
equal "every way, and a resolver that denies" "net.resolver resolver-denies" "$(jq -r '"\(.root.id) \(.root.cause)"' "$OUT/matrix.json")" \
  "$OUT/matrix.err"
check "587 is found" jq -es '.[0].repair[0].change.port == 587' <(run_once "$here" "$good" "$OUT/repair.json" \
  --smtp-host half.postier.test --repair && cat "$OUT/repair.json")

# The system's own resolver, without a resolver by flag: the file that the C library reads.
printf 'nameserver 198.51.100.61\n' >"$WORK/networks/resolv.conf"
run_system() {
  ip netns exec "$here" unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf && shift && exec env -i "$@"' sh "$WORK/networks/resolv.conf" \
    "HOME=$HOME_DIR" PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$POSTIER" diagnose smtp mail.postier.test:465 --json --timeout 3s
}
run_system >"$OUT/system.json" 2>"$OUT/system.err" </dev/null || true
equal "the system's resolver denies" "net.resolver resolver-denies" "$(jq -r '"\(.root.id) \(.root.cause)"' "$OUT/system.json")" "$OUT/system.err"
