# shellcheck shell=bash
# Where the password may stand, and that it stands nowhere else, in no form that a program might write it in.

# forms prints the password in every form that is looked for, one a line.
forms() {
  local raw=$PASSWORD
  printf '%s\n' "$raw"
  printf '%s' "$raw" | base64 -w0 && echo                                     # AUTH LOGIN
  printf '\0%s\0%s' "$USER_GOOD" "$raw" | base64 -w0 && echo                  # AUTH PLAIN
  printf '%s\0%s\0%s' "$USER_GOOD" "$USER_GOOD" "$raw" | base64 -w0 && echo   # AUTH PLAIN with an authorization identity
  printf '%s' "$raw" | od -An -v -tx1 | tr -d ' \n' && echo                   # hexadecimal
  printf '%s' "$raw" | jq -sRr @uri                                           # in a URL
  printf '%s' "$raw" | jq -sRr 'tojson' | tr -d '"'                           # in JSON
  printf '%s' "$raw" | jq -asRr 'tojson' | tr -d '"'                          # in JSON, ASCII only
  printf '%s' "$raw" | iconv -f UTF-8 -t ISO-8859-1                           # as an old terminal would write it
  echo
}

# leaks PATH…: the files that hold the password in any form.
leaks() {
  local list=$WORK/forms
  forms | grep -av '^$' | sort -u >"$list"
  grep -rlaF -f "$list" -- "$@" 2>/dev/null || true
}

# shows_length FILE…: a row of signs for letters, or how many there are in words, was drawn.
shows_length() {
  grep -qaE "(•|●|\*){2}|(^|[^0-9;])${#PASSWORD} (character|letter|sign|caractère|lettre|Zeichen|Buchstabe)" -- "$@"
}

# would_find FILE: the searches would find the password, and its length, in what was drawn on FILE.
would_find() {
  local copy=$WORK/planted
  { cat "$1"; printf '\033[1m%s\033[0m' "$PASSWORD"; } >"$copy"
  [[ $(leaks "$copy") == "$copy" ]] || return 1
  { cat "$1"; printf ' ••••••••••••••••••• '; } >"$copy"
  shows_length "$copy" || return 1
  { cat "$1"; printf 'It has %d characters.' "${#PASSWORD}"; } >"$copy"
  shows_length "$copy"
}

# secret_only_in NAME FILE FOLDER…: FILE is the only one below the folders that holds the password.
secret_only_in() {
  local name=$1 file=$2 found
  shift 2
  found=$(leaks "$@")
  equal "$name" "$file" "$found"
}
