// Keys that change under a vault: connections of before, headers that are bad in one copy or in both.
// SPDX-License-Identifier: Apache-2.0
#include "vault/key_life.h"

#include <gmock/gmock.h>

#include "base/file_set.h"
#include "crypto/key_backup.h"
#include "crypto/key_file.h"
#include "store/identity_files.h"
#include "store/sqlite_catalog.h"
#include "unit/vault/fixture.h"
#include "vault/backup.h"
#include "vault/check.h"
#include "vault/core.h"

namespace fs = std::filesystem;

namespace sat {
namespace {

// `who` after a rekey; its keys are another name's.
Party rekeyed(const Party& who, const std::string& name) {
    const SigningKey& sign = test_signing_key(name);
    const KemPrivateKey& kem = test_kem_key(name);
    return {sign, kem, extend_identity(who.chain, who.sign, sign.public_key(), kem.public_key(), kStart).value()};
}

TEST_F(VaultTest, AConnectionOfReplacedKeysIsEndedAtItsNextRequest) {
    const Party& old = party("ada");
    const Party fresh = rekeyed(old, "ada-2");
    EXPECT_EQ(vault->admit(old.caller()).value(), false);
    VaultSession connection = session(old);
    EXPECT_TRUE(ask(connection, ArtworkListRequest{}));
    EXPECT_EQ(vault->admit(fresh.caller()).value(), true) << "others are to be sent away";
    EXPECT_EQ(vault->admit(fresh.caller()).value(), false) << "once";
    EXPECT_EQ(connection.handle(ArtworkListRequest{}).next, VaultSession::Outcome::Next::hang_up);
    EXPECT_EQ(code_of(vault->admit(old.caller())), Errc::key_policy) << "nor is it let in again";
    EXPECT_EQ(code_of(vault->admit(rekeyed(old, "ada-3").caller())), Errc::key_policy) << "nor a fork";
    VaultSession next = session(fresh);
    EXPECT_TRUE(ask(next, ArtworkListRequest{}));
}

// The vault keeps some chains parsed: after these it has none of anybody else.
void crowd_out_chains(Vault& vault) {
    const Party& crowd = party("cyd");
    for (int i = 1; i <= 64; ++i) {
        Caller caller = crowd.caller();
        caller.chain = std::make_shared<const IdentityChain>(
            make_identity(IdentityKind::user, crowd.sign, crowd.kem.public_key(), std::nullopt, kStart + i));
        VaultSession(vault, std::move(caller)).leave_chain();
    }
}

TEST_F(VaultTest, AConnectionThatLeftItsChainIsServedAsBefore) {
    const Party& ada = party("ada");
    const Party& ben = party("ben");
    for (const Party* who : {&ada, &ben}) ASSERT_TRUE(vault->admit(who->caller()));
    VaultSession artist = session(ada);
    VaultSession collector = session(ben);
    const auto left = [&](VaultSession& connection) -> VaultSession& {
        EXPECT_FALSE(connection.caller().chain) << "kept after a request that took it";
        return connection;
    };
    artist.leave_chain();
    collector.leave_chain();
    for (const bool crowded : {false, true}) {
        SCOPED_TRACE(crowded ? "read from the catalogue" : "parsed already");
        if (crowded) crowd_out_chains(*vault);
        const UploadPlan plan;
        const auto begun = ask(left(artist), UploadBeginRequest{plan.image.size(), plan.media_type});
        ASSERT_TRUE(begun && send_sealed(left(artist), begun->artwork, plan));
        const Registration body = registration_of(ada, begun->artwork, plan);
        EXPECT_TRUE(ask(left(artist), UploadCommitRequest{sign(body, ada.sign), plan.preview}));
        EXPECT_EQ(left(artist).handle(ArtworkFetchRequest{begun->artwork, 0}).next,
                  VaultSession::Outcome::Next::transmit);

        if (crowded) crowd_out_chains(*vault);
        const auto given_up = signed_by(ben, claim_body(ben, begun->artwork));
        EXPECT_TRUE(ask(left(collector), ClaimOpenRequest{given_up.jws, std::nullopt}));
        auto withdraw = said_by<Withdraw>(ben);
        withdraw.artwork = begun->artwork;
        withdraw.claim = given_up.id;
        if (crowded) crowd_out_chains(*vault);
        EXPECT_TRUE(ask(left(collector), ClaimWithdrawRequest{sign(withdraw, ben.sign)}));
        now += 1;
        const auto claimed = signed_by(ben, claim_body(ben, begun->artwork));
        EXPECT_TRUE(ask(left(collector), ClaimOpenRequest{claimed.jws, std::nullopt}));
        if (crowded) crowd_out_chains(*vault);
        const auto answered = signed_by(ada, answer_body(ada, claimed, true));
        EXPECT_TRUE(ask(left(artist), ClaimAnswerRequest{answered.jws, std::nullopt}));
        if (crowded) crowd_out_chains(*vault);
        EXPECT_TRUE(ask(left(collector), acceptance(ben, claimed, answered)));
        left(artist);
        left(collector);
    }
}

TEST_F(VaultTest, AConnectionThatLeftItsChainGetsThatOneBack) {
    const Party& old = party("ada");
    const Party fresh = rekeyed(old, "ada-2");
    ASSERT_TRUE(vault->admit(old.caller()));
    ASSERT_TRUE(vault->admit(fresh.caller()));
    vault.reset();
    const auto core = VaultCore::open(options, test_vault_keys(), [] { return kStart; });
    ASSERT_TRUE(core);
    Catalog& catalog = *(*core)->catalog;
    Identities& identities = (*core)->identities;
    for (const Party* who : {&old, &fresh}) {
        // A request of the old keys may be under way while the new ones come in.
        const ChainMark mark = ChainMark::of(who->chain);
        const auto chain = identities.chain(catalog, mark);
        ASSERT_TRUE(chain) << chain.error().message;
        EXPECT_EQ((*chain)->encode(), who->chain.encode());
        EXPECT_EQ(identities.chain(catalog, mark).value(), *chain) << "parsed once";
    }
    EXPECT_EQ(code_of(identities.chain(catalog, ChainMark::of(rekeyed(old, "ada-3").chain))), Errc::io_error);
    EXPECT_EQ(code_of(identities.chain(catalog, ChainMark::of(party("ben").chain))), Errc::io_error);
}

TEST_F(VaultTest, AConnectionThatLeftItsChainIsEndedWhenItsKeysAreReplaced) {
    const Party& old = party("ada");
    ASSERT_TRUE(vault->admit(old.caller()));
    VaultSession connection = session(old);
    connection.leave_chain();
    EXPECT_TRUE(ask(connection, ArtworkListRequest{}));
    ASSERT_TRUE(vault->admit(rekeyed(old, "ada-2").caller()));
    EXPECT_EQ(connection.handle(ArtworkListRequest{}).next, VaultSession::Outcome::Next::hang_up);
    EXPECT_EQ(connection.handle(ArtworkFetchRequest{}).next, VaultSession::Outcome::Next::hang_up);
}

TEST_F(VaultTest, AnIdentityFileNeverGetsShorter) {
    const Party& old = party("ada");
    const Party fresh = rekeyed(old, "ada-2");
    upload(fresh);
    vault.reset();
    const MasterKey master = MasterKey::unwrap(read_file(options.data / "master.key", kMaxMasterKeyFile).value(),
                                               test_vault_keys().wallet(), test_vault_keys().store)
                                 .value();
    const auto catalog = SqliteCatalog::open(options.data / "catalog.sqlite", master, test_vault_keys().wallet());
    ASSERT_TRUE(catalog);
    const auto files = IdentityFiles::open({options.data, *options.duplicate}, master, **catalog);
    ASSERT_TRUE(files);
    // As by a connection that was let in before the rekey.
    ASSERT_TRUE((*files)->keep(old.wallet(), old.chain.encode()));
    AtRestSealer sealer(master.derive(AtRestKey::files));
    for (const Path& root : {options.data, *options.duplicate}) {
        const Bytes file = read_file(identity_path(root, old.wallet()), kMaxIdentityFile).value();
        EXPECT_EQ(open_identity_file(file, old.wallet(), sealer).value(), fresh.chain.encode()) << root;
    }
}

class RekeyTest : public VaultTest {
protected:
    void SetUp() override {
        // Keys on the disk, as sat-vaultd has them.
        ASSERT_TRUE(make_private_directory(directory / "data/keys"));
        ASSERT_TRUE(write_vault_keys(directory / "data/keys", test_vault_keys(), nullptr));
        VaultTest::SetUp();
        artwork = upload(party("ada"), {});
        vault.reset();
    }
    Result<VaultRekeyReport> rekey_store() { return rekey_store(options.duplicate); }
    Result<VaultRekeyReport> rekey_store(const std::optional<Path>& duplicate, bool without_duplicate = false) {
        VaultRekey rekey;
        rekey.data = options.data;
        rekey.duplicate = duplicate;
        rekey.without_duplicate = without_duplicate;
        rekey.store = true;
        rekey.now = now;
        // Of one image: asked before it, and before the change counts.
        int asked = 0;
        rekey.stopped = [&] {
            if (++asked == 2 && before_it_counts) before_it_counts();
            return false;
        };
        return rekey_vault(rekey);
    }
    CheckReport repair() {
        const auto keys = load_vault_keys(options.data / "keys", nullptr);
        EXPECT_TRUE(keys);
        auto report = check_vault({options.data, options.duplicate, true, now}, *keys);
        EXPECT_TRUE(report) << report.error().message;
        return report.value_or(CheckReport());
    }
    // What may stand at an image's name, and is none.
    enum class NoImage { directory, link, dangling, shelf };
    void put(NoImage what, const Path& place) {
        if (what != NoImage::shelf) fs::remove(place);
        if (what == NoImage::directory) {
            fs::create_directory(place);
            fs::permissions(place, fs::perms::owner_all);
        } else if (what == NoImage::shelf) {
            fs::remove_all(place.parent_path());
            ASSERT_TRUE(write_file_atomically(place.parent_path(), {}, AtomicFile::Existing::refuse, 0600));
        } else {
            fs::create_symlink(what == NoImage::link ? image() : directory / "nowhere", place);
        }
    }
    Path image() const { return directory / in_shelf("data/image_store", artwork); }
    Path other_image() const { return directory / in_shelf("dup/duplicate_store", artwork); }
    static void spoil(const Path& file, std::size_t offset) {
        Bytes bytes = read_file(file, std::size_t{1} << 24).value();
        bytes.at(offset) ^= std::byte{1};
        ASSERT_TRUE(write_file_atomically(file, bytes, AtomicFile::Existing::replace, 0600));
    }
    static Bytes contents(const Path& file) { return read_file(file, std::size_t{1} << 24).value(); }
    // Every file of the test's directories but the locks.
    std::map<std::string, Bytes> everything() const {
        std::map<std::string, Bytes> out;
        for (const auto& entry : fs::recursive_directory_iterator(directory.path())) {
            if (!entry.is_regular_file() || entry.path().filename() == kRepairLock) continue;
            out[entry.path().lexically_relative(directory.path()).string()] = contents(entry.path());
        }
        return out;
    }
    void expect_refused(const std::optional<Path>& duplicate, Errc code = Errc::config) {
        const auto before = everything();
        EXPECT_EQ(code_of(rekey_store(duplicate)), code);
        EXPECT_EQ(everything(), before) << "something changed";
    }
    bool serves() {
        auto keys = load_vault_keys(options.data / "keys", nullptr);
        if (!keys) return false;
        auto opened = Vault::open(options, std::move(*keys), [this] { return now.load(); });
        if (!opened) return false;
        vault = std::move(*opened);
        return fetch(party("ben"), artwork).value_or(Bytes()) == UploadPlan{}.image;
    }

