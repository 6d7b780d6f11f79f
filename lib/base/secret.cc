// Wiping memory, and cutting secrets.
// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <cstring>

#include "base/assert.h"

namespace sat {

void wipe(void* data, std::size_t size) noexcept {
    if (size > 0) explicit_bzero(data, size);
}

SecretBytes SecretBytes::slice(std::size_t offset, std::size_t size) const {
    SAT_ASSERT(offset <= bytes_.size() && size <= bytes_.size() - offset);
    return SecretBytes(reveal().subspan(offset, size));
}

}  // namespace sat
