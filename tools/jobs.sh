#!/usr/bin/env bash
# Prints how many compilers may run at once: one per core, and 1 GiB of free memory for each.
# SPDX-License-Identifier: MIT
set -euo pipefail

jobs=$(nproc)
kib=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
# In a container both may be less than what the machine has.
if read -r limit </sys/fs/cgroup/memory.max && [ "$limit" != max ]; then
  used=$(cat /sys/fs/cgroup/memory.current)
  free=$(((limit - used) / 1024))
  [ "$free" -ge "$kib" ] || kib=$free
fi 2>/dev/null
if read -r quota period </sys/fs/cgroup/cpu.max && [ "$quota" != max ]; then
  cores=$(((quota + period - 1) / period))
  [ "$cores" -ge "$jobs" ] || jobs=$cores
fi 2>/dev/null

by_memory=$((kib / 1024 / 1024))
[ "$by_memory" -ge "$jobs" ] || jobs=$by_memory
[ "$jobs" -ge 1 ] || jobs=1
echo "$jobs"
