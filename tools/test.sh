#!/usr/bin/env bash
# `make test`: installs what is missing, builds the library and its tests, runs all of them.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "$0")/.."

start=$SECONDS
tools/packages.sh g++ cmake ninja-build libgtest-dev pkg-config
tools/build.sh dev

result=0
tools/run_tests.sh build/dev || result=$?
echo "make test took $((SECONDS - start)) s"
exit "$result"
