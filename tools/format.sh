#!/usr/bin/env bash
# Formats our C++ files with clang-format 14, Debian 12's.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."

format=clang-format-14
if ! command -v "$format" >/dev/null; then
  echo "Please type: sudo apt-get install -y $format" >&2
  exit 1
fi
rooms=()
for room in include src tests examples bench; do
  [ ! -d "$room" ] || rooms+=("$room")
done
find "${rooms[@]}" \( -name '*.cpp' -o -name '*.hpp' \) -exec "$format" "${@:--i}" {} +
