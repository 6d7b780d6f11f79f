// Hashes through EVP with algorithms fetched once; HMAC and HKDF composed from them, since OpenSSL 3.0's own look
// up the digest by its name at every call.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "crypto/openssl.h"

namespace sat {

namespace {

// Fetched at first use, kept until the process ends.
const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
    SAT_ASSERT(algorithm != nullptr);
    return algorithm;
}

const EVP_MD* sha512_algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
    SAT_ASSERT(algorithm != nullptr);
    return algorithm;
}

MdContextOwner new_context() {
    MdContextOwner context(EVP_MD_CTX_new());
    SAT_ASSERT(context);
    return context;
}

void copy_context(EVP_MD_CTX* to, const EVP_MD_CTX* from) { SAT_ASSERT(EVP_MD_CTX_copy_ex(to, from) == 1); }

void add(EVP_MD_CTX* context, ByteView data) {
    if (!data.empty()) SAT_ASSERT(EVP_DigestUpdate(context, data.data(), data.size()) == 1);
}

// `out` has the digest's size.
void finish_into(EVP_MD_CTX* context, MutableBytes out) {
    unsigned int size = 0;
    SAT_ASSERT(EVP_DigestFinal_ex(context, octets(out), &size) == 1 && size == out.size());
}

constexpr std::size_t kMaxDigest = 64;
constexpr std::size_t kMaxBlock = 128;

// HMAC under one key, for many messages (RFC 2104).
class Hmac {
public:
    Hmac(const EVP_MD* algorithm, ByteView key)
        : size_(static_cast<std::size_t>(EVP_MD_get_size(algorithm))),
          block_(static_cast<std::size_t>(EVP_MD_get_block_size(algorithm))),
          inner_start_(new_context()),
          outer_start_(new_context()),
          work_(new_context()) {
        std::array<std::byte, kMaxBlock> pad{};
        if (key.size() > block_) {
            SAT_ASSERT(EVP_DigestInit_ex2(work_.get(), algorithm, nullptr) == 1);
            add(work_.get(), key);
            finish_into(work_.get(), MutableBytes(pad).first(size_));
        } else {
            std::copy(key.begin(), key.end(), pad.begin());
        }
        for (std::byte& byte : pad) byte ^= std::byte{0x36};
        start(inner_start_.get(), algorithm, pad);
        for (std::byte& byte : pad) byte ^= std::byte{0x36} ^ std::byte{0x5c};
        start(outer_start_.get(), algorithm, pad);
        wipe(pad.data(), pad.size());
    }

    std::size_t size() const noexcept { return size_; }

    // `out` has size() bytes, and may be one of `parts`.
    void compute(std::initializer_list<ByteView> parts, MutableBytes out) {
        copy_context(work_.get(), inner_start_.get());
        for (const ByteView part : parts) add(work_.get(), part);
        std::array<std::byte, kMaxDigest> inner{};
        const MutableBytes inner_digest = MutableBytes(inner).first(size_);
        finish_into(work_.get(), inner_digest);
        copy_context(work_.get(), outer_start_.get());
        add(work_.get(), inner_digest);
        finish_into(work_.get(), out);
        wipe(inner.data(), inner.size());
    }

private:
    void start(EVP_MD_CTX* context, const EVP_MD* algorithm, const std::array<std::byte, kMaxBlock>& pad) const {
        SAT_ASSERT(EVP_DigestInit_ex2(context, algorithm, nullptr) == 1);
        add(context, ByteView(pad).first(block_));
    }

    std::size_t size_;
    std::size_t block_;
    MdContextOwner inner_start_;
    MdContextOwner outer_start_;
    MdContextOwner work_;
};

// RFC 5869, 2.3.
SecretBytes expand(const EVP_MD* algorithm, ByteView pseudorandom_key, ByteView info, std::size_t size) {
    Hmac hmac(algorithm, pseudorandom_key);
    SAT_ASSERT(size <= 255 * hmac.size());
    SecretBytes out(size);
    std::array<std::byte, kMaxDigest> block{};
    const MutableBytes block_digest = MutableBytes(block).first(hmac.size());
    ByteView before;
    std::uint8_t counter = 0;
    for (MutableBytes rest = out.reveal_mutable(); !rest.empty();) {
        const std::byte number{++counter};
        hmac.compute({before, info, ByteView(&number, 1)}, block_digest);
        before = block_digest;
        const std::size_t part = std::min(rest.size(), block_digest.size());
        std::copy_n(block_digest.begin(), part, rest.begin());
        rest = rest.subspan(part);
    }
    wipe(block.data(), block.size());
    return out;
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    SAT_ASSERT(context_ && EVP_DigestInit_ex2(context_.get(), sha256_algorithm(), nullptr) == 1);
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

Sha256& Sha256::update(ByteView data) {
    SAT_ASSERT(context_);
    add(context_.get(), data);
    return *this;
}

Digest Sha256::finish() {
    SAT_ASSERT(context_);
    Digest digest;
    finish_into(context_.get(), digest.bytes);
    context_.reset();
    return digest;
}

Digest Sha256::peek() const {
    SAT_ASSERT(context_);
    const MdContextOwner copy = new_context();
    copy_context(copy.get(), context_.get());
    Digest digest;
    finish_into(copy.get(), digest.bytes);
    return digest;
}

Digest sha256(ByteView data) { return Sha256().update(data).finish(); }

Digest sha256(std::initializer_list<ByteView> parts) {
    Sha256 hash;
    for (const ByteView part : parts) hash.update(part);
    return hash.finish();
}

Digest hmac_sha256(ByteView key, ByteView data) {
    Digest digest;
    Hmac(sha256_algorithm(), key).compute({data}, digest.bytes);
    return digest;
}

SecretBytes hkdf_extract(ByteView salt, ByteView input_key) {
    SecretBytes out(Digest::kSize);
    Hmac(sha256_algorithm(), salt).compute({input_key}, out.reveal_mutable());
    return out;
}

SecretBytes hkdf_expand(ByteView pseudorandom_key, ByteView info, std::size_t size) {
    return expand(sha256_algorithm(), pseudorandom_key, info, size);
}

SecretBytes hkdf_expand_sha512(ByteView pseudorandom_key, ByteView info, std::size_t size) {
    return expand(sha512_algorithm(), pseudorandom_key, info, size);
}

Bytes label(std::string_view name, ByteView context) { return label(name, {context}); }

Bytes label(std::string_view name, std::initializer_list<ByteView> context) {
    // A zero byte in the name would let two labels run into each other.
    SAT_ASSERT(name.find('\0') == std::string_view::npos);
    Bytes out = to_bytes(name);
    out.push_back(std::byte{0});
    for (const ByteView part : context) append(out, part);
    return out;
}

bool equal_constant_time(ByteView a, ByteView b) noexcept {
    if (a.size() != b.size()) return false;
    return a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sat
