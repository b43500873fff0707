#!/usr/bin/env bash
# Runs ctest on a built folder: tools/run_tests.sh BUILD_DIR [CTEST_OPTION ...]
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."

run=(ctest --test-dir "$1" --parallel "$(tools/jobs.sh)" --output-on-failure --no-tests=error
  "${@:2}")
# A person sees one line that moves; a log keeps what failed, and the summary.
if [ -t 1 ]; then
  "${run[@]}" --progress </dev/null
else
  "${run[@]}" </dev/null |
    grep --line-buffered -vE -e '^ +Start +[0-9]+: ' \
      -e '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .* Passed +[0-9.]+ sec$'
fi
