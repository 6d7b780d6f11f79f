// Refusals that rest on what others said a moment ago: told only once that is on the disk.  store/catalog.h, "whoever
// answers by what it read … commits first".
// SPDX-License-Identifier: Apache-2.0
#include "unit/vault/fixture.h"
#include "vault/claims.h"
#include "vault/core.h"
#include "vault/upload.h"

namespace sat {
namespace {

// Whose commit fails where the catalogue's disk is to fail.
class FailingTransaction final : public CatalogTransaction {
public:
    FailingTransaction(std::unique_ptr<CatalogTransaction> real, const bool& fails)
        : real_(std::move(real)), fails_(fails) {}

    using CatalogTransaction::commit;
    Result<void> commit(Then then) override {
        if (fails_) return fail(Errc::io_error, "the disk fails");
        return real_->commit(std::move(then));
    }
    Result<Digest> node(unsigned level, std::uint64_t number) override { return real_->node(level, number); }
    Result<std::optional<WorkRow>> work(const ArtworkId& artwork) override { return real_->work(artwork); }
    Result<std::vector<WorkRow>> works(const WorkQuery& query) override { return real_->works(query); }
    Result<std::optional<ClaimRow>> claim(const StatementId& id) override { return real_->claim(id); }
    Result<std::vector<ClaimRow>> claims_of(const Wallet& collector, const std::optional<ArtworkId>& artwork,
                                            std::uint64_t before, std::size_t limit) override {
        return real_->claims_of(collector, artwork, before, limit);
    }
    Result<std::vector<ClaimRow>> inbox(const Wallet& owner, std::uint64_t after, UnixTime now,
                                        std::size_t limit) override {
        return real_->inbox(owner, after, now, limit);
    }
    Result<std::vector<OpenClaim>> open_claims(const ArtworkId& artwork) override {
        return real_->open_claims(artwork);
    }
    Result<std::vector<ClaimRow>> due_claims(UnixTime now, std::size_t limit) override {
        return real_->due_claims(now, limit);
    }
    Result<std::optional<UnixTime>> next_deadline() override { return real_->next_deadline(); }
    Result<std::vector<std::string>> history(const ArtworkId& artwork, std::uint64_t from, std::size_t limit) override {
        return real_->history(artwork, from, limit);
    }
    Result<std::optional<OutcomeRow>> outcome(const StatementId& statement) override {
        return real_->outcome(statement);
    }
    Result<std::optional<Bytes>> identity(const Wallet& wallet) override { return real_->identity(wallet); }
    Result<std::vector<KnownIdentity>> identities(const std::optional<Wallet>& after, std::size_t limit) override {
        return real_->identities(after, limit);
    }
    Result<CatalogTotals> totals() override { return real_->totals(); }
    Result<RegisteredBy> registered_by(const Wallet& artist) override { return real_->registered_by(artist); }
    Result<std::uint64_t> open_claims_of(const Wallet& collector, UnixTime now) override {
        return real_->open_claims_of(collector, now);
    }
    Result<std::optional<UnixTime>> claim_asked_before(const Wallet& collector, std::uint64_t later) override {
        return real_->claim_asked_before(collector, later);
    }
    Result<TreeHead> tree_head() override { return real_->tree_head(); }
    Result<std::optional<std::uint64_t>> leaf_index(const LeafHash& hash) override { return real_->leaf_index(hash); }
    Result<std::vector<std::string>> entries(std::uint64_t from, std::size_t limit) override {
        return real_->entries(from, limit);
    }
    Result<std::optional<WorkLeaf>> last_leaf(const ArtworkId& artwork, std::uint64_t size) override {
        return real_->last_leaf(artwork, size);
    }
    Result<std::optional<SealedLeaf>> sealed_leaf_ending_by(std::uint64_t offset) override {
        return real_->sealed_leaf_ending_by(offset);
    }
    Result<std::vector<SealedLeaf>> sealed_leaves(std::uint64_t from, std::size_t limit) override {
        return real_->sealed_leaves(from, limit);
    }
    Result<RegisteredWorks> registered(std::uint64_t from, std::size_t limit) override {
        return real_->registered(from, limit);
    }
    Result<std::vector<ArtworkId>> unfinished_ids() override { return real_->unfinished_ids(); }
    Result<bool> give_out(const ArtworkId& artwork) override { return real_->give_out(artwork); }
    Result<void> abandon(const ArtworkId& artwork) override { return real_->abandon(artwork); }
    Result<void> add_work(const WorkRow& work, const WorkWords& words) override { return real_->add_work(work, words); }
    Result<void> set_owner(const ArtworkId& artwork, const Wallet& owner, const LeafHash& head,
                           std::uint64_t seq) override {
        return real_->set_owner(artwork, owner, head, seq);
    }
    Result<void> set_held(const ArtworkId& artwork, bool held) override { return real_->set_held(artwork, held); }
    Result<void> update_claim(const ClaimRow& claim) override { return real_->update_claim(claim); }
    Result<void> add_claim(const ClaimRow& claim) override { return real_->add_claim(claim); }
    Result<void> append_leaf(const ArtworkId& artwork, const LeafHash& hash, UnixTime at,
                             std::string_view entry) override {
        return real_->append_leaf(artwork, hash, at, entry);
    }
    Result<void> append_sealed_leaf(const ArtworkId& artwork, const LeafHash& hash, UnixTime at,
                                    ByteView sealed) override {
        return real_->append_sealed_leaf(artwork, hash, at, sealed);
    }
    Result<void> add_outcome(const OutcomeRow& outcome) override { return real_->add_outcome(outcome); }
    Result<void> put_identity(const Wallet& wallet, ByteView chain) override {
        return real_->put_identity(wallet, chain);
    }

private:
    std::unique_ptr<CatalogTransaction> real_;
    const bool& fails_;
};

class FailingCatalog final : public Catalog {
public:
    explicit FailingCatalog(std::unique_ptr<Catalog> real) : real_(std::move(real)) {}