    ArtworkId artwork;
    std::function<void()> before_it_counts;
};

TEST_F(RekeyTest, AHeaderThatIsBadInOneCopyIsGoodInBothAfterwards) {
    const Bytes before = contents(image());
    spoil(image(), 300);
    const auto report = rekey_store();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->works, 1U);
    EXPECT_TRUE(report->lost.empty());
    EXPECT_EQ(contents(image()), contents(other_image()));
    EXPECT_NE(contents(image()), before);
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, AnImageWhoseHeaderOpensNowhereIsNamedAndLeftAlone) {
    spoil(image(), 300);
    spoil(other_image(), 301);
    const Bytes left = contents(image());
    const auto report = rekey_store();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->works, 0U);
    EXPECT_EQ(report->lost, std::vector<std::string>{artwork.str()});
    EXPECT_EQ(contents(image()), left);
}

TEST_F(RekeyTest, AnotherFileUnderAWorksNameIsNotWrittenTo) {
    const Bytes other(5000, std::byte{7});
    ASSERT_TRUE(write_file_atomically(image(), other, AtomicFile::Existing::replace, 0600));
    ASSERT_TRUE(rekey_store());
    EXPECT_EQ(contents(image()), other);
    fs::remove(image());
    ASSERT_TRUE(rekey_store()) << "nor is a missing one made";
    EXPECT_FALSE(fs::exists(image()));
}

