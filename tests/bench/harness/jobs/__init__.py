# SPDX-License-Identifier: Apache-2.0
"""The jobs of docs/performance.md, a file a subject; ALL is how tests/bench/run finds them."""

from . import commands, memory, original, transfers

ALL = [*transfers.SUITES, *commands.SUITES, *memory.SUITES, *original.SUITES]
