# shellcheck shell=bash
# Two Dovecot: the provider's, whose Sent folder is called "Gesendet" and is marked as such, and an old one in French that
# marks nothing. Both read the same users; each has mailboxes of its own.

# start_dovecot NAME ADDRESS FOLDERS_FILE
start_dovecot() {
  local name=$1 address=$2 folders=$3 dir=$WORK/dovecot-$1
  mkdir -p "$dir/mail"
  chown mail:mail "$dir/mail"
  sed -e "s|@DIR@|$dir|g" -e "s|@WORK@|$WORK|g" -e "s|@ADDRESS@|$address|g" -e "/@FOLDERS@/{r $folders
    d}" "$E2E/servers/dovecot.conf.in" >"$dir/dovecot.conf"
  doveconf -c "$dir/dovecot.conf" >/dev/null || die "dovecot.conf"
  dovecot -F -c "$dir/dovecot.conf" >"$WORK/log/dovecot-$name.start.log" 2>&1 &
  stop_later "$!"
  need "Dovecot ($name) greets on 143" 10 greets "$address" 143 '* OK'
  need "Dovecot ($name) signs in on 993" 10 imap_signs_in "$address"
}

make_users() {
  umask 022
  {
    echo "$USER_GOOD:{PLAIN}$PASSWORD::::::"
    echo "$USER_OLD:{PLAIN}$PASSWORD::::::"
    echo "suspended@postier.test:{PLAIN}$PASSWORD::::::nologin reason=Your-account-is-suspended"
  } >"$WORK/users"
}

# greets ADDRESS PORT TEXT: the first bytes of a connection.
greets() {
  local line
  exec 9<>"/dev/tcp/$1/$2" || return 1
  IFS= read -r -t 5 -u 9 line || { exec 9>&-; return 1; }
  exec 9>&-
  [[ $line == "$3"* ]]
}

# imap_signs_in ADDRESS: by curl, a client that has nothing to do with postier.
imap_signs_in() {
  curl --silent --show-error --max-time 10 --cacert "$CA" --resolve "mail.postier.test:993:$1" \
    --config <(printf 'user = "%s:%s"\n' "$USER_GOOD" "$PASSWORD") 'imaps://mail.postier.test/' -X 'LIST "" "*"'
}
