# SPDX-License-Identifier: Apache-2.0
"""The machine: its two cores, who has used them, and what it is."""

import mmap
import os
import platform
import resource
from pathlib import Path

SERVER_CORE = 0
CLIENT_CORE = 1
TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = mmap.PAGESIZE
# The least that a guest tells its host is free (Linux, "free page reporting").
REPORTED = 512 * PAGE
# What else may run beside a measured process: clock ticks are coarse, and the kernel writes back what was written.
FOREIGN_SHARE = 0.05
FOREIGN_SECONDS = 0.03


def busy_seconds():
    """CPU time that was spent on our two cores, by anybody, since the machine started."""
    total = 0
    wanted = {f"cpu{SERVER_CORE}", f"cpu{CLIENT_CORE}"}
    for line in Path("/proc/stat").read_text().splitlines():
        fields = line.split()
        if fields[0] in wanted:
            user, nice, system, _idle, _iowait, _irq, _softirq, steal = map(int, fields[1:9])
            total += user + nice + system + steal
    return total * TICK


def own_seconds():
    """CPU time of the harness itself; that of its children is theirs to tell."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def children_seconds():
    """CPU time of the harness's own children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def is_disturbed(foreign, span):
    return foreign > FOREIGN_SHARE * span + FOREIGN_SECONDS


class WarmMemory:
    """Free memory that stays warm while this is there.

    A guest tells its host which large blocks of its memory are free; the host takes them, and who writes there next
    waits for it: 2 s a GiB, several times what the writing takes, and by chance.  So each block is taken once and all
    of it given back but a page."""

    def __init__(self, size):
        free = int(next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemAvailable" in line).split()[1])
        size = min(size, free * 1024 // 2) // REPORTED * REPORTED
        self._held = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
        for start in range(0, size, REPORTED):
            self._held.madvise(mmap.MADV_DONTNEED, start + PAGE, REPORTED - PAGE)


def describe():
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_mib": memory // 1024,
        "kernel": platform.release(),
        "load": list(os.getloadavg()),
    }
