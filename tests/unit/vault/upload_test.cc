// Steps 4 and 5: what is taken, what is refused, and that a refusal leaves nothing.
// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <csignal>
#include <thread>

#include "ledger/leaf.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "unit/vault/fixture.h"
#include "vault/upload_room.h"

namespace sat {
namespace {

using Next = VaultSession::Outcome::Next;

TEST_F(VaultTest, TakesAnArtworkOfEverySizeAroundAChunk) {
    for (const std::size_t size :
         {std::size_t{1}, kChunkPlaintext - 1, kChunkPlaintext, kChunkPlaintext + 1, 4 * kChunkPlaintext - 1,
          4 * kChunkPlaintext, 4 * kChunkPlaintext + 1, std::size_t{300000}}) {
        UploadPlan plan;
        plan.image = some_bytes(size);
        const ArtworkId artwork = upload(party("ada"), plan);
        EXPECT_EQ(fetch(party("ben"), artwork).value(), plan.image) << size;
    }
    EXPECT_EQ(vault->status().works, 8U);
    EXPECT_EQ(stored_files(), 8U * 4);
}

TEST_F(VaultTest, SignsAReceiptForTheRegistrationItsCopiesAndItsLeaf) {
    const Party& ada = party("ada");
    VaultSession connection = session(ada);
    UploadPlan plan;
    const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
    ASSERT_TRUE(send_sealed(connection, begun.artwork, plan));
    const std::string jws = sign(registration_of(ada, begun.artwork, plan), ada.sign);
    const auto reply = ask(connection, UploadCommitRequest{jws, std::nullopt}).value();
    const auto receipt = parse_and_verify<Receipt>(reply.receipt, vault->keys().chain).value();
    EXPECT_EQ(receipt.body.of, parse_statement<Registration>(jws)->id);
    EXPECT_EQ(receipt.body.status, ReceiptStatus::registered);
    EXPECT_EQ(receipt.body.copies, 2);
    EXPECT_EQ(receipt.body.leaf, work(begun.artwork).head);
    EXPECT_EQ(history(begun.artwork)->head(), receipt.body.leaf);
}

TEST_F(VaultTest, ProvesARegistrationInItsAnswerWhereItIsAskedTo) {
    const Party& ada = party("ada");
    std::vector<TreeHead> heads{{0, empty_root()}};
    for (int n = 0; n < 6; ++n) {
        VaultSession connection = session(ada);
        UploadPlan plan;
        const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
        EXPECT_TRUE(begun.proves);
        ASSERT_TRUE(send_sealed(connection, begun.artwork, plan));
        UploadCommitRequest commit{sign(registration_of(ada, begun.artwork, plan), ada.sign), std::nullopt};
        const TreeHead& from = heads[static_cast<std::size_t>(n) / 2];
        commit.prove = from.size;
        const auto reply = ask(connection, commit).value();
        const auto receipt = parse_and_verify<Receipt>(reply.receipt, vault->keys().chain).value();
        ASSERT_TRUE(reply.proof);
        const RegistrationProof& proof = *reply.proof;
        EXPECT_EQ(leaf_hash(Leaf{LeafType::registration, proof.registered_at, {commit.registration}}.encode()),
                  receipt.body.leaf);
        const TreeHead head =
            open_checkpoint(proof.checkpoint, vault->keys().wallet(), vault->keys().log.public_key()).value();
        EXPECT_TRUE(verify_inclusion(receipt.body.leaf, proof.index, head.size, proof.inclusion, head.root));
        EXPECT_TRUE(verify_consistency(from, head, proof.consistency));
        EXPECT_EQ(proof.origin.sender_port, session(ada).caller().port);
        heads.push_back(head);
        // Not again, and not from a tree that there is not.
        EXPECT_FALSE(ask(connection, commit).value().proof);
    }
    VaultSession connection = session(ada);
    UploadPlan plan;
    const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
    ASSERT_TRUE(send_sealed(connection, begun.artwork, plan));
    UploadCommitRequest commit{sign(registration_of(ada, begun.artwork, plan), ada.sign), std::nullopt};
    commit.prove = heads.back().size + 2;
    const auto reply = ask(connection, commit);
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->proof);
}

TEST_F(VaultTest, KeepsTwoEqualCopiesWithoutThePlaintext) {
    UploadPlan plan;
    plan.preview = some_bytes(1000, 2);
    const ArtworkId artwork = upload(party("ada"), plan);
    for (const auto& [one, other] : {std::pair("data/image_store", "dup/duplicate_store"),
                                     std::pair("data/metadata_store", "dup/duplicate_metadata_store")}) {
        const auto first = read_file(in_shelf(directory / one, artwork), 1 << 20);
        const auto second = read_file(in_shelf(directory / other, artwork), 1 << 20);
        ASSERT_TRUE(first && second);
        EXPECT_EQ(*first, *second);
    }
    for (const Path& path : files_below(directory.path())) {
        const Bytes bytes = read_file(path, 1 << 24).value();
        for (const Bytes& secret : {plan.image, *plan.preview})
            for (const std::size_t at : {std::size_t{0}, secret.size() / 2})
                EXPECT_EQ(as_text(bytes).find(as_text(ByteView(secret).subspan(at, 32))), std::string_view::npos)
                    << path;
    }
}

TEST_F(VaultTest, RefusesSizesThatItDoesNotTakeBeforeTheFirstByte) {
    options.max_artwork_bytes = 1000;
    open();
    EXPECT_EQ(code_of(ask_as(party("ada"), UploadBeginRequest{1001, "image/png"})), Errc::content_too_large);
    EXPECT_FALSE(code_of(ask_as(party("ada"), UploadBeginRequest{1000, "image/png"})));
    EXPECT_EQ(code_of(ask_as(party("ada"), UploadBeginRequest{0, "image/png"})), Errc::bad_request);
    EXPECT_EQ(code_of(ask_as(party("ada"), UploadBeginRequest{10, "image/bmp"})), Errc::bad_request);
}

TEST_F(VaultTest, RefusesAnUploadThatWouldTouchTheReserve) {
    options.reserve_bytes = std::uint64_t{1} << 60;
    open();
    EXPECT_EQ(code_of(ask_as(party("ada"), UploadBeginRequest{1, "image/png"})), Errc::storage_full);
    options.reserve_bytes = 0;
    open();
    EXPECT_FALSE(code_of(ask_as(party("ada"), UploadBeginRequest{1, "image/png"})));
}

TEST(UploadRoom, PromisesNoByteTwice) {
    UploadRoom room;
    const Wallet wallet = sha256(as_bytes("w"));
    {
        auto first = room.take(wallet, 7, 60, 100);
        ASSERT_TRUE(first.has_value());
        EXPECT_EQ(code_of(room.take(wallet, 7, 41, 100)), Errc::storage_full);
        EXPECT_FALSE(code_of(room.take(wallet, 7, 40, 100)));
        // 50 of them are on the disk: it has 50 left, of which 10 are promised.
        first->written(50);
        EXPECT_FALSE(code_of(room.take(wallet, 7, 40, 50)));
        EXPECT_EQ(code_of(room.take(wallet, 7, 41, 50)), Errc::storage_full);
        EXPECT_EQ(code_of(room.take(wallet, 7, 1, 5)), Errc::storage_full);
        EXPECT_EQ(room.promised(), 10U);
        EXPECT_EQ(room.bytes_of(wallet), 7U);
        EXPECT_EQ(room.bytes_of(Wallet{}), 0U);
    }
    EXPECT_EQ(room.promised(), 0U);
    EXPECT_EQ(room.bytes_of(wallet), 0U);
    EXPECT_EQ(room.running(), 0U);
    EXPECT_FALSE(code_of(room.take(wallet, 7, 100, 100)));
}

TEST_F(VaultTest, LimitsRunningUploadsOfAWalletAndInAll) {
    std::vector<VaultSession> connections;
    const UploadBeginRequest begin{10, "image/png"};
    for (std::size_t i = 0; i < kMaxUploadsPerWallet; ++i) {
        connections.push_back(session(party("ada")));
        EXPECT_FALSE(code_of(ask(connections.back(), begin)));
    }
    EXPECT_EQ(code_of(ask_as(party("ada"), begin)), Errc::busy);
    EXPECT_FALSE(code_of(ask_as(party("ben"), begin)));
    EXPECT_EQ(vault->status().uploads, kMaxUploadsPerWallet);
    // A second begin on a connection takes the first one's place.
    EXPECT_FALSE(code_of(ask(connections.back(), begin)));
    connections.clear();
    EXPECT_EQ(vault->status().uploads, 0U);

    UploadRoom room;
    std::vector<UploadRoom::Slot> slots;
    for (std::size_t i = 0; i < kMaxUploads; ++i)
        slots.push_back(std::move(room.take(sha256(as_bytes(std::to_string(i))), 1, 1, 1000)).value());
    EXPECT_EQ(code_of(room.take(Wallet{}, 1, 1, 1000)), Errc::busy);
}

// Each of these spoils one thing; the refusal leaves no file, no work, no room taken, and the connection usable.
struct Refusal {
    const char* name;
    Errc code;
    UploadPlan plan;
};

TEST_F(VaultTest, RefusesWhatDoesNotFitTogetherAndKeepsNothingOfIt) {
    const auto with_header = [](std::function<void(EnvelopeHeader&)> spoil) {
        UploadPlan plan;
        plan.header = std::move(spoil);
        return plan;
    };
    const auto with_stream = [](std::function<void(Bytes&)> spoil) {
        UploadPlan plan;
        plan.stream = std::move(spoil);
        return plan;
    };
    const auto with_registration = [](std::function<void(Registration&)> spoil) {
        UploadPlan plan;
        plan.preview = some_bytes(500);
        plan.registration = std::move(spoil);
        return plan;
    };
    const auto preview_of = [](std::function<void(Registration&)> spoil, bool sent) {
        UploadPlan plan;
        if (sent) plan.preview = some_bytes(500);
        plan.registration = std::move(spoil);
        return plan;
    };
    const std::vector<Refusal> refusals = {
        {"another artwork's header", Errc::envelope_invalid,
         with_header([](EnvelopeHeader& h) { h.artwork = ArtworkId::generate(); })},
        {"another length", Errc::envelope_invalid, with_header([](EnvelopeHeader& h) { ++h.plaintext_length; })},
        {"another recipient", Errc::envelope_invalid,
         with_header([](EnvelopeHeader& h) { h.recipient = party("ben").wallet(); })},
        {"another kid", Errc::envelope_invalid,
         with_header([](EnvelopeHeader& h) { h.kem_id = party("ben").kem.public_key().id(); })},
        {"a damaged wrap", Errc::envelope_invalid,
         with_header([](EnvelopeHeader& h) { h.wrapped[200] ^= std::byte{1}; })},
        {"a wrap beyond the modulus", Errc::envelope_invalid,
         with_header([](EnvelopeHeader& h) { h.wrapped.assign(h.wrapped.size(), std::byte{0xff}); })},
        {"another commitment", Errc::envelope_invalid,
         with_header([](EnvelopeHeader& h) { h.commitment.bytes[0] ^= std::byte{1}; })},
        {"another salt", Errc::envelope_invalid, with_header([](EnvelopeHeader& h) { h.salt[0] ^= std::byte{1}; })},
        {"a flipped byte in the first chunk", Errc::envelope_invalid,
         with_stream([](Bytes& s) { s[0] ^= std::byte{1}; })},
        {"a flipped byte in the last tag", Errc::envelope_invalid,
         with_stream([](Bytes& s) { s.back() ^= std::byte{1}; })},
        {"swapped chunks", Errc::envelope_invalid, with_stream([](Bytes& s) {
             std::swap_ranges(s.begin(), s.begin() + kChunkSealed, s.begin() + kChunkSealed);
         })},
        {"a stream without its last byte", Errc::envelope_invalid, with_stream([](Bytes& s) { s.pop_back(); })},
        {"a stream cut at a chunk", Errc::envelope_invalid, with_stream([](Bytes& s) { s.resize(2 * kChunkSealed); })},
        {"no stream at all", Errc::envelope_invalid, with_stream([](Bytes& s) { s.clear(); })},
        {"a stream with a byte more", Errc::envelope_invalid, with_stream([](Bytes& s) { s.push_back(std::byte{0}); })},
        {"another SHA-256", Errc::hash_mismatch, with_registration([](Registration& r) { r.sha256 = Digest{}; })},
        {"another number of bytes", Errc::bad_statement, with_registration([](Registration& r) { ++r.bytes; })},
        {"another media type", Errc::bad_statement,
         with_registration([](Registration& r) { r.media_type = "image/gif"; })},
        {"another artwork", Errc::bad_statement,
         with_registration([](Registration& r) { r.artwork = ArtworkId::generate(); })},
        {"another vault", Errc::bad_statement,
         with_registration([](Registration& r) { r.vault = party("ben").wallet(); })},
        {"another wallet", Errc::bad_signature,
         with_registration([](Registration& r) { r.iss = party("ben").wallet(); })},
        {"a checkpoint", Errc::checkpoint_inconsistent, with_registration([](Registration& r) {
             r.seen = TreeHead{1, Digest{}};
         })},
        {"another preview hash", Errc::hash_mismatch,
         with_registration([](Registration& r) { r.preview->sha256 = Digest{}; })},
        {"another preview size", Errc::hash_mismatch, with_registration([](Registration& r) { ++r.preview->bytes; })},
        {"a preview that is not registered", Errc::bad_statement,
         preview_of([](Registration& r) { r.preview.reset(); }, true)},
        {"a preview that was not sent", Errc::bad_statement,
         preview_of(
             [](Registration& r) {
                 r.preview = PreviewInfo{Digest{}, 1, "image/jpeg"};
             },
             false)},
    };
    for (const Refusal& refusal : refusals) {
        EXPECT_EQ(code_of(try_upload(party("ada"), refusal.plan)), refusal.code) << refusal.name;
        EXPECT_EQ(stored_files(), 0U) << refusal.name;
    }
    EXPECT_EQ(vault->status().works, 0U);
    EXPECT_EQ(vault->status().ledger.size, 0U);
    EXPECT_EQ(vault->status().uploads, 0U);
    upload(party("ada"));
}

TEST_F(VaultTest, RefusesARegistrationThatSomebodyElseSigned) {
    const Party& ada = party("ada");
    VaultSession connection = session(ada);
    UploadPlan plan;
    const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
    ASSERT_TRUE(send_sealed(connection, begun.artwork, plan));
    const std::string jws = sign(registration_of(ada, begun.artwork, plan), party("ben").sign);
    EXPECT_EQ(code_of(ask(connection, UploadCommitRequest{jws, std::nullopt})), Errc::bad_signature);
    EXPECT_EQ(stored_files(), 0U);
    // The upload is gone with it.
    const std::string good = sign(registration_of(ada, begun.artwork, plan), ada.sign);
    EXPECT_EQ(code_of(ask(connection, UploadCommitRequest{good, std::nullopt})), Errc::state);
}

TEST_F(VaultTest, RefusesStepsOutOfTheirOrder) {
    const Party& ada = party("ada");
    UploadPlan plan;
    VaultSession connection = session(ada);
    const auto header = [&](const ArtworkId& artwork) {
        return Sealer::create(artwork, plan.image.size(), vault->keys().wallet(), vault->keys().kem.public_key(),
                              Purpose::transit)
            .header();
    };
    EXPECT_EQ(connection.handle(UploadDataRequest{header(ArtworkId::generate()).encode()}).next, Next::discard);
    EXPECT_EQ(code_of(connection.receive(as_bytes("x"))), Errc::state);
    const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
    const std::string jws = sign(registration_of(ada, begun.artwork, plan), ada.sign);
    EXPECT_EQ(code_of(ask(connection, UploadCommitRequest{jws, std::nullopt})), Errc::state);
    EXPECT_EQ(code_of(send_sealed(connection, begun.artwork, plan)), Errc::state);

    // Data twice.
    const auto again = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
    ASSERT_TRUE(send_sealed(connection, again.artwork, plan));
    EXPECT_EQ(code_of(send_sealed(connection, again.artwork, plan)), Errc::state);
    EXPECT_EQ(stored_files(), 0U);
}

TEST_F(VaultTest, RefusesATotalThatDoesNotCountWhatCame) {
    VaultSession connection = session(party("ada"));
    UploadPlan plan;
    const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
    Sealer sealer = Sealer::create(begun.artwork, plan.image.size(), vault->keys().wallet(),
                                   vault->keys().kem.public_key(), Purpose::transit);
    Bytes stream;
    ASSERT_TRUE(sealer.seal(plan.image, stream));
    ASSERT_TRUE(sealer.finish(stream));
    EXPECT_EQ(code_of(send(connection, sealer.header(), stream, stream.size() - 1)), Errc::envelope_invalid);
    EXPECT_EQ(stored_files(), 0U);
}

TEST_F(VaultTest, TakesDataInPiecesOfAnySize) {
    VaultSession connection = session(party("ada"));
    UploadPlan plan;
    plan.image = some_bytes(50000);
    const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
    Sealer sealer = Sealer::create(begun.artwork, plan.image.size(), vault->keys().wallet(),
                                   vault->keys().kem.public_key(), Purpose::transit);
    Bytes stream;
    ASSERT_TRUE(sealer.seal(plan.image, stream));
    ASSERT_TRUE(sealer.finish(stream));
    ASSERT_EQ(connection.handle(UploadDataRequest{sealer.header().encode()}).next, Next::receive);
    std::size_t piece = 1;
    for (std::size_t at = 0; at < stream.size(); piece = piece * 3 % 20011) {
        const std::size_t size = std::min(piece, stream.size() - at);
        ASSERT_TRUE(connection.receive(ByteView(stream).subspan(at, size)));
        at += size;
    }
    const auto reply = parse_reply<UploadDataRequest>(encode_response(connection.end_receive(stream.size())));
    EXPECT_EQ(reply->sha256, sha256(plan.image));
}

TEST_F(VaultTest, DropsWhatWasReceivedWhenTheConnectionEnds) {
    {
        VaultSession connection = session(party("ada"));
        UploadPlan plan;
        const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
        ASSERT_TRUE(send_sealed(connection, begun.artwork, plan));
        EXPECT_EQ(stored_files(), 2U);
        EXPECT_EQ(vault->status().uploads, 1U);
    }
    EXPECT_EQ(stored_files(), 0U);
    EXPECT_EQ(vault->status().uploads, 0U);
}

// What an upload that does not get on holds is somebody else's when its time is over, not a second before.
TEST_F(VaultTest, GivesTheRoomOfAnUploadThatDoesNotGetOnToOthers) {
    const Party& ada = party("ada");
    const UploadBeginRequest begin{10, "image/png"};
    std::vector<VaultSession> idle;
    for (std::size_t i = 0; i < kMaxUploadsPerWallet; ++i) {
        idle.push_back(session(ada));
        ASSERT_TRUE(ask(idle.back(), begin));
    }
    now = kStart + 60;
    EXPECT_EQ(vault->expire_due().next, kStart + 60);
    EXPECT_EQ(code_of(ask_as(ada, begin)), Errc::busy);
    now = kStart + 61;
    EXPECT_FALSE(code_of(ask_as(ada, begin)));
    EXPECT_EQ(vault->status().uploads, 0U);
    EXPECT_EQ(code_of(send_sealed(idle[0], ArtworkId::generate(), {})), Errc::state);
    EXPECT_EQ(vault->expire_due().next, std::nullopt);
    EXPECT_FALSE(code_of(ask(idle[0], begin)));
}

TEST_F(VaultTest, DropsAnUploadThatIsSlowerThanThePace) {
    for (const bool swept : {false, true}) {
        VaultSession connection = session(party("ada"));
        const std::size_t size = 300000;
        const auto begun = ask(connection, UploadBeginRequest{size, "image/png"}).value();
        Sealer sealer = Sealer::create(begun.artwork, size, vault->keys().wallet(), vault->keys().kem.public_key(),
                                       Purpose::transit);
        Bytes stream;
        ASSERT_TRUE(sealer.seal(some_bytes(size), stream));
        ASSERT_TRUE(sealer.finish(stream));
        ASSERT_EQ(connection.handle(UploadDataRequest{sealer.header().encode()}).next, Next::receive);
        std::size_t at = 0;
        const auto step = [&](std::size_t bytes, UnixTime later) {
            now += later;
            const auto received = connection.receive(ByteView(stream).subspan(at, bytes));
            at += bytes;
            return code_of(received);
        };
        EXPECT_FALSE(step(65536, 60));
        EXPECT_FALSE(step(65536, 60));
        EXPECT_FALSE(step(65535, 0));  // one byte less than puts it off
        EXPECT_EQ(stored_files(), 2U);
        if (swept) {
            now += 61;
            EXPECT_EQ(vault->expire_due().next, std::nullopt);
            EXPECT_EQ(stored_files(), 0U);
            EXPECT_EQ(vault->status().uploads, 0U);
            EXPECT_EQ(step(1, 0), Errc::state);
        } else {
            EXPECT_EQ(step(1, 61), Errc::state);
        }
        EXPECT_EQ(code_of(connection.receive(as_bytes("x"))), Errc::state);
        EXPECT_EQ(stored_files(), 0U);
        EXPECT_EQ(vault->status().uploads, 0U);
    }
}

TEST_F(VaultTest, DropsAnUploadThatIsNotCommitted) {
    const Party& ada = party("ada");
    const UploadPlan plan;
    for (const UnixTime wait : {300, 301}) {
        VaultSession connection = session(ada);
        const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
        ASSERT_TRUE(send_sealed(connection, begun.artwork, plan));
        now += wait;
        const UploadCommitRequest commit{sign(registration_of(ada, begun.artwork, plan), ada.sign), std::nullopt};
        EXPECT_EQ(code_of(ask(connection, commit)), wait == 300 ? std::nullopt : std::optional(Errc::state));
        EXPECT_EQ(vault->status().uploads, 0U);
    }
    EXPECT_EQ(stored_files(), 4U);
}

TEST_F(VaultTest, AnswersARepeatedCommitWithTheSameReceipt) {
    const Party& ada = party("ada");
    UploadPlan plan;
    UploadCommitRequest commit;
    std::string receipt;
    {
        VaultSession connection = session(ada);
        const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
        ASSERT_TRUE(send_sealed(connection, begun.artwork, plan));
        commit.registration = sign(registration_of(ada, begun.artwork, plan), ada.sign);
        receipt = ask(connection, commit)->receipt;
        EXPECT_EQ(ask(connection, commit)->receipt, receipt);
    }
    EXPECT_EQ(ask_as(ada, commit)->receipt, receipt);
    open();
    EXPECT_EQ(ask_as(ada, commit)->receipt, receipt);
    EXPECT_EQ(code_of(ask_as(party("ben"), commit)), Errc::bad_signature);
    EXPECT_EQ(vault->status().works, 1U);
    EXPECT_EQ(vault->status().ledger.size, 1U);
}

// The connection was cut while the vault was at work on the commit; the repeat on the next one must not hear that the
// work does not exist.
TEST_F(VaultTest, LetsARepeatedCommitWaitForTheFirst) {
    const Party& ada = party("ada");
    UploadPlan plan;
    for (int round = 0; round < 5; ++round) {
        VaultSession connection = session(ada);
        const auto begun = ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}).value();
        ASSERT_TRUE(send_sealed(connection, begun.artwork, plan));
        const UploadCommitRequest commit{sign(registration_of(ada, begun.artwork, plan), ada.sign), std::nullopt};
        std::vector<std::optional<Errc>> codes(4);
        std::vector<std::thread> repeats;
        std::optional<Errc> first;
        std::thread worker([&] { first = code_of(ask(connection, commit)); });
        // Once its metadata has its name, the first is between the files and the transaction, or past it.
        while (files_below(directory / "data/metadata_store").size() <= static_cast<std::size_t>(round))
            std::this_thread::yield();
        for (auto& code : codes) repeats.emplace_back([&] { code = code_of(ask_as(ada, commit)); });
        worker.join();
        for (std::thread& repeat : repeats) repeat.join();
        EXPECT_FALSE(first);
        for (const auto& code : codes) EXPECT_FALSE(code);
    }
    EXPECT_EQ(vault->status().works, 5U);
}

