#!/usr/bin/env bash
# Installs the Debian packages named on the command line that are missing; silent if none is.
# SPDX-License-Identifier: MIT
set -euo pipefail

# By what a package is for, not by its name: a compiler from elsewhere is as good.
present() {
  case $1 in
    g++) command -v g++ && [ "$(g++ -dumpversion | cut -d. -f1)" -ge 12 ] ;;
    ninja-build) command -v ninja ;;
    libgtest-dev) echo '#include <gtest/gtest.h>' | g++ -std=c++20 -fsyntax-only -x c++ - ;;
    # The library's place differs between releases; a link tells.
    libclang-rt-*-dev)
      local version=${1#libclang-rt-}
      echo 'int main() {}' | "clang++-${version%-dev}" -fsanitize=address -x c++ - -o /dev/null ;;
    clang-[0-9]*) command -v "clang++-${1#clang-}" ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

missing=()
for package in "$@"; do
  present "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

give_up() {
  echo "$1 Please type:" >&2
  echo "sudo apt-get update && sudo apt-get install -y ${missing[*]}" >&2
  exit 1
}

command -v apt-get >/dev/null || { echo "Missing: ${missing[*]} (Debian's names)" >&2; exit 1; }
root=()
if [ "$(id -u)" -ne 0 ]; then
  { command -v sudo && sudo -n true; } >/dev/null 2>&1 ||
    give_up "Missing, and not mine to install:"
  root=(sudo -n)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null >"$log" 2>&1
}
echo "Installing ${missing[*]} ..."
# The lists at hand may do, and may be the only ones where the network is closed.
if ! apt install -y --no-install-recommends "${missing[@]}"; then
  if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; }; then
    tail -n 5 "$log" >&2
    give_up "apt-get did not get them."
  fi
fi
for package in "${missing[@]}"; do
  present "$package" || give_up "$package is installed and still does not work."
done
