// Steps 6 to 8: looking, searching, fetching.
// SPDX-License-Identifier: Apache-2.0
#include "unit/vault/fixture.h"

namespace sat {
namespace {

using Strings = std::vector<std::string>;

class BrowseTest : public VaultTest {
protected:
    Strings titles(const WorkPage& page) {
        Strings out;
        for (const WorkItem& item : page.items)
            out.push_back(parse_statement<Registration>(item.registration)->body.title);
        return out;
    }
    Strings find(const ArtworkListRequest& request) {
        const auto page = ask_as(party("ben"), request);
        EXPECT_TRUE(page.has_value());
        return page ? titles(*page) : Strings{};
    }
    Strings find_text(const std::string& text) {
        ArtworkListRequest request;
        request.text = text;
        return find(request);
    }
};

TEST_F(BrowseTest, ListsNewestFirstInPagesWithoutGapOrRepeat) {
    EXPECT_TRUE(find({}).empty());
    Strings wanted;
    for (int i = 0; i < 7; ++i) {
        upload_titled(party("ada"), "T" + std::to_string(i));
        wanted.insert(wanted.begin(), "T" + std::to_string(i));
    }
    for (const int limit : {1, 3, 6, 7, 8}) {
        ArtworkListRequest request;
        request.limit = limit;
        Strings seen;
        for (;;) {
            const auto page = ask_as(party("ben"), request);
            ASSERT_TRUE(page.has_value());
            EXPECT_LE(page->items.size(), static_cast<std::size_t>(limit));
            EXPECT_FALSE(page->items.empty());
            for (const std::string& title : titles(*page)) seen.push_back(title);
            if (!page->next_cursor) break;
            EXPECT_LE(page->next_cursor->size(), kMaxCursor);
            request.cursor = page->next_cursor;
        }
        EXPECT_EQ(seen, wanted) << limit;
    }
}

TEST_F(BrowseTest, EndsAPageBeforeItsMessageWouldBeTooLarge) {
    UploadPlan plan;
    plan.image = some_bytes(10);
    plan.registration = [](Registration& body) {
        for (std::size_t i = 0; i < kMaxDescription; ++i) body.description += "\xf0\x9f\x8e\xa8";  // 4 bytes each
    };
    for (int i = 0; i < 45; ++i) upload(party("ada"), plan);
    ArtworkListRequest request;
    std::size_t seen = 0;
    std::size_t pages = 0;
    for (;;) {
        VaultSession connection = session(party("ben"));
        const auto outcome = connection.handle(request);
        EXPECT_LE(encode_response(outcome.response).size(), kMaxPage + 100);
        const auto page = parse_reply<ArtworkListRequest>(encode_response(outcome.response));
        ASSERT_TRUE(page.has_value());
        seen += page->items.size();
        ++pages;
        if (!page->next_cursor) break;
        request.cursor = page->next_cursor;
    }
    EXPECT_EQ(seen, 45U);
    EXPECT_EQ(pages, 2U);
}

TEST_F(BrowseTest, SearchesWordsArtistsAndOwnersTogether) {
    upload_titled(party("ada"), "Blue Heron at Dusk", "Ada  Lovelace");
    upload_titled(party("ben"), "Heron", "ADA LOVELACE");
    upload_titled(party("ada"), "Straße", "Ben");
    EXPECT_EQ(find_text("HERON"), (Strings{"Heron", "Blue Heron at Dusk"}));
    EXPECT_EQ(find_text("dusk blue"), (Strings{"Blue Heron at Dusk"}));
    EXPECT_EQ(find_text("lovelace dusk"), (Strings{"Blue Heron at Dusk"}));
    EXPECT_EQ(find_text("strasse"), (Strings{"Straße"}));
    EXPECT_EQ(find_text("ＨＥＲＯＮ"), (Strings{"Heron", "Blue Heron at Dusk"}));  // full width
    EXPECT_TRUE(find_text("hero").empty());
    ArtworkListRequest request;
    request.artist = "ada lovelace";
    EXPECT_EQ(find(request).size(), 2U);
    request.owner = party("ben").wallet();
    EXPECT_EQ(find(request), (Strings{"Heron"}));
    request.text = "dusk";
    EXPECT_TRUE(find(request).empty());
    request = {};
    request.artist = "Lovelace";
    EXPECT_TRUE(find(request).empty());
}

TEST_F(BrowseTest, RefusesACursorOfAnotherList) {
    const ArtworkId artwork = upload_titled(party("ada"), "T");
    upload_titled(party("ada"), "U");
    ArtworkListRequest request;
    request.limit = 1;
    const auto page = ask_as(party("ben"), request).value();
    for (const std::string& cursor : {std::string(""), std::string("x"), std::string(64, 'A'),
                                      std::string("AgAAAAAAAAAB"), std::string("AYAAAAAAAAAA")}) {
        request.cursor = cursor;
        EXPECT_EQ(code_of(ask_as(party("ben"), request)), Errc::bad_request) << cursor;
    }
    EXPECT_EQ(code_of(ask_as(party("ben"), ClaimMineRequest{artwork, page.next_cursor})), Errc::bad_request);
    EXPECT_EQ(code_of(ask_as(party("ben"), ClaimInboxRequest{page.next_cursor})), Errc::bad_request);
}

TEST_F(BrowseTest, TellsTheOriginToThePresentOwnerAlone) {
    const ArtworkId artwork = upload(party("ada"));
    EXPECT_EQ(ask_as(party("ada"), ArtworkGetRequest{artwork})->origin, (Origin{"192.0.2.7", 4711}));
    EXPECT_FALSE(ask_as(party("ben"), ArtworkGetRequest{artwork})->origin);
    EXPECT_FALSE(ask_as(party("ben"), ArtworkListRequest{})->items[0].origin);
    hand_over(party("ada"), party("ben"), artwork);
    EXPECT_FALSE(ask_as(party("ada"), ArtworkGetRequest{artwork})->origin);
    EXPECT_TRUE(ask_as(party("ben"), ArtworkGetRequest{artwork})->origin);
}

TEST_F(BrowseTest, SaysNotFoundForAWorkThatIsNotThere) {
    const ArtworkId nothing = ArtworkId::generate();
    EXPECT_EQ(code_of(ask_as(party("ben"), ArtworkGetRequest{nothing})), Errc::not_found);
    EXPECT_EQ(code_of(ask_as(party("ben"), ArtworkPreviewRequest{nothing})), Errc::not_found);
    EXPECT_EQ(code_of(ask_as(party("ben"), ArtworkHistoryRequest{nothing, 0})), Errc::not_found);
    EXPECT_EQ(code_of(ask_as(party("ben"), ArtworkFetchRequest{nothing, 0})), Errc::not_found);
}

TEST_F(BrowseTest, ShowsThePreviewToEverybody) {
    UploadPlan plan;
    plan.preview = some_bytes(kMaxPreviewSize);
    const ArtworkId with = upload(party("ada"), plan);
    const ArtworkId without = upload(party("ada"));
    EXPECT_EQ(ask_as(party("ben"), ArtworkPreviewRequest{with})->preview, plan.preview);
    EXPECT_FALSE(ask_as(party("ben"), ArtworkPreviewRequest{without})->preview);
}

TEST_F(BrowseTest, KeepsAnImageFromAllButItsOwnerWhereThePreviewAloneIsReleased) {
    UploadPlan plan;
    plan.registration = [](Registration& body) { body.release = ReleasePolicy::preview; };
    const ArtworkId artwork = upload(party("ada"), plan);
    EXPECT_EQ(code_of(fetch(party("ben"), artwork)), Errc::forbidden);
    EXPECT_EQ(fetch(party("ada"), artwork).value(), plan.image);
    hand_over(party("ada"), party("ben"), artwork);
    EXPECT_EQ(fetch(party("ben"), artwork).value(), plan.image);
    EXPECT_EQ(code_of(fetch(party("ada"), artwork)), Errc::forbidden);
}

TEST_F(BrowseTest, TransmitsFromAnyChunkOn) {
    UploadPlan plan;
    plan.image = some_bytes(5 * kChunkPlaintext);
    const ArtworkId artwork = upload(party("ada"), plan);
    const std::uint64_t whole = sealed_size(plan.image.size());
    for (const std::uint64_t chunk : {0U, 1U, 4U, 5U}) {
        VaultSession connection = session(party("ben"));
        const auto outcome = connection.handle(ArtworkFetchRequest{artwork, chunk * kChunkSealed});
        ASSERT_TRUE(outcome.response.has_value());
        EXPECT_EQ(outcome.bulk_size, whole - chunk * kChunkSealed);
        Bytes out(whole);
        EXPECT_EQ(connection.read(out).value(), outcome.bulk_size);
        EXPECT_EQ(connection.read(out).value(), 0U);
    }
    EXPECT_EQ(code_of(ask_as(party("ben"), ArtworkFetchRequest{artwork, 1})), Errc::bad_request);
    EXPECT_EQ(code_of(ask_as(party("ben"), ArtworkFetchRequest{artwork, 6 * kChunkSealed})), Errc::bad_request);
}

TEST_F(BrowseTest, AHoldEndsTheTransmissionsOfItsWorkAlone) {
    UploadPlan plan;
    plan.image = some_bytes(5 * kChunkPlaintext);
    const ArtworkId artwork = upload(party("ada"), plan);
    const ArtworkId other = upload(party("ada"), plan);
    VaultSession connection = session(party("ben"));
    VaultSession beside = session(party("ben"));
    ASSERT_EQ(connection.handle(ArtworkFetchRequest{artwork, 0}).next, VaultSession::Outcome::Next::transmit);
    ASSERT_EQ(beside.handle(ArtworkFetchRequest{other, 0}).next, VaultSession::Outcome::Next::transmit);
    Bytes out(1000);
    ASSERT_EQ(connection.read(out).value(), out.size());
    ASSERT_EQ(beside.read(out).value(), out.size());
    ASSERT_TRUE(vault->hold(artwork, "a dispute"));
    EXPECT_EQ(code_of(connection.read(out)), Errc::held) << "what was read ahead stays here too";
    EXPECT_EQ(beside.read(out).value(), out.size());
    ASSERT_TRUE(vault->release(artwork, "it is over"));
    ASSERT_EQ(connection.handle(ArtworkFetchRequest{artwork, 0}).next, VaultSession::Outcome::Next::transmit);
    EXPECT_EQ(connection.read(out).value(), out.size());
    EXPECT_EQ(beside.read(out).value(), out.size());
}

TEST_F(BrowseTest, ServesNoDamagedBlob) {
    const ArtworkId artwork = upload(party("ada"));
    const Path path = in_shelf(directory / "data/image_store", artwork);
    const Bytes good = read_file(path, 1 << 20).value();
    // In both copies: one that is good would be served.
    const auto put = [&](ByteView bytes) {
        for (const Path& file : {path, in_shelf(directory / "dup/duplicate_store", artwork)})
            ASSERT_TRUE(write_file_atomically(file, bytes, AtomicFile::Existing::replace, 0600));
    };
    for (const std::size_t at : {0U, 10U, 30U, 100U, 500U, 530U}) {
        Bytes bad = good;
        bad[at] ^= std::byte{1};
        put(bad);
        EXPECT_EQ(code_of(fetch(party("ben"), artwork)), Errc::internal) << at;
    }
    put(ByteView(good).first(good.size() - 1));
    EXPECT_EQ(code_of(fetch(party("ben"), artwork)), Errc::internal);
    put(good);
    EXPECT_FALSE(code_of(fetch(party("ben"), artwork)));
}

TEST_F(BrowseTest, GivesTheIdentitiesOfThoseItKnows) {
    ASSERT_TRUE(vault->admit(party("ada").caller()));
    const IdentityGetRequest request{{party("ben").wallet(), party("ada").wallet(), vault->keys().wallet()}};
    for (int i = 0; i < 2; ++i) {
        const auto reply = ask_as(party("ben"), request).value();
        ASSERT_EQ(reply.identities.size(), 3U);
        EXPECT_FALSE(reply.identities[0]);
        EXPECT_EQ(reply.identities[1], party("ada").chain.texts());
        EXPECT_EQ(reply.identities[2], vault->keys().chain.texts());
        open();
    }
}

TEST_F(BrowseTest, AdmitsAChainThatGoesOnAndNoneThatFallsBack) {
    const Party& ada = party("ada");
    IdentityDocument next = ada.chain.documents()[0];
    next.sign = party("ben").sign.public_key();
    next.seq = 1;
    next.prev = ada.chain.newest_id();
    const std::vector<std::string> documents{ada.chain.texts()[0], sign_identity(next, ada.sign)};
    const IdentityChain longer = IdentityChain::from_documents(documents).value();
    next.sign = party("cyd").sign.public_key();
    const std::vector<std::string> forked{ada.chain.texts()[0], sign_identity(next, ada.sign)};
    const IdentityChain fork = IdentityChain::from_documents(forked).value();

    Caller caller = ada.caller();
    EXPECT_TRUE(vault->admit(caller));
    EXPECT_TRUE(vault->admit(caller));
    caller.chain = std::make_shared<const IdentityChain>(longer);
    EXPECT_TRUE(vault->admit(caller));
    EXPECT_TRUE(vault->admit(caller));
    EXPECT_EQ(code_of(vault->admit(ada.caller())), Errc::key_policy);
    caller.chain = std::make_shared<const IdentityChain>(fork);
    EXPECT_EQ(code_of(vault->admit(caller)), Errc::key_policy);
    open();
    EXPECT_EQ(code_of(vault->admit(ada.caller())), Errc::key_policy);
    caller.chain = std::make_shared<const IdentityChain>(longer);
    EXPECT_TRUE(vault->admit(caller));
    EXPECT_EQ(ask_as(party("ben"), IdentityGetRequest{{ada.wallet()}})->identities[0], documents);
}

TEST_F(BrowseTest, AsksForTheCheckOfEachNewKeyOnce) {
    const Party& ada = party("ada");
    // Four documents of the same two keys.
    std::vector<std::string> texts = ada.chain.texts();
    IdentityDocument next = ada.chain.documents()[0];
    for (std::uint32_t seq = 1; seq < 4; ++seq) {
        next.seq = seq;
        next.prev = IdentityChain::from_documents(texts).value().newest_id();
        texts.push_back(sign_identity(next, ada.sign));
    }
    Caller caller = ada.caller();
    caller.chain = std::make_shared<const IdentityChain>(IdentityChain::from_documents(texts).value());
    EXPECT_EQ(vault->key_checks(caller).value().size(), 2U);

    EXPECT_EQ(vault->key_checks(ada.caller()).value().size(), 2U);
    ASSERT_TRUE(vault->admit(ada.caller()));
    EXPECT_TRUE(vault->key_checks(ada.caller()).value().empty());
    EXPECT_TRUE(vault->key_checks(caller).value().empty()) << "keys that were checked before";
    next = ada.chain.documents()[0];
    next.seq = 1;
    next.prev = ada.chain.newest_id();
    next.sign = party("ben").sign.public_key();
    texts = {ada.chain.texts()[0], sign_identity(next, ada.sign)};
    caller.chain = std::make_shared<const IdentityChain>(IdentityChain::from_documents(texts).value());
    const auto checks = vault->key_checks(caller);
    ASSERT_TRUE(checks.has_value());
    ASSERT_EQ(checks->size(), 1U) << "the kem key stays";
    EXPECT_TRUE(checks->front()());
    ASSERT_TRUE(vault->admit(caller));
    EXPECT_EQ(code_of(vault->key_checks(ada.caller())), Errc::key_policy);
}

TEST_F(BrowseTest, NobodyNewComesInWhereTheDiskIsDownToItsReserve) {
    ASSERT_TRUE(vault->admit(party("ada").caller()));
    options.reserve_bytes = std::numeric_limits<std::uint64_t>::max();
    open();
    EXPECT_EQ(code_of(vault->key_checks(party("ben").caller())), Errc::storage_full);
    EXPECT_FALSE(code_of(vault->key_checks(party("ada").caller())));
    // A newer key is no newcomer.
    IdentityDocument next = party("ada").chain.documents()[0];
    next.seq = 1;
    next.prev = party("ada").chain.newest_id();
    const std::vector<std::string> texts{party("ada").chain.texts()[0], sign_identity(next, party("ada").sign)};
    Caller caller = party("ada").caller();
    caller.chain = std::make_shared<const IdentityChain>(IdentityChain::from_documents(texts).value());
    EXPECT_FALSE(code_of(vault->key_checks(caller)));
}

}  // namespace
}  // namespace sat
