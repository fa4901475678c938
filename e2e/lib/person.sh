# shellcheck shell=bash
# A person with a home of their own: nothing that a part writes is seen by the next.

# new_person NAME sets HOME_DIR, CONFIG and OUT.
new_person() {
  HOME_DIR=$WORK/home/$1
  CONFIG=$HOME_DIR/.config/postier/config.json
  OUT=$ARTIFACTS/$1
  mkdir -p "$HOME_DIR" "$OUT"
  chmod 700 "$HOME_DIR"
  printf '%s\n' "$PASSWORD" >"$HOME_DIR/password"
  printf '%s\n' "$WRONG_PASSWORD" >"$HOME_DIR/wrong-password"
  chmod 600 "$HOME_DIR"/*password
}

# person_env are the variables that the person's shell has; postier must not need any other.
person_env() {
  printf '%s\n' "HOME=$HOME_DIR" "PATH=$(dirname "$POSTIER"):/usr/bin:/bin" "POSTIER_RESOLVER=$RESOLVER" ${CA:+"POSTIER_CA_FILE=$CA"} \
    "LC_ALL=${PERSON_LOCALE:-C.UTF-8}"
  if [[ -n ${PERSON_RUNTIME:-} ]]; then
    printf 'XDG_RUNTIME_DIR=%s\n' "$PERSON_RUNTIME"
  fi
}

# postier_as ARGUMENTS…: runs the program in the person's environment.
postier_as() {
  local env
  mapfile -t env < <(person_env)
  env -i "${env[@]}" "$POSTIER" "$@"
}

# by_hand are the flags for the provider's servers, which no preset knows; the last ones win.
by_hand() {
  printf '%s\n' --smtp-host mail.postier.test --smtp-port 587 --smtp-security starttls \
    --imap-host mail.postier.test --imap-port 993 --imap-security tls
}

# unattended FLAGS…: the wizard without questions.
unattended() {
  local flags
  mapfile -t flags < <(by_hand)
  postier_as setup "${WHO:-$USER_GOOD}" --yes "${flags[@]}" --password-file "$HOME_DIR/password" "$@"
}
