// The RSA keys.  The policy leaves two forms of public key, each with one encoding: 32 fixed bytes, 00, the modulus,
// and five fixed bytes.  So an SPKI is compared with that form, and no general ASN.1 parser ever sees a peer's key.
// docs/protocol.md, "Conventions" and "Keys and identities".
// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <string>

#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

namespace sat {

namespace {

constexpr unsigned long kExponent = 65537;

template <typename... Octets>
constexpr std::array<std::byte, sizeof...(Octets)> octet_array(Octets... values) {
    return {static_cast<std::byte>(values)...};
}

// SubjectPublicKeyInfo up to the modulus' first byte: SEQUENCE { SEQUENCE { rsaEncryption, NULL },
// BIT STRING { SEQUENCE { INTEGER 00 ... (RFC 5280, 4.1; RFC 8017, A.1.1).
constexpr auto kSpki3072 = octet_array(0x30, 0x82, 0x01, 0xa2, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,  //
                                       0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01,  //
                                       0x8f, 0x00, 0x30, 0x82, 0x01, 0x8a, 0x02, 0x82, 0x01, 0x81, 0x00);
constexpr auto kSpki4096 = octet_array(0x30, 0x82, 0x02, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,  //
                                       0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x02,  //
                                       0x0f, 0x00, 0x30, 0x82, 0x02, 0x0a, 0x02, 0x82, 0x02, 0x01, 0x00);
// INTEGER 65537.
constexpr auto kSpkiEnd = octet_array(0x02, 0x03, 0x01, 0x00, 0x01);

constexpr std::size_t kSpkiOverhead = kSpki3072.size() + kSpkiEnd.size();
static_assert(kSpki4096.size() + kMaxRsaBlock + kSpkiEnd.size() == 550);

// The modulus within `spki`, whose form was checked before.
ByteView modulus_of(ByteView spki) { return spki.subspan(kSpki3072.size(), spki.size() - kSpkiOverhead); }

// The modulus if `spki` is exactly one of the two forms; empty otherwise.
ByteView checked_modulus(ByteView spki) {
    ByteView start;
    if (spki.size() == kSpkiOverhead + kMinRsaBlock) start = kSpki3072;
    if (spki.size() == kSpkiOverhead + kMaxRsaBlock) start = kSpki4096;
    if (start.empty()) return {};
    if (!std::equal(start.begin(), start.end(), spki.begin())) return {};
    if (!std::equal(kSpkiEnd.begin(), kSpkiEnd.end(), spki.end() - kSpkiEnd.size())) return {};
    const ByteView modulus = modulus_of(spki);
    const bool full_length = (modulus.front() & std::byte{0x80}) != std::byte{0};
    const bool odd = (modulus.back() & std::byte{0x01}) != std::byte{0};
    return full_length && odd ? modulus : ByteView{};
}

BignumOwner number_of(EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return BignumOwner(number);
}

tl::unexpected<Error> against_policy() {
    return fail(Errc::key_policy, "not an RSA key of 3072 or 4096 bits with exponent 65537");
}

// The SPKI of any key; key_policy unless it is within the policy.
Result<Bytes> spki_of(EVP_PKEY* key) {
    if (key == nullptr || EVP_PKEY_is_a(key, "RSA") != 1) return against_policy();
    const BignumOwner modulus = number_of(key, OSSL_PKEY_PARAM_RSA_N);
    const BignumOwner exponent = number_of(key, OSSL_PKEY_PARAM_RSA_E);
    if (!modulus || !exponent || BN_is_word(exponent.get(), kExponent) != 1) return against_policy();
    const auto bits = static_cast<std::size_t>(BN_num_bits(modulus.get()));
    if (bits != kMinRsaBlock * 8 && bits != kMaxRsaBlock * 8) return against_policy();
    Bytes octets_of_modulus(bits / 8);
    SAT_ASSERT(BN_bn2binpad(modulus.get(), octets(MutableBytes(octets_of_modulus)),
                            static_cast<int>(octets_of_modulus.size())) == static_cast<int>(octets_of_modulus.size()));
    Bytes spki = concat(
        {bits == kMinRsaBlock * 8 ? ByteView(kSpki3072) : ByteView(kSpki4096), octets_of_modulus, ByteView(kSpkiEnd)});
    if (checked_modulus(spki).empty()) return against_policy();
    return spki;
}

// The SPKI of a private key within the policy.
Result<Bytes> spki_of_private(EVP_PKEY* key) {
    SAT_TRY_VALUE(Bytes spki, spki_of(key));
    if (!number_of(key, OSSL_PKEY_PARAM_RSA_D)) return fail(Errc::key_policy, "not a private key");
    return spki;
}

KeyHandle generate_rsa(RsaBits bits) {
    const PkeyContextOwner context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    SAT_ASSERT(context && EVP_PKEY_keygen_init(context.get()) == 1 &&
               EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) == 1 &&
               EVP_PKEY_generate(context.get(), &key) == 1);
    return KeyHandle(key);
}

PkeyContextOwner context_for(const KeyHandle& key) {
    SAT_ASSERT(key.get() != nullptr);
    PkeyContextOwner context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    SAT_ASSERT(context);
    return context;
}

constexpr int kSaltSize = 32;

void use_pss(EVP_PKEY_CTX* context) {
    SAT_ASSERT(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, kSaltSize) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA256", nullptr) == 1);
}

// Parameters for EVP_PKEY_*crypt_init_ex, which takes them without changing what they point to.
struct OaepParameters {
    explicit OaepParameters(ByteView label)
        : list{OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, mode, 0),
               OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest, 0),
               OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, digest, 0),
               OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()} {
        // Without a label the default is the empty one.
        if (!label.empty())
            list[3] = OSSL_PARAM_construct_octet_string(
                OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                const_cast<std::byte*>(label.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
                label.size());
    }
    OaepParameters(const OaepParameters&) = delete;
    OaepParameters& operator=(const OaepParameters&) = delete;

    char mode[5] = "oaep";
    char digest[7] = "SHA256";
    std::array<OSSL_PARAM, 5> list;
};

