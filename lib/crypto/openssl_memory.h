// OpenSSL's memory: without it the process ends (base/memory.h), and what is freed is wiped, for OpenSSL itself frees
// the OAEP block of a handshake's secret as it was.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sat {

// Before anything else of OpenSSL is used.  From then on its failures are never for want of memory, which is why
// crypto/ may assert what else cannot fail; and no block of its heap keeps what it held when it is freed.
void end_openssl_without_memory() noexcept;

}  // namespace sat
