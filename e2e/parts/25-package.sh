# shellcheck shell=bash
# The packages, as an owner gets them: built twice from the commit in two places, installed into a clean Debian, used by
# the programs of that machine, and removed again.

for tool in mmdebstrap git dpkg-deb rpm zip; do
  command -v "$tool" >/dev/null || die "$tool is not installed"
done
[[ -x ${TOOLS:-}/bin/nfpm ]] || die "nfpm is not installed; .ci/install does that"
new_person package
export TOOLS GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
processor=$(dpkg --print-architecture)

# A clean Debian of this machine's release, from the mirror that apt uses here. It is made while the packages are built.
# bsd-mailx comes later: without postier-mta it would bring another mailer.
root=$WORK/debian
release() { # from apt's own lists
  # shellcheck source=/dev/null
  . /etc/os-release
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$VERSION_CODENAME" '$1 == "Debian" && $2 == release { print release, $3; exit }'
}
read -r suite mirror < <(release) || true
[[ -n ${mirror:-} ]] || die "apt knows no mirror of this Debian; apt-get update first"
mmdebstrap --quiet --variant=apt --dpkgopt=force-unsafe-io --skip=cleanup/apt/lists --include=cron,man-db,ca-certificates \
  "$suite" "$root" "$mirror" >"$WORK/log/package-debian.log" 2>&1 &
debian=$!

daemons=("$debian")
end() {
  local pid
  for pid in "${daemons[@]}"; do
    kill -TERM "$pid" 2>/dev/null || true
  done
}
trap end EXIT

# build PLACE SOURCE: from a clone of the commit, as it would be released.
build() {
  git clone -q --shared "$2" "$WORK/$1/tree"
  "$WORK/$1/tree/packaging/build" "$WORK/$1/out" "linux/$processor"
}
check "the packages are built" build one "$E2E/.."
check "and once more, elsewhere" build another/place "$WORK/one/tree"
check "octet for octet the same" diff -r "$WORK/one/out" "$WORK/another/place/out"
packages=$WORK/one/out
refuse "a folder with something in it is left alone" "$WORK/one/tree/packaging/build" "$packages" "linux/$processor"
cp "$packages/SHA256SUMS" "$OUT/"
(cd "$packages" && check "the sums are right" sha256sum --quiet -c SHA256SUMS)
equal "every kind of package is there" "2 apk 2 deb 2 rpm" \
  "$(cd "$packages" && printf '%s\n' *.apk *.deb *.rpm | sed 's/.*\.//' | sort | uniq -c | xargs)"
commit=$(git -C "$WORK/one/tree" rev-parse HEAD)
check "the list of parts names the modules and the commit" jq -e --arg commit "$commit" '.bomFormat == "CycloneDX" and
  (.components | map(.name) | index("github.com/spf13/cobra") and index("modernc.org/sqlite")) and
  (.metadata.component.properties | index({name: "build:vcs.revision", value: $commit}))' "$packages"/*.cdx.json

# The files of a package, in one form: mode, path and where a link leads. Folders are left out, and so is the mode of a
# link, which no system reads.
of_tar() { tar --ignore-zeros --warning=no-unknown-keyword -tv | awk '$6 !~ /^\.[A-Za-z]/ { $2 = $3 = $4 = $5 = ""; print }'; }
of_deb() { dpkg-deb --fsys-tarfile "$1" | of_tar; }
of_apk() { gzip -dc "$1" | of_tar; }
of_rpm() { rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES} -> %{FILELINKTOS}\n]' "$1"; }
one_form() {
  sed -E 's/ +/ /g; s/^l[^ ]*/l/; s/ -> $//; s#^([^ ]+) (\./|/)#\1 #; s#zsh/(vendor-completions|site-functions)/#zsh/…/#' |
    grep -v '^d' | sort
}
of_deb "$packages"/postier_*.deb | one_form >"$OUT/files.txt"
check "the .deb has the program" grep -qx -- '-rwxr-xr-x usr/bin/postier' "$OUT/files.txt"
check "and the manual as HTML pages" grep -qx -- '-rw-r--r-- usr/share/doc/postier/manual/index.fr.html' "$OUT/files.txt"
check "the archive has the manual, too" sh -c 'tar -tzf "$1"/*linux*.tar.gz | grep -q /manual/index.html' sh "$packages"
for kind in rpm apk; do
  "of_$kind" "$packages"/postier[-_][0-9]*."$kind" | one_form >"$WORK/files.$kind"
  check "the .$kind has the same files as the .deb" diff "$OUT/files.txt" "$WORK/files.$kind"
done
links() { one_form | sed 's/^l //' | grep -v '/man/' | xargs; }
equal "the .rpm of the mailer is an alternative" \
  "usr/bin/mailq.postier -> /usr/bin/postier usr/bin/newaliases.postier -> /usr/bin/postier usr/sbin/sendmail.postier -> /usr/bin/postier" \
  "$(of_rpm "$packages"/postier-mta-*.rpm | links)"
