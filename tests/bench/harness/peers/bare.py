# SPDX-License-Identifier: Apache-2.0
"""The bounds, measured: tests/bench/bare_*.cc."""

from ..server import Server


class Bare(Server):
    def __init__(self, program, home, directory, name, *what):
        self.program = program
        self.home = home
        name = f"bare-{name}"
        (directory / f"{name}.log").unlink(missing_ok=True)
        super().__init__(name, [program, "serve", home, *what], directory)
        self.wait_for(lambda: self.log.read_text().strip().isdigit())
        self.port = int(self.log.read_text())


class BareTransfer(Bare):
    def __init__(self, program, home, directory, name, copies):
        self.files = directory / f"bare-{name}"
        super().__init__(program, home, directory, name, self.files, copies)

    def put(self, *files):
        return [self.program, "put", self.home, self.port, *files]

    def get(self, file):
        return [self.program, "get", self.home, self.port, file]

    def drop_images(self):
        for file in self.files.glob("[0-9]*"):
            file.unlink()


class BareRun(Bare):
    def run(self, *what):
        return [self.program, "run", self.home, self.port, *what]
