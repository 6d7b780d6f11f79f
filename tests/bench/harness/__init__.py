# SPDX-License-Identifier: Apache-2.0
"""What tests/bench/run is made of: see docs/performance.md for the method."""
