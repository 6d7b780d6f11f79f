# SPDX-License-Identifier: Apache-2.0
"""The original scheme: tests/bench/original_scheme.cc."""

from ..server import Server


class Original(Server):
    def __init__(self, program, directory, encoding):
        directory.mkdir(exist_ok=True)
        self.program = program
        self.encoding = encoding
        self.files = directory / "files"
        super().__init__(f"original-{encoding}", [program, "serve", self.files, encoding], directory)
        self.wait_for(lambda: self.log.read_text().strip().isdigit())
        self.port = int(self.log.read_text())

    def put(self, file):
        return [self.program, "put", self.port, self.encoding, file]

    def get(self, identifier, file):
        return [self.program, "get", self.port, self.encoding, identifier, file]
