#!/usr/bin/env bash
# `make demo`: builds the library, runs the cheat sheet, Python's recorded lines beside ours.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
programs=(hello breakfast blocking)

tools/packages.sh g++ cmake ninja-build
tools/build.sh release "${programs[@]}"

printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
for name in "${programs[@]}"; do
  source=examples/$name.cpp
  if [ -f "examples/$name.python.txt" ]; then
    python=$(cat "examples/$name.python.txt")
  else
    python=$(tools/output.sh --expected "$source")
  fi

  # The left column is as wide as its longest line.
  width=0
  while IFS= read -r line; do
    [ ${#line} -le "$width" ] || width=${#line}
  done <<<"$python"
  beside() { printf "  %-${width}s   %s\n" "$@"; }

  printf '\n%s\n' "$source"
  beside 'Python' 'C++' '------' '---'
  # Ours comes line by line, as the program says it; Python's was recorded.
  exec 3<<<"$python"
  while IFS= read -r ours; do
    IFS= read -r theirs <&3 || theirs=
    beside "$theirs" "$ours"
  done < <(stdbuf -oL "build/release/examples/$name" </dev/null | tee "$printed")
  wait $!  # and it must end well
  while IFS= read -r theirs <&3; do
    beside "$theirs" '(nothing)'
  done
  exec 3<&-
  tools/output.sh --printed "$printed" "$source"
done

printf '\nThe same lines. make demo took %d s; now try: make test\n' $((SECONDS - start))
