// A vault in a temporary directory with a clock that the test sets, and people who upload, claim, answer and accept:
// the language of the vault's tests.  Every answer goes through its JSON, so that a test sees what a peer would.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "envelope/envelope.h"
#include "ledger/history.h"
#include "support/keys.h"
#include "support/temporary.h"
#include "vault/vault.h"

namespace sat {

inline constexpr UnixTime kStart = 1790000000;

struct Party {
    const SigningKey& sign;
    const KemPrivateKey& kem;
    IdentityChain chain;

    const Wallet& wallet() const { return chain.wallet(); }
    Caller caller() const { return {wallet(), std::make_shared<const IdentityChain>(chain), "192.0.2.7", 4711}; }
};

inline const Party& party(const std::string& name) {
    static std::map<std::string, Party> parties;
    auto found = parties.find(name);
    if (found == parties.end()) {
        const SigningKey& sign = test_signing_key(name);
        const KemPrivateKey& kem = test_kem_key(name);
        found =
            parties
                .emplace(name, Party{sign, kem,
                                     make_identity(IdentityKind::user, sign, kem.public_key(), std::nullopt, kStart)})
                .first;
    }
    return found->second;
}

inline VaultKeys test_vault_keys(const std::string& name = "vault") {
    const SigningKey& sign = test_signing_key(name);
    const KemPrivateKey& kem = test_kem_key(name);
    const LogKey& log = test_log_key(name);
    return {sign, kem, test_kem_key(name + "-store"), log,
            make_identity(IdentityKind::vault, sign, kem.public_key(), log.public_key(), kStart)};
}

// An error's code, or nothing; for EXPECT_EQ.
template <typename T>
std::optional<Errc> code_of(const Result<T>& result) {
    if (result) return std::nullopt;
    return result.error().code;
}

// Bytes without a pattern, the same for the same seed.
inline Bytes some_bytes(std::size_t size, std::uint64_t seed = 1) {
    Bytes out(size);
    std::uint64_t state = seed * 0x9e3779b97f4a7c15U + 1;
    for (std::byte& byte : out) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        byte = static_cast<std::byte>(state >> 56);
    }
    return out;
}

// Sends a request that has no bulk, and reads the answer as its sender would.
template <typename R>
Result<typename R::Reply> ask(VaultSession& session, const R& request) {
    const auto parsed = parse_request(encode_request(request));
    if (!parsed) return fail(parsed.error());
    const auto outcome = session.handle(*parsed);
    if (outcome.next != VaultSession::Outcome::Next::work) return parse_reply<R>(encode_response(outcome.response));
    std::optional<Response> response;
    while (!response) response = session.go_on();
    return parse_reply<R>(encode_response(*response));
}

// What an upload needs and a test may spoil.
struct UploadPlan {
    Bytes image = some_bytes(70000);
    std::optional<Bytes> preview;
    std::string media_type = "image/png";
    std::function<void(Registration&)> registration;  // changes it before it is signed
    std::function<void(EnvelopeHeader&)> header;
    std::function<void(Bytes&)> stream;
};

class VaultTest : public ::testing::Test {
protected:
    void SetUp() override {
        options.data = directory / "data";
        options.duplicate = directory / "dup";
        open();
    }
    void TearDown() override { vault.reset(); }

    Result<std::unique_ptr<Vault>> try_open() {
        return Vault::open(options, test_vault_keys(), [this] { return now.load(); });
    }

    // Opens it, or closes and opens it again.
    void open() {
        vault.reset();
        auto opened = try_open();
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        vault = std::move(*opened);
        vault->set_notify([this](const Wallet& to, const Event& event) {
            const std::lock_guard lock(events_mutex);
            events.push_back({to, event});
        });
    }

    VaultSession session(const Party& who) { return {*vault, who.caller()}; }

    template <typename R>
    Result<typename R::Reply> ask_as(const Party& who, const R& request) {
        VaultSession connection = session(who);
        return ask(connection, request);
    }

    // --- Uploads ---

    template <SignedByPerson T>
    T said_by(const Party& who) const {
        return make_statement<T>(who.wallet(), vault->keys().wallet(), now);
    }

    Registration registration_of(const Party& artist, const ArtworkId& artwork, const UploadPlan& plan) const {
        auto body = said_by<Registration>(artist);
        body.artwork = artwork;
        body.title = "Boats";
        body.file_path = "boats.png";
        body.media_type = plan.media_type;
        body.bytes = plan.image.size();
        body.width = 200;
        body.height = 100;
        body.sha256 = sha256(plan.image);
        if (plan.preview) body.preview = PreviewInfo{sha256(*plan.preview), plan.preview->size(), "image/jpeg"};
        if (plan.registration) plan.registration(body);
        return body;
    }

