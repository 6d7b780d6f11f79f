// Sealing at rest.  docs/storage.md, "Keys at rest".
// SPDX-License-Identifier: Apache-2.0
#include "store/at_rest.h"

#include "crypto/random.h"
#include "store/work_file.h"
#include "unit/store/fixture.h"

namespace sat {
namespace {

TEST(AtRestSealer, OpensWhatItSealedInItsPlaceAlone) {
    AtRestSealer sealer(random_secret(32));
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 4096U}) {
        const Bytes plaintext(size, std::byte{7});
        const Bytes sealed = sealer.seal(as_bytes("here"), plaintext);
        EXPECT_EQ(sealed.size(), size + kAtRestOverhead);
        EXPECT_EQ(sealer.open(as_bytes("here"), sealed).value(), plaintext);
        EXPECT_EQ(code_of(sealer.open(as_bytes("there"), sealed)), Errc::io_error);
    }
}

TEST(AtRestSealer, RefusesEveryTruncationAndEveryFlippedByte) {
    AtRestSealer sealer(random_secret(32));
    const Bytes sealed = sealer.seal({}, as_bytes("plaintext"));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        EXPECT_FALSE(sealer.open({}, ByteView(sealed).first(i)));
        Bytes flipped = sealed;
        flipped[i] ^= std::byte{1};
        EXPECT_FALSE(sealer.open({}, flipped));
    }
}

TEST(AtRestSealer, NeverSealsTwiceAlike) {
    AtRestSealer sealer(random_secret(32));
    EXPECT_NE(sealer.seal({}, as_bytes("x")), sealer.seal({}, as_bytes("x")));
}

TEST(MasterKey, ComesBackUnderTheSameStoreKeyAndVaultAlone) {
    const KemPrivateKey& store = test_kem_key("store");
    const Wallet vault = digest_of("vault");
    const MasterKey key = MasterKey::draw();
    const Bytes file = key.wrap(vault, store.public_key());
    EXPECT_LE(file.size(), kMaxMasterKeyFile);
    const auto back = MasterKey::unwrap(file, vault, store);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->check_value(), key.check_value());
    EXPECT_EQ(to_bytes(back->derive(AtRestKey::rows).reveal()), to_bytes(key.derive(AtRestKey::rows).reveal()));
    EXPECT_NE(to_bytes(back->derive(AtRestKey::rows).reveal()), to_bytes(key.derive(AtRestKey::words).reveal()));

    EXPECT_EQ(code_of(MasterKey::unwrap(file, digest_of("other"), store)), Errc::config);
    EXPECT_EQ(code_of(MasterKey::unwrap(file, vault, test_kem_key("other"))), Errc::config);
    EXPECT_EQ(code_of(MasterKey::unwrap({}, vault, store)), Errc::config);
}

TEST(MasterKey, RefusesADamagedFileWhereverTheDamageIs) {
    const KemPrivateKey& store = test_kem_key("store");
    const Wallet vault = digest_of("vault");
    const Bytes file = MasterKey::draw().wrap(vault, store.public_key());
    // One byte of each field: magic, version, reserved, wallet, key id, length, wrapped, check.
    for (const std::size_t at : {0U, 4U, 5U, 7U, 8U, 40U, 72U, 73U, 74U, 300U, 458U, 489U}) {
        Bytes damaged = file;
        damaged[at] ^= std::byte{1};
        EXPECT_EQ(code_of(MasterKey::unwrap(damaged, vault, store)), Errc::config) << at;
    }
    EXPECT_EQ(code_of(MasterKey::unwrap(ByteView(file).first(file.size() - 1), vault, store)), Errc::config);
}

TEST(WorkFile, ComesBackAndIsBoundToItsWork) {
    AtRestSealer sealer(random_secret(32));
    WorkFile file;
    file.artwork = ArtworkId::generate();
    file.registered_at = 1234;
    file.registration = "registration";
    file.receipt = "receipt";
    file.origin = {"2001:db8::1", 65535};
    for (const bool with_preview : {false, true}) {
        file.preview.reset();
        if (with_preview) file.preview = Bytes(kMaxPreviewSize, std::byte{0xff});
        const Bytes sealed = seal_work_file(file, sealer);
        EXPECT_EQ(open_work_file(sealed, file.artwork, sealer).value(), file);
        EXPECT_EQ(code_of(open_work_file(sealed, ArtworkId::generate(), sealer)), Errc::io_error);
        EXPECT_EQ(code_of(open_work_file(ByteView(sealed).first(sealed.size() - 1), file.artwork, sealer)),
                  Errc::io_error);
    }
}

}  // namespace
}  // namespace sat
