#!/usr/bin/env bash
# Compiles all headers as a later C++, if the compiler knows it, with all warnings as errors.
# SPDX-License-Identifier: MIT
#
#   tests/headers/standard.sh COMPILER 23
set -euo pipefail
cd "$(dirname "$0")/../.."

spelling=-std=c++$2
if ! "$1" "$spelling" -fsyntax-only -x c++ /dev/null 2>/dev/null; then
  spelling=-std=c++2b
  [ "$2" = 23 ] || { echo "$1 does not know C++$2 yet"; exit 0; }
fi
echo '#include <asyncio/asyncio.hpp>' |
  "$1" "$spelling" -fsyntax-only -Wall -Wextra -Wconversion -Wshadow -Werror -Iinclude -x c++ -
