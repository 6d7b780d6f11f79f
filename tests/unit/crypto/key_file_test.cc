// Key files: what is written can be read here and by openssl, and nothing ever asks for a passphrase.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cstdlib>

#include "support/keys.h"
#include "support/not_run.h"
#include "support/temporary.h"

namespace sat {
namespace {

const SecretBytes kPassphrase(as_bytes("kräftig & lang"));
const SecretBytes kWrong(as_bytes("kräftig & kurz"));

KeyId id_of(const KeyHandle& handle) {
    const auto key = SigningKey::from_handle(handle);
    EXPECT_TRUE(key);
    return key ? key->public_key().id() : KeyId{};
}

TEST(PrivateKeyPem, ComesBackWithAndWithoutPassphrase) {
    const SigningKey& key = test_signing_key("artist");
    const SecretBytes plain = encode_private_key(key.handle(), nullptr);
    EXPECT_TRUE(as_text(plain.reveal()).starts_with("-----BEGIN PRIVATE KEY-----\n"));
    EXPECT_FALSE(private_key_is_encrypted(plain.reveal()));
    EXPECT_EQ(id_of(decode_private_key(plain.reveal(), nullptr).value()), key.public_key().id());
    EXPECT_EQ(id_of(decode_private_key(plain.reveal(), &kPassphrase).value()), key.public_key().id());

    const SecretBytes locked = encode_private_key(key.handle(), &kPassphrase);
    EXPECT_TRUE(as_text(locked.reveal()).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    EXPECT_TRUE(private_key_is_encrypted(locked.reveal()));
    EXPECT_EQ(id_of(decode_private_key(locked.reveal(), &kPassphrase).value()), key.public_key().id());
}

TEST(PrivateKeyPem, StaysLockedWithoutTheRightPassphrase) {
    const SecretBytes locked = encode_private_key(test_log_key("log").handle(), &kPassphrase);
    const SecretBytes empty;
    for (const SecretBytes* passphrase : {static_cast<const SecretBytes*>(nullptr), &kWrong, &empty}) {
        const auto key = decode_private_key(locked.reveal(), passphrase);
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code, Errc::key_locked);
    }
    EXPECT_TRUE(LogKey::from_handle(decode_private_key(locked.reveal(), &kPassphrase).value()));
}

TEST(PrivateKeyPem, IsExactlyOnePkcs8Key) {
    const std::string pem = to_string(encode_private_key(test_log_key("log").handle(), nullptr).reveal());
    const std::string locked = to_string(encode_private_key(test_log_key("log").handle(), &kPassphrase).reveal());
    ASSERT_TRUE(decode_private_key(as_bytes(pem), nullptr));
    EXPECT_EQ(decode_private_key({}, nullptr).error().code, Errc::config);
    std::string broken_base64 = pem;
    broken_base64[40] = '!';
    std::string trailing_der = "-----BEGIN PRIVATE KEY-----\n" + to_base64(Bytes(49)) + "\n-----END PRIVATE KEY-----\n";
    std::string old_header = locked;
    old_header.insert(old_header.find('\n') + 1, "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n");
    const std::string others[] = {
        "",
        "nothing of the kind",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        pem + pem,
        pem + locked,
        public_key_pem(test_signing_key("artist").public_key().spki()),
        pem.substr(0, pem.size() / 2),
        pem + "-----BEGIN X-----\n",
        broken_base64,
        trailing_der,
        old_header,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        std::string(70'000, ' ') + pem,
    };
    for (const std::string& other : others) {
        const auto key = decode_private_key(as_bytes(other), &kPassphrase);
        ASSERT_FALSE(key) << other.substr(0, 200);
        EXPECT_EQ(key.error().code, Errc::config) << other.substr(0, 200);
    }
}

TEST(PrivateKeyPem, TakesTheOldFormsForNoKey) {
    // "RSA PRIVATE KEY", the form from before PKCS#8.
    BIO* out = BIO_new(BIO_s_mem());
    ASSERT_EQ(PEM_write_bio_PrivateKey_traditional(out, test_signing_key("artist").handle().get(), nullptr, nullptr, 0,
                                                   nullptr, nullptr),
              1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    EXPECT_EQ(decode_private_key(as_bytes({data, static_cast<std::size_t>(size)}), nullptr).error().code, Errc::config);
    BIO_free(out);
}

TEST(PrivateKeyPemDeathTest, AssertsAPassphraseThatIsOne) {
    const SecretBytes empty;
    EXPECT_DEATH((void)encode_private_key(test_log_key("log").handle(), &empty), "assertion failed");
}

TEST(KeyFile, IsPrivateAndNeverReplaced) {
    const TemporaryDirectory directory;
    const Path path = directory / "sign.pem";
    const SigningKey& key = test_signing_key("artist");
    ASSERT_TRUE(save_private_key(path, key.handle(), nullptr));
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(id_of(load_private_key(path, nullptr).value()), key.public_key().id());
    EXPECT_EQ(save_private_key(path, test_signing_key("collector").handle(), nullptr).error().code,
              Errc::output_exists);
    EXPECT_EQ(id_of(load_private_key(path, nullptr).value()), key.public_key().id());
}

TEST(KeyFile, IsNotLoadedWhereOthersMayReadIt) {
    const TemporaryDirectory directory;
    const Path path = directory / "log.pem";
    ASSERT_TRUE(save_private_key(path, test_log_key("log").handle(), nullptr));
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    EXPECT_EQ(load_private_key(path, nullptr).error().code, Errc::config);
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
    EXPECT_EQ(load_private_key(path, nullptr).error().code, Errc::config);
    EXPECT_EQ(save_private_key(directory / "b.pem", test_log_key("log").handle(), nullptr).error().code, Errc::config);
    ASSERT_EQ(::chmod(directory.path().c_str(), 0700), 0);
    EXPECT_TRUE(load_private_key(path, nullptr));
    EXPECT_EQ(load_private_key(directory / "none.pem", nullptr).error().code, Errc::config);
}

TEST(KeyFile, IsOpenedByOpenssl) {
    if (std::system("openssl version >/dev/null 2>&1") != 0) {
        say_not_run("no openssl program to open our key files");
        return;
    }
    const TemporaryDirectory directory;
    const SigningKey& key = test_signing_key("artist");
    ASSERT_TRUE(save_private_key(directory / "locked.pem", key.handle(), &kPassphrase));
    ASSERT_TRUE(save_private_key(directory / "plain.pem", key.handle(), nullptr));
    ASSERT_TRUE(write_file_atomically(directory / "pass", concat({kPassphrase.reveal(), as_bytes("\n")}),
                                      AtomicFile::Existing::refuse, 0600));
    ASSERT_TRUE(write_file_atomically(directory / "wrong", as_bytes("wrong\n"), AtomicFile::Existing::refuse, 0600));
    ASSERT_TRUE(write_file_atomically(directory / "pub.pem", as_bytes(public_key_pem(key.public_key().spki())),
                                      AtomicFile::Existing::refuse));
    const auto run = [&](const std::string& arguments, const std::string& out) {
        const std::string command = "cd '" + directory.path().string() + "' && openssl pkey " + arguments + " -out " +
                                    out + " </dev/null 2>/dev/null";
        return std::system(command.c_str());
    };
    const auto der = [&](const std::string& name) { return read_file(directory / name, 10'000).value(); };
    ASSERT_EQ(run("-in locked.pem -passin file:pass -pubout -outform DER", "locked.der"), 0);
    EXPECT_EQ(der("locked.der"), key.public_key().spki());
    ASSERT_EQ(run("-in plain.pem -pubout -outform DER", "plain.der"), 0);
    EXPECT_EQ(der("plain.der"), key.public_key().spki());
    ASSERT_EQ(run("-pubin -in pub.pem -pubout -outform DER", "pub.der"), 0);
    EXPECT_EQ(der("pub.der"), key.public_key().spki());
    EXPECT_NE(run("-in locked.pem -passin file:wrong", "none"), 0);
}

TEST(PairwiseCheck, FindsHalvesThatDoNotBelongTogether) {
    EXPECT_TRUE(pairwise_check(test_signing_key("artist").handle()));
    EXPECT_TRUE(pairwise_check(test_log_key("log").handle()));

    // The private numbers of one key with the public exponent's partner changed: d is off by two.
    EVP_PKEY* source = test_signing_key("artist").handle().get();
    OSSL_PARAM* parameters = nullptr;
    ASSERT_EQ(EVP_PKEY_todata(source, EVP_PKEY_KEYPAIR, &parameters), 1);
    OSSL_PARAM* exponent = OSSL_PARAM_locate(parameters, "d");
    ASSERT_NE(exponent, nullptr);
    static_cast<unsigned char*>(exponent->data)[0] ^= 0x02;  // native order: the lowest byte comes first
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
    EVP_PKEY* changed = nullptr;
    ASSERT_EQ(EVP_PKEY_fromdata_init(context), 1);
    ASSERT_EQ(EVP_PKEY_fromdata(context, &changed, EVP_PKEY_KEYPAIR, parameters), 1);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    EXPECT_EQ(pairwise_check(KeyHandle(changed)).error().code, Errc::key_policy);
}

TEST(PublicKeyPem, HasLinesOf64Characters) {
    const std::string pem = public_key_pem(test_signing_key("artist").public_key().spki());
    EXPECT_TRUE(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMIIB"));
    EXPECT_TRUE(pem.ends_with("\n-----END PUBLIC KEY-----\n"));
    EXPECT_EQ(pem.find('\n', 27) - 27, 64U);
}

}  // namespace
}  // namespace sat
