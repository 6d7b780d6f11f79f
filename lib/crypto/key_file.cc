// Private keys in PEM.  No function here ever asks for a passphrase: OpenSSL's general PEM readers would, on the
// terminal, so the PEM envelope is taken off first and what is inside is decoded by its label.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <limits>

#include "crypto/openssl.h"
#include "crypto/random.h"

namespace sat {

namespace {

constexpr std::string_view kPlainName = "PRIVATE KEY";
constexpr std::string_view kEncryptedName = "ENCRYPTED PRIVATE KEY";
constexpr std::size_t kMaxKeyFile = 64 * 1024;

constexpr std::uint64_t kScryptN = 1U << 14;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 5;
constexpr std::size_t kScryptSaltSize = 16;

Path directory_of(const Path& path) {
    Path directory = path.parent_path();
    return directory.empty() ? Path(".") : directory;
}

int int_size(std::size_t size) {
    SAT_ASSERT(size <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
    return static_cast<int>(size);
}

tl::unexpected<Error> not_a_key() {
    ERR_clear_error();
    return fail(Errc::config, "not a private key in PEM",
                "a key file holds one PKCS#8 key, as openssl genpkey writes it");
}

struct PemBlock {
    std::string name;
    SecretBytes der;
};

// The one PEM block of `pem`; config where there is none, more than one, or one with headers of the old kind.
Result<PemBlock> only_block(ByteView pem) {
    if (pem.empty()) return not_a_key();  // OpenSSL makes no BIO of a null pointer
    const BioOwner input(BIO_new_mem_buf(pem.data(), int_size(pem.size())));
    SAT_ASSERT(input);
    Result<PemBlock> out = fail(Errc::config, "no PEM");
    for (int blocks = 0;; ++blocks) {
        char* name = nullptr;
        char* header = nullptr;
        unsigned char* data = nullptr;
        long size = 0;
        if (PEM_read_bio(input.get(), &name, &header, &data, &size) != 1) {
            // The end is where no further block begins; anything else is a broken block.
            const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            if (blocks != 1 || !at_end) return not_a_key();
            ERR_clear_error();
            return out;
        }
        const auto data_size = static_cast<std::size_t>(size);
        const bool bare = header[0] == '\0';
        if (blocks == 0 && bare) out = PemBlock{name, SecretBytes(std::as_bytes(std::span(data, data_size)))};
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, data_size);
        if (blocks > 0 || !bare) return not_a_key();
    }
}

Pkcs8Owner parse_plain(ByteView der) {
    const unsigned char* at = octets(der);
    Pkcs8Owner key(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
    return at == octets(der) + der.size() ? std::move(key) : nullptr;
}

X509SigOwner parse_encrypted(ByteView der) {
    const unsigned char* at = octets(der);
    X509SigOwner key(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
    return at == octets(der) + der.size() ? std::move(key) : nullptr;
}

}  // namespace

SecretBytes encode_private_key(const KeyHandle& key, const SecretBytes* passphrase) {
    SAT_ASSERT(key.get() != nullptr);
    // A memory BIO overwrites what it frees and what it outgrows.
    const BioOwner output(BIO_new(BIO_s_mem()));
    const Pkcs8Owner plain(EVP_PKEY2PKCS8(key.get()));
    SAT_ASSERT(output && plain);
    if (passphrase == nullptr) {
        SAT_ASSERT(PEM_write_bio_PKCS8_PRIV_KEY_INFO(output.get(), plain.get()) == 1);
    } else {
        SAT_ASSERT(!passphrase->empty());
        Bytes salt = random_bytes(kScryptSaltSize);
        X509_ALGOR* algorithm = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), octets(MutableBytes(salt)),
                                                      int_size(salt.size()), nullptr, kScryptN, kScryptR, kScryptP);
        SAT_ASSERT(algorithm != nullptr);
        // Takes `algorithm` over.
        const X509SigOwner encrypted(PKCS8_set0_pbe(reinterpret_cast<const char*>(passphrase->reveal().data()),
                                                    int_size(passphrase->size()), plain.get(), algorithm));
        SAT_ASSERT(encrypted && PEM_write_bio_PKCS8(output.get(), encrypted.get()) == 1);
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(output.get(), &data);
    SAT_ASSERT(size > 0);
    return SecretBytes(std::as_bytes(std::span(data, static_cast<std::size_t>(size))));
}

Result<KeyHandle> decode_private_key(ByteView pem, const SecretBytes* passphrase) {
    if (pem.empty() || pem.size() > kMaxKeyFile) return not_a_key();
    SAT_TRY_VALUE(const PemBlock block, only_block(pem));
    Pkcs8Owner plain;
    if (block.name == kPlainName) {
        plain = parse_plain(block.der.reveal());
    } else if (block.name == kEncryptedName) {
        const X509SigOwner encrypted = parse_encrypted(block.der.reveal());
        if (!encrypted) return not_a_key();
        if (passphrase == nullptr || passphrase->empty())
            return fail(Errc::key_locked, "the key is encrypted and there is no passphrase");
        plain.reset(PKCS8_decrypt(encrypted.get(), reinterpret_cast<const char*>(passphrase->reveal().data()),
                                  int_size(passphrase->size())));
        if (!plain) {
            ERR_clear_error();
            return fail(Errc::key_locked, "the passphrase does not open the key");
        }
    }
    if (!plain) return not_a_key();
    KeyHandle key(EVP_PKCS82PKEY(plain.get()));
    if (key.get() == nullptr) return not_a_key();
    return key;
}

bool private_key_is_encrypted(ByteView pem) noexcept {
    constexpr std::string_view kBegin = "-----BEGIN ";
    const std::string_view text = as_text(pem);
    const std::size_t at = text.find(kBegin);
    return at != std::string_view::npos && text.substr(at + kBegin.size()).starts_with(kEncryptedName);
}

Result<void> save_private_key(const Path& path, const KeyHandle& key, const SecretBytes* passphrase) {
    SAT_TRY(require_private_directory(directory_of(path)));
    const SecretBytes pem = encode_private_key(key, passphrase);
    return write_file_atomically(path, pem.reveal(), AtomicFile::Existing::refuse, 0600);
}

Result<KeyHandle> load_private_key(const Path& path, const SecretBytes* passphrase) {
    SAT_TRY(require_private_directory(directory_of(path)));
    SAT_TRY(require_private_file(path));
    SAT_TRY_VALUE(const SecretBytes pem, read_secret_file(path, kMaxKeyFile));
    auto key = decode_private_key(pem.reveal(), passphrase);
    if (!key) key.error().message = path.string() + ": " + key.error().message;
    return key;
}

Result<void> pairwise_check(const KeyHandle& key) {
    SAT_ASSERT(key.get() != nullptr);
    const PkeyContextOwner context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    SAT_ASSERT(context);
    if (EVP_PKEY_pairwise_check(context.get()) == 1) return {};
    ERR_clear_error();
    return fail(Errc::key_policy, "a private key whose halves do not belong together");
}

std::string public_key_pem(ByteView spki) {
    constexpr std::size_t kLine = 64;
    const std::string base64 = to_base64(spki);
    std::string out = "-----BEGIN PUBLIC KEY-----\n";
    for (std::size_t at = 0; at < base64.size(); at += kLine) out += base64.substr(at, kLine) + "\n";
    return out + "-----END PUBLIC KEY-----\n";
}

}  // namespace sat
