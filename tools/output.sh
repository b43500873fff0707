#!/usr/bin/env bash
# Compares what an example prints with the `// Output:` block that ends its source.
# SPDX-License-Identifier: MIT
#
#   tools/output.sh PROGRAM SOURCE         runs PROGRAM; 0 if its output is the block's
#   tools/output.sh --printed FILE SOURCE  the same for what it printed before
#   tools/output.sh --expected SOURCE      prints the block
#
# A number before "seconds" (or with a decimal point before "s" or "ms") was measured: only that
# it stands there is compared, not what it is.
set -euo pipefail

expected() {
  sed -n '/^\/\/ Output:[[:space:]]*$/,$ { /^\/\/ Output:/d; s/^\/\/ \{0,1\}//p; }' "$1"
}
mask() {
  sed -E 's/[0-9]+(\.[0-9]+)? seconds?/# seconds/g
          s/[0-9]+\.[0-9]+ ?(ms|s)([^[:alnum:]]|$)/# \1\2/g'
}
compare() {  # printed source
  grep -q '^// Output:' "$2" || { echo "$2 has no Output block" >&2; return 1; }
  diff -u --label "$2" <(expected "$2" | mask) --label 'what it printed' <(mask <"$1")
}

case $1 in
  --expected) expected "$2" ;;
  --printed) compare "$2" "$3" ;;
  *)
    printed=$(mktemp)
    trap 'rm -f "$printed"' EXIT
    status=0
    "$1" </dev/null >"$printed" || status=$?
    compare "$printed" "$2" || exit 1
    [ "$status" -eq 0 ] || { echo "$1 ended with $status" >&2; exit 1; }
    ;;
esac
