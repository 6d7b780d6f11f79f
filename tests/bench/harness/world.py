# SPDX-License-Identifier: Apache-2.0
"""What the suites share: the place, the programs, and the servers, each started when it is first asked for."""

from contextlib import ExitStack
from pathlib import Path

from .measure import Meter
from .peers.bare import BareRun, BareTransfer
from .peers.certificates import Certificates
from .peers.mosquitto import Mosquitto
from .peers.nginx import Nginx
from .peers.original import Original
from .peers.postgres import Postgres
from .peers.sat import Client, Vault
from .peers.ssh import Sshd
from .place import Place
from .store import Store


class World:
    def __init__(self, build, options):
        self.programs = Path(build) / "bin"
        self.drivers = Path(build) / "bench"
        self.build = Path(build)
        self.harness = Path(__file__).resolve().parent
        self.options = options
        self.meter = Meter(self.drivers / "bench-timed", options.verbose)
        self._stack = ExitStack()
        self._made = {}
        self.place = Place(options.disk)
        self._stack.callback(self.place.remove)
        self.kept = Path(options.store) if options.store else self.place.disk / "kept"
        self.kept.mkdir(exist_ok=True)

    def close(self):
        self._stack.close()

    def once(self, name, make):
        if name not in self._made:
            self._made[name] = make()
            if hasattr(self._made[name], "stop"):
                self._stack.callback(self._made[name].stop)
        return self._made[name]

    def certificates(self):
        return self.once("certificates", lambda: Certificates(self.place.disk))

    def nginx(self):
        make = lambda: Nginx(self.place.disk / "nginx", self.place.memory / "nginx", self.certificates())
        return self.once("nginx", make)

    def sshd(self):
        return self.once("sshd", lambda: Sshd(self.place.disk / "ssh"))

    def postgres(self):
        return self.once("postgres", lambda: Postgres(self.place.disk / "postgres"))

    def mosquitto(self):
        return self.once("mosquitto", lambda: Mosquitto(self.place.disk / "mosquitto", self.certificates()))

    def store(self, works):
        """A vault's directory of many works, kept for the next run where --store says so."""
        return self.once(f"store-{works}", lambda: Store(self, self.kept / f"works-{works}", works))

    def own_store(self, name, works, where=None):
        """One that a suite may change as it likes."""
        return self.once(f"store-{name}", lambda: Store(self, (where or self.place.disk) / name, works))

    def vault(self, name, where, duplicate=None, more=()):
        """A vault whose data lie in `where`."""
        return self.once("vault-" + name, lambda: Vault(self.programs, where / name, duplicate, more))

    def artist(self, number=0):
        make = lambda: Client(self.programs, "sat-artist", self.place.disk / f"artist{number}")
        return self.once(f"artist{number}", make)

    def collector(self, number=0):
        make = lambda: Client(self.programs, "sat-collector", self.place.disk / f"collector{number}")
        return self.once(f"collector{number}", make)

    def original(self, encoding):
        make = lambda: Original(self.drivers / "bench-original", self.place.memory / f"original-{encoding}", encoding)
        return self.once("original-" + encoding, make)

    def bare_transfer(self, name, where, copies=1):
        """What a transfer takes at least, its files in `where`."""
        make = lambda: BareTransfer(self.drivers / "bench-bare-transfer", self.artist().home, where, name, copies)
        return self.once("bare-" + name, make)

    def bare(self, program, *what, name=None):
        """Another bound: bench-bare-PROGRAM."""
        name = name or program
        make = lambda: BareRun(self.drivers / f"bench-bare-{program}", self.artist().home, self.place.disk, name, *what)
        return self.once("bare-" + name, make)
