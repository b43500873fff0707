#!/usr/bin/env bash
# Compiles one case with g++, and with clang++-19 where it is; checks what the compiler says.
# SPDX-License-Identifier: MIT
#
#   tests/refuses/run.sh CASE.cpp
#
# The case's first lines say what is to be refused:
#   // Refused: words that both compilers' message holds (as many lines as needed)
#   // Refused (gcc): words in g++'s message only       // Refused (clang): likewise
#   // Accepted (gcc)                                   // Accepted (clang): compiles there
# A case called NAME_ok.cpp compiles with both and needs no such line. Warnings are errors.
set -euo pipefail

case_file=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
export LC_ALL=C  # plain quotes in messages

# try FAMILY COMPILER OPTION: the option that keeps the case's own lines out of the message
try() {
  local family=$1 compiler=$2 no_source=$3 said status=0 accepted=no words=()
  case $case_file in *_ok.cpp) accepted=yes ;; esac
  ! head -n 10 "$case_file" | grep -q "^// Accepted ($family)" || accepted=yes
  mapfile -t words < <(
    head -n 10 "$case_file" | sed -n "s/^\/\/ Refused\( ($family)\)\{0,1\}: //p")

  said=$("$compiler" -std=c++20 -fsyntax-only -Wall -Wextra -Werror "$no_source" \
    -I"$root/include" -I"$root/src" -I"$root/tests" "$case_file" 2>&1) || status=$?
  if [ "$accepted" = yes ]; then
    [ "$status" -ne 0 ] || return 0
    printf '%s should accept %s but says:\n%s\n' "$compiler" "$case_file" "$said" >&2
    return 1
  fi
  if [ ${#words[@]} -eq 0 ]; then
    echo "$case_file: no line \`// Refused: ...\` for $family" >&2
    return 1
  fi
  if [ "$status" -eq 0 ]; then
    echo "$compiler should refuse $case_file but compiles it" >&2
    return 1
  fi
  local text
  for text in "${words[@]}"; do
    if ! grep -qF -- "$text" <<<"$said"; then
      printf '%s does not say "%s" for %s but:\n%s\n' "$compiler" "$text" "$case_file" "$said" >&2
      return 1
    fi
  done
}

result=0
try gcc g++ -fno-diagnostics-show-caret || result=1
if command -v clang++-19 >/dev/null; then
  try clang clang++-19 -fno-caret-diagnostics || result=1
fi
exit "$result"