// It would stay under a key that is no more.
TEST_F(RekeyTest, ACopyThatCannotBeGivenANewHeaderIsMendedFirst) {
    for (const NoImage what : {NoImage::directory, NoImage::link, NoImage::dangling}) {
        SCOPED_TRACE(static_cast<int>(what));
        put(what, other_image());
        const auto before = everything();
        const auto refused = rekey_store();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::config);
        EXPECT_EQ(everything(), before) << "something changed";
        EXPECT_THAT(refused.error().hint, testing::HasSubstr("check --repair"));
        EXPECT_THAT(refused.error().message, testing::HasSubstr(other_image().string()));
        EXPECT_FALSE(fs::exists(options.data / "keys.next"));
        EXPECT_EQ(repair().left(), 0U);
    }
    EXPECT_TRUE(rekey_store());
    EXPECT_EQ(contents(image()), contents(other_image()));
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, AnImageThatRotsWhileKeysChangeLocksNobodyOut) {
    for (const NoImage what : {NoImage::directory, NoImage::link, NoImage::shelf}) {
        SCOPED_TRACE(static_cast<int>(what));
        before_it_counts = [&] { put(what, other_image()); };
        const auto report = rekey_store();
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_FALSE(fs::exists(options.data / "keys.next"));
        EXPECT_TRUE(finish_key_change(options.data));
        if (what == NoImage::shelf) fs::remove(other_image().parent_path());
        EXPECT_EQ(repair().left(), 0U);
        EXPECT_EQ(contents(image()), contents(other_image()));
        EXPECT_TRUE(serves());
        vault.reset();
    }
}

