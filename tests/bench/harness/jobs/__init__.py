# SPDX-License-Identifier: Apache-2.0
"""The jobs of docs/performance.md, a file a subject; ALL is how tests/bench/run finds them."""

from . import catalogue, commands, cores, envelope, handshakes, memory, original, ownership, transfers, watching

ALL = [
    *transfers.SUITES, *handshakes.SUITES, *commands.SUITES, *ownership.SUITES, *catalogue.SUITES, *watching.SUITES,
    *memory.SUITES, *original.SUITES, *cores.SUITES, *envelope.SUITES,
]  # fmt: skip
