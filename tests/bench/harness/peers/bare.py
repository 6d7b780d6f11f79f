# SPDX-License-Identifier: Apache-2.0
"""The bounds, measured: tests/bench/bare_transfer.cc, bare_statements.cc."""

from ..server import Server


class Bare(Server):
    def __init__(self, program, home, files, *more):
        self.program = program
        self.home = home
        self.files = files
        name = f"bare-{files.name}"
        (files.parent / f"{name}.log").unlink(missing_ok=True)
        super().__init__(name, [program, "serve", home, files, *more], files.parent)
        self.wait_for(lambda: self.log.read_text().strip().isdigit())
        self.port = int(self.log.read_text())


class BareTransfer(Bare):
    def put(self, *files):
        return [self.program, "put", self.home, self.port, *files]

    def get(self, file):
        return [self.program, "get", self.home, self.port, file]

    def drop_images(self):
        for file in self.files.glob("[0-9]*"):
            file.unlink()


class BareStatements(Bare):
    def run(self, clients, each):
        return [self.program, "run", self.home, self.port, clients, each]