    // upload.data from header to DATA_END.
    Result<UploadDataReply> send(VaultSession& connection, const EnvelopeHeader& header, ByteView stream,
                                 std::optional<std::uint64_t> total = std::nullopt) {
        const auto outcome = connection.handle(UploadDataRequest{header.encode()});
        if (outcome.next != VaultSession::Outcome::Next::receive) {
            EXPECT_EQ(outcome.next, VaultSession::Outcome::Next::discard);
            return parse_reply<UploadDataRequest>(encode_response(outcome.response));
        }
        for (std::size_t at = 0; at < stream.size(); at += kDataBody) {
            const auto received = connection.receive(stream.subspan(at, std::min(kDataBody, stream.size() - at)));
            if (!received) return fail(response_code(received.error().code), received.error().message);
        }
        return parse_reply<UploadDataRequest>(encode_response(connection.end_receive(total.value_or(stream.size()))));
    }

    Result<UploadDataReply> send_sealed(VaultSession& connection, const ArtworkId& artwork, const UploadPlan& plan) {
        Sealer sealer = Sealer::create(artwork, plan.image.size(), vault->keys().wallet(),
                                       vault->keys().kem.public_key(), Purpose::transit);
        Bytes stream;
        EXPECT_TRUE(sealer.seal(plan.image, stream));
        EXPECT_TRUE(sealer.finish(stream));
        EnvelopeHeader header = sealer.header();
        if (plan.header) plan.header(header);
        if (plan.stream) plan.stream(stream);
        return send(connection, header, stream);
    }

    // All of steps 4 and 5; the artwork.
    Result<ArtworkId> try_upload(const Party& artist, const UploadPlan& plan = {}) {
        VaultSession connection = session(artist);
        SAT_TRY_VALUE(const auto begun, ask(connection, UploadBeginRequest{plan.image.size(), plan.media_type}));
        SAT_TRY_VALUE(const auto sent, send_sealed(connection, begun.artwork, plan));
        EXPECT_EQ(sent.sha256, sha256(plan.image));
        const Registration body = registration_of(artist, begun.artwork, plan);
        SAT_TRY_VALUE(const auto committed,
                      ask(connection, UploadCommitRequest{sign(body, artist.sign), plan.preview}));
        SAT_TRY(parse_and_verify<Receipt>(committed.receipt, vault->keys().chain));
        return body.artwork;
    }

    ArtworkId upload(const Party& artist, const UploadPlan& plan = {}) {
        const auto artwork = try_upload(artist, plan);
        EXPECT_TRUE(artwork.has_value()) << artwork.error().message;
        return artwork.value_or(ArtworkId());
    }

    ArtworkId upload_titled(const Party& artist, const std::string& title, const std::string& name = "") {
        UploadPlan plan;
        plan.image = some_bytes(100);
        plan.registration = [&](Registration& body) {
            body.title = title;
            body.artist = name;
        };
        return upload(artist, plan);
    }

    // The image as `who` gets it, from `offset` of the stream, opened.
    Result<Bytes> fetch(const Party& who, const ArtworkId& artwork) {
        VaultSession connection = session(who);
        const auto outcome = connection.handle(ArtworkFetchRequest{artwork, 0});
        SAT_TRY_VALUE(const auto reply, parse_reply<ArtworkFetchRequest>(encode_response(outcome.response)));
        EXPECT_EQ(outcome.next, VaultSession::Outcome::Next::transmit);
        Bytes stream(outcome.bulk_size);
        for (std::size_t at = 0; at < stream.size();) {
            SAT_TRY_VALUE(const std::size_t got,
                          connection.read(MutableBytes(stream).subspan(at, std::min(kDataBody, stream.size() - at))));
            EXPECT_GT(got, 0U);
            at += got;
        }
        SAT_TRY_VALUE(const EnvelopeHeader header, EnvelopeHeader::parse(reply.header));
        EXPECT_EQ(header.recipient, who.wallet());
        EXPECT_EQ(header.artwork, artwork);
        SAT_TRY_VALUE(const SecretBytes key, unwrap(header, Purpose::transit, who.kem));
        SAT_TRY_VALUE(Opener opener, Opener::create(header, key));
        Bytes image;
        SAT_TRY(opener.open(stream, image));
        SAT_TRY(opener.finish(image));
        return image;
    }

    // --- Transfers ---

    WorkItem work(const ArtworkId& artwork) {
        const auto item = ask_as(party("ada"), ArtworkGetRequest{artwork});
        EXPECT_TRUE(item.has_value());
        return item.value_or(WorkItem());
    }

    Claim claim_body(const Party& collector, const ArtworkId& artwork) {
        const WorkItem current = work(artwork);
        auto body = said_by<Claim>(collector);
        body.artwork = artwork;
        body.head = current.head;
        body.seq = current.seq;
        body.owner = current.owner;
        body.exp = now + kDefaultClaimLife;
        return body;
    }

    template <SignedByPerson T>
    static Signed<T> signed_by(const Party& who, const T& body) {
        return parse_statement<T>(sign(body, who.sign)).value();
    }

    Result<ClaimItem> open_claim(const Party& collector, const Signed<Claim>& claim) {
        return ask_as(collector, ClaimOpenRequest{claim.jws, std::nullopt});
    }