equal "the .apk of the mailer has the links themselves" \
  "usr/bin/mailq -> /usr/bin/postier usr/bin/newaliases -> /usr/bin/postier usr/sbin/sendmail -> /usr/bin/postier" \
  "$(of_apk "$packages"/postier-mta_*.apk | links)"
for file in "$packages"/*.rpm; do
  check "rpm reads ${file##*/}" rpm -K --nosignature "$file"
done

check "a clean Debian" wait "$debian"
if [[ ! -x $root/usr/bin/dpkg ]]; then
  die "no Debian: $(tail -n 5 "$WORK/log/package-debian.log")"
fi
cat >"$WORK/enter" <<'END'
#!/bin/sh
# enter ROOT COMMAND…: in namespaces that unshare has made
set -e
root=$1
shift
hostname vm
mount --rbind /dev "$root/dev"
mount -t proc none "$root/proc"
exec env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/sh TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
  ${http_proxy:+http_proxy="$http_proxy"} PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
END
chmod 755 "$WORK/enter"
enter=(unshare --mount --uts --propagation private "$WORK/enter" "$root")
inside() { "${enter[@]}" "$@"; }
by_apt() { inside apt-get -y -q --no-install-recommends -o Dpkg::Use-Pty=0 "$@"; }
installed() { [[ $(inside dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }
provider() { inside dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' | awk '$1 == "installed" && / mail-transport-agent/ { print $2 }'; }
service=(setpriv --reuid=postier --regid=postier --init-groups env HOME=/var/lib/postier POSTIER_RESOLVER="$RESOLVER"
  POSTIER_CA_FILE=/srv/ca.pem postier --config /etc/postier/config.json)
printf '127.0.0.1 localhost\n127.0.1.1 vm\n' >"$root/etc/hosts"
printf 'vm\n' >"$root/etc/mailname"
cp "$CA" "$root/srv/ca.pem"
cp "$packages"/*.deb "$root/srv/"
chmod 644 "$root"/srv/*

# files: all of the machine but what comes and goes by itself, and what Debian keeps: logs, dpkg's records, users.
files() {
  inside find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg \
    -o -path /var/lib/apt -o -path /srv -o -path /run \) -prune -o -printf '%p %y %m %u %g %l\n' |
    grep -vE '^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-? ' | sort
}
files >"$WORK/before"
equal "the machine has no mailer" "" "$(provider)"

# rpm runs its scripts in the same clean machine; what they depend on is dpkg's there, so that it asks for nothing. Folders
# that other packages of such a system own are not its to remove.
by_rpm() { rpm --root "$root" --dbpath /srv/rpm --nodeps "$@"; }
of_others() { comm -13 "$WORK/before" "$WORK/after.rpm" | awk '$2 == "d" { print $1 }' | sort -r; }
check "rpm installs both packages" by_rpm -i "$packages"/*.rpm
equal "the program knows its commit" "$commit" "$(inside postier version --json | jq -r .commit)"
check "the service has its user and its folders" inside sh -c 'id postier && [ "$(stat -c "%U %a" /etc/postier)" = "postier 700" ]'
for called in /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases; do
  equal "$called is an alternative" /usr/bin/postier "$(inside realpath "$called")"
done
inside sh -c 'echo mine >/etc/postier/config.json'
check "the next version takes the place of this one" by_rpm -U --force "$packages"/*.rpm
equal "sendmail is still there" /usr/bin/postier "$(inside realpath /usr/sbin/sendmail)"
equal "and what the owner set" mine "$(inside cat /etc/postier/config.json)"
check "rpm removes both" by_rpm -e postier-mta postier
equal "but not what the owner set" mine "$(inside cat /etc/postier/config.json)"
rm -rf "$root/etc/postier" "$root/srv/rpm"
files >"$WORK/after.rpm"
of_others | inside xargs -r rmdir
files >"$WORK/after.rpm"
check "everything is as before rpm" diff "$WORK/before" "$WORK/after.rpm"

check "dpkg installs the program" inside sh -c 'dpkg -i /srv/postier_*.deb'
refuse "which is nobody's sendmail" test -e "$root/usr/sbin/sendmail"
equal "it knows its commit" "$commit" "$(inside postier version --json | jq -r .commit)"
check "its manual is read" inside sh -c 'man postier-setup | grep -q POSTIER_CONFIG'
check "in German, too" inside sh -c 'man -L de postier-setup | grep -q UMGEBUNG'
modules() { go version -m "$root/usr/bin/postier" | awk '$1 == "dep" { print $2, $3 }' | sort; }
check "THIRD-PARTY names every module" diff <(modules) <(awk '/^  [a-z]+\.[^ ]* v[^ ]*  / { print $1, $2 }' "$root/usr/share/doc/postier/THIRD-PARTY" | sort)
check "and so does that of the archive" sh -c 'tar -xOzf "$1" --wildcards "*/THIRD-PARTY" | cmp - "$2"' sh \
  "$packages"/*.tar.gz "$root/usr/share/doc/postier/THIRD-PARTY"
equal "the demo runs" 0 "$(run_into "$OUT/demo.txt" inside postier demo --yes)" "$OUT/demo.txt"

install -m 600 "$HOME_DIR/password" "$root/srv/password"
inside chown postier: /srv/password
mapfile -t flags < <(by_hand)
code=$(run_into "$OUT/setup.txt" inside "${service[@]}" setup "$USER_GOOD" --yes --profile anna "${flags[@]}" \
  --password-file /srv/password)
equal "an account is set up" 0 "$code" "$OUT/setup.txt"
rm -f "$root/srv/password"

check "dpkg makes it the mailer" inside sh -c 'dpkg -i /srv/postier-mta_*.deb'
equal "the machine has one" postier-mta "$(provider)"
equal "apt adds programs that need a mailer" 0 "$(run_into "$OUT/apt-mailx.txt" by_apt install bsd-mailx)" "$OUT/apt-mailx.txt"
equal "and brings no other" postier-mta "$(provider)"

# systemd would make the folder from tmpfiles.d, and the service from its unit.
start_service() {
  inside install -d -o postier -g postier /run/postier
  "${enter[@]}" "${service[@]}" queue run --daemon --socket /run/postier/submit >>"$WORK/log/package-service.log" 2>&1 &
  daemons+=("$!")
  check "the service listens" eventually 60 test -S "$root/run/postier/submit"
}
end_service() {
  end
  for pid in "${daemons[@]}"; do
    check "process $pid has ended" eventually 60 gone "$pid"
  done
  daemons=()
}
daemons=()
arrived() { messages | xargs -r grep -lF -- "$1" | grep -q .; }
start_service
code=$(run_into "$OUT/sendmail.txt" inside sh -c 'printf "Subject: s\n\nmark-sendmail\n" | /usr/sbin/sendmail -i '"$USER_GOOD")
equal "/usr/sbin/sendmail takes a message" 0 "$code" "$OUT/sendmail.txt"
printf '@reboot echo mark-cron\n@reboot echo mark-mail | mail -s "from mail" root\n' >"$root/var/spool/cron/crontabs/root"
chmod 600 "$root/var/spool/cron/crontabs/root"
"${enter[@]}" cron -f >"$WORK/log/package-cron.log" 2>&1 &
daemons+=("$!")
for mark in mark-sendmail mark-cron mark-mail; do
  check "$mark arrives" eventually 120 arrived "$mark"
done
says "cron's report names cron" "Cron Daemon" <(messages | xargs -r grep -lF mark-cron | head -n 1 | xargs -r cat)
queue_length() { inside "${service[@]}" queue list --json | jq length; }
queue_is_empty() { [[ $(queue_length) == 0 ]]; }
check "nothing waits" eventually 60 queue_is_empty
equal "to others mailq says whom to ask" 77 "$(run_into "$OUT/mailq.txt" inside mailq)" "$OUT/mailq.txt"
end_service
rm -f "$root/var/spool/cron/crontabs/root"
check "what needed a mailer goes" by_apt purge --autoremove bsd-mailx

check "apt takes the mailer away" by_apt remove postier-mta
refuse "sendmail is gone" test -e "$root/usr/sbin/sendmail"
check "apt removes the program" by_apt remove postier
refuse "the program is gone" test -e "$root/usr/bin/postier"
check "the account is kept" test -s "$root/etc/postier/config.json"
check "both are installed again" inside sh -c 'dpkg -i /srv/*.deb'
equal "the account is the one from before" anna "$(inside "${service[@]}" profile list --json | jq -r '.[].name')"
start_service
check "the machine sends again" inside sh -c 'printf "Subject: s\n\nmark-again\n" | sendmail root'
check "mark-again arrives" eventually 120 arrived mark-again
end_service
check "apt purges" by_apt purge postier postier-mta
rm -rf "$root/run/postier"
files >"$WORK/after"
check "everything is as before" diff "$WORK/before" "$WORK/after"

# A machine that has a mailer keeps it until its owner says otherwise, and gets it back in the same way.
sendmail_is() { [[ $(inside realpath /usr/sbin/sendmail) == "/usr/bin/$1" ]]; }
check "another mailer is there" by_apt install msmtp-mta bsd-mailx
check "the program is installed next to it" inside sh -c 'dpkg -i /srv/postier_*.deb'
refuse "the mailer is not replaced unasked" inside sh -c 'dpkg -i /srv/postier-mta_*.deb'
check "sendmail is still the other's" sendmail_is msmtp
check "the owner takes postier" inside sh -c 'apt-get -y -q -o Dpkg::Use-Pty=0 install /srv/postier-mta_*.deb'
equal "it is the only one" postier-mta "$(provider)"
check "sendmail is postier" sendmail_is postier
check "programs that need a mailer stay" installed bsd-mailx
check "the owner takes the other again" by_apt install msmtp-mta
equal "which is the only one then" msmtp-mta "$(provider)"
check "sendmail is the other's" sendmail_is msmtp
check "programs that need a mailer stay once more" installed bsd-mailx