TEST_F(RekeyTest, AChangeThatCannotEndYetSaysHowItCan) {
    before_it_counts = [&] { fs::rename(*options.duplicate, directory / "away"); };
    EXPECT_EQ(code_of(rekey_store()), Errc::config);
    ASSERT_TRUE(make_private_directory(options.data / "damaged"));
    fs::rename(directory / "away", *options.duplicate);
    // Its lock cannot be had.
    fs::remove(*options.duplicate / "lock");
    fs::create_directory(*options.duplicate / "lock");
    const auto stuck = finish_key_change(options.data);
    ASSERT_FALSE(stuck);
    EXPECT_THAT(stuck.error().hint, testing::HasSubstr("put right"));
    fs::remove(*options.duplicate / "lock");
    EXPECT_TRUE(finish_key_change(options.data));
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, ADirectoryThatIsNotItsDuplicateIsNeverTouched) {
    ASSERT_TRUE(make_private_directory(directory / "empty"));
    expect_refused(directory / "empty");
    // Another vault's, and one of the same keys that had a beginning of its own.
    for (const char* name : {"other", "vault"}) {
        VaultOptions theirs;
        theirs.data = directory / "their-data";
        theirs.duplicate = directory / "their-dup";
        ASSERT_TRUE(Vault::open(theirs, test_vault_keys(name), [this] { return now.load(); }));
        expect_refused(theirs.duplicate);
        EXPECT_TRUE(Vault::open(theirs, test_vault_keys(name), [this] { return now.load(); })) << name;
        fs::remove_all(theirs.data);
        fs::remove_all(*theirs.duplicate);
    }
    EXPECT_TRUE(rekey_store());
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, AMasterKeyThatIsDamagedOrMissingIsMendedFirst) {
    for (const Path& root : {options.data, *options.duplicate}) {
        const Bytes good = contents(root / "master.key");
        spoil(root / "master.key", 100);
        expect_refused(options.duplicate);
        fs::remove(root / "master.key");
        expect_refused(options.duplicate);
        ASSERT_TRUE(write_file_atomically(root / "master.key", good, AtomicFile::Existing::refuse, 0600));
    }
    EXPECT_TRUE(rekey_store());
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, ADuplicateIsNotForgottenButWhereItIsSaid) {
    spoil(image(), fs::file_size(image()) - 1);
    expect_refused(std::nullopt);
    const auto report = rekey_store(std::nullopt, true);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->works, 1U);
    // A vault that never had one is not asked.
    fs::remove(options.data / kDuplicateRecord);
    EXPECT_TRUE(rekey_store(std::nullopt));
}

