// ArtworkId for this floor and those above; it is defined where the envelope header binds it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "envelope/artwork_id.h"  // IWYU pragma: export
