# SPDX-License-Identifier: Apache-2.0
"""Job 14: the vault's peak memory while twenty images come in at once; the original scheme takes one."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from ..machine import CLIENT_CORE
from ..measure import Comparison, Contender, Sample
from ..place import MIB
from ..suite import Suite

AT_ONCE = 20
OF_ONE_WALLET = 4  # a vault takes no more


def uploads_at_once(world):
    size = 20 * MIB if world.options.short else 200_000_000
    image = world.place.image(size)
    world.place.require(world.place.disk, AT_ONCE * size + (1 << 30))
    vault = world.vault("disk", world.place.disk)
    with ThreadPoolExecutor(os.cpu_count()) as makers:  # of keys
        homes = list(makers.map(world.artist, range(AT_ONCE // OF_ONE_WALLET)))
    server = world.original("json")

    def at_once():
        start = time.monotonic()
        running = []
        for number in range(AT_ONCE):
            argv = homes[number // OF_ONE_WALLET].command(vault, "upload", image, "--title", f"At once {number}", "-q")
            words = ["taskset", "-c", str(CLIENT_CORE), *map(str, argv)]
            running.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
        said = [process.communicate()[1] for process in running]
        if any(process.returncode != 0 for process in running):
            raise RuntimeError(f"an upload of {AT_ONCE} failed: {b''.join(said).decode(errors='replace')[-2000:]}")
        return Sample(time.monotonic() - start)

    def sat():
        try:
            return world.meter.around(vault, at_once, own_children=True)
        finally:
            vault.drop_images()

    def one():
        try:
            return world.meter.client(server, server.put(image))
        finally:
            for store in ("image_store", "duplicate_store"):
                for file in (server.files / store).iterdir():
                    file.unlink()

    contenders = [Contender("original scheme, json, one upload", one), Contender(f"SAT, {AT_ONCE} uploads", sat)]
    mebibytes = lambda sample: sample.server_kib / 1024
    what = f"{AT_ONCE} × {size // 1_000_000} MB at once"
    return contenders, [
        Comparison(14, what, contenders[1].name, contenders[0].name, "MiB", mebibytes, 64, 32, more_is_better=False,
                   must_of="value", aim_of="value")  # fmt: skip
    ]


SUITES = [Suite("uploads at once", (14,), uploads_at_once)]
