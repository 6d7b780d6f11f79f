# SPDX-License-Identifier: Apache-2.0
"""The envelope alone, file to file in memory, beside age and gpg."""

from ..measure import Comparison, Contender
from ..peers.sat import quiet
from ..place import MIB
from ..suite import Suite
from .transfers import _rate, _then

KEY = """
%no-protection
Key-Type: RSA
Key-Length: 3072
Subkey-Type: RSA
Subkey-Length: 3072
Name-Real: sat-bench
Expire-Date: 0
%commit
"""


def envelope(world):
    image = world.place.image((64 if world.options.short else 1024) * MIB)
    size = image.stat().st_size
    here = world.place.memory / "envelope"
    here.mkdir(exist_ok=True)
    identity = world.place.disk / "age.txt"
    quiet(["age-keygen", "-o", identity])
    recipient = quiet(["age-keygen", "-y", identity]).strip()
    keys = world.place.disk / "gnupg"
    keys.mkdir(mode=0o700)
    (keys / "key").write_text(KEY)
    gpg = ["gpg", "--homedir", keys, "--batch", "--yes", "--quiet", "--trust-model", "always", "-z", "0"]
    quiet([*gpg, "--gen-key", keys / "key"])
    home = world.artist().home
    sealed = {name: here / f"sealed.{name}" for name in ("sat", "age", "gpg")}
    out = here / "opened"
    ours = world.drivers / "bench-envelope"
    seal = {
        "sat": [ours, "seal", home, image, sealed["sat"]],
        "age": ["age", "-r", recipient, "-o", sealed["age"], image],
        "gpg": [*gpg, "--cipher-algo", "AES256", "-r", "sat-bench", "-o", sealed["gpg"], "--encrypt", image],
    }
    unseal = {
        "sat": [ours, "open", home, sealed["sat"], out],
        "age": ["age", "-d", "-i", identity, "-o", out, sealed["age"]],
        "gpg": [*gpg, "-o", out, "--decrypt", sealed["gpg"]],
    }
    contenders = []
    for name, who in (("age", "age"), ("gpg", "gpg, RSA-3072, AES-256"), ("sat", "SAT's envelope")):
        # What is opened is what the turn before it sealed.
        contenders.append(Contender(f"{who}, encrypt", lambda name=name: world.meter.alone(seal[name])))
        clean = lambda name=name: (out.unlink(missing_ok=True), sealed[name].unlink())
        contenders.append(Contender(f"{who}, decrypt", _then(clean, lambda name=name: world.meter.alone(unseal[name]))))
    rate = _rate(size)
    return contenders, [
        Comparison(19, f"a file {what}ed for a recipient", f"SAT's envelope, {what}", f"{peer}, {what}", "MB/s", rate)
        for what in ("encrypt", "decrypt") for peer in ("age", "gpg, RSA-3072, AES-256")
    ]  # fmt: skip


SUITES = [Suite("envelope", (19,), envelope)]
