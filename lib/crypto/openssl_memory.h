// OpenSSL without memory: see base/memory.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sat {

// Before anything else of OpenSSL is used.  From then on its failures are never for want of memory, which is why
// crypto/ may assert what else cannot fail.
void end_openssl_without_memory() noexcept;

}  // namespace sat
