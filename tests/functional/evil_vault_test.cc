// A vault that lies.  It holds its real keys, so that the session is good, and alters what it says: the clients verify
// everything that must outlive the session, and believe no word of the rest.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <future>

#include "base/assert.h"
#include "client/vault_client.h"
#include "ledger/leaf.h"
#include "ledger/statement.h"
#include "support/programs.h"

namespace fs = std::filesystem;

namespace sat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class EvilVault : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        copy_cached("stranger", dir() / "stranger");
        inside_.emplace(load_person(dir() / "stranger"));
        party_.emplace(vault_party());
        keys_.emplace(vault_keys());
        collector_.emplace(load_person(collector_home()));
    }

    // What the lie is: alters a RESPONSE's result, and a fetched work's header and stream.
    struct Lie {
        std::function<void(const std::string& method, Json& result)> answer = {};
        std::function<void(EnvelopeHeader& header, Bytes& stream)> image = {};
    };

    // Asks the real vault for everything, as `who` (a stranger where nobody is named), and passes it on to the
    // collector with the lie in it.
    ScriptedVault::Script liar(Lie lie, const Person* who = nullptr) {
        return [this, lie, who](Socket& socket) {
            auto upstream = open_session(vault().socket_address(), who != nullptr ? *who : *inside_);
            if (!upstream) return;
            const std::string checkpoint = upstream->checkpoint();
            serve_requests(
                socket, *party_, checkpoint, [&](Session& session, const std::string& method, const Json& parameters) {
                    Json response = upstream->request(method, parameters);
                    if (!response.is_object()) return false;
                    if (error_code(response) != 0) return session.send(RecordType::response, dump_json(response));
                    if (method != "artwork.fetch") {
                        if (lie.answer) lie.answer(method, response["r"]);
                        return session.send(RecordType::response, dump_json(response));
                    }
                    Bytes stream;
                    for (;;) {
                        const auto message = upstream->receive();
                        if (!message) return false;
                        if (message->type == RecordType::data_end) break;
                        append(stream, message->body);
                    }
                    const auto sealed = from_base64url(response["r"]["header"].get<std::string>());
                    auto header = EnvelopeHeader::parse(*sealed);
                    // The header was made for the stranger; make it the collector's.
                    auto theirs = rewrap(*header, Purpose::transit, inside_->party.kem(), Purpose::transit,
                                         collector_->wallet(), collector_->party.kem().public_key());
                    if (!theirs) return false;
                    if (lie.image) lie.image(*theirs, stream);
                    response["r"]["header"] = to_base64url(theirs->encode());
                    return session.send(RecordType::response, dump_json(response)) && session.send_bulk(stream);
                });
        };
    }
    // `body` signed anew, by somebody who is not its author but has the words right.
    std::string forged(Registration body) { return sign(body, inside_->sign); }
    const Person& inside() const { return *inside_; }
    const VaultKeys& keys() const { return *keys_; }
    const HandshakeParty& party() const { return *party_; }
    const Person& collector_person() const { return *collector_; }

    void expect_no_image(const std::string& address, const std::string& id, const char* what) {
        const Done done = collector_command({"request", id, "-o", dir() / "lie.jpg"}).vault(address).run();
        EXPECT_EQ(done.exit, exits::kBadProof) << what << done.out << done.err;
        EXPECT_FALSE(fs::exists(dir() / "lie.jpg")) << what;
        for (const auto& entry : fs::directory_iterator(dir())) {
            EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("lie.jpg"))) << what;
        }
    }

private:
    std::optional<Person> inside_;
    std::optional<Person> collector_;
    std::optional<HandshakeParty> party_;
    std::optional<VaultKeys> keys_;
};

