# SPDX-License-Identifier: Apache-2.0
"""Jobs 12 and 13: what a client that waits costs the server, and how soon it hears of a claim."""

import itertools
import subprocess
import time

from ..machine import CLIENT_CORE
from ..measure import Comparison, Contender, Sample
from ..peers.sat import quiet
from ..suite import Suite

FIRST = 50  # what these make a server load and allocate once is no watcher's


def watchers(world):
    count = 200 if world.options.short else 10_000
    broker = world.mosquitto()
    vault = world.vault("watched", world.place.disk, more=["--max-connections", count + 100])
    home = world.artist().home

    settle = 4.5 if world.options.short else 6.0  # what a server holds for some seconds is no waiting client's

    def held(server, argv, number, settle=settle):
        """The server's resident memory while so many wait."""
        words = ["taskset", "-c", CLIENT_CORE, world.drivers / "bench-watchers", *argv, number]
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"failed: {words}")
        time.sleep(settle)
        memory = server.memory()
        process.stdin.close()
        if process.wait() != 0:
            raise RuntimeError(f"failed: {words}")
        return memory

    def each(server, argv):
        def run():
            start = time.monotonic()
            held(server, argv, FIRST, settle=0)
            time.sleep(settle)
            before = server.memory()
            kib = (held(server, argv, count) - before) / count
            return Sample(time.monotonic() - start, figures={"kib": kib})

        return run

    contenders = [
        Contender("mosquitto, TLS", each(broker, ["mqtt", broker.ca, broker.address]), warm=False),
        Contender("SAT", each(vault, ["sat", home, vault.address]), warm=False),
    ]
    kib = lambda sample: sample.figures["kib"]
    what = f"the server's memory for a watcher, {count} connected"
    return contenders, [
        Comparison(12, what, "SAT", "mosquitto, TLS", "KiB", kib, 0.4, 0.25, more_is_better=False),
    ]


def events(world):
    count = 50 if world.options.short else 300
    broker = world.mosquitto()
    runs = itertools.count(10_000)
    stores = {where: world.own_store(f"events-{where}", 100, getattr(world.place, where)) for where in ("disk", "memory")}

    def told(server, argv):
        def run():
            words = ["taskset", "-c", CLIENT_CORE, world.drivers / "bench-events", *argv(), count]
            return world.meter.around(server, lambda: sample(words), own_children=True)

        def sample(words):
            _, middle, slow, check = map(float, quiet(words).split())
            return Sample(count * middle / 1e6, figures={"p50": middle, "beyond": middle - check, "p99": slow})

        return run

    def market(store):
        # A wallet opens so many claims in a day and no more: each run has a collector of its own.
        return lambda: ["sat", store.home, world.collector(next(runs)).home, store.vault.address]

    contenders = [Contender("mosquitto, TLS", told(broker, lambda: ["mqtt", broker.ca, broker.address]))]
    lines = []
    for where, store in stores.items():
        name = f"SAT, {where}"
        contenders.append(Contender(name, told(store.vault, market(store))))
        durable = "durable" if where == "disk" else "in memory"
        lines.append(
            Comparison(13, f"claim to watcher, {durable}", name, "mosquitto, TLS", "ms",
                       lambda sample: sample.figures["beyond"] / 1e3, 1.0, 0.2, more_is_better=False, must_of="value",
                       aim_of="value")  # fmt: skip
        )
    return contenders, lines


SUITES = [
    Suite("watchers", (12,), watchers, rounds=1),
    Suite("events", (13,), events),
]
