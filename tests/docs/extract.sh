#!/usr/bin/env bash
# Takes the programs out of the manual's pages.
# SPDX-License-Identifier: MIT
#
#   tests/docs/extract.sh FOLDER PAGE.md ...
#
# A block that begins with
#
#   ```cpp program NAME.cpp   is compiled and run; the ```text block behind it is what it prints
#   ```cpp refused NAME.cpp   must not compile, with the words of its line `// Refused: ...`
#   ```cpp asan NAME.cpp      compiles, and the address sanitizer ends it
#
# becomes FOLDER/PAGE/KIND/NAME.cpp. A file that has not changed keeps its time.
set -euo pipefail

folder=$1
shift
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

for page in "$@"; do
  page=$(realpath "$page")
  name=$(basename "$page" .md)
  mkdir -p "$fresh/$name"
  (cd "$fresh/$name" && awk '
    /^```cpp [a-z]+ [a-z_0-9]+\.cpp$/ {
      kind = $2; file = kind "/" $3; inside = 1
      if (kind !~ /^(program|refused|asan)$/) { print FILENAME ": unknown kind " kind; exit 1 }
      system("mkdir -p " kind)
      next
    }
    /^```text$/ && kind == "program" && file != "" && !inside {
      print "\n// Output:" >> file; printing = 1; next
    }
    /^```/ { if (printing) file = ""; inside = printing = 0; next }
    inside { print >> file; next }
    printing { print ($0 == "" ? "//" : "// " $0) >> file; next }
    file != "" && NF && /^#/ { file = "" }
  ' "$page")
done

mkdir -p "$folder"
(cd "$fresh" && find . -name '*.cpp') | while IFS= read -r file; do
  mkdir -p "$folder/$(dirname "$file")"
  cmp -s "$fresh/$file" "$folder/$file" || cp "$fresh/$file" "$folder/$file"
done
(cd "$folder" && find . -name '*.cpp') | while IFS= read -r file; do
  [ -e "$fresh/$file" ] || rm "$folder/$file"
done