// A recorded secret of somebody else's session must not come back to the attacker as an artwork's key.
TEST_F(VaultTest, RefusesWrapsThatWereMadeForAnotherPurpose) {
    const Party& eve = party("ben");
    const KemPublicKey& kem = vault->keys().kem.public_key();
    const Wallet& wallet = vault->keys().wallet();
    const SecretBytes secret = random_secret(32);
    EnvelopeSalt salt{};
    random_fill(salt);

    // The attacker is given more than he can have: the secret itself, and so the right commitment.
    const auto attempt = [&](const std::function<void(EnvelopeHeader&)>& make_wrap) {
        VaultSession connection = session(eve);
        const auto begun = ask(connection, UploadBeginRequest{100, "image/png"}).value();
        EnvelopeHeader header;
        header.artwork = begun.artwork;
        header.plaintext_length = 100;
        header.recipient = wallet;
        header.kem_id = kem.id();
        header.salt = salt;
        header.commitment = Cobblestone::derive(secret, salt, header.context())->commitment();
        make_wrap(header);
        return send(connection, header, {});
    };
    // ct_v of a recorded CLIENT_HELLO.
    const Encapsulated hello = encapsulate_with(kem, label("SAT/1 kem c2v", wallet.view()), secret);
    EXPECT_EQ(code_of(attempt([&](EnvelopeHeader& h) { h.wrapped = hello.ciphertext; })), Errc::envelope_invalid);
    // The key of somebody's upload, under another ID.
    EXPECT_EQ(code_of(attempt([&](EnvelopeHeader& h) {
                  EnvelopeHeader other = h;
                  other.artwork = ArtworkId::generate();
                  h.wrapped = kem.wrap(secret, other.wrap_label(Purpose::transit));
              })),
              Errc::envelope_invalid);
    // A wrap for the store, and one for another recipient.
    EXPECT_EQ(code_of(attempt([&](EnvelopeHeader& h) { h.wrapped = kem.wrap(secret, h.wrap_label(Purpose::store)); })),
              Errc::envelope_invalid);
    EXPECT_EQ(code_of(attempt([&](EnvelopeHeader& h) {
                  EnvelopeHeader other = h;
                  other.recipient = eve.wallet();
                  h.wrapped = kem.wrap(secret, other.wrap_label(Purpose::transit));
              })),
              Errc::envelope_invalid);
    // What lies on the vault's own disk, wrapped to `store`, sent to be opened with it.
    const ArtworkId stored = upload(party("ada"));
    const Bytes blob = read_file(in_shelf(directory / "data/image_store", stored), 1 << 20).value();
    const auto on_disk = EnvelopeHeader::parse(ByteView(blob).first(EnvelopeHeader::size_from_prefix(blob).value()));
    EXPECT_EQ(on_disk->kem_id, vault->keys().store.public_key().id());
    for (const bool renamed : {false, true})
        EXPECT_EQ(code_of(attempt([&](EnvelopeHeader& h) {
                      h.wrapped = on_disk->wrapped;
                      if (renamed) h.kem_id = on_disk->kem_id;
                  })),
                  Errc::envelope_invalid);
    // The same, made as it should be, is taken: it is the labels that refuse the others.
    EXPECT_NE(
        code_of(attempt([&](EnvelopeHeader& h) { h.wrapped = kem.wrap(secret, h.wrap_label(Purpose::transit)); })),
        std::nullopt);  // no data were sent
    VaultSession connection = session(eve);
    const auto begun = ask(connection, UploadBeginRequest{100, "image/png"}).value();
    Sealer sealer = Sealer::create_with(begun.artwork, 100, wallet, kem, Purpose::transit, secret, salt);
    Bytes stream;
    ASSERT_TRUE(sealer.seal(some_bytes(100), stream));
    ASSERT_TRUE(sealer.finish(stream));
    EXPECT_FALSE(code_of(send(connection, sealer.header(), stream)));
}

TEST_F(VaultTest, LeavesNothingWhenTheDiskFailsInTheMiddle) {
    upload(party("ada"));
    struct rlimit before {};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = before;
    small.rlim_cur = 2 << 20;  // the catalogue's files fit, the image does not
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    UploadPlan plan;
    plan.image = some_bytes(3 << 20);
    EXPECT_EQ(code_of(try_upload(party("ada"), plan)), Errc::internal);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(stored_files(), 4U);
    EXPECT_EQ(fetch(party("ben"), upload(party("ada"), plan)).value(), plan.image);
}

}  // namespace
}  // namespace sat
