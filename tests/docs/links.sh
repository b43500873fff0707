#!/usr/bin/env bash
# Each link of a Markdown page to a file of this repository leads to one.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/../.."

bad=0
while IFS=$'\t' read -r page target; do
  [ -e "${page%/*}/$target" ] || { echo "$page: no $target" >&2; bad=1; }
done < <(find . -name '*.md' -not -path './build/*' -exec awk '
  FNR == 1 { code = 0 }
  /^ *```/ { code = !code; next }
  code { next }
  {
    gsub(/`[^`]*`/, "")
    while (match($0, /\]\([^):# ]+/)) {
      print FILENAME "\t" substr($0, RSTART + 2, RLENGTH - 2)
      $0 = substr($0, RSTART + RLENGTH)
    }
  }' {} + | sort -u)
exit $bad
