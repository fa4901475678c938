# shellcheck shell=bash
# The machine "vm": mount namespaces in which /usr/sbin/sendmail is postier, and the programs that call it there, each
# the real one. Nothing of the real machine's is run, read or written.

# make_machine HOME WWW: the home folders of root and of the web server's user.
make_machine() {
  local root=$1 www=$2
  stage=$WORK/machine
  rm -rf -- "$stage"
  mkdir -p "$stage"/{cron.d,crontabs,atjobs,atspool,repository,run}
  : >"$stage/atjobs/.SEQ"
  chmod 600 "$stage/atjobs/.SEQ"
  chown -R daemon:daemon "$stage"/{atjobs,atspool}
  chmod 1770 "$stage"/{atjobs,atspool}
  printf '127.0.0.1 localhost\n127.0.1.1 vm\n%s mail.postier.test\n' "$IP" >"$stage/hosts"
  sed "s|^\(www-data:.*\):/var/www:|\1:$www:|" /etc/passwd >"$stage/passwd"
  printf 'vm\n' >"$stage/mailname"
  : >"$stage/empty"
  cat >"$stage/enter" <<'END'
#!/bin/sh
# enter POSTIER STAGE HOME USER COMMAND…: in namespaces that unshare has made
set -e
postier=$1 stage=$2 home=$3 user=$4
shift 4
hostname vm
mount --bind "$postier" /usr/sbin/sendmail
mount --bind "$home" /root
for file in hosts passwd; do
  mount --bind "$stage/$file" "/etc/$file"
done
for file in /etc/mailname /etc/aliases /etc/mail.rc /etc/s-nail.rc /etc/Muttrc /etc/gitconfig; do
  [ ! -e "$file" ] || mount --bind "$stage/empty" "$file"
done
[ ! -e /etc/mailname ] || mount --bind "$stage/mailname" /etc/mailname
[ ! -e /etc/postier ] || mount -t tmpfs none /etc/postier
mount --bind "$stage/empty" /etc/crontab
mount --bind "$stage/cron.d" /etc/cron.d
mount --bind "$stage/crontabs" /var/spool/cron/crontabs
mount --bind "$stage/atjobs" /var/spool/cron/atjobs
mount --bind "$stage/atspool" /var/spool/cron/atspool
mount -t tmpfs -o mode=755 none /run
mkdir /run/postier
mount --bind "$stage/run" /run/postier
account=$(awk -F: -v user="$user" '$1 == user { print $3 ":" $4 ":" $6 }' /etc/passwd)
home=${account##*:}
[ "$user" != root ] || home=/root
group=${account#*:}
cd "$home"
exec setpriv --reuid="${account%%:*}" --regid="${group%%:*}" --init-groups -- env -i HOME="$home" USER="$user" \
  LOGNAME="$user" SHELL=/bin/sh TERM=dumb LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
END
  chmod 755 "$stage/enter"
  enter=(--mount --uts --propagation private "$stage/enter" "$(realpath "$POSTIER")" "$stage" "$root")
}

# as USER COMMAND…: on that machine.
as() { unshare "${enter[@]}" "$@"; }

run() { # NAME USER COMMAND…
  local code
  code=$(run_into "$OUT/$1.txt" as "${@:2}")
  equal "$1 has no complaint" 0 "$code" "$OUT/$1.txt"
}

daemons=()
end_daemons() {
  local pid
  for pid in "${daemons[@]}"; do
    kill -TERM "$pid" 2>/dev/null || true
  done
}
# daemon USER NAME COMMAND…: in the foreground and in the environment that init gives, which has no home.
daemon() {
  unshare "${enter[@]}" "$1" env -u HOME -u USER -u LOGNAME "${@:3}" >"$WORK/log/$2.log" 2>&1 </dev/null &
  daemons+=("$!")
}
is_called() { [[ $(cat "/proc/$2/comm") == "$1" ]]; }

# programs_send runs the programs that send mail to root and know nothing but /usr/sbin/sendmail.
programs_send() {
  local tool
  for tool in cron atd at mdadm s-nail bsd-mailx mutt php git python3; do
    command -v "$tool" >/dev/null || die "$tool is not installed"
  done
  # Debian's cron says "root (Cron Daemon)" whoever's job it was, and runs sendmail as that user. It runs what is
  # marked @reboot when it starts.
  cat >"$stage/crontabs/root" <<END
@reboot echo mark-cron-root
MAILTO=$USER_GOOD
@reboot echo mark-cron-to
MAILTO=""
@reboot echo mark-cron-none
END
  printf '@reboot echo mark-cron-www\n' >"$stage/crontabs/www-data"
  chmod 600 "$stage"/crontabs/*
  chown www-data "$stage/crontabs/www-data"
  chgrp crontab "$stage"/crontabs/*
  daemon root cron cron -f
  cron=$!
  run at root sh -c 'echo "echo mark-at" | at now 2>&1'
  daemon root atd atd -f
  atd=$!
  check "the process that will be ended is cron's" eventually 5 is_called cron "$cron"
  check "and atd's" eventually 5 is_called atd "$atd"

  printf 'MAILADDR root\nARRAY /dev/md77 UUID=01234567:89abcdef:01234567:89abcdef\n' >"$stage/mdadm.conf"
  run mdadm root mdadm --monitor --test --oneshot --scan --config="$stage/mdadm.conf"
  run s-nail root sh -c 'echo mark-s-nail | s-nail -s "from s-nail" root'
  run bsd-mailx root sh -c 'echo mark-bsd-mailx | bsd-mailx -s "from bsd-mailx" root'
  run mutt root sh -c 'echo mark-mutt | mutt -s "from mutt" root'
  run php www-data php -r 'exit(mail("root", "from PHP", "mark-php\n") ? 0 : 1);'
  run php-from www-data php -r 'exit(mail("www-data", "from PHP", "mark-sender-php\n", "From: www-data") ? 0 : 1);'
  run php-name www-data php -r 'exit(mail("root", "from PHP", "mark-name-php\n", "From: Störung <www-data@vm>") ? 0 : 1);'
  run git root sh -c 'cd "$1" && git init -q . && git config user.name "Build Bot" && git config user.email build@vm &&
  echo x >file && git add file && git commit -qm "mark-git" &&
  git send-email --quiet --confirm=never --no-chain-reply-to --suppress-cc=all --smtp-server=/usr/sbin/sendmail --to=root --root -1' \
    sh "$stage/repository"
  cat >"$stage/alarm.py" <<'END'
import email.message, subprocess
m = email.message.EmailMessage()
m["From"], m["To"], m["Subject"] = "Backup <backup@localhost>", "root", "Nächtliche Sicherung"
m.set_content("mark-python\n")
subprocess.run(["/usr/sbin/sendmail", "-t", "-oi"], input=m.as_bytes(), check=True)
END
  chmod 644 "$stage/alarm.py"
  run python root python3 "$stage/alarm.py"
  run logwatch root sh -c 'printf "To: root\nFrom: Logwatch <Logwatch@vm>\nSubject: Logwatch for vm (Linux)\nAuto-Submitted: auto-generated\n\nmark-logwatch\n" |
  sendmail -t'
  run systemd root sh -c 'printf "To: root\nFrom: systemd <root@vm>\nSubject: backup.service failed\n\nmark-systemd\n" | sendmail -t'
  run smartd root sh -c 'printf "mark-smartd\n" | sendmail -i -F "smartd daemon" root'
  run home www-data env HOME=/root sh -c 'printf "To: root\nFrom: www-data\n\nmark-home\n" | sendmail -t'
  run bare root sh -c 'printf "Subject: bare\nFrom: root\nTo: www-data, root\n\nmark-bare\n" | sendmail -t'
}

# found MARK WHO: the file of the message that says so.
found() {
  local file
  WHO=$2 messages | while IFS= read -r file; do
    grep -lF -- "$1" "$file" || true
  done
}
# header FILE: the author, what was the author, and the recipients, decoded and unfolded.
header() {
  python3 -c 'import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(*[str(m[name] or "-") for name in ("From", "X-Original-From", "To")], sep=" | ")' "$1"
}
arrived() { [[ -n $(found "$1" "$2") ]]; }
# arrives MARK WHO WANT: once, and with this header.
arrives() {
  local file
  eventually 10 arrived "$1" "$2" || true
  file=$(found "$1" "$2")
  if [[ -z $file || $file == *$'\n'* ]]; then
    fail "$1 arrives once: ${file:-it does not}"
    return
  fi
  equal "$1" "$3" "$(header "$file")"
}

# programs_arrive: under the profile's address, with the program's name and what it wrote as the author, where the
# aliases lead.
programs_arrive() {
  local anna=$USER_GOOD berta=$USER_OLD
  arrives mark-cron-root "$berta" "Cron Daemon <$anna> | root (Cron Daemon) | root <$berta>"
  arrives mark-cron-to "$anna" "Cron Daemon <$anna> | root (Cron Daemon) | $anna"
  arrives mark-cron-www "$anna" "Cron Daemon <$anna> | root (Cron Daemon) | www-data <$anna>"
  arrives mark-at "$berta" "$anna | - | root <$berta>"
  arrives "TestMessage event" "$berta" "mdadm monitoring <$anna> | mdadm monitoring <root@vm> | root <$berta>"
  arrives mark-s-nail "$berta" "$anna | - | root <$berta>"
  arrives mark-bsd-mailx "$berta" "$anna | - | root <$berta>"
  arrives mark-mutt "$berta" "root <$anna> | root <root@vm> | root <$berta>"
  arrives mark-php "$berta" "$anna | - | root <$berta>"
  arrives mark-sender-php "$anna" "\"www-data (vm)\" <$anna> | www-data | www-data <$anna>"
  arrives mark-name-php "$berta" "Störung <$anna> | Störung <www-data@vm> | root <$berta>"
  arrives mark-git "$berta" "Build Bot <$anna> | Build Bot <build@vm> | root <$berta>"
  arrives mark-python "$berta" "Backup <$anna> | Backup <backup@localhost> | root <$berta>"
  arrives mark-logwatch "$berta" "Logwatch <$anna> | Logwatch <Logwatch@vm> | root <$berta>"
  arrives mark-systemd "$berta" "systemd <$anna> | systemd <root@vm> | root <$berta>"
  arrives mark-smartd "$berta" "smartd daemon <$anna> | - | -"
  arrives mark-bare "$berta" "\"root (vm)\" <$anna> | root | www-data <$anna>, root <$berta>"
  arrives mark-home "$berta" "\"www-data (vm)\" <$anna> | www-data | root <$berta>"
  refuse "a job whose mail nobody wants sends none" arrived mark-cron-none "$anna"
  end_daemons
  check "cron has ended" eventually 5 gone "$cron"
  check "atd has ended" eventually 5 gone "$atd"
}
