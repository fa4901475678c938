# shellcheck shell=bash
# NSD answers for postier.test, for test above it (DMARC walks up) and for the addresses' names.

# txt TEXT: a TXT value as strings of at most 255 octets.
txt() { fold -w 250 <<<"$1" | sed 's/.*/"&"/' | tr '\n' ' '; }

make_zones() {
  local dir=$WORK/nsd key
  mkdir -p "$dir"
  openssl genrsa -out "$dir/dkim.key" 2048 2>/dev/null
  key=$(openssl rsa -in "$dir/dkim.key" -pubout -outform DER 2>/dev/null | base64 -w0)
  sed -e "s|@IP@|$IP|g" -e "s|@IP2@|$IP2|g" -e "s|@DKIM@|$(txt "v=DKIM1; k=rsa; p=$key")|" \
    "$E2E/servers/postier.test.zone.in" >"$dir/postier.test.zone"
  cp "$E2E/servers/test.zone.in" "$dir/test.zone"
  sed -e "s|@LAST@|${IP##*.}|g" -e "s|@LAST2@|${IP2##*.}|g" "$E2E/servers/127.in-addr.arpa.zone.in" >"$dir/127.in-addr.arpa.zone"
  sed -e "s|@IP@|$IP|g" -e "s|@DIR@|$dir|g" "$E2E/servers/nsd.conf.in" >"$dir/nsd.conf"
}

start_nsd() {
  local dir=$WORK/nsd
  make_zones
  nsd-checkconf "$dir/nsd.conf" || die "nsd.conf"
  nsd -d -c "$dir/nsd.conf" >"$WORK/log/nsd.log" 2>&1 &
  stop_later "$!"
  RESOLVER=$IP:5353
  need "NSD answers for postier.test" 10 answers_mx
  check "NSD has SPF, DKIM and DMARC" answers_records
}

ask() { dig +short +tries=1 +time=2 -p 5353 "@$IP" "$@"; }
answers_mx() { [[ $(ask postier.test MX) == "10 mail.postier.test." ]]; }
answers_records() {
  ask postier.test TXT | grep -q 'v=spf1' && ask postier2026._domainkey.postier.test TXT | grep -q 'v=DKIM1' &&
    ask _dmarc.postier.test TXT | grep -q 'v=DMARC1'
}
