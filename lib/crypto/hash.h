// SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104), HKDF (RFC 5869), the protocol's labels, constant-time comparison.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

struct evp_md_ctx_st;

namespace sat {

// SHA-256 as data comes.
class Sha256 {
public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();

    Sha256& update(ByteView data);
    // The digest; the object may only be destroyed or assigned afterwards.
    Digest finish();
    // The digest so far; the object goes on.
    Digest peek() const;

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest sha256(ByteView data);
Digest sha256(std::initializer_list<ByteView> parts);

Digest hmac_sha256(ByteView key, ByteView data);

// HKDF-SHA-256.  Extract gives 32 bytes; Expand at most 255 * 32.
SecretBytes hkdf_extract(ByteView salt, ByteView input_key);
SecretBytes hkdf_expand(ByteView pseudorandom_key, ByteView info, std::size_t size);
// HKDF-Expand with SHA-512, for Cobblestone-256.
SecretBytes hkdf_expand_sha512(ByteView pseudorandom_key, ByteView info, std::size_t size);

// Label(s, t) = ASCII(s) || 0x00 || t   (docs/protocol.md, "Conventions")
Bytes label(std::string_view name, ByteView context = {});
Bytes label(std::string_view name, std::initializer_list<ByteView> context);

// In time that depends on the lengths alone.
bool equal_constant_time(ByteView a, ByteView b) noexcept;

}  // namespace sat
