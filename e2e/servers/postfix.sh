# shellcheck shell=bash
# Postfix as the provider's submission server and mail exchanger, and on fifteen more ports as servers with a fault. It is a
# second instance below $WORK; nothing of the machine's own mail system is read or changed.

start_postfix() {
  local dir=$WORK/postfix
  mkdir -p "$dir/etc" "$dir/spool" "$dir/data"
  chown postfix "$dir/data"
  local file
  for file in main.cf master.cf; do
    sed -e "s|@DIR@|$dir|g" -e "s|@WORK@|$WORK|g" -e "s|@IP@|$IP|g" -e "s|@USER@|$USER_GOOD|g" -e "s|@USER_OLD@|$USER_OLD|g" \
      -e "s|@UID@|$(id -u mail)|g" -e "s|@GID@|$(id -g mail)|g" "$E2E/servers/$file.in" >"$dir/etc/$file"
  done
  cp "$E2E/servers/replies.regexp" "$dir/etc/replies.regexp"
  : >"$dir/etc/blocked.regexp"
  postconf -c "$dir/etc" >/dev/null || die "main.cf"
  postfix -c "$dir/etc" start >"$WORK/log/postfix.start.log" 2>&1 || { die "postfix start"; }
  stop_later "$(tr -d ' ' <"$dir/spool/pid/master.pid")"
  need "Postfix greets on 25" 10 greets "$IP" 25 '220 mail.postier.test'
  need "Postfix greets on 587" 10 greets "$IP" 587 '220 mail.postier.test'
  need "Postfix takes a sign-in on 587" 10 smtp_signs_in --port 587 --tls
  need "Postfix takes a sign-in on 465" 10 smtp_signs_in --port 465 --tls-on-connect
  local port
  for port in 601 602 603 604 605 607 608 610 611 612 613 615; do
    need "the ill server on $port greets" 10 greets "$IP" "$port" '220 '
  done
  need "the slow server on 606 accepts" 10 accepts "$IP" 606
  need "the teasing server on 609 greets" 10 greets "$IP" 609 '220-'
  # 614 is not tried here: after its first death Postfix waits a minute before it starts another.
  check "something listens on 614" listens 614
}

# provider_blocks ADDRESS [REPLY]: whose account the provider blocks from now on, on port 587; nobody's without an address.
provider_blocks() {
  local dir=$WORK/postfix
  : >"$dir/etc/blocked.regexp"
  [[ -z $1 ]] || printf '/^%s$/ %s\n' "${1//./\\.}" "$2" >"$dir/etc/blocked.regexp"
  postfix -c "$dir/etc" reload >>"$WORK/log/postfix.start.log" 2>&1
}

listens() { ss -Hlnt "src $IP:$1" | grep -q LISTEN; }
accepts() { (exec 9<>"/dev/tcp/$1/$2"); }

# smtp_signs_in FLAGS…: by swaks, a client that has nothing to do with postier; it stops before any message.
smtp_signs_in() {
  swaks --server "$IP" "$@" --from "$USER_GOOD" --to "$USER_GOOD" --auth PLAIN --auth-user "$USER_GOOD" \
    --auth-password "$PASSWORD" --quit-after RCPT
}
