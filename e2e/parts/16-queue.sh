# shellcheck shell=bash
# The queue keeps its word: each message leaves exactly once, however many workers share it and however busy the machine is;
# kill -9 at any moment loses none, and one that left twice is marked; "Nothing was accepted" is said only when that is so.
# e2e/queue runs the same scenes in full.

MESSAGES=200 KILLS=30
new_person queue
code=$(run_into "$OUT/setup.txt" unattended --profile anna)
equal "the profile is there" 0 "$code" "$OUT/setup.txt"
trap close_queues EXIT
open_queues "$IP"
for database in SQLite PostgreSQL; do
  for workers in 2 4; do
    share "$database" "$workers"
  done
done
survive "kill -9 on SQLite" SQLite
survive "kill -9 on PostgreSQL" PostgreSQL
survive "kill -9 and a database that restarts" PostgreSQL restarts
open_machines
machines
close_queues
trap - EXIT
