#!/usr/bin/env bash
# Compiles all headers against libc++; ends with 77, for skipped, where that is not installed.
# SPDX-License-Identifier: MIT
#
#   tests/headers/libcxx.sh CLANG
set -euo pipefail
cd "$(dirname "$0")/../.."

compile() { "$1" -std=c++20 -stdlib=libc++ -fsyntax-only -Wall -Wextra -Werror -Iinclude -x c++ -; }

if ! echo '#include <vector>' | compile "$1" 2>/dev/null; then
  echo "needs libc++: sudo apt-get install libc++-19-dev"
  exit 77
fi
echo '#include <asyncio/asyncio.hpp>' | compile "$1"
