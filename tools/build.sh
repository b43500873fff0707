#!/usr/bin/env bash
# Configures a preset and builds it: tools/build.sh PRESET [TARGET ...] [-- CMAKE_OPTION ...]
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
targets=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  targets+=("$1")
  shift
done
[ $# -eq 0 ] || shift

# Quiet while it goes well; all of it when it does not.
log=build/$preset.log
mkdir -p build
cmake --preset "$preset" "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cmake --build "build/$preset" --parallel "$(tools/jobs.sh)" \
  ${targets[@]:+--target "${targets[@]}"} </dev/null
