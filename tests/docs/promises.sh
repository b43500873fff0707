#!/usr/bin/env bash
# Each promise of docs/promises.md links to a test that is there, under the name that it says.
# SPDX-License-Identifier: MIT
#
#   tests/docs/promises.sh [PAGE.md]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
page=$(realpath "${1:-$root/docs/promises.md}")
cd "$root/tests"
mapfile -t tests < <(find . -name '*_test.cpp' | sed 's|^\./||')

awk -v RS='\001' '
  # Adds "FILE SUITE SENTENCE" of every test in `text`; a sentence may go over two lines, and its
  # citations are left out.
  function index_tests(file, text,    test, at) {
    gsub(/\n/, " ", text)
    gsub(/" *"/, "", text)
    while (match(text, /(ASYNC|SYNC)_TEST\([A-Za-z]+, "([^"\\]|\\.)*"/)) {
      test = substr(text, RSTART, RLENGTH - 1)
      text = substr(text, RSTART + RLENGTH)
      sub(/^[A-Z]+_TEST\(/, "", test)
      while (sub(/ *\[[A-Z0-9, ]+\] *$/, "", test)) continue
      at = index(test, ", \"")
      known["../tests/" file "\t" substr(test, 1, at - 1) "\t" substr(test, at + 3)] = 1
    }
  }
  # Looks at each link of one row of the page.
  function check_row(row,    rest, link, suite, file, sentence, links) {
    rest = row
    links = 0
    while (match(rest, /\[[A-Za-z]+\]\([^ )]+_test\.cpp "[^"]+"\)/)) {
      link = substr(rest, RSTART, RLENGTH)
      rest = substr(rest, RSTART + RLENGTH)
      ++links
      suite = substr(link, 2, index(link, "](") - 2)
      link = substr(link, index(link, "](") + 2)
      file = substr(link, 1, index(link, " ") - 1)
      sentence = substr(link, index(link, " ") + 2)
      sentence = substr(sentence, 1, length(sentence) - 2)
      if (!((file "\t" suite "\t" sentence) in known))
        complain(file " has no test " suite " \"" sentence "\"")
    }
    if (links == 0) complain("no test behind: " row)
  }
  function complain(words) {
    print "promises: " words > "/dev/stderr"
    bad = 1
  }
  FILENAME == page { rows = split($0, row, "\n") }
  FILENAME != page { index_tests(FILENAME, $0) }
  END {
    for (i = 1; i <= rows; ++i)
      if (row[i] ~ /^\| / && row[i] !~ /\| proof \|$/) check_row(row[i])
    exit bad
  }
' page="$page" "$page" "${tests[@]}"
