#!/usr/bin/env bash
# Each promise of docs/promises.md links to a test that is there, under the name that it says.
# SPDX-License-Identifier: MIT
#
#   tests/docs/promises.sh [PAGE.md]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
page=${1:-$root/docs/promises.md}

# "FILE<tab>SUITE<tab>SENTENCE" of every test, citations left out; a sentence may go over two lines.
index=$(mktemp)
trap 'rm -f "$index"' EXIT
while IFS= read -r file; do
  tr '\n' ' ' <"$root/tests/$file" | sed 's/" *"//g' |
    grep -oE '(ASYNC|SYNC)_TEST\([A-Za-z]+, "([^"\]|\\.)*"' |
    sed -E 's/^[A-Z]+_TEST\(([A-Za-z]+), "/\1\t/; s/"$//; s/( *\[[A-Z0-9, ]+\])+ *$//' |
    sed "s|^|../tests/$file\t|" >>"$index" || true
done < <(cd "$root/tests" && find . -name '*_test.cpp' | sed 's|^\./||')

bad=0
while IFS= read -r line; do
  links=$(grep -oE '\[[A-Za-z]+\]\([^ )]+_test\.cpp "[^"]+"\)' <<<"$line" || true)
  if [ -z "$links" ]; then
    echo "promises: no test behind: $line" >&2
    bad=1
  fi
  while IFS= read -r link; do
    [ -n "$link" ] || continue
    suite=$(sed -E 's/^\[([A-Za-z]+)\].*/\1/' <<<"$link")
    file=$(sed -E 's/^[^(]*\(([^ ]+) .*/\1/' <<<"$link")
    sentence=$(sed -E 's/^[^"]*"(.*)"\)$/\1/' <<<"$link")
    if ! grep -qxF "$file"$'\t'"$suite"$'\t'"$sentence" "$index"; then
      echo "promises: $file has no test $suite \"$sentence\"" >&2
      bad=1
    fi
  done <<<"$links"
done < <(grep -E '^\| ' "$page" | grep -vE '\| proof \|$')
exit $bad
