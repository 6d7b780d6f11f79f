// AES-256-GCM through EVP: a context that keeps the key schedule, a direction and a new nonce for each message.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <algorithm>
#include <limits>

#include "base/codec.h"
#include "crypto/openssl.h"

namespace sat {

namespace {

// Fetched at first use, kept until the process ends.
const EVP_CIPHER* algorithm() {
    static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    SAT_ASSERT(cipher != nullptr);
    return cipher;
}

int int_size(ByteView bytes) {
    SAT_ASSERT(bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    return static_cast<int>(bytes.size());
}

}  // namespace

Nonce nonce_at(const Nonce& base, std::uint64_t counter) noexcept {
    Nonce nonce = base;
    const auto number = u64_bytes(counter);
    for (std::size_t i = 0; i < number.size(); ++i) nonce[kAeadNonceSize - number.size() + i] ^= number[i];
    return nonce;
}

void Aes256Gcm::Free::operator()(evp_cipher_ctx_st* context) const noexcept { EVP_CIPHER_CTX_free(context); }

Aes256Gcm::Aes256Gcm(const SecretBytes& key) : context_(EVP_CIPHER_CTX_new()) {
    SAT_ASSERT(key.size() == kAeadKeySize);
    SAT_ASSERT(context_ &&
               EVP_EncryptInit_ex2(context_.get(), algorithm(), octets(key.reveal()), nullptr, nullptr) == 1);
}

Aes256Gcm::Aes256Gcm(Aes256Gcm&&) noexcept = default;
Aes256Gcm& Aes256Gcm::operator=(Aes256Gcm&&) noexcept = default;
Aes256Gcm::~Aes256Gcm() = default;

void Aes256Gcm::seal(const Nonce& nonce, ByteView aad, ByteView plaintext, MutableBytes out) {
    SAT_ASSERT(out.size() >= kAeadTagSize && out.size() - kAeadTagSize == plaintext.size());
    EVP_CIPHER_CTX* context = context_.get();
    int done = 0;
    SAT_ASSERT(EVP_EncryptInit_ex2(context, nullptr, nullptr, octets(ByteView(nonce)), nullptr) == 1);
    if (!aad.empty()) SAT_ASSERT(EVP_EncryptUpdate(context, nullptr, &done, octets(aad), int_size(aad)) == 1);
    const MutableBytes tag = out.last(kAeadTagSize);
    if (!plaintext.empty()) {
        const int size = int_size(plaintext);
        SAT_ASSERT(EVP_EncryptUpdate(context, octets(out), &done, octets(plaintext), size) == 1 && done == size);
    }
    SAT_ASSERT(EVP_EncryptFinal_ex(context, octets(tag), &done) == 1 && done == 0);
    SAT_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag.data()) == 1);
}

bool Aes256Gcm::open(const Nonce& nonce, ByteView aad, ByteView sealed, MutableBytes out) {
    if (sealed.size() < kAeadTagSize) {
        wipe(out.data(), out.size());
        return false;
    }
    const ByteView ciphertext = sealed.first(sealed.size() - kAeadTagSize);
    SAT_ASSERT(out.size() == ciphertext.size());
    std::array<std::byte, kAeadTagSize> tag{};
    std::copy_n(sealed.end() - kAeadTagSize, kAeadTagSize, tag.begin());

    EVP_CIPHER_CTX* context = context_.get();
    int done = 0;
    SAT_ASSERT(EVP_DecryptInit_ex2(context, nullptr, nullptr, octets(ByteView(nonce)), nullptr) == 1);
    if (!aad.empty()) SAT_ASSERT(EVP_DecryptUpdate(context, nullptr, &done, octets(aad), int_size(aad)) == 1);
    if (!ciphertext.empty()) {
        const int size = int_size(ciphertext);
        SAT_ASSERT(EVP_DecryptUpdate(context, octets(out), &done, octets(ciphertext), size) == 1 && done == size);
    }
    SAT_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) == 1);
    std::array<unsigned char, kAeadTagSize> nothing{};
    if (EVP_DecryptFinal_ex(context, nothing.data(), &done) == 1) return true;
    wipe(out.data(), out.size());
    ERR_clear_error();
    return false;
}

KeyAndNonce::KeyAndNonce(const SecretBytes& material) : key(material.slice(0, kAeadKeySize)), base() {
    SAT_ASSERT(material.size() == kAeadKeySize + kAeadNonceSize);
    std::copy_n(material.reveal().begin() + kAeadKeySize, kAeadNonceSize, base.begin());
}

}  // namespace sat
