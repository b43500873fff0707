#!/usr/bin/env bash
# Compiles each header of include/ by itself, included twice, with all warnings as errors.
# SPDX-License-Identifier: MIT
#
#   tests/headers/alone.sh [COMPILER]
set -euo pipefail
cd "$(dirname "$0")/../.."

compiler=${1:-g++}
export compiler
find include/asyncio -name '*.hpp' -printf '%P\0' | sort -z |
  xargs -0 -n 1 -P "$(tools/jobs.sh)" bash -c '
    printf "#include <asyncio/%s>\n#include <asyncio/%s>\n" "$1" "$1" |
      "$compiler" -std=c++20 -fsyntax-only -Wall -Wextra -Wconversion -Wshadow -Werror \
        -Iinclude -x c++ - || { echo "<asyncio/$1> does not stand alone" >&2; exit 1; }' alone
