# SPDX-License-Identifier: Apache-2.0
"""Job 15: against the original scheme, in both of its encodings; both sides keep a duplicate."""

from ..measure import Comparison, Contender
from ..peers.sat import quiet
from ..suite import Suite
from .transfers import BARE, COMMAND, NO_PREVIEW, _bare_upload, _rate, _then, _uploads


def _image(world):
    return world.place.image(50_000_000 if world.options.short else 200_000_000)


def up(world):
    image = _image(world)
    size = image.stat().st_size
    megabytes = size // 1_000_000
    vault = world.vault("doubled", world.place.memory, world.place.memory / "duplicate")
    contenders = []
    lines = []

    def drop(server):
        for store in ("image_store", "duplicate_store"):
            for file in (server.files / store).iterdir():
                file.unlink()

    for encoding in ("json", "binary"):
        server = world.original(encoding)
        name = f"original scheme, {encoding}"
        run = lambda server=server: world.meter.client(server, server.put(image))
        contenders.append(Contender(name, _then(lambda server=server: drop(server), run)))
    contenders.append(_bare_upload(world, world.bare_transfer("doubled", world.place.memory, copies=2), image))
    contenders += _uploads(world, vault, image)
    what = f"{megabytes} MB up"
    for sat, what in ((COMMAND, what), (NO_PREVIEW, what + ", no preview"), (BARE, "the bound of " + what)):
        for encoding in ("json", "binary"):
            peer = f"original scheme, {encoding}"
            lines.append(Comparison(15, what, sat, peer, "MB/s", _rate(size), 6, 9, bound=sat == BARE))
    return contenders, lines


def down(world):
    image = _image(world)
    size = image.stat().st_size
    megabytes = size // 1_000_000
    vault = world.vault("doubled", world.place.memory, world.place.memory / "duplicate")
    identifier = world.artist().upload(vault, image)
    here = world.place.memory / "down.tif"
    ask = world.collector().command(vault, "request", identifier, "-o", here, "-q")
    contenders = []
    lines = []

    def drop():
        here.unlink(missing_ok=True)

    what = f"{megabytes} MB down"
    sat = "sat-collector request"
    for encoding in ("json", "binary"):
        server = world.original(encoding)
        (server.files / "image_store" / "kept").write_bytes(image.read_bytes())
        (server.files / "metadata_store" / "kept").write_text("{}")
        name = f"original scheme, {encoding}"
        run = lambda server=server: world.meter.client(server, server.get("kept", here))
        contenders.append(Contender(name, _then(drop, run)))
        lines.append(Comparison(15, what, sat, name, "MB/s", _rate(size), 8, 12))
        lines.append(Comparison(15, "the bound of " + what, BARE, name, "MB/s", _rate(size), 8, 12, bound=True))
    bare = world.bare_transfer("doubled", world.place.memory, copies=2)
    quiet(bare.put(image))
    contenders.append(Contender(BARE, _then(drop, lambda: world.meter.client(bare, bare.get(here)))))
    contenders.append(Contender(sat, _then(drop, lambda: world.meter.client(vault, ask))))
    return contenders, lines


SUITES = [
    Suite("original scheme, up", (15,), up, warm_short=True),
    Suite("original scheme, down", (15,), down, warm_short=True),
]
