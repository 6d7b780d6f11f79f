// What callgrind counts for counted_test.cc: the same call once for each way a ciphertext can be right or wrong inside,
// each in a part of its own of callgrind's output, which is named after it.
//     counted decap    decapsulate()
//     counted hello    a vault's answer to a CLIENT_HELLO, up to its ALERT
//     counted leaky    OpenSSL's decryption and a single branch on what came of it: the counter must see that
// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <valgrind/callgrind.h>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "support/project_vectors.h"
#include "timing/hello.h"
#include "timing/padding.h"
#include "wire/handshake.h"

namespace {

using namespace sat;

// A key's first operations fill its caches; they are not counted.
constexpr int kWarmUp = 2;

void count(const std::string& part, const std::function<void()>& call) {
    CALLGRIND_TOGGLE_COLLECT;
    call();
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(part.c_str());
}

// Runs on ciphertexts of each class, some first that do not count.  A valid one goes right before each, for OpenSSL's
// own state has steps (blinding, random numbers) that come by and by, to whatever class is next.
void over_classes(const KemPublicKey& key, ByteView kem_label,
                  const std::function<std::function<void()>(Bytes)>& prepare) {
    for (int i = 0; i < kWarmUp; ++i) prepare(wrap_with(Padding::valid, key, kem_label))();
    CALLGRIND_START_INSTRUMENTATION;
    // Once more, so that callgrind has seen all of the code.
    prepare(wrap_with(Padding::random, key, kem_label))();
    for (int i = 0; i < 2; ++i)
        for (const Padding padding : kPaddings) {
            const std::string name(padding_name(padding));
            count("before " + name, prepare(wrap_with(Padding::valid, key, kem_label)));
            count(name, prepare(wrap_with(padding, key, kem_label)));
        }
}

volatile unsigned right_paddings = 0;

// What decapsulate() must not be: one branch on whether the padding was right.
void leaky_decapsulate(const KemPrivateKey& key, ByteView ciphertext, ByteView kem_label) {
    std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key.handle().get(), nullptr),
                                                                        &EVP_PKEY_CTX_free);
    void* oaep_label = OPENSSL_memdup(kem_label.data(), kem_label.size());
    SAT_ASSERT(context && oaep_label && EVP_PKEY_decrypt_init(context.get()) == 1 &&
               EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), oaep_label, static_cast<int>(kem_label.size())) == 1);
    SecretBytes message(kMaxRsaBlock);
    std::size_t size = message.size();
    const int status =
        EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(message.reveal_mutable().data()), &size,
                         reinterpret_cast<const unsigned char*>(ciphertext.data()), ciphertext.size());
    ERR_clear_error();
    if (status == 1) right_paddings = right_paddings + 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc == 2 ? argv[1] : "";
    const auto kem = vector_key<KemPrivateKey>("vault-kem");
    const HandshakeParty vault(make_identity(IdentityKind::vault, vector_key<SigningKey>("vault-sign"),
                                             kem.public_key(), vector_key<LogKey>("vault-log").public_key(), 0),
                               kem);
    const Bytes kem_label = vault_kem_label(vault.chain().wallet());
    if (what == "decap") {
        over_classes(kem.public_key(), kem_label, [&](Bytes ciphertext) {
            return [&, ciphertext] { SAT_ASSERT(decapsulate(kem, ciphertext, kem_label).has_value()); };
        });
    } else if (what == "leaky") {
        over_classes(kem.public_key(), kem_label, [&](Bytes ciphertext) {
            return [&, ciphertext] { leaky_decapsulate(kem, ciphertext, kem_label); };
        });
    } else if (what == "hello") {
        const Bytes alert = encode_alert(Errc::handshake_failed);
        over_classes(kem.public_key(), kem_label, [&](Bytes ciphertext) {
            return [&, alert, hello = hello_with(vault.chain(), ciphertext)] {
                VaultHandshake handshake(vault);
                const auto answer = handshake.on_client_hello(hello, {});
                SAT_ASSERT(!answer && encode_alert(alert_code(answer.error().code)) == alert);
            };
        });
    } else {
        std::cerr << "usage: counted decap|hello|leaky\n";
        return 64;
    }
    return 0;
}