// All ones where `value` is zero, else zero; no branch.
std::uint64_t mask_if_zero(std::uint64_t value) noexcept {
    const std::uint64_t top_bit = (~value & (value - 1)) >> 63;
    return 0 - top_bit;
}

}  // namespace

KeyHandle::KeyHandle(const KeyHandle& other) noexcept : key_(other.key_) {
    if (key_ != nullptr) SAT_ASSERT(EVP_PKEY_up_ref(key_) == 1);
}

KeyHandle::~KeyHandle() { EVP_PKEY_free(key_); }

RsaPublic::RsaPublic(KeyHandle key) : key_(std::move(key)) {
    auto spki = spki_of(key_.get());
    SAT_ASSERT(spki);
    spki_ = std::move(*spki);
    id_ = sha256(spki_);
    block_size_ = modulus_of(spki_).size();
}

Result<KeyHandle> RsaPublic::parse(ByteView spki) {
    const ByteView modulus = checked_modulus(spki);
    if (modulus.empty()) return against_policy();
    const BignumOwner n(BN_bin2bn(octets(modulus), static_cast<int>(modulus.size()), nullptr));
    const std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
    SAT_ASSERT(n && builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
               OSSL_PARAM_BLD_push_ulong(builder.get(), OSSL_PKEY_PARAM_RSA_E, kExponent) == 1);
    const std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const PkeyContextOwner context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    SAT_ASSERT(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
               EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1);
    return KeyHandle(key);
}

Result<void> RsaPublic::check() const {
    if (EVP_PKEY_public_check(context_for(key_).get()) == 1) return {};
    ERR_clear_error();
    return fail(Errc::key_policy, "an RSA public key that fails the full check");
}

Result<VerifyKey> VerifyKey::from_spki(ByteView spki) {
    SAT_TRY_VALUE(KeyHandle key, parse(spki));
    return VerifyKey(std::move(key));
}

bool VerifyKey::verify(ByteView message, ByteView signature) const {
    SAT_ASSERT(key_.get() != nullptr);
    if (signature.size() != block_size_) return false;
    const MdContextOwner context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    SAT_ASSERT(context && EVP_DigestVerifyInit_ex(context.get(), &parameters, "SHA256", nullptr, nullptr, key_.get(),
                                                  nullptr) == 1);
    use_pss(parameters);
    const bool valid =
        EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message), message.size()) == 1;
    if (!valid) ERR_clear_error();
    return valid;
}

SigningKey SigningKey::generate(RsaBits bits) {
    auto key = from_handle(generate_rsa(bits));
    SAT_ASSERT(key);
    return std::move(*key);
}

Result<SigningKey> SigningKey::from_handle(KeyHandle key) {
    SAT_TRY_VALUE(const Bytes spki, spki_of_private(key.get()));
    SAT_TRY_VALUE(VerifyKey public_half, VerifyKey::from_spki(spki));
    SigningKey out;
    out.key_ = std::move(key);
    out.public_ = std::move(public_half);
    return out;
}

