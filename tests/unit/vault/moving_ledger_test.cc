// Ledgers that grow while a question is being answered: the checkpoint moves on after the reader's view was begun.
// docs/protocol.md, "Checkpoints".
// SPDX-License-Identifier: Apache-2.0
#include "ledger/leaf.h"
#include "ledger/note.h"
#include "unit/vault/fixture.h"
#include "vault/core.h"
#include "vault/ledger.h"
#include "vault/operator.h"
#include "vault/upload.h"

namespace sat {
namespace {

// Another thread's registration between the reader's first look and its second: `meanwhile` is called, once, when a
// reader has begun its view and `due` says so.
class MovingCatalog final : public Catalog {
public:
    explicit MovingCatalog(std::unique_ptr<Catalog> real) : real_(std::move(real)) {}

    void once(std::function<bool()> due, std::function<void()> meanwhile) {
        due_ = std::move(due);
        meanwhile_ = std::move(meanwhile);
    }
    bool moved() const { return !meanwhile_; }

    Result<std::unique_ptr<CatalogReader>> read() override {
        SAT_TRY_VALUE(auto reader, real_->read());
        SAT_TRY(reader->tree_head());  // the view is of this moment
        if (meanwhile_ && due_()) std::exchange(meanwhile_, nullptr)();
        return reader;
    }
    Result<std::unique_ptr<CatalogTransaction>> begin() override { return real_->begin(); }

private:
    std::unique_ptr<Catalog> real_;
    std::function<bool()> due_;
    std::function<void()> meanwhile_;
};

class MovingLedger : public ::testing::Test {
protected:
    static constexpr std::uint64_t kLeaves = 21;

    void SetUp() override {
        VaultOptions options;
        options.data = directory / "data";
        auto opened = VaultCore::open(options, test_vault_keys(), [] { return kStart; });
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        core = std::move(*opened);
        auto moving = std::make_unique<MovingCatalog>(std::move(core->catalog));
        catalog = moving.get();
        core->catalog = std::move(moving);
        artwork = register_one().registration.artwork;
        while (newest().head.size < kLeaves) add_leaf();
    }

    Checkpoint newest() const { return core->checkpoints->newest(); }
    LeafHash leaf(std::uint64_t index) const {
        return leaf_hash(core->catalog->read().value()->entries(index, 1).value().at(0));
    }

    // A leaf of the first work, under a checkpoint of its own.
    void add_leaf() {
        const bool held = core->catalog->read().value()->work(artwork).value()->held;
        const auto added = held ? release_work(*core, artwork, "why not") : hold_work(*core, artwork, "why");
        ASSERT_TRUE(added.has_value()) << added.error().message;
    }

    // The next reader sees the ledger of now, and the checkpoint grows past every tree that it knows before it is asked
    // for the next thing.  `size`: not before the checkpoint has that.
    void move_on(std::uint64_t size = 0) {
        catalog->once([this, size] { return newest().head.size >= size; },
                      [this] {
                          for (int i = 0; i < 12; ++i) add_leaf();
                      });
    }

    struct Registered {
        Registration registration;
        UploadCommitReply reply;
    };
    Registered register_one(std::optional<std::uint64_t> prove = std::nullopt) {
        const Party& ada = party("ada");
        const Bytes image = some_bytes(100);
        auto upload = begin_upload(*core, ada.caller(), {image.size(), "image/png"}).value();
        Sealer sealer = Sealer::create(upload->artwork(), image.size(), core->wallet(), core->keys.kem.public_key(),
                                       Purpose::transit);
        Bytes stream;
        EXPECT_TRUE(sealer.seal(image, stream));
        EXPECT_TRUE(sealer.finish(stream));
        EXPECT_TRUE(upload->start(sealer.header().encode()));
        EXPECT_TRUE(upload->receive(stream));
        EXPECT_TRUE(upload->finish(stream.size()));
        auto body = make_statement<Registration>(ada.wallet(), core->wallet(), kStart);
        body.artwork = upload->artwork();
        body.title = "Boats";
        body.file_path = "boats.png";
        body.media_type = "image/png";
        body.bytes = image.size();
        body.width = 10;
        body.height = 10;
        body.sha256 = sha256(image);
        const auto reply = commit_upload(*core, ada.caller(), upload, {sign(body, ada.sign), std::nullopt, prove});
        EXPECT_TRUE(reply.has_value()) << reply.error().message;
        return {body, reply.value_or(UploadCommitReply())};
    }

    TemporaryDirectory directory;
    std::unique_ptr<VaultCore> core;
    MovingCatalog* catalog = nullptr;
    ArtworkId artwork;
};

TEST_F(MovingLedger, ProvesALeafWhileOthersRegister) {
    const TreeHead head = newest().head;
    const LeafHash third = leaf(3);
    move_on();
    const auto reply = get_inclusion(*core, {third, head.size});
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_TRUE(verify_inclusion(third, reply->index, head.size, reply->proof, head.root));
    EXPECT_TRUE(catalog->moved());
}

TEST_F(MovingLedger, ProvesThatItGoesOnWhileOthersRegister) {
    const TreeHead older = newest().head;
    add_leaf();
    const TreeHead newer = newest().head;
    move_on();
    const auto reply = get_consistency(*core, {older.size, newer.size});
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_TRUE(verify_consistency(older, newer, reply->proof));
    EXPECT_TRUE(catalog->moved());
}

TEST_F(MovingLedger, SaysWhoOwnedAWorkWhileOthersRegister) {
    const TreeHead older = newest().head;
    add_leaf();
    move_on();
    const auto reply = get_head(*core, {artwork, older.size});
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(parse_and_verify<Head>(reply->head, core->keys.chain)->body.tree, older);
    EXPECT_TRUE(catalog->moved());
}

TEST_F(MovingLedger, ProvesARegistrationWhileOthersRegister) {
    const TreeHead before = newest().head;
    move_on(before.size + 1);
    const auto [registration, reply] = register_one(before.size);
    ASSERT_TRUE(reply.proof.has_value());
    const auto head = open_checkpoint(reply.proof->checkpoint, core->wallet(), core->keys.log.public_key());
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(head->size, before.size + 1);
    EXPECT_TRUE(verify_consistency(before, *head, reply.proof->consistency));
    EXPECT_EQ(reply.proof->index, before.size);
    EXPECT_TRUE(catalog->moved());
}

}  // namespace
}  // namespace sat
