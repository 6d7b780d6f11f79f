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
from .catalogue import few

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
    vault, store = world.vault("memory", world.place.memory), world.store(few(world))
    home = world.artist().home
    image = world.place.image((64 if world.options.short else 512) * MIB)
    handshakes, pages = (100, 300) if world.options.short else (500, 2_000)
    # Who serves, what is asked for, how much of it each asks for.  A page costs its asker the least.
    kinds = {
        "uploads": (vault, ["bench-uploads", home, vault.address, vault.key, image], image.stat().st_size / 1e6, "MB/s"),
        "handshakes": (vault, ["bench-handshakes", home, vault.address, handshakes], handshakes, "/s"),
        "pages": (store.vault, ["bench-catalogue", store.home, store.vault.address, pages, "page", "", ""], pages, "/s"),
    }  # fmt: skip

    def on(which, server, argv):
        words = [world.drivers / argv[0], *argv[1:]]

        def run():
            pin(server.pid, which)
            try:
                return world.meter.around(server, lambda: at_once(words), own_children=True)
            finally:
                pin(server.pid, {SERVER_CORE})
                vault.drop_images()

        return run

    contenders, lines = [], []
    for what, (server, argv, each, unit) in kinds.items():
        one, two = f"{what} at once, vault on 1 core", f"{what} at once, on 2"
        contenders += [
            Contender(one, on({SERVER_CORE}, server, argv)),
            Contender(two, on({SERVER_CORE, CLIENT_CORE}, server, argv)),
        ]
        rate = lambda sample, done=AT_ONCE * each: done / sample.seconds
        used = lambda sample: sample.server_cpu / sample.seconds
        lines += [
            Comparison(18, f"{AT_ONCE} {what} at once, vault on 2 cores", two, one, unit, rate),
            Comparison(18, f"{AT_ONCE} {what} at once, cores that the vault used", two, one, "cores", used),
        ]
    return contenders, lines


SUITES = [Suite("one core and two", (18,), cores)]
