# shellcheck shell=bash
# What lies in the mailboxes on disk: Maildir++ below Dovecot's home of the user.

# maildir [FOLDER]: the provider's mailbox; FOLDER as it is called on disk, with its leading dot.
maildir() { printf '%s/dovecot-%s/mail/%s/Maildir/%s' "$WORK" "${MAILBOX:-provider}" "$USER_GOOD" "${1:-}"; }

# messages [FOLDER]: the files of its messages, one a line, oldest first.
messages() {
  local dir
  dir=$(maildir "${1:-}")
  find "$dir/new" "$dir/cur" -type f -printf '%T@ %p\n' 2>/dev/null | sort -n | cut -d' ' -f2-
}

count_messages() { messages "${1:-}" | wc -l; }

newest_message() { messages "${1:-}" | tail -n 1; }

# empty_mailbox removes all messages, so that a part sees only its own.
empty_mailbox() {
  local file
  find "$WORK/dovecot-provider/mail" "$WORK/dovecot-old/mail" -type f \( -path '*/new/*' -o -path '*/cur/*' \) | while IFS= read -r file; do
    rm -f "$file"
  done
}
