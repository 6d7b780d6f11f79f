# SPDX-License-Identifier: Apache-2.0
"""SAT: a vault, homes of its clients."""

import json
import subprocess
import time
from pathlib import Path

from ..server import Server


def quiet(argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"failed: {argv}\n{done.stdout}{done.stderr}")
    return done.stdout


# One address and one wallet do here what many would.
NO_RATES = ["--address-rate", "0", "--wallet-rate", "0"]


class Vault(Server):
    def __init__(self, programs, data, duplicate=None, more=()):
        self.programs = Path(programs)
        self.data = Path(data)
        self.duplicate = duplicate
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data / "keys").exists():
            quiet([self.programs / "sat-vaultd", "init", "--data", data, "--no-passphrase"])
        argv = [self.programs / "sat-vaultd", "run", "--data", data, "--listen", "127.0.0.1:0", *NO_RATES, *more]
        if duplicate:
            argv += ["--duplicate", duplicate]
        (self.data.parent / f"vault-{self.data.name}.log").unlink(missing_ok=True)
        super().__init__(f"vault-{self.data.name}", argv, self.data.parent)
        self.wait_for(lambda: "fingerprint " in self.log.read_text() and "listening " in self.log.read_text())
        self.started = time.monotonic()
        said = dict(line.split(" ", 1) for line in self.log.read_text().splitlines() if " " in line)
        self.address = said["listening"]
        self.port = int(self.address.rpartition(":")[2])
        self.key = said["fingerprint"]

    def drop_images(self):
        """Of works that were stored: the vault forgets nothing, and the next run needs the room."""
        stores = [self.data / "image_store"]
        if self.duplicate:
            stores.append(Path(self.duplicate) / "duplicate_store")
        for store in stores:
            for image in store.glob("*/*"):
                image.unlink()


class Client:
    def __init__(self, programs, program, home):
        self.program = Path(programs) / program
        self.home = Path(home)
        if not self.home.exists():
            quiet([self.program, "init", "--home", home, "--no-passphrase", "--name", "Bench"])

    def command(self, vault, *words):
        return [self.program, *words, "--home", self.home, "--vault", vault.address, "--vault-key", vault.key, "--no-input"]

    def upload(self, vault, image, title="Bench"):
        """The ID."""
        return json.loads(quiet(self.command(vault, "upload", image, "--title", title, "--json")))["data"]["id"]
