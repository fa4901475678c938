# shellcheck shell=bash
# Loopback addresses of our own, so that mail ports can be the real ones whatever else runs on the machine.

# Ports that the servers take on each address.
readonly PORTS=(25 143 465 587 993 5353 601 602 603 604 605 606 607 608 609 610 611 612 613 614 615)

taken() {
  local listening=$1 address=$2 port
  for port in "${PORTS[@]}"; do
    if grep -qE "(^| )(${address//./\\.}|0\\.0\\.0\\.0|\\*|\\[::\\]):$port " <<<"$listening"; then
      return 0
    fi
  done
  return 1
}

# choose_addresses sets IP (the provider) and IP2 (an old mailbox server without special-use folders).
choose_addresses() {
  local listening last free=()
  listening=$(ss -Hlntu | awk '{print $5 " "}')
  for last in $(seq 77 99); do
    if ! taken "$listening" "127.0.0.$last"; then
      free+=("127.0.0.$last")
    fi
    if ((${#free[@]} == 2)); then
      IP=${free[0]} IP2=${free[1]}
      return
    fi
  done
  die "the mail ports are taken on every address from 127.0.0.77 to 127.0.0.99"
}
