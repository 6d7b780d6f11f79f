# SPDX-License-Identifier: Apache-2.0
"""The machine: its two cores, who has used them, and what it is."""

import os
import platform
import resource
from pathlib import Path

SERVER_CORE = 0
CLIENT_CORE = 1
TICK = 1 / os.sysconf("SC_CLK_TCK")
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