TEST_F(RekeyTest, AnOlderCopyOfTheDuplicateDoesNotPassForIt) {
    const Path copy = directory / "copy";
    fs::copy(*options.duplicate, copy, fs::copy_options::recursive);
    fs::permissions(copy, fs::perms::owner_all);
    expect_refused(copy);
    fs::create_directory_symlink(*options.duplicate, directory / "link");
    EXPECT_TRUE(rekey_store(directory / "link")) << "it is the same";
    // Mounted elsewhere, it is where it was no more.
    fs::rename(*options.duplicate, directory / "moved");
    EXPECT_TRUE(rekey_store(directory / "moved"));
    // Another vault's disk is mounted in its place.
    VaultOptions theirs;
    theirs.data = directory / "their-data";
    theirs.duplicate = options.duplicate;
    ASSERT_TRUE(Vault::open(theirs, test_vault_keys("other"), [this] { return now.load(); }));
    EXPECT_TRUE(rekey_store(directory / "moved"));
    options.duplicate = directory / "moved";
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, WhatUploadsLeftBehindGoesWithTheOldKey) {
    const Path kept = options.data / "incoming" / (ArtworkId::generate().str() + ".upload");
    ASSERT_TRUE(write_file_atomically(kept, as_bytes("sealed"), AtomicFile::Existing::refuse, 0600));
    ASSERT_TRUE(rekey_store());
    EXPECT_FALSE(fs::exists(kept));
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, IsRefusedWhileAVaultHasTheDirectories) {
    open();
    EXPECT_EQ(code_of(rekey_store()), Errc::busy);
    EXPECT_EQ(code_of(change_vault_passphrase(options.data, nullptr, nullptr)), Errc::busy);
    vault.reset();
    const auto held = lock_file(*options.duplicate / "lock");
    EXPECT_EQ(code_of(rekey_store()), Errc::busy) << "nor while the duplicate is another's";
    const auto backup = lock_file(options.data / kRepairLock);
    EXPECT_EQ(code_of(change_vault_passphrase(options.data, nullptr, nullptr)), Errc::busy) << "nor during a backup";
    EXPECT_FALSE(fs::exists(options.data / "keys.next"));
}

