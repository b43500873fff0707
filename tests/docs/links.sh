#!/usr/bin/env bash
# Each link of a Markdown page to a file of this repository leads to one.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."

bad=0
while IFS= read -r page; do
  while IFS= read -r target; do
    [ -e "$(dirname "$page")/$target" ] || { echo "$page: no $target" >&2; bad=1; }
  done < <(awk '/^ *```/ { code = !code; next } !code' "$page" | sed 's/`[^`]*`//g' |
    grep -oE '\]\([^):# ]+' | sed 's/^](//' | sort -u)
done < <(find . -name '*.md' -not -path './build/*')
exit $bad
