# shellcheck shell=bash
# The benchmarks run; their figures are for reading, not for judging.

if [[ -d $E2E/../bench ]]; then
  bench() { (cd "$E2E/.." && go test -run '^$' -bench . -benchtime 1x ./bench/...); }
  check "the benchmarks run" bench
fi