    // An open claim of `collector` on the work as it stands.
    Signed<Claim> claim(const Party& collector, const ArtworkId& artwork) {
        auto statement = signed_by(collector, claim_body(collector, artwork));
        const auto opened = open_claim(collector, statement);
        EXPECT_TRUE(opened.has_value()) << opened.error().message;
        return statement;
    }

    Answer answer_body(const Party& owner, const Signed<Claim>& claim, bool yes) const {
        auto body = said_by<Answer>(owner);
        body.artwork = claim.body.artwork;
        body.head = claim.body.head;
        body.seq = claim.body.seq;
        body.claim = claim.id;
        body.to = claim.body.iss;
        body.yes = yes;
        if (yes) body.exp = now + kMaxAnswerLife;
        return body;
    }

    Result<ClaimItem> send_answer(const Party& owner, const Signed<Answer>& answer) {
        return ask_as(owner, ClaimAnswerRequest{answer.jws, std::nullopt});
    }

    Signed<Answer> answer(const Party& owner, const Signed<Claim>& claim, bool yes = true) {
        auto statement = signed_by(owner, answer_body(owner, claim, yes));
        const auto answered = send_answer(owner, statement);
        EXPECT_TRUE(answered.has_value()) << answered.error().message;
        return statement;
    }

    static SaltedMetadata metadata_of(const Party& collector) {
        return SaltedMetadata::draw(R"({"name":"Ben","contact":"ben@example.org","wallet_address":")" +
                                    collector.wallet().hex() + "\"}")
            .value();
    }

    ClaimAcceptRequest acceptance(const Party& collector, const Signed<Claim>& claim, const Signed<Answer>& answer) {
        const SaltedMetadata metadata = metadata_of(collector);
        auto body = said_by<Accept>(collector);
        body.artwork = claim.body.artwork;
        body.head = claim.body.head;
        body.seq = claim.body.seq;
        body.claim = claim.id;
        body.answer = answer.id;
        body.metadata_commit = metadata.commit();
        return {sign(body, collector.sign), metadata};
    }

    Result<ClaimAcceptReply> accept(const Party& collector, const Signed<Claim>& claim, const Signed<Answer>& answer) {
        return ask_as(collector, acceptance(collector, claim, answer));
    }

    // A whole hand-over.
    void hand_over(const Party& from, const Party& to, const ArtworkId& artwork) {
        const auto asked = claim(to, artwork);
        const auto said = answer(from, asked);
        const auto done = accept(to, asked, said);
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    ClaimState state_of(const Party& who, const StatementId& id) {
        const auto item = ask_as(who, ClaimGetRequest{id});
        EXPECT_TRUE(item.has_value());
        return item ? item->state : ClaimState::none;
    }

    // All leaves of the work, verified by the reader's rules; the identities come from the vault.
    Result<History> history(const ArtworkId& artwork) {
        SAT_TRY_VALUE(const auto reply, ask_as(party("ada"), ArtworkHistoryRequest{artwork, 0}));
        std::map<Wallet, IdentityChain> chains;
        return verify_history(
            artwork, vault->keys().chain,
            [&](const Wallet& wallet) -> const IdentityChain* {
                for (const char* name : {"ada", "ben", "cyd"})
                    if (party(name).wallet() == wallet) return &party(name).chain;
                return nullptr;
            },
            reply.leaves);
    }

    // Events since the last call, as "name state" of those to `who`.
    std::vector<std::string> told(const Party& who) {
        const std::lock_guard lock(events_mutex);
        std::vector<std::string> out;
        for (const auto& [to, event] : events) {
            EXPECT_TRUE(parse_event(encode_event(event)).has_value());
            if (to == who.wallet())
                out.push_back((event.kind == EventKind::claim_opened ? "opened " : "changed ") +
                              std::string(claim_state_name(event.claim.state)));
        }
        std::erase_if(events, [&](const auto& entry) { return entry.first == who.wallet(); });
        return out;
    }

    // --- The disk ---

    std::vector<Path> files_below(const Path& root) const {
        std::vector<Path> out;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
            if (entry.is_regular_file()) out.push_back(entry.path());
        return out;
    }

    // Blobs, metadata and whatever lies in incoming/, of both copies.
    std::size_t stored_files() const {
        std::size_t count = 0;
        for (const char* store : {"data/image_store", "data/metadata_store", "data/incoming", "dup/duplicate_store",
                                  "dup/duplicate_metadata_store", "dup/incoming"})
            count += files_below(directory / store).size();
        return count;
    }

    static Path in_shelf(const Path& store, const ArtworkId& artwork) {
        return store / artwork.view().substr(0, 2) / artwork.view();
    }

    TemporaryDirectory directory;
    VaultOptions options;
    std::atomic<UnixTime> now = kStart;
    std::mutex events_mutex;
    std::vector<std::pair<Wallet, Event>> events;
    std::unique_ptr<Vault> vault;
};

}  // namespace sat