Bytes SigningKey::sign(ByteView message) const {
    SAT_ASSERT(key_.get() != nullptr);
    const MdContextOwner context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    SAT_ASSERT(context &&
               EVP_DigestSignInit_ex(context.get(), &parameters, "SHA256", nullptr, nullptr, key_.get(), nullptr) == 1);
    use_pss(parameters);
    Bytes signature(public_.block_size());
    std::size_t size = signature.size();
    SAT_ASSERT(EVP_DigestSign(context.get(), octets(MutableBytes(signature)), &size, octets(message), message.size()) ==
                   1 &&
               size == signature.size());
    return signature;
}

Result<KemPublicKey> KemPublicKey::from_spki(ByteView spki) {
    SAT_TRY_VALUE(KeyHandle key, parse(spki));
    return KemPublicKey(std::move(key));
}

Bytes KemPublicKey::wrap(const SecretBytes& secret, ByteView label) const {
    SAT_ASSERT(secret.size() == 32);
    const PkeyContextOwner context = context_for(key_);
    const OaepParameters oaep(label);
    SAT_ASSERT(EVP_PKEY_encrypt_init_ex(context.get(), oaep.list.data()) == 1);
    Bytes wrapped(block_size_);
    std::size_t size = wrapped.size();
    SAT_ASSERT(EVP_PKEY_encrypt(context.get(), octets(MutableBytes(wrapped)), &size, octets(secret.reveal()),
                                secret.size()) == 1 &&
               size == wrapped.size());
    return wrapped;
}

KemPrivateKey KemPrivateKey::generate(RsaBits bits) {
    auto key = from_handle(generate_rsa(bits));
    SAT_ASSERT(key);
    return std::move(*key);
}

Result<KemPrivateKey> KemPrivateKey::from_handle(KeyHandle key) {
    SAT_TRY_VALUE(const Bytes spki, spki_of_private(key.get()));
    SAT_TRY_VALUE(KemPublicKey public_half, KemPublicKey::from_spki(spki));
    KemPrivateKey out;
    out.key_ = std::move(key);
    out.public_ = std::move(public_half);
    out.rejection_key_ = std::make_shared<const SecretBytes>(random_secret(32));
    return out;
}

Result<SecretBytes> KemPrivateKey::unwrap(ByteView wrapped, ByteView label) const {
    // What everybody can see of `wrapped` may be said openly.
    const ByteView modulus = modulus_of(public_.spki());
    if (wrapped.size() != modulus.size()) return fail(Errc::malformed, "a wrapped key of the wrong size");
    if (!std::lexicographical_compare(wrapped.begin(), wrapped.end(), modulus.begin(), modulus.end()))
        return fail(Errc::malformed, "a wrapped key that is not below the modulus");

    const PkeyContextOwner context = context_for(key_);
    const OaepParameters oaep(label);
    SAT_ASSERT(EVP_PKEY_decrypt_init_ex(context.get(), oaep.list.data()) == 1);

    // From here on every wrapped key takes the same path, whatever is inside it: whether the padding was right
    // is a secret (Manger, CRYPTO 2001).  OpenSSL's OAEP check runs in constant time, this goes on from its result.
    SecretBytes rejection(Digest::kSize);
    {
        Digest computed = hmac_sha256(rejection_key_->reveal(), concat({sha256(wrapped).view(), label}));
        std::copy(computed.bytes.begin(), computed.bytes.end(), rejection.reveal_mutable().begin());
        wipe(computed.bytes.data(), computed.bytes.size());
    }
    SecretBytes message(kMaxRsaBlock);
    std::size_t size = message.size();
    const int status =
        EVP_PKEY_decrypt(context.get(), octets(message.reveal_mutable()), &size, octets(wrapped), wrapped.size());
    ERR_clear_error();

    const std::uint64_t is_right = mask_if_zero(static_cast<std::uint64_t>(static_cast<std::int64_t>(status) ^ 1)) &
                                   mask_if_zero(static_cast<std::uint64_t>(size) ^ 32U);
    // Volatile, so that the compiler cannot turn the selection below into a branch.
    const volatile auto take_message = static_cast<std::uint8_t>(is_right & 0xff);
    SecretBytes out(32);
    const std::byte take{take_message};
    for (std::size_t i = 0; i < out.size(); ++i)
        out.reveal_mutable()[i] = (message.reveal()[i] & take) | (rejection.reveal()[i] & ~take);
    return out;
}

}  // namespace sat
