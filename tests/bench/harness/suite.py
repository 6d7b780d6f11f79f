# SPDX-License-Identifier: Apache-2.0
"""A suite: contenders that take turns at one thing, and the lines of the table that come of it."""

from dataclasses import dataclass


@dataclass
class Suite:
    name: str
    jobs: tuple  # the numbers that it measures
    # World -> (contenders, comparisons)
    make: object
    # Of rounds, in the whole and in the short form; 1 where a second one would find what the first has left.
    rounds: int = 5
    short_rounds: int = 2
