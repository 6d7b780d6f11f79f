# SPDX-License-Identifier: Apache-2.0
"""A vault of many works, built by bench-store with the vault's own code, and the vault that serves it."""

import shutil

from .peers.sat import Vault, quiet

BYTES_OF_ONE = 8_000  # on the disk: row, words, leaf, the leaf again in the leaves file
QUOTAS = ["--wallet-works", "10000000", "--wallet-bytes", str(1 << 51)]


class Store:
    """Served while it stands; stop() and start() make room for measuring the start."""

    def __init__(self, world, directory, works):
        self.world = world
        self.works = works
        self.data = directory / "vault"
        self.home = directory / "artist"
        cursor = directory / "cursor"  # written last
        directory.mkdir(exist_ok=True)
        if not self.home.exists():
            shutil.copytree(world.artist().home, self.home)
        if not cursor.exists():
            world.place.require(directory, BYTES_OF_ONE * works)
            quiet([world.programs / "sat-vaultd", "init", "--data", self.data, "--no-passphrase"])
            cursor.write_text(quiet([world.drivers / "bench-store", self.data, self.home, works]))
        self.cursor = cursor.read_text().strip()
        self._vault = None

    @property
    def vault(self):
        if self._vault is None:
            self._vault = Vault(self.world.programs, self.data, more=QUOTAS)
        return self._vault

    def stop(self):
        if self._vault is not None:
            self._vault.stop()
        self._vault = None
