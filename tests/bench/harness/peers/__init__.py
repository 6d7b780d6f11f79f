# SPDX-License-Identifier: Apache-2.0
"""SAT and the programs it is measured beside, each started on loopback with configuration and keys of its own."""
