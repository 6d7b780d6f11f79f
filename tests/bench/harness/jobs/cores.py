# SPDX-License-Identifier: Apache-2.0
"""What a vault does with a second core.  The machine's two are the clients' too, so that these lines say how many of its
cores the vault used, beside what came of it."""

import os
import subprocess
import time
from pathlib import Path

from ..machine import CLIENT_CORE, SERVER_CORE
from ..measure import Comparison, Contender, Sample
from ..place import MIB
from ..suite import Suite

AT_ONCE = 3


def pin(pid, cores):
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


def at_once(argv, times=AT_ONCE):
    start = time.monotonic()
    words = ["taskset", "-c", str(CLIENT_CORE), *map(str, argv)]
    running = [subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in range(times)]
    if any([process.wait() != 0 for process in running]):
        raise RuntimeError(f"failed: {words}")
    return Sample(time.monotonic() - start)


def cores(world):
    vault = world.vault("memory", world.place.memory)
    home = world.artist().home
    image = world.place.image((64 if world.options.short else 512) * MIB)
    size = image.stat().st_size
    count = 100 if world.options.short else 500
    kinds = {
        "uploads at once": [world.drivers / "bench-uploads", home, vault.address, vault.key, image],
        "handshakes at once": [world.drivers / "bench-handshakes", home, vault.address, count],
    }

    def on(which, argv):
        def run():
            pin(vault.pid, which)
            try:
                return world.meter.around(vault, lambda: at_once(argv), own_children=True)
            finally:
                pin(vault.pid, {SERVER_CORE})
                vault.drop_images()

        return run

    contenders, lines = [], []
    for what, argv in kinds.items():
        one, two = f"{what}, vault on 1 core", f"{what}, on 2"
        contenders += [Contender(one, on({SERVER_CORE}, argv)), Contender(two, on({SERVER_CORE, CLIENT_CORE}, argv))]
        done, unit = (AT_ONCE * size / 1e6, "MB/s") if "uploads" in what else (AT_ONCE * count, "/s")
        used = lambda sample: sample.server_cpu / sample.seconds
        lines += [
            Comparison(18, f"{AT_ONCE} {what}, vault on 2 cores", two, one, unit, lambda sample, done=done: done / sample.seconds),
            Comparison(18, f"{AT_ONCE} {what}, cores that the vault used", two, one, "cores", used),
        ]
    return contenders, lines


SUITES = [Suite("one core and two", (18,), cores, rounds=3, short_rounds=1)]