TEST_F(RekeyTest, StoppedBeforeItCountsItChangesNothing) {
    VaultRekey rekey;
    rekey.data = options.data;
    rekey.duplicate = options.duplicate;
    rekey.store = true;
    rekey.stopped = [] { return true; };
    const Bytes before = contents(image());
    EXPECT_EQ(code_of(rekey_vault(rekey)), Errc::cancelled);
    EXPECT_EQ(contents(image()), before);
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, AVaultKeyBackupTakesNoOtherKeys) {
    const SecretBytes seal(as_bytes("seal"));
    const auto backup = export_vault_keys(options.data, nullptr, seal);
    ASSERT_TRUE(backup) << backup.error().message;
    EXPECT_EQ(code_of(import_vault_keys(options.data, *backup, seal, nullptr)), Errc::exists);
    auto imported = import_vault_keys(directory / "elsewhere", *backup, seal, &seal);
    ASSERT_TRUE(imported) << imported.error().message;
    const auto loaded = load_vault_keys(directory / "elsewhere/keys", &seal);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->store.public_key().id(), test_vault_keys().store.public_key().id());
    // One whose kem is not the identity's.
    BackupFiles files = open_key_backup(*backup, KeyBackupKind::vault, seal).value();
    for (BackupFile& file : files)
        if (file.name == "kem.pem") file.bytes = encode_private_key(test_kem_key("other").handle(), nullptr);
    const Bytes mixed = seal_key_backup(KeyBackupKind::vault, files, seal);
    EXPECT_EQ(code_of(import_vault_keys(directory / "mixed", mixed, seal, nullptr)), Errc::bad_data);
    files.pop_back();
    const Bytes fewer = seal_key_backup(KeyBackupKind::vault, files, seal);
    EXPECT_EQ(code_of(import_vault_keys(directory / "mixed", fewer, seal, nullptr)), Errc::bad_data);
    EXPECT_FALSE(fs::exists(directory / "mixed/keys"));
    EXPECT_FALSE(fs::exists(directory / "mixed/keys.next"));
}

TEST_F(RekeyTest, KeysThatDoNotOpenWhatLiesThereAreNotImported) {
    const SecretBytes seal(as_bytes("seal"));
    const Bytes before = export_vault_keys(options.data, nullptr, seal).value();
    ASSERT_TRUE(rekey_store());
    const Bytes after = export_vault_keys(options.data, nullptr, seal).value();
    fs::remove_all(options.data / "keys");
    EXPECT_EQ(code_of(import_vault_keys(options.data, before, seal, nullptr)), Errc::config);
    EXPECT_FALSE(vault_keys_exist(options.data / "keys"));
    ASSERT_TRUE(import_vault_keys(options.data, after, seal, nullptr)) << "there is still room for the right ones";
    EXPECT_TRUE(serves());
}

TEST_F(RekeyTest, KeysAreExportedBesideAVaultButNotWhileTheyChange) {
    const SecretBytes seal(as_bytes("seal"));
    open();
    EXPECT_TRUE(export_vault_keys(options.data, nullptr, seal));
    vault.reset();
    {
        const auto changing = lock_file(options.data / kRepairLock);
        EXPECT_EQ(code_of(export_vault_keys(options.data, nullptr, seal)), Errc::busy);
    }
    {
        const auto backup = keep_from_repair(options.data);
        EXPECT_TRUE(export_vault_keys(options.data, nullptr, seal)) << "others may read";
    }
    // What a change that was cut off left is carried out first.
    ASSERT_TRUE(make_private_directory(options.data / kFileSet));
    EXPECT_EQ(code_of(export_vault_keys(options.data, nullptr, seal)), Errc::busy);
}

}  // namespace
}  // namespace sat
