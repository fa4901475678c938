# shellcheck shell=bash
# An authority of our own, and leaves that are good or wrong in one way each. openssl ca takes any dates, so no clock is faked.

# leaf NAME SUBJECT_ALT_NAME START END
leaf() {
  local name=$1 dir=$WORK/tls
  openssl req -new -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2" >"$dir/$name.ext"
  openssl ca -batch -notext -config "$dir/ca.cnf" -extfile "$dir/$name.ext" -startdate "$3" -enddate "$4" \
    -in "$dir/$name.csr" -out "$dir/$name.pem" 2>"$dir/$name.log" || { cat "$dir/$name.log" >&2; die "certificate $name"; }
}

make_certificates() {
  local dir=$WORK/tls year
  year=$(date -u +%Y)
  mkdir -p "$dir/issued"
  : >"$dir/index.txt"
  sed "s|@DIR@|$dir|g" "$E2E/servers/ca.cnf.in" >"$dir/ca.cnf"
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=postier e2e authority" \
    -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
  local names="DNS:mail.postier.test,DNS:old.postier.test,DNS:localhost"
  leaf good "$names" "$((year - 1))0101000000Z" "$((year + 2))0101000000Z"
  leaf wrongname "DNS:mail.other.example" "$((year - 1))0101000000Z" "$((year + 2))0101000000Z"
  leaf expired "$names" "$((year - 3))0101000000Z" "$((year - 1))0101000000Z"
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=mail.postier.test" -addext "subjectAltName=$names" \
    -keyout "$dir/self.key" -out "$dir/self.pem" 2>/dev/null
  chmod 644 "$dir"/*.key # read by the servers' own users; these keys are thrown away with the folder
  CA=$dir/ca.pem
}