    Result<std::unique_ptr<CatalogReader>> read() override { return real_->read(); }
    Result<std::unique_ptr<CatalogTransaction>> begin() override {
        SAT_TRY_VALUE(auto transaction, real_->begin());
        return std::make_unique<FailingTransaction>(std::move(transaction), fails);
    }
    bool fails = false;

private:
    std::unique_ptr<Catalog> real_;
};

class RefusalTest : public ::testing::Test {
protected:
    void SetUp() override {
        VaultOptions options;
        options.data = directory / "data";
        options.quotas.works = 2;
        auto opened = VaultCore::open(options, test_vault_keys(), [] { return kStart; });
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        core = std::move(*opened);
        auto failing = std::make_unique<FailingCatalog>(std::move(core->catalog));
        catalog = failing.get();
        core->catalog = std::move(failing);
        auto upload = received();
        artwork = upload->artwork();
        ASSERT_TRUE(commit(upload).has_value());
    }

    // An upload of Ada's that is all there.
    std::unique_ptr<Upload> received() const {
        auto upload = begin_upload(*core, ada.caller(), {image.size(), "image/png"}).value();
        Sealer sealer = Sealer::create(upload->artwork(), image.size(), core->wallet(), core->keys.kem.public_key(),
                                       Purpose::transit);
        Bytes stream;
        EXPECT_TRUE(sealer.seal(image, stream));
        EXPECT_TRUE(sealer.finish(stream));
        EXPECT_TRUE(upload->start(sealer.header().encode()));
        EXPECT_TRUE(upload->receive(stream));
        EXPECT_TRUE(upload->finish(stream.size()));
        return upload;
    }
    Result<UploadCommitReply> commit(std::unique_ptr<Upload>& upload) const {
        auto body = make_statement<Registration>(ada.wallet(), core->wallet(), kStart);
        body.artwork = upload->artwork();
        body.title = "Boats";
        body.file_path = "boats.png";
        body.media_type = "image/png";
        body.bytes = image.size();
        body.width = 10;
        body.height = 10;
        body.sha256 = sha256(image);
        return commit_upload(*core, ada.caller(), upload, {sign(body, ada.sign), std::nullopt, std::nullopt});
    }
    Result<ClaimItem> claim(const Party& who, const ArtworkId& of) const {
        const auto work = core->catalog->read().value()->work(artwork).value().value();
        auto body = make_statement<Claim>(who.wallet(), core->wallet(), kStart);
        body.artwork = of;
        body.head = work.head;
        body.seq = work.seq;
        body.owner = work.owner;
        body.exp = kStart + kDefaultClaimLife;
        return open_claim(*core, who.caller(), {sign(body, who.sign), std::nullopt});
    }

    const Party& ada = party("ada");
    const Party& ben = party("ben");
    const Bytes image = some_bytes(100);
    TemporaryDirectory directory;
    std::unique_ptr<VaultCore> core;
    FailingCatalog* catalog = nullptr;
    ArtworkId artwork;
};

TEST_F(RefusalTest, OfAClaimIsToldOnlyOnceWhatItRestsOnIsOnTheDisk) {
    ASSERT_TRUE(claim(ben, artwork).has_value());
    EXPECT_EQ(code_of(claim(ben, artwork)), Errc::state);
    EXPECT_EQ(code_of(claim(ada, artwork)), Errc::forbidden);
    const ArtworkId nothing = ArtworkId::generate();
    EXPECT_EQ(code_of(claim(ben, nothing)), Errc::not_found);
    catalog->fails = true;
    EXPECT_EQ(code_of(claim(ben, artwork)), Errc::io_error);
    EXPECT_EQ(code_of(claim(ada, artwork)), Errc::io_error);
    EXPECT_EQ(code_of(claim(ben, nothing)), Errc::io_error);
}

TEST_F(RefusalTest, ForAQuotaIsToldOnlyOnceWhatFilledItIsOnTheDisk) {
    std::vector<std::unique_ptr<Upload>> uploads;
    while (uploads.size() < 3) uploads.push_back(received());
    ASSERT_TRUE(commit(uploads[0]).has_value());
    catalog->fails = true;
    EXPECT_EQ(code_of(commit(uploads[1])), Errc::io_error);
    catalog->fails = false;
    EXPECT_EQ(code_of(commit(uploads[2])), Errc::quota);
}

}  // namespace
}  // namespace sat
