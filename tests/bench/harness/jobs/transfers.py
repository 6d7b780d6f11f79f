# SPDX-License-Identifier: Apache-2.0
"""Jobs 1 to 6: images up and down, in memory and on the disk."""

from ..measure import Comparison, Contender
from ..peers.sat import quiet
from ..peers.ssh import AES
from ..place import MIB
from ..suite import Suite

GIB = 1 << 30
COMMAND = "sat-artist upload"
NO_PREVIEW = "sat-artist upload --no-preview"
BARE = "bare loop"


def _size(world):
    return 128 * MIB if world.options.short else GIB


def _rate(size):
    return lambda sample: size / 1e6 / sample.seconds


def _cpu(size):
    return lambda sample: sample.cpu * GIB / size


def _upload(world, vault, *files, more=()):
    title = ["--title", "Bench"] if len(files) == 1 else []
    command = world.artist().command(vault, "upload", *files, *title, *more, "-q")
    return _then(vault.drop_images, lambda: world.meter.client(vault, command))


def _uploads(world, vault, *files):
    """What peers do, and with a preview."""
    return [
        Contender(COMMAND, _upload(world, vault, *files)),
        Contender(NO_PREVIEW, _upload(world, vault, *files, more=["--no-preview"])),
    ]


def _bare_upload(world, bare, *files):
    return Contender(BARE, _then(bare.drop_images, lambda: world.meter.client(bare, bare.put(*files))))


def _then(clean, run):
    def both():
        try:
            return run()
        finally:
            clean()

    return both


def upload(world):
    image = world.place.image(_size(world))
    size = image.stat().st_size
    nginx, sshd = world.nginx(), world.sshd()
    vault = world.vault("memory", world.place.memory)
    bare = world.bare_transfer("memory", world.place.memory)
    there = world.place.memory / "scp.tif"

    def put():
        sent = world.meter.client(nginx, nginx.put(image, "image.tif"))
        sent.figures["put"] = sent.seconds
        hashed = world.meter.on_server_core(["openssl", "dgst", "-sha256", nginx.files / "image.tif"])
        return sent.then(hashed)

    def drop_put():
        (nginx.files / "image.tif").unlink(missing_ok=True)

    def drop_scp():
        there.unlink(missing_ok=True)

    scp = lambda: world.meter.client(sshd, sshd.scp(image, there, AES))
    scp_default = lambda: world.meter.client(sshd, sshd.scp(image, there))
    contenders = [
        Contender("nginx PUT + dgst", _then(drop_put, put)),
        Contender("scp -O aes256-gcm", _then(drop_scp, scp)),
        Contender("scp -O", _then(drop_scp, scp_default)),
        _bare_upload(world, bare, image),
        *_uploads(world, vault, image),
    ]
    rate, cpu = _rate(size), _cpu(size)
    lines = []
    for sat, whole in ((COMMAND, "upload"), (NO_PREVIEW, "upload, no preview"), (BARE, "the bound of an upload")):
        bound = sat == BARE
        lines += [
            Comparison(1, whole, sat, "nginx PUT + dgst", "MB/s", rate, 1.15, 1.6, bound=bound),
            Comparison(1, whole, sat, "scp -O aes256-gcm", "MB/s", rate, 1.05, 1.6, bound=bound),
            Comparison(2, whole, sat, "nginx PUT + dgst", "MB/s", rate, 0.6, 0.85, bound=bound,
                       peer_figure=lambda sample: size / 1e6 / sample.figures["put"]),
            Comparison(6, whole + ", CPU", sat, "nginx PUT + dgst", "s/GiB", cpu, 0.95, 0.85, more_is_better=False,
                       bound=bound),
        ]  # fmt: skip
    return contenders, [
        *lines,
        Comparison(1, "upload, no preview", NO_PREVIEW, BARE, "MB/s", rate),
        Comparison(6, "upload, no preview, CPU", NO_PREVIEW, BARE, "s/GiB", cpu),
    ]


