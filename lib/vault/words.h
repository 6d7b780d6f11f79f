// By which words a work is found.  docs/storage.md, "The catalogue".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ledger/statement.h"
#include "store/catalog.h"

namespace sat {

// Of title, description and artist.
WorkWords words_of(const Registration& registration);

}  // namespace sat
