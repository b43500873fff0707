#!/usr/bin/env bash
# Runs a program of the manual and compares what it prints, on stderr too, with the page.
# SPDX-License-Identifier: MIT
#
#   tests/docs/run.sh PROGRAM SOURCE.cpp    prints what the page says, and ends with 0
#   tests/docs/run.sh --asan PROGRAM        is ended by the address sanitizer
#
# Folders in front of file names, addresses and what was measured are not compared.
set -euo pipefail

printed=$(mktemp)
trap 'rm -f "$printed"' EXIT

if [ "$1" = --asan ]; then
  status=0
  "$2" >"$printed" 2>&1 </dev/null || status=$?
  [ "$status" -ne 0 ] && grep -q 'ERROR: AddressSanitizer' "$printed" && exit 0
  cat "$printed" >&2
  echo "$2 should be ended by the address sanitizer but ended with $status" >&2
  exit 1
fi

status=0
"$1" >"$printed" 2>&1 </dev/null || status=$?
sed -i -E 's#File "[^"]*/#File "#; s/0x[0-9a-f]+/0x#/g' "$printed"
"$(dirname "$0")/../../tools/output.sh" --printed "$printed" "$2" || exit 1
[ "$status" -eq 0 ] || { echo "$1 ended with $status" >&2; exit 1; }