def durable(world):
    image = world.place.image(_size(world))
    size = image.stat().st_size
    world.place.require(world.place.disk, 3 * size)
    sshd = world.sshd()
    vault = world.vault("disk", world.place.disk)
    there = world.place.disk / "sftp.tif"
    batch = world.place.disk / "durable.sftp"
    batch.write_text(f"put -f {image} {there}\n")
    sftp = lambda: world.meter.client(sshd, sshd.sftp(batch))
    contenders = [
        Contender("sftp put -f", _then(lambda: there.unlink(missing_ok=True), sftp)),
        _bare_upload(world, world.bare_transfer("disk", world.place.disk), image),
        *_uploads(world, vault, image),
    ]
    rate = _rate(size)
    return contenders, [
        Comparison(3, "durable upload", COMMAND, "sftp put -f", "MB/s", rate, 1.3, 1.7),
        Comparison(3, "durable upload, no preview", NO_PREVIEW, "sftp put -f", "MB/s", rate, 1.3, 1.7),
        Comparison(3, "the bound of a durable upload", BARE, "sftp put -f", "MB/s", rate, 1.3, 1.7, bound=True),
        Comparison(3, "durable upload, no preview", NO_PREVIEW, BARE, "MB/s", rate),
    ]


def many(world):
    count = 50 if world.options.short else 200
    files = []
    for i in range(count):
        file = world.place.memory / "many" / f"{i}.tif"
        file.parent.mkdir(exist_ok=True)
        if not file.exists():
            file.write_bytes(world.place.image(MIB).read_bytes())
        files.append(file)
    size = sum(file.stat().st_size for file in files)
    sshd = world.sshd()
    vault = world.vault("disk", world.place.disk)
    there = world.place.disk / "many"
    there.mkdir(exist_ok=True)
    batch = world.place.disk / "many.sftp"
    batch.write_text("".join(f"put -f {file} {there / file.name}\n" for file in files))

    def drop():
        for file in there.iterdir():
            file.unlink()

    contenders = [
        Contender("sftp put -f", _then(drop, lambda: world.meter.client(sshd, sshd.sftp(batch)))),
        _bare_upload(world, world.bare_transfer("disk", world.place.disk), *files),
        *_uploads(world, vault, *files),
    ]
    what = f"{count} × 1 MiB, each durable"
    rate = _rate(size)
    return contenders, [
        Comparison(4, what, COMMAND, "sftp put -f", "MB/s", rate, 1.2, 1.6),
        Comparison(4, what + ", no preview", NO_PREVIEW, "sftp put -f", "MB/s", rate, 1.2, 1.6),
        Comparison(4, what + ", the bound", BARE, "sftp put -f", "MB/s", rate, 1.2, 1.6, bound=True),
        Comparison(4, what + ", no preview", NO_PREVIEW, BARE, "MB/s", rate),
    ]


def request(world):
    image = world.place.image(_size(world))
    size = image.stat().st_size
    nginx, sshd = world.nginx(), world.sshd()
    vault = world.vault("memory", world.place.memory)
    collector = world.collector()
    identifier = world.artist().upload(vault, image)
    quiet(nginx.put(image, "image.tif"))
    bare = world.bare_transfer("memory", world.place.memory)
    quiet(bare.put(image))
    here = world.place.memory / "requested.tif"
    batch = world.place.disk / "request.sftp"
    batch.write_text(f"get {nginx.files / 'image.tif'} {here}\n")
    ask = collector.command(vault, "request", identifier, "-o", here, "-q")

    def drop():
        here.unlink(missing_ok=True)

    contenders = [
        Contender("nginx + curl", _then(drop, lambda: world.meter.client(nginx, nginx.get("image.tif", here)))),
        Contender("sftp get", _then(drop, lambda: world.meter.client(sshd, sshd.sftp(batch)))),
        Contender(BARE, _then(drop, lambda: world.meter.client(bare, bare.get(here)))),
        Contender("sat-collector request", _then(drop, lambda: world.meter.client(vault, ask))),
    ]
    rate, cpu = _rate(size), _cpu(size)
    lines = []
    for sat, what in (("sat-collector request", "request"), (BARE, "the bound of a request")):
        bound = sat == BARE
        lines += [
            Comparison(5, what, sat, "nginx + curl", "MB/s", rate, 1.0, 1.3, bound=bound),
            Comparison(5, what, sat, "sftp get", "MB/s", rate, 1.9, 1.9, bound=bound),
            Comparison(6, what + ", CPU", sat, "nginx + curl", "s/GiB", cpu, 0.85, 0.7, more_is_better=False, bound=bound),
        ]
    return contenders, [
        *lines,
        Comparison(5, "request", "sat-collector request", BARE, "MB/s", rate),
        Comparison(6, "request, CPU", "sat-collector request", BARE, "s/GiB", cpu),
    ]


SUITES = [
    Suite("upload in memory", (1, 2, 6), upload, warm_short=True),
    Suite("durable upload", (3,), durable),
    Suite("many durable uploads", (4,), many),
    Suite("request", (5, 6), request, warm_short=True),
]
