#!/usr/bin/env bash
# Consumes the library from outside in every way the README offers; says which one fails.
# SPDX-License-Identifier: MIT
#
#   tests/install/run.sh BUILD_DIR [COMPILER]    BUILD_DIR: where the library is already built
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
compiler=${2:-g++}
jobs=$("$root/tools/jobs.sh")

# A space in the path, because somebody has one.
work=$(mktemp -d "${TMPDIR:-/tmp}/asyncio install.XXXXXX")
trap 'rm -rf "$work"' EXIT

step=
log=$work/log
begin() {
  step=$1
  : >"$log"
}
failed() {
  printf 'install: %s failed\n' "$step" >&2
  tail -n 40 "$log" >&2
  exit 1
}
quiet() { "$@" >>"$log" 2>&1 </dev/null || failed; }
says() {  # words command ...: the command's output is these words
  local said
  said=$("${@:2}" 2>>"$log" </dev/null) || failed
  [ "$said" = "$1" ] || { printf '"%s", not "%s"\n' "$said" "$1" >>"$log"; failed; }
}

strict='-Wall -Wextra -Wconversion -Wshadow -Werror'
words='answer 42, errors 2'

configure() {  # source build option ...
  local launcher=
  launcher=$(command -v ccache) || launcher=
  quiet cmake -S "$1" -B "$2" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" \
    -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 "${@:3}"
}

# consume NAME CMAKE_OPTION ...: a stranger's project, configured, built and run
consume() {
  begin "$1"
  configure "$here/consumer" "$work/$1" "${@:2}"
  quiet cmake --build "$work/$1" --parallel "$jobs"
  says "$words" "$work/$1/consumer"
  echo "install: $1: ok"
}

# by_pkg_config NAME PREFIX [--static]: one call of the compiler
by_pkg_config() {
  begin "$1"
  local module flags
  module=$(find "$2" -name asyncio-cpp.pc)
  # pkg-config escapes what a shell would split.
  flags=$(PKG_CONFIG_PATH=${module%/*} pkg-config ${3:+"$3"} --cflags --libs asyncio-cpp) || failed
  eval "quiet \"\$compiler\" \"\$here/consumer/main.cpp\" -o \"\$work/$1\" $flags"
  says "$words" env LD_LIBRARY_PATH="${module%/pkgconfig/*}" "$work/$1"
  echo "install: $1: ok"
}

# The library that the tests use, installed and then moved.
begin 'cmake --install'
quiet cmake --install "$build" --prefix "$work/before"
mv "$work/before" "$work/moved prefix"
consume package-moved -DHOW=package -DCMAKE_PREFIX_PATH="$work/moved prefix"
# As system headers, ours would never warn.
consume package-strict -DHOW=package -DCMAKE_PREFIX_PATH="$work/moved prefix" \
  -DCMAKE_NO_SYSTEM_FROM_IMPORTED=ON -DCMAKE_CXX_FLAGS="$strict"
by_pkg_config pkg-config "$work/moved prefix" --static

# The shared one, built for the purpose, with a plugin. Also moved.
begin 'shared library'
configure "$root" "$work/shared" -DBUILD_SHARED_LIBS=ON \
  -DASYNCIO_BUILD_TESTS=OFF -DASYNCIO_BUILD_EXAMPLES=OFF -DASYNCIO_BUILD_BENCH=OFF
quiet cmake --build "$work/shared" --parallel "$jobs"
quiet cmake --install "$work/shared" --prefix "$work/before"
mv "$work/before" "$work/moved shared"
consume shared-moved -DHOW=package -DCMAKE_PREFIX_PATH="$work/moved shared" -DWITH_PLUGIN=ON
says 'answer 42' "$work/shared-moved/host" "$work/shared-moved/libplugin.so"
quiet test -e "$(find "$work/moved shared" -name 'libasyncio-cpp.so.0')"
by_pkg_config pkg-config-shared "$work/moved shared"

# As part of a stranger's own build; without a network, and without looking for one.
consume subdirectory -DHOW=subdirectory -DASYNCIO_SOURCE="$root"
consume fetch -DHOW=fetch -DFETCHCONTENT_SOURCE_DIR_ASYNCIO_CPP="$root"