TEST_F(EvilVault, WithoutALieThePassingOnWorks) {
    const std::string id = upload();
    ScriptedVault honest(liar({}));
    const Done browse = collector_command({"browse"}).vault(honest.address()).run();
    ASSERT_EQ(browse.exit, 0) << browse.out << browse.err;
    EXPECT_EQ(browse.data()["items"].size(), 1U);
    const Done done = collector_command({"request", id, "-o", dir() / "truth.jpg"}).vault(honest.address()).run();
    ASSERT_EQ(done.exit, 0) << done.out << done.err;
    EXPECT_EQ(read_text(dir() / "truth.jpg"), read_text(picture()));
}

TEST_F(EvilVault, AnAlteredRegistrationIsNotShown) {
    const std::string id = upload("Genuine");
    const std::vector<std::pair<const char*, std::function<std::string(const std::string&)>>> lies = {
        {"another title, the old signature",
         [](const std::string& jws) {
             const auto first = jws.find('.');
             const auto last = jws.rfind('.');
             std::string payload = to_string(*from_base64url(jws.substr(first + 1, last - first - 1)));
             payload.replace(payload.find("Genuine"), 7, "Forgery");
             return jws.substr(0, first + 1) + to_base64url(as_bytes(payload)) + jws.substr(last);
         }},
        {"another title, another's signature",
         [this](const std::string& jws) {
             Registration body = parse_statement<Registration>(jws)->body;
             body.title = "Forgery";
             return forged(body);
         }},
        {"a bit of the signature",
         [](std::string jws) {
             char& c = jws[jws.size() - 10];
             c = c == 'A' ? 'B' : 'A';
             return jws;
         }},
        {"no statement at all", [](const std::string&) { return std::string("eyJ9.e30.AA"); }},
    };
    for (const auto& [what, alter] : lies) {
        ScriptedVault evil(liar({.answer = [&alter = alter](const std::string& method, Json& result) {
            if (method == "artwork.list") {
                for (Json& item : result["items"]) item["registration"] = alter(item["registration"]);
            }
            if (method == "artwork.get") result["registration"] = alter(result["registration"]);
        }}));
        for (const Words& words : {Words{"browse"}, Words{"show", id}}) {
            const Done done = collector_command(words).vault(evil.address()).run();
            EXPECT_EQ(done.exit, exits::kBadProof) << what << words[0] << done.out << done.err;
            EXPECT_THAT(done.out, Not(HasSubstr("Forgery"))) << what;
        }
        expect_no_image(evil.address(), id, what);
    }
}

TEST_F(EvilVault, AnotherWorkUnderTheIdIsNotShown) {
    const std::string id = upload("Genuine");
    const std::string other = upload("Other");
    ScriptedVault evil(liar({.answer = [&](const std::string& method, Json& result) {
        if (method != "artwork.get") return;
        auto session = open_session(vault().socket_address(), inside());
        result = session->request("artwork.get", Json{{"artwork", other}})["r"];
    }}));
    const Done done = collector_command({"show", id}).vault(evil.address()).run();
    EXPECT_EQ(done.exit, exits::kBadProof) << done.out << done.err;
    expect_no_image(evil.address(), id, "another work");
}

TEST_F(EvilVault, AnAlteredImageIsNotWritten) {
    const std::string id = upload();
    const std::vector<std::pair<const char*, Lie>> lies = {
        {"a bit", {.image = [](EnvelopeHeader&, Bytes& stream) { stream[100] ^= std::byte{1}; }}},
        {"the last bit", {.image = [](EnvelopeHeader&, Bytes& stream) { stream.back() ^= std::byte{1}; }}},
        {"the commitment", {.image = [](EnvelopeHeader& h, Bytes&) { h.commitment.bytes[5] ^= std::byte{1}; }}},
        {"the key", {.image = [](EnvelopeHeader& h, Bytes&) { h.wrapped[50] ^= std::byte{1}; }}},
        {"another image",
         {.image =
              [this](EnvelopeHeader& header, Bytes& stream) {
                  // Well sealed, for this collector, of the right length: only the artist's hash says no.
                  Bytes image = sample_bytes(samples()[0]);
                  image.back() ^= std::byte{1};
                  Sealer sealer = Sealer::create(header.artwork, image.size(), collector_person().wallet(),
                                                 collector_person().party.kem().public_key(), Purpose::transit);
                  stream.clear();
                  SAT_ASSERT(sealer.seal(image, stream).has_value() && sealer.finish(stream).has_value());
                  header = sealer.header();
              }}},
    };
    for (const auto& [what, lie] : lies) {
        ScriptedVault evil(liar(lie));
        expect_no_image(evil.address(), id, what);
    }
}

