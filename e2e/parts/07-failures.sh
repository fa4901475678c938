# shellcheck shell=bash
# Servers with one fault each: setup --yes must end in the cause and with the exit code of the contract, in time.

new_person failures

# A port that swallows every connection, as behind a firewall.
(cd "$E2E/.." && go build -o "$WORK/bin/blackhole" ./e2e/blackhole)
coproc BLACKHOLE { "$WORK/bin/blackhole" "$IP"; }
hole=$BLACKHOLE_PID
IFS= read -r -t 10 -u "${BLACKHOLE[0]}" blocked

# ends CODE CAUSE NAME FLAGS…: CAUSE is a pattern; - means that the ladder passes.
ends() {
  local want=$1 cause=$2 name=$3 code file
  shift 3
  file=$OUT/${name//[^[:alnum:]]/-}.txt
  rm -rf "$HOME_DIR/.config"
  code=$(run_into "$file" unattended --profile anna "$@")
  equal "$name: exit code" "$want" "$code" "$file"
  if [[ $cause != - ]]; then
    check "$name: cause" grep -qE "^postier: .*: ($cause)\$" "$file"
    check "$name: no configuration is written" test ! -e "$CONFIG"
  fi
}

ends 77 wrong-password "a wrong password" --password-file "$HOME_DIR/wrong-password"
ends 77 wrong-password "an unknown user" --user nobody@postier.test
ends 1 cert-expired "601, expired certificate" --smtp-port 601
ends 1 cert-name-mismatch "602, certificate for another name" --smtp-port 602
ends 1 cert-self-signed "603, self-signed certificate" --smtp-port 603
ends 76 tls-stripped "604, no STARTTLS" --smtp-port 604
ends 77 auth-not-offered "605, no sign-in offered" --smtp-port 605
ends 0 - "606, slow greeting" --smtp-port 606
ends 1 tls-version-unsupported "607, old TLS only" --smtp-port 607
ends 0 - "609, a teaser line and a wait" --smtp-port 609
ends 0 - "611, few errors allowed" --smtp-port 611
ends 76 tls-stripped "613, a server of 1990" --smtp-port 613
ends 69 "connection-dropped|server-timeout" "614, hangs up" --smtp-port 614 --timeout 5s
ends 75 starttls-failed "615, STARTTLS without a certificate" --smtp-port 615
ends 76 tls-wrong-mode "TLS where STARTTLS is spoken" --smtp-port 587 --smtp-security tls --timeout 3s
ends 69 connection-refused "a closed port" --smtp-port 1
ends 69 port-blocked "a blocked port" --smtp-port "${blocked##*:}" --timeout 2s
ends 68 dns-nxdomain "a host that does not exist" --smtp-host nosuch.postier.test
ends 1 sender-not-owned "an address of someone else's" --user "$USER_OLD"
kill "$hole" # it would end by itself with this part
