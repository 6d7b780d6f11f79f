# The targets `format`, `lint` and `check`.
# SPDX-License-Identifier: Apache-2.0