TEST_F(EvilVault, AStreamThatEndsEarlyIsNotAnImage) {
    const Done uploaded = artist({"upload", tiff(300'000), "--title", "T"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    ScriptedVault evil(liar({.image = [](EnvelopeHeader&, Bytes& stream) { stream.resize(kDataBody); }}));
    const Done done =
        collector_command({"request", uploaded.data()["id"], "-o", dir() / "lie.tif"}).vault(evil.address()).run();
    EXPECT_TRUE(done.exit == exits::kBadProof || done.exit == exits::kProtocol) << done.exit << done.out << done.err;
    EXPECT_FALSE(fs::exists(dir() / "lie.tif"));
}

TEST_F(EvilVault, AReceiptThatIsNotTheVaultsIsNoSuccess) {
    const LogKey stranger = LogKey::generate();
    enum class Kind { other_key, other_statement, other_status, none, other_time, other_tree, proved };
    const auto attempt = [&](const char* what, Kind kind, int expected) {
        ScriptedVault evil([&, kind](Socket& socket) {
            const std::string artwork = ArtworkId::generate().str();
            Digest hash;
            serve_requests(
                socket, party(), empty_checkpoint(keys()),
                [&](Session& session, const std::string& method, const Json& parameters) {
                    if (method == "upload.begin")
                        return session.send(RecordType::response,
                                            ok_response(Json{{"artwork", artwork}, {"offset", 0}, {"proves", true}}));
                    if (method == "upload.data") {
                        const auto header =
                            EnvelopeHeader::parse(*from_base64url(parameters["header"].get<std::string>()));
                        const auto key = unwrap(*header, Purpose::transit, keys().kem);
                        auto opener = Opener::create(*header, *key);
                        Bytes image;
                        for (;;) {
                            const auto message = session.receive();
                            if (!message) return false;
                            if (message->type == RecordType::data_end) break;
                            if (!opener->open(message->body, image)) return false;
                        }
                        if (!opener->finish(image)) return false;
                        hash = sha256(image);
                        return session.send(RecordType::response, ok_response(Json{{"sha256", hash.hex()}}));
                    }
                    if (method != "upload.commit")
                        return session.send(RecordType::response, error_response(100, "bad_request"));
                    auto receipt = make_statement<Receipt>(keys().chain.wallet(), keys().chain.wallet(), now_unix());
                    const auto registration =
                        parse_statement<Registration>(parameters["registration"].get<std::string>());
                    const std::string jws = parameters["registration"].get<std::string>();
                    receipt.of = registration->id;
                    // The leaf as the vault would make it.
                    Leaf leaf{LeafType::registration, now_unix(), {jws}};
                    receipt.leaf = leaf_hash(leaf.encode());
                    if (kind == Kind::other_statement) receipt.of.bytes[0] ^= std::byte{1};
                    if (kind == Kind::other_status) receipt.status = ReceiptStatus::completed;
                    const std::string text =
                        kind == Kind::none ? "a.b.c" : sign(receipt, kind == Kind::other_key ? stranger : keys().log);
                    Json reply{{"receipt", text}};
                    if (kind >= Kind::other_time) {
                        // A tree of one leaf: its root.
                        TreeHead head{1, receipt.leaf};
                        if (kind == Kind::other_tree) head.root.bytes[0] ^= std::byte{1};
                        reply["proof"] = {{"registered_at", leaf.at + (kind == Kind::other_time ? 1 : 0)},
                                          {"origin", {{"sender_ip", "192.0.2.7"}, {"sender_port", 4711}}},
                                          {"checkpoint", sign_checkpoint(keys().chain.wallet(), head, keys().log)},
                                          {"index", 0},
                                          {"inclusion", Json::array()},
                                          {"consistency", Json::array()}};
                    }
                    return session.send(RecordType::response, ok_response(reply));
                });
        });
        fs::remove_all(artist_home() / "uploads");
        const Done done = artist_command({"upload", picture(), "--title", "T"}).vault(evil.address()).run();
        EXPECT_EQ(done.exit, expected) << what << done.out << done.err;
    };
    attempt("another key", Kind::other_key, exits::kBadProof);
    attempt("another statement", Kind::other_statement, exits::kBadProof);
    attempt("another status", Kind::other_status, exits::kBadProof);
    attempt("no statement", Kind::none, exits::kBadProof);
    attempt("a proof of a leaf of another time", Kind::other_time, exits::kBadProof);
    attempt("a proof by another tree", Kind::other_tree, exits::kLedger);
    fs::remove_all(artist_home() / "checkpoints");
    attempt("a good proof", Kind::proved, 0);
}

TEST_F(EvilVault, AFalseOwnerInTheHistoryIsNotBelieved) {
    const std::string id = upload();
    // The vault says that the stranger owns the work; the leaves say otherwise.
    ScriptedVault evil(liar({.answer = [this](const std::string& method, Json& result) {
        if (method == "artwork.get") result["owner"] = inside().wallet().hex();
    }}));
    const Done claimed = collector_command({"claim", id, "--wait", "0"}).vault(evil.address()).run();
    EXPECT_EQ(claimed.exit, exits::kBadProof) << claimed.out << claimed.err;
    // And a leaf in the artist's name that the artist did not sign.
    ScriptedVault forger(liar({.answer = [this](const std::string& method, Json& result) {
        if (method != "artwork.history") return;
        for (Json& leaf : result["leaves"]) {
            auto parsed = Leaf::parse(leaf.get<std::string>());
            Registration body = parse_statement<Registration>(parsed->statements[0])->body;
            body.title = "Forgery";
            parsed->statements[0] = forged(body);
            leaf = parsed->encode();
        }
    }}));
    for (const Words& words : {Words{"history", id}, Words{"show", id}, Words{"claim", id, "--wait", "0"}}) {
        const Done done = collector_command(words).vault(forger.address()).run();
        EXPECT_EQ(done.exit, exits::kBadProof) << words[0] << done.out << done.err;
    }
}

TEST_F(EvilVault, ACompletedClaimIsNotBelievedWithoutItsTransfer) {
    const std::string id = upload();
    claim(kCollector, id);
    ASSERT_EQ(artist({"confirm", id}).exit, 0);
    // The owner said yes, and nobody completed it: pending at first, and past its deadline, so that the collector asks.
    ScriptedVault evil(liar({.answer =
                                 [](const std::string& method, Json& result) {
                                     if (method == "claim.mine") {
                                         for (Json& item : result["items"]) {
                                             item["state"] = "pending";
                                             item["answer"] = nullptr;
                                             item["answer_text"] = nullptr;
                                             item["answer_by"] = 1;
                                         }
                                     }
                                     if (method == "claim.get") result["state"] = "completed";
                                 }},
                            &collector_person()));
    const Done done = collector_command({"claim", id, "--wait", "60"}).vault(evil.address()).run();
    EXPECT_EQ(done.exit, exits::kBadProof) << done.out << done.err;
    EXPECT_EQ(owner_of(id), wallet(artist_home()).hex());
    // A vault that completes it in truth is believed.
    EXPECT_EQ(collector({"claim", id}).exit, 0);
    EXPECT_EQ(collector({"claim", id}).exit, 0) << "and once more";
}

TEST_F(EvilVault, NoYesIsGivenOnAFalseTitle) {
    const std::string id = upload("Genuine");
    const Person artist_person = load_person(artist_home());
    // The artist's own signature, on the same ID: only the work's history knows which title is the work's.
    const auto alter = [&](Json& item) {
        Registration body = parse_statement<Registration>(item["registration"].get<std::string>())->body;
        body.title = "Worthless sketch";
        item["registration"] = sign(body, artist_person.sign);
    };
    const Lie lie{.answer = [&](const std::string& method, Json& result) {
        if (method == "claim.open" || method == "claim.get") alter(result);
        if (method == "claim.inbox") {
            for (Json& item : result["items"]) alter(item);
        }
    }};
    {
        ScriptedVault evil(liar(lie, &collector_person()));
        const Done done = collector_command({"claim", id, "--wait", "0"}).vault(evil.address()).run();
        EXPECT_EQ(done.exit, exits::kBadProof) << done.out << done.err;
    }
    const std::string claim_id = claim(kCollector, id);
    ScriptedVault evil(liar(lie, &artist_person));
    for (const Words& words : {Words{"confirm", id}, Words{"confirm", id, "--claim", claim_id}}) {
        const Done done = artist_command(words).vault(evil.address()).run();
        EXPECT_EQ(done.exit, exits::kBadProof) << done.out << done.err;
    }
    const Done claims = collector({"claims"});
    ASSERT_EQ(claims.exit, 0) << claims.out << claims.err;
    EXPECT_EQ(claims.data()["items"][0]["state"], "pending");
}

TEST_F(EvilVault, AnotherSignersRegistrationUnderTheIdIsNotServed) {
    const std::string id = upload();
    // Well signed, with the image's own hash, by somebody who is not the work's artist.
    ScriptedVault evil(liar({.answer = [this](const std::string& method, Json& result) {
        if (method != "artwork.get") return;
        Registration body = parse_statement<Registration>(result["registration"].get<std::string>())->body;
        body.iss = inside().wallet();
        result["registration"] = forged(body);
    }}));
    expect_no_image(evil.address(), id, "another signer's registration");
}

TEST_F(EvilVault, AnothersWorkIsNotListedAsMine) {
    upload();
    ScriptedVault evil(liar({.answer = [this](const std::string& method, Json& result) {
        if (method != "artwork.list") return;
        for (Json& item : result["items"]) item["owner"] = inside().wallet().hex();
    }}));
    const Done list = artist_command({"list"}).vault(evil.address()).run();
    EXPECT_EQ(list.exit, exits::kBadProof) << list.out << list.err;
    const Done browse =
        collector_command({"browse", "--owner", wallet(artist_home()).hex()}).vault(evil.address()).run();
    EXPECT_EQ(browse.exit, exits::kBadProof) << browse.out << browse.err;
}

TEST_F(EvilVault, PagesThatDoNotEndAreLeft) {
    const std::string id = upload();
    const auto expect_left = [&](const char* what, const Words& words, const Lie& lie) {
        ScriptedVault evil(liar(lie));
        const Done done = collector_command(words).vault(evil.address()).run();
        EXPECT_EQ(done.exit, exits::kProtocol) << what << done.out << done.err;
    };
    expect_left("the same cursor", {"browse", "--all"}, {.answer = [](const std::string& method, Json& result) {
                    if (method == "artwork.list") result["next_cursor"] = "again";
                }});
    expect_left("an empty page", {"browse", "--all"}, {.answer = [](const std::string& method, Json& result) {
                    if (method == "artwork.list") result = Json{{"items", Json::array()}, {"next_cursor", "on"}};
                }});
    expect_left("no leaves", {"history", id}, {.answer = [](const std::string& method, Json& result) {
                    if (method == "artwork.history") result = Json{{"leaves", Json::array()}, {"next", 0}};
                }});
    expect_left("the same leaves", {"history", id}, {.answer = [](const std::string& method, Json& result) {
                    if (method == "artwork.history") result["next"] = 0;
                }});
    expect_left("leaves without end", {"history", id},
                {.answer = [at = 0](const std::string& method, Json& result) mutable {
                    if (method != "artwork.history") return;
                    result = Json{{"leaves", Json::array({std::string(900'000, 'x')})}, {"next", ++at}};
                }});
    expect_left("no claims", {"claims"}, {.answer = [](const std::string& method, Json& result) {
                    if (method == "claim.mine") result = Json{{"items", Json::array()}, {"next_cursor", "on"}};
                }});
}

TEST_F(EvilVault, AClockPastAllTimeIsNoClock) {
    const std::string id = upload();
    ScriptedVault evil(
        [&](Socket& socket) { accept_session(socket, party(), empty_checkpoint(keys()), kJsonMaxInteger); });
    const Done done = collector_command({"claim", id, "--wait", "0"}).vault(evil.address()).run();
    EXPECT_EQ(done.exit, exits::kProtocol) << done.out << done.err;
}

TEST_F(EvilVault, AFloodOfEventsWhileAPersonIsAskedEndsTheConnection) {
    std::promise<void> ended;
    ScriptedVault evil([&](Socket& socket) {
        auto session = accept_session(socket, party(), empty_checkpoint(keys()));
        if (!session) return;
        // Until the client goes: 8 MiB, and what the sockets hold.
        const std::string event(900'000, 'x');
        int sent = 0;
        while (sent < 1000 && session->send(RecordType::event, event)) ++sent;
        EXPECT_GE(sent, 9);
        EXPECT_LT(sent, 100);
        ended.set_value();
    });
    const auto home = KeyHome::open(collector_home());
    ASSERT_TRUE(home);
    auto kem = home->unlock_kem(nullptr);
    ASSERT_TRUE(kem);
    IdentityCache identities(home->directory());
    VaultClientOptions options;
    options.address = *parse_address(evil.address());
    options.trust.accept_new = true;
    VaultClient client(*home, identities, std::move(*kem), std::move(options));
    ASSERT_TRUE(client.connect());
    client.ask_beside([&] { ended.get_future().wait(); });
    EXPECT_FALSE(client.connected());
    const auto change = client.next_change(seconds(1));
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().code, Errc::overloaded) << "which a new connection may mend";
}

TEST_F(EvilVault, EventsThatSayNothingAreNotKeptWithoutEnd) {
    const auto home = KeyHome::open(collector_home());
    ASSERT_TRUE(home);
    IdentityCache identities(home->directory());
    constexpr int kMany = 1'000'000;
    for (const auto& [text, code] : {std::pair{"", Errc::malformed}, std::pair{"x", Errc::overloaded}}) {
        for (const bool asking : {false, true}) {
            std::promise<int> sent;
            ScriptedVault evil([&, event = std::string_view(text)](Socket& socket) {
                auto session = accept_session(socket, party(), empty_checkpoint(keys()));
                int count = 0;
                while (session && count < kMany && session->send(RecordType::event, event)) ++count;
                sent.set_value(count);
            });
            auto kem = home->unlock_kem(nullptr);
            ASSERT_TRUE(kem);
            VaultClientOptions options;
            options.address = *parse_address(evil.address());
            options.trust.accept_new = true;
            VaultClient client(*home, identities, std::move(*kem), std::move(options));
            ASSERT_TRUE(client.connect());
            auto ended = sent.get_future();
            if (asking) client.ask_beside([&] { ended.wait(); });
            const Result<void> done =
                asking ? Result<void>(fail(client.next_change(seconds(1)).error())) : client.subscribe();
            ASSERT_FALSE(done);
            EXPECT_EQ(done.error().code, code) << asking;
            EXPECT_FALSE(client.connected());
            EXPECT_LT(ended.get(), kMany) << asking;
        }
    }
}

TEST_F(EvilVault, SignsOfLifeAreNoAnswer) {
    std::promise<void> gone;
    ScriptedVault evil([&](Socket& socket) {
        auto session = accept_session(socket, party(), empty_checkpoint(keys()));
        // Two a second for as long as anybody listens.
        while (session && session->send_frame(session->sealer().pong()) && !socket.closes(milliseconds(500))) {
        }
        gone.set_value();
    });
    const Done done = collector_command({"browse", "--timeout", "2"}).vault(evil.address()).run();
    EXPECT_EQ(done.exit, exits::kInterrupted) << done.out << done.err;
    gone.get_future().wait();
}

TEST_F(EvilVault, AYesThatConfirmsNothingIsNoSuccess) {
    const Person artist_person = load_person(artist_home());
    for (const auto& [state, exit] :
         {std::pair{"withdrawn", exits::kChanged}, std::pair{"expired", exits::kExpired},
          std::pair{"superseded", exits::kSuperseded}, std::pair{"pending", exits::kBadProof}}) {
        const std::string id = upload();
        claim(kCollector, id);
        ScriptedVault evil(liar({.answer =
                                     [state = state](const std::string& method, Json& result) {
                                         if (method == "claim.answer") result["state"] = state;
                                     }},
                                &artist_person));
        const Done done = artist_command({"confirm", id}).vault(evil.address()).run();
        EXPECT_EQ(done.exit, exit) << state << done.out << done.err;
    }
}

TEST_F(EvilVault, AnAnswerThatTheOwnerGaveElsewhereMeanwhileIsNoLieOfTheVaults) {
    const std::string id = upload();
    claim(kCollector, id);
    const Person artist_person = load_person(artist_home());
    // As after a lost reply: the same statement gets the claim as it stands, with the no of another machine.
    std::string before;
    ScriptedVault meanwhile(liar({.answer =
                                      [&](const std::string& method, Json& result) {
                                          if (method != "claim.answer") return;
                                          before = result["answer"].get<std::string>();
                                          sat::Answer body = parse_statement<sat::Answer>(before)->body;
                                          body.yes = false;
                                          body.exp.reset();
                                          body.nonce[0] ^= std::byte{1};
                                          result["answer"] = sign(body, artist_person.sign);
                                          result["state"] = "declined";
                                      }},
                                 &artist_person));
    const Done done = artist_command({"confirm", id}).vault(meanwhile.address()).run();
    EXPECT_EQ(done.exit, exits::kChanged) << done.out << done.err;
    EXPECT_THAT(done.err + done.out, HasSubstr("answered otherwise meanwhile"));
    // What was there before is no answer to this.
    ScriptedVault deaf(liar({.answer =
                                 [&](const std::string& method, Json& result) {
                                     if (method != "claim.answer") return;
                                     result["answer"] = before;
                                     result["state"] = "confirmed";
                                 }},
                            &artist_person));
    const Done ignored = artist_command({"decline", id}).vault(deaf.address()).run();
    EXPECT_EQ(ignored.exit, exits::kBadProof) << ignored.out << ignored.err;
}

TEST_F(EvilVault, AnIdentityThatIsNotTheWalletsIsNotBelieved) {
    const std::string id = upload();
    ScriptedVault evil(liar({.answer = [this](const std::string& method, Json& result) {
        if (method != "identity.get") return;
        for (Json& chain : result["identities"]) chain = inside().party.chain().to_json();
    }}));
    for (const Words& words : {Words{"browse"}, Words{"show", id}, Words{"history", id}}) {
        const Done done = collector_command(words).vault(evil.address()).run();
        EXPECT_EQ(done.exit, exits::kBadProof) << words[0] << done.out << done.err;
    }
}

}  // namespace
}  // namespace sat::test
