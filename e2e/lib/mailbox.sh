# shellcheck shell=bash
# What lies in the mailboxes on disk: Maildir++ below Dovecot's home of the user.

# maildir [FOLDER]: the mailbox of $WHO; FOLDER as it is called on disk, with its leading dot.
maildir() {
  local who=${WHO:-$USER_GOOD} server=provider
  [[ $who == "$USER_OLD" ]] && server=old
  printf '%s/dovecot-%s/mail/%s/Maildir/%s' "$WORK" "$server" "$who" "${1:-}"
}

# messages [FOLDER]: the files of its messages, one a line, oldest first.
messages() {
  local dir
  dir=$(maildir "${1:-}")
  find "$dir/new" "$dir/cur" -type f -printf '%T@ %p\n' 2>/dev/null | sort -n | cut -d' ' -f2-
}

count_messages() { messages "${1:-}" | wc -l; }

# newest_message [FOLDER]: a copy of the newest message. A mail program that opens the mailbox moves the file from new to
# cur, so a path into the mailbox would soon lead nowhere.
newest_message() {
  local file copy try
  copy=$(mktemp "$WORK/message.XXXXXX")
  for try in 1 2 3 4 5; do
    file=$(messages "${1:-}" | tail -n 1)
    if [[ -n $file ]] && cp -- "$file" "$copy" 2>/dev/null; then
      printf '%s\n' "$copy"
      return
    fi
  done
}

# removed FOLDER: the files of the messages that were removed from folders matching a glob; .INBOX is the inbox.
removed() {
  local home
  home=$(maildir)
  find "${home%Maildir/}removed" -type f \( -path '*/new/*' -o -path '*/cur/*' \) -path "*/removed/$1/*" 2>/dev/null
}

# empty_mailbox removes all messages, so that a part sees only its own.
empty_mailbox() {
  local file
  find "$WORK/dovecot-provider/mail" "$WORK/dovecot-old/mail" -type f \( -path '*/new/*' -o -path '*/cur/*' \) | while IFS= read -r file; do
    rm -f "$file"
  done
}
