// The vault against clients that keep no rule: frames that are malformed, oversized, truncated, replayed or reordered,
// clients that are mute or do not read.  Each costs its own connection; the vault serves on.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "support/programs.h"
#include "support/relay.h"
#include "wire/messages.h"

namespace sat::test {
namespace {

class HostileClient : public ThreeComputers {
public:
    void SetUp() override {
        ThreeComputers::SetUp();
        copy_cached("stranger", dir() / "stranger");
        person_.emplace(load_person(dir() / "stranger"));
    }
    void TearDown() override {
        EXPECT_TRUE(serves()) << "the vault serves on";
        ThreeComputers::TearDown();
    }
    bool serves() {
        auto session = open();
        return session && session->request("artwork.list", Json{{"limit", 1}}).value("ok", false);
    }
    std::optional<Session> open(const std::string& source = {}) {
        return open_session(vault().socket_address(), *person_, source);
    }
    Socket connect(const std::string& source = {}) { return Socket::connect(vault().socket_address(), source); }
    const Person& person() const { return *person_; }
    IdentityChain vault_chain() { return vault_keys().chain; }

    // A connection with IDENTITY read, and the hello that would be the next thing to send.
    struct Begun {
        Socket socket;
        ClientHandshake handshake;
        Bytes hello;
    };
    Begun begin() {
        Begun begun{connect(), ClientHandshake(person_->party, {}), {}};
        const auto identity = begun.socket.receive_frame();
        EXPECT_TRUE(identity.has_value());
        EXPECT_TRUE(identity && begun.handshake.on_identity(*identity).has_value());
        auto hello = begun.handshake.hello();
        EXPECT_TRUE(hello.has_value());
        begun.hello = hello ? *hello : Bytes();
        return begun;
    }
    // What ends a connection in the handshake: an ALERT of `code` (0: any, or none), then the end.
    void expect_alert(Socket& socket, Errc code, const std::string& what) {
        const auto frame = socket.receive_frame(seconds(20));
        if (!frame) {
            ADD_FAILURE() << what << ": no ALERT";
            return;
        }
        const auto alert = parse_alert(*frame);
        ASSERT_TRUE(alert.has_value()) << what;
        EXPECT_EQ(*alert, code) << what;
        EXPECT_TRUE(socket.closes(seconds(20))) << what;
    }

private:
    std::optional<Person> person_;
};

Bytes raw(std::string_view text) { return to_bytes(text); }

Bytes framed(ByteView body) {
    ByteWriter out;
    out.u32(static_cast<std::uint32_t>(body.size())).raw(body);
    return out.take();
}

TEST_F(HostileClient, WhatIsNoFrameOfTheHandshakeEndsTheConnection) {
    const std::vector<std::pair<const char*, Bytes>> words = {
        {"nothing", Bytes(4)},
        {"2 GiB", raw("\x7f\xff\xff\xff")},
        {"4 GiB", raw("\xff\xff\xff\xff")},
        {"one byte too many", raw(std::string_view("\0\0\x40\x01", 4))},
        {"an unknown type", framed(raw("\x7f"))},
        {"the vault's own type", framed(raw(std::string_view("\x02\1\0\1x", 5)))},
        {"SERVER_HELLO", framed(Bytes(100, std::byte{4}))},
        {"CLIENT_FINISHED before its time", framed(Bytes(100, std::byte{5}))},
        {"an empty CLIENT_HELLO", framed(raw("\x03"))},
        {"HTTP", raw("GET / HTTP/1.1\r\nHost: vault\r\n\r\n")},
        {"TLS", raw(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11))},
        {"a record's size", raw(std::string_view("\0\1\4\x10", 4))},
        {"zeros", Bytes(70'000)},
    };
    for (const auto& [what, bytes] : words) {
        Socket socket = connect();
        ASSERT_TRUE(socket.receive_frame().has_value()) << what;
        socket.send(bytes);
        EXPECT_TRUE(socket.closes(seconds(20))) << what;
    }
}

TEST_F(HostileClient, ATruncatedHelloEndsWithTheConnection) {
    const Bytes hello = begin().hello;
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{5}, hello.size() / 2, hello.size() - 1}) {
        Socket socket = connect();
        ASSERT_TRUE(socket.receive_frame().has_value());
        socket.send(ByteView(hello).first(size));
        socket.finish_sending();
        EXPECT_TRUE(socket.closes(seconds(20))) << size;
    }
}

TEST_F(HostileClient, AnotherVersionAndAnotherKeyAreToldApartAndNothingElseIs) {
    {
        Begun begun = begin();
        begun.hello[4 + 1 + 4] = std::byte{2};
        begun.socket.send(begun.hello);
        expect_alert(begun.socket, Errc::version, "version 2");
    }
    {
        Begun begun = begin();
        begun.hello[4 + 1 + 4 + 2 + 2] ^= std::byte{1};
        begun.socket.send(begun.hello);
        expect_alert(begun.socket, Errc::unknown_vault_key, "another kem id");
    }
    // From Decap on every failure is the one code: the ciphertext, the tag, the identity, the ephemeral key.
    const std::size_t epk = 4 + 1 + 4 + 2 + 2 + 32;
    const std::size_t ct = epk + 32 + 2;
    for (const std::size_t at : {epk, ct, ct + 100, ct + 383, ct + 384 + 10, std::size_t{0}}) {
        Begun begun = begin();
        begun.hello[at == 0 ? begun.hello.size() - 1 : at] ^= std::byte{1};
        if (at == ct) begun.hello[at] = std::byte{0};  // below the modulus: that much is checked openly
        begun.socket.send(begun.hello);
        expect_alert(begun.socket, Errc::handshake_failed, std::to_string(at));
    }
}

TEST_F(HostileClient, AReplayedHelloGetsNoFurtherThanTheAnswer) {
    Begun first = begin();
    first.socket.send(first.hello);
    const auto answer = first.socket.receive_frame();
    ASSERT_TRUE(answer.has_value());
    const auto finished = first.handshake.on_server_hello(*answer);
    ASSERT_TRUE(finished.has_value());

    Socket replay = connect();
    ASSERT_TRUE(replay.receive_frame().has_value());
    replay.send(first.hello);
    ASSERT_TRUE(replay.receive_frame().has_value()) << "the vault cannot know it yet";
    replay.send(*finished);
    expect_alert(replay, Errc::handshake_failed, "replayed CLIENT_FINISHED");
}

TEST_F(HostileClient, TheVaultsOwnWalletIsNotServed) {
    // Somebody who shows the vault's own chain.
    const HandshakeParty self = vault_party();
    Socket socket = connect();
    ClientHandshake handshake(self, {});
    const auto identity = socket.receive_frame();
    ASSERT_TRUE(identity.has_value());
    EXPECT_FALSE(handshake.on_identity(*identity).has_value()) << "not even the client's side goes on";
}

TEST_F(HostileClient, ARecordThatIsReplayedReorderedOrAlteredEndsTheConnection) {
    const std::string list = encode_request(ArtworkListRequest{});
    const auto record = [&](Session& session) {
        return session.sealer().message(RecordType::request, as_bytes(list)).value();
    };
    {
        auto session = open();
        ASSERT_TRUE(session.has_value());
        const Bytes frame = record(*session);
        session->send_frame(frame);
        ASSERT_TRUE(session->receive().has_value()) << "the first is answered";
        session->send_frame(frame);
        EXPECT_TRUE(session->socket().closes()) << "replayed";
    }
    {
        auto session = open();
        const Bytes first = record(*session);
        const Bytes second_frame = session->sealer().ping();
        session->send_frame(second_frame);
        session->send_frame(first);
        EXPECT_FALSE(session->receive().has_value()) << "reordered";
        EXPECT_TRUE(session->socket().closes());
    }
    {
        auto session = open();
        record(*session);
        session->send_frame(record(*session));
        EXPECT_FALSE(session->receive().has_value()) << "one is missing";
    }
    for (const std::size_t at : {std::size_t{4}, std::size_t{20}, std::size_t{275}}) {
        auto session = open();
        Bytes frame = record(*session);
        ASSERT_GT(frame.size(), at);
        frame[at] ^= std::byte{0x80};
        session->send_frame(frame);
        EXPECT_FALSE(session->receive().has_value()) << "altered at " << at;
    }
    {
        // A record of one connection on another one.
        auto one = open();
        auto other = open();
        other->send_frame(record(*one));
        EXPECT_FALSE(other->receive().has_value());
    }
}

TEST_F(HostileClient, ARecordOfAWrongSizeEndsTheConnectionFromItsHeaderAlone) {
    for (const std::uint32_t size : {0U, 1U, 19U, 66'577U, 0x7fffffffU, 0xffffffffU}) {
        auto session = open();
        ASSERT_TRUE(session.has_value());
        session->send_frame(u32_bytes(size));
        EXPECT_TRUE(session->socket().closes(seconds(20))) << size;
    }
    // And one that is cut off, in its header and in its body.
    const std::string list = encode_request(ArtworkListRequest{});
    for (const std::size_t size : {std::size_t{2}, std::size_t{100}}) {
        auto session = open();
        const Bytes frame = session->sealer().message(RecordType::request, as_bytes(list)).value();
        session->send_frame(ByteView(frame).first(size));
        session->socket().finish_sending();
        EXPECT_TRUE(session->socket().closes(seconds(20))) << size;
    }
}

TEST_F(HostileClient, ARecordOutOfPlaceEndsTheConnection) {
    const auto attempt = [&](const char* what, const std::function<void(Session&)>& act) {
        auto session = open();
        ASSERT_TRUE(session.has_value()) << what;
        act(*session);
        EXPECT_FALSE(session->receive(seconds(20)).has_value()) << what;
        EXPECT_TRUE(session->socket().closes(seconds(20))) << what;
    };
    attempt("RESPONSE from a client", [](Session& s) { s.send(RecordType::response, R"({"ok":true,"r":{}})"); });
    attempt("EVENT from a client", [](Session& s) { s.send(RecordType::event, R"({"e":"claim.opened","p":{}})"); });
    attempt("DATA without an upload", [](Session& s) { s.send_data(Bytes(65'600)); });
    attempt("DATA_END without an upload", [](Session& s) { s.send_frame(s.sealer().data_end(0)); });
    attempt("no JSON", [](Session& s) { s.send(RecordType::request, "GET / HTTP/1.1"); });
    attempt("two names alike",
            [](Session& s) { s.send(RecordType::request, R"({"m":"artwork.list","m":"x","p":{}})"); });
    attempt("no object", [](Session& s) { s.send(RecordType::request, "[]"); });
    attempt("too deep", [](Session& s) {
        s.send(RecordType::request,
               R"({"m":"artwork.list","p":{"a":)" + std::string(20, '[') + std::string(20, ']') + "}}");
    });
    attempt("bytes that are no UTF-8",
            [](Session& s) { s.send(RecordType::request, "{\"m\":\"\xC3\x28\",\"p\":{}}"); });
    attempt("PING inside a message", [](Session& s) {
        // A message of two records with a PING between them.
        const std::string text = R"({"m":"artwork.list","p":{"text":")" + std::string(70'000, 'x') + "\"}}";
        const Bytes frames = s.sealer().message(RecordType::request, as_bytes(text)).value();
        std::size_t first = 4;
        for (std::size_t i = 0; i < 4; ++i) first += static_cast<std::size_t>(frames[i]) << (8 * (3 - i));
        s.send_frame(ByteView(frames).first(first));
        s.send_frame(s.sealer().ping());
    });
}

TEST_F(HostileClient, AMessageOfAMebibyteIsStillAnswered) {
    auto session = open();
    ASSERT_TRUE(session.has_value());
    // The largest that may be sent: text of far too many code points, so a bad request.
    const std::string text =
        R"({"m":"artwork.list","p":{"text":")" + std::string((std::size_t{1} << 20) - 36, 'x') + "\"}}";
    ASSERT_LE(text.size(), kMaxMessage);
    EXPECT_TRUE(session->send(RecordType::request, text));
    const auto answer = session->receive();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(error_code(answer->json()), 100);
}

TEST_F(HostileClient, UnknownMethodsAndParametersAreAnsweredAndTheConnectionGoesOn) {
    auto session = open();
    ASSERT_TRUE(session.has_value());
    EXPECT_EQ(error_code(session->request("artwork.steal", Json::object())), 100);
    EXPECT_EQ(error_code(session->request("artwork.list", Json{{"limit", 0}})), 100);
    EXPECT_EQ(error_code(session->request("artwork.list", Json{{"limit", 51}})), 100);
    EXPECT_EQ(error_code(session->request("artwork.list", Json{{"limit", 5}, {"surprise", 1}})), 100);
    EXPECT_EQ(error_code(session->request("artwork.get", Json{{"artwork", "lower-case"}})), 100);
    EXPECT_EQ(error_code(session->request("artwork.get", Json{{"artwork", ArtworkId::generate().str()}})), 101);
    EXPECT_EQ(error_code(session->request("claim.get", Json{{"claim", std::string(64, '0')}})), 101);
    EXPECT_EQ(error_code(session->request("upload.commit", Json{{"registration", "a.b.c"}})), 108);
    EXPECT_EQ(error_code(session->request("ledger.leaves", Json::object())), 100);
    EXPECT_EQ(error_code(session->request("identity.get", Json{{"wallets", Json::array()}})), 100);
    EXPECT_TRUE(session->request("artwork.list", Json{{"limit", 1}}).value("ok", false));
    session->send_frame(session->sealer().ping());
    EXPECT_TRUE(session->request("claim.subscribe", Json::object()).value("ok", false));
}

// What the vault may take for one that waits for the disk before it has read it.
TEST_F(HostileClient, ARequestIsWhatItSaysHoweverItBegins) {
    auto session = open();
    ASSERT_TRUE(session.has_value());
    const auto code = [&](const std::string& text) {
        EXPECT_TRUE(session->send(RecordType::request, text)) << text;
        const auto answer = session->receive();
        if (!answer) return -1;
        const Json json = answer->json();
        return json.value("ok", false) ? 0 : json["e"]["code"].get<int>();
    };
    const int bad = static_cast<int>(Errc::bad_request);
    for (const char* text :
         {R"({"m":"claim.open","p":{}})", R"({"p":{},"m":"claim.open"})", R"( { "m" : "claim.open" , "p" : {} } )",
          R"({"m":"claim.open\u0000","p":{}})", R"({"m":"claim.opened","p":{}})"})
        EXPECT_NE(code(text), 0) << text;
    EXPECT_EQ(code(R"({"m":"claim.open","p":{}})"), bad);
    EXPECT_EQ(code(R"({"p":{},"m":"claim.open"})"), bad);
    EXPECT_EQ(code(R"({"m":"ledger.checkpoint","p":{}})"), 0);
    EXPECT_EQ(code(R"({"p":{},"m":"ledger.checkpoint"})"), 0);
    for (const char* text :
         {R"({"m":"claim.open)", R"({"m":"claim.open")", R"({"m":"claim.open","m":"artwork.list"})"}) {
        auto another = open();
        ASSERT_TRUE(another.has_value());
        ASSERT_TRUE(another->send(RecordType::request, text));
        EXPECT_FALSE(another->receive().has_value()) << text;
    }
}

TEST_F(HostileClient, KeysMayBeUpdatedAsOftenAsOneLikes) {
    auto session = open();
    ASSERT_TRUE(session.has_value());
    for (int i = 0; i < 20; ++i) {
        session->send_frame(session->sealer().key_update(now_unix()));
        ASSERT_TRUE(session->request("artwork.list", Json{{"limit", 1}}).value("ok", false)) << i;
    }
}

TEST_F(HostileClient, AnUploadIsVerifiedWhileItStreamsAndNothingFalseIsStored) {
    const Bytes image = sample_bytes(samples()[1]);
    const auto attempt = [&](const char* what, int code, RawUpload upload) {
        auto session = open();
        ASSERT_TRUE(session.has_value()) << what;
        upload.image = image;
        const auto result = upload.send(*session, person(), vault_chain());
        ASSERT_TRUE(result.response.is_object()) << what;
        EXPECT_EQ(error_code(result.response), code) << what << result.response.dump();
    };
    attempt("a bit of the ciphertext", 111, {.edit_stream = [](Bytes& stream) { stream[10] ^= std::byte{1}; }});
    attempt("the commitment", 111, {.edit_header = [](EnvelopeHeader& h) { h.commitment.bytes[0] ^= std::byte{1}; }});
    attempt("the salt", 111, {.edit_header = [](EnvelopeHeader& h) { h.salt[0] ^= std::byte{1}; }});
    attempt("the wrapped key", 111, {.edit_header = [](EnvelopeHeader& h) { h.wrapped[383] ^= std::byte{1}; }});
    attempt("another work's ID", 111, {.edit_header = [](EnvelopeHeader& h) { h.artwork = ArtworkId::generate(); }});
    attempt("another recipient", 111, {.edit_header = [](EnvelopeHeader& h) { h.recipient.bytes[3] ^= std::byte{1}; }});
    attempt("another key", 111, {.edit_header = [](EnvelopeHeader& h) { h.kem_id.bytes[3] ^= std::byte{1}; }});
    attempt("another hash", 112, {.edit_registration = [](Registration& r) { r.sha256.bytes[0] ^= std::byte{1}; }});
    attempt("another size", 108, {.edit_registration = [](Registration& r) { r.bytes += 1; }});
    attempt("another work", 108, {.edit_registration = [](Registration& r) { r.artwork = ArtworkId::generate(); }});
    attempt("another vault", 108, {.edit_registration = [](Registration& r) { r.vault.bytes[0] ^= std::byte{1}; }});
    attempt("another artist", 107, {.edit_registration = [this](Registration& r) { r.iss = wallet(artist_home()); }});
    attempt("another media type", 108, {.edit_registration = [](Registration& r) { r.media_type = "image/gif"; }});
    attempt("nothing", 0, {});

    auto session = open();
    EXPECT_EQ(session->request("artwork.list", Json{{"limit", 50}})["r"]["items"].size(), 1U);
    EXPECT_EQ(files_below(data() / "image_store").size(), 1U);
    EXPECT_EQ(files_below(duplicate() / "duplicate_store").size(), 1U);
}

TEST_F(HostileClient, ARecordedHandshakeSecretIsNotRewrappedForTheAttacker) {
    // docs/protocol.md, "The envelope": a victim's ct_v, uploaded as the wrapped key of the attacker's own work, must
    // not come back wrapped to the attacker.
    upload();
    Bytes hello;
    {
        Relay relay(vault().socket_address());
        relay.treat(Direction::to_vault, {.edit = [&hello](std::size_t number, Bytes frame) {
                        if (number == 0) hello = frame;
                        return std::vector<Bytes>{std::move(frame)};
                    }});
        ASSERT_EQ(collector_command({"browse"}).vault(relay.address()).run().exit, 0);
    }
    ByteReader in(hello);
    in.raw(4 + 1 + 4 + 2 + 2 + 32 + 32);
    const Bytes ct_v = to_bytes(in.vec16(384, 512));
    ASSERT_TRUE(in.ok());

    RawUpload attack;
    attack.image = sample_bytes(samples()[1]);
    attack.edit_header = [&ct_v](EnvelopeHeader& header) { header.wrapped = ct_v; };
    auto session = open();
    const auto result = attack.send(*session, person(), vault_chain());
    EXPECT_EQ(error_code(result.response), 111) << result.response.dump();
    EXPECT_EQ(error_code(session->request("artwork.fetch", Json{{"artwork", result.artwork}, {"offset", 0}})), 101);
}

TEST_F(HostileClient, AnUploadThatIsAbandonedLeavesNothing) {
    const Bytes image = make_tiff(500'000);
    {
        auto session = open();
        const Json begun =
            session->request("upload.begin", Json{{"bytes", image.size()}, {"media_type", "image/tiff"}});
        const auto artwork = ArtworkId::from_canonical(begun["r"]["artwork"].get<std::string>());
        Sealer sealer =
            Sealer::create(*artwork, image.size(), vault_chain().wallet(), vault_chain().kem_key(), Purpose::transit);
        Bytes stream;
        ASSERT_TRUE(sealer.seal(image, stream).has_value());
        session->send(
            RecordType::request,
            dump_json(Json{{"m", "upload.data"}, {"p", {{"header", to_base64url(sealer.header().encode())}}}}));
        session->send_data(ByteView(stream).first(kDataBody));
        session->send_data(ByteView(stream).subspan(kDataBody, kDataBody));
    }
    ASSERT_TRUE(serves());
    EXPECT_TRUE(eventually([&] {
        return files_below(data() / "image_store").empty() && files_below(duplicate() / "duplicate_store").empty();
    }));
    // A commit of what was never sent does not make a work.
    auto session = open();
    EXPECT_TRUE(session->request("artwork.list", Json{{"limit", 1}})["r"]["items"].empty());
}

TEST_F(HostileClient, DataOfWrongSizesEndsTheConnection) {
    const Bytes image = make_tiff(500'000);
    const auto attempt = [&](const char* what, const std::function<void(Session&, ByteView)>& act) {
        auto session = open();
        const Json begun =
            session->request("upload.begin", Json{{"bytes", image.size()}, {"media_type", "image/tiff"}});
        const auto artwork = ArtworkId::from_canonical(begun["r"]["artwork"].get<std::string>());
        Sealer sealer =
            Sealer::create(*artwork, image.size(), vault_chain().wallet(), vault_chain().kem_key(), Purpose::transit);
        Bytes stream;
        ASSERT_TRUE(sealer.seal(image, stream).has_value() && sealer.finish(stream).has_value());
        session->send(
            RecordType::request,
            dump_json(Json{{"m", "upload.data"}, {"p", {{"header", to_base64url(sealer.header().encode())}}}}));
        act(*session, stream);
        EXPECT_TRUE(session->socket().closes(seconds(20))) << what;
    };
    attempt("a short one that is not the last", [](Session& s, ByteView stream) {
        s.send_data(stream.first(16'400));
        s.send_data(stream.subspan(16'400, kDataBody));
    });
    attempt("an end before its time", [](Session& s, ByteView stream) {
        s.send_data(stream.first(kDataBody));
        s.send_frame(s.sealer().data_end(kDataBody));
    });
    attempt("a false count", [](Session& s, ByteView stream) {
        s.send_data(stream.first(kDataBody));
        s.send_frame(s.sealer().data_end(stream.size()));
    });
    attempt("another request between", [](Session& s, ByteView stream) {
        s.send_data(stream.first(kDataBody));
        s.send(RecordType::request, encode_request(ArtworkListRequest{}));
    });
}

TEST_F(HostileClient, FourGibibytesAreAllowedAndNotAByteMore) {
    auto session = open();
    ASSERT_TRUE(session.has_value());
    const std::uint64_t limit = std::uint64_t{4} << 30;
    EXPECT_EQ(error_code(session->request("upload.begin", Json{{"bytes", limit + 1}, {"media_type", "image/tiff"}})),
              104);
    // Where this disk has no room for it, that is another matter.
    const int code = error_code(session->request("upload.begin", Json{{"bytes", limit}, {"media_type", "image/tiff"}}));
    EXPECT_TRUE(code == 0 || code == 120) << code;
    EXPECT_EQ(error_code(session->request("upload.begin", Json{{"bytes", 0}, {"media_type", "image/tiff"}})), 100);
    EXPECT_NE(error_code(session->request("upload.begin", Json{{"bytes", 5}, {"media_type", "image/svg+xml"}})), 0);
}

TEST_F(HostileClient, ACommitSaidAgainGetsTheSameReceiptAndMakesNoSecondWork) {
    auto session = open();
    RawUpload upload;
    upload.image = sample_bytes(samples()[1]);
    const auto first = upload.send(*session, person(), vault_chain());
    ASSERT_EQ(error_code(first.response), 0) << first.response.dump();
    auto other = open();
    const Json again = other->request("upload.commit", Json{{"registration", first.registration}});
    EXPECT_EQ(again, first.response);
    // By anybody but its artist it is not even looked up.
    const Person thief = load_person(second_home());
    auto third = open_session(vault().socket_address(), thief);
    EXPECT_NE(error_code(third->request("upload.commit", Json{{"registration", first.registration}})), 0);
    EXPECT_EQ(other->request("artwork.list", Json{{"limit", 50}})["r"]["items"].size(), 1U);
}

TEST_F(HostileClient, AnUploadThatDripsCostsNobodyElseAnything) {
    const Bytes image = make_tiff(500'000);
    std::vector<Session> slow;
    for (const char* home : {"artist", "collector", "second"}) {
        const Person owner = load_person(dir() / home);
        for (int i = 0; i < 4; ++i) {
            auto session = open_session(vault().socket_address(), owner);
            ASSERT_TRUE(session.has_value());
            const Json begun =
                session->request("upload.begin", Json{{"bytes", image.size()}, {"media_type", "image/tiff"}});
            ASSERT_EQ(error_code(begun), 0) << begun.dump();
            const auto artwork = ArtworkId::from_canonical(begun["r"]["artwork"].get<std::string>());
            Sealer sealer = Sealer::create(*artwork, image.size(), vault_chain().wallet(), vault_chain().kem_key(),
                                           Purpose::transit);
            const Json data{{"m", "upload.data"}, {"p", {{"header", to_base64url(sealer.header().encode())}}}};
            session->send(RecordType::request, dump_json(data));
            // Half a record, and no more for now.
            session->send_frame(u32_bytes(65'620));
            session->send_frame(Bytes(30'000));
            slow.push_back(std::move(*session));
        }
    }
    EXPECT_EQ(collector({"browse"}).exit, 0);
    RawUpload upload;
    upload.image = sample_bytes(samples()[1]);
    auto session = open();
    EXPECT_EQ(error_code(upload.send(*session, person(), vault_chain()).response), 0) << "a fourth person uploads";
    // The artist has four under way already; that much is one person's share.
    const Person owner = load_person(artist_home());
    auto fifth = open_session(vault().socket_address(), owner);
    EXPECT_EQ(error_code(fifth->request("upload.begin", Json{{"bytes", 5}, {"media_type", "image/tiff"}})), 117);
    slow.clear();
    EXPECT_TRUE(eventually([&] { return files_below(data() / "incoming").empty(); }));
}

TEST_F(HostileClient, AMuteClientIsClosedAndCostsNobodyElseAnything) {
    // Eight from each of five other addresses say nothing.
    std::vector<Socket> mute;
    for (int host = 2; host < 7; ++host) {
        for (int i = 0; i < 8; ++i) mute.push_back(connect("127.0.0." + std::to_string(host)));
    }
    for (Socket& socket : mute) ASSERT_TRUE(socket.receive_frame().has_value());
    const auto before = Clock::now();
    EXPECT_EQ(collector({"browse"}).exit, 0);
    EXPECT_LT(Clock::now() - before, seconds(4)) << "nobody waited for them";
    for (Socket& socket : mute) EXPECT_TRUE(socket.closes(seconds(30)));
}

TEST_F(HostileClient, TheNinthOfOneAddressWaitsAndIsThenServed) {
    std::vector<Socket> mute;
    for (int i = 0; i < 8; ++i) {
        mute.push_back(connect("127.0.0.9"));
        ASSERT_TRUE(mute.back().receive_frame().has_value());
    }
    Socket ninth = connect("127.0.0.9");
    EXPECT_FALSE(ninth.receive(1, milliseconds(300)).has_value()) << "no IDENTITY yet";
    mute.pop_back();
    EXPECT_TRUE(ninth.receive_frame().has_value()) << "one of the eight went";
}

TEST_F(HostileClient, PastSixtyFourTheOldestSilentOneGoes) {
    std::vector<Socket> mute;
    for (int host = 10; host < 18; ++host) {
        for (int i = 0; i < 8; ++i) {
            mute.push_back(connect("127.0.0." + std::to_string(host)));
            ASSERT_TRUE(mute.back().receive_frame().has_value());
        }
    }
    Socket newcomer = connect("127.0.0.30");
    EXPECT_TRUE(newcomer.receive_frame().has_value()) << "the newcomer is served";
    expect_alert(mute.front(), Errc::overloaded, "the oldest");
}

TEST_F(HostileClient, AClientThatDoesNotReadCostsNobodyElseAnything) {
    const Path file = tiff(std::size_t{16} << 20);
    const Done uploaded = artist({"upload", file, "--title", "Large"});
    ASSERT_EQ(uploaded.exit, 0) << uploaded.out << uploaded.err;
    const std::string id = uploaded.data()["id"];
    std::vector<Session> deaf;
    for (int i = 0; i < 12; ++i) {
        auto session = open();
        ASSERT_TRUE(session.has_value());
        const int size = 4096;
        setsockopt(session->socket().fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        session->send(RecordType::request,
                      dump_json(Json{{"m", "artwork.fetch"}, {"p", {{"artwork", id}, {"offset", 0}}}}));
        deaf.push_back(std::move(*session));
    }
    EXPECT_EQ(collector({"request", id, "-o", dir() / "mine.tif"}).exit, 0);
    EXPECT_EQ(read_text(dir() / "mine.tif"), read_text(file));
    EXPECT_EQ(artist({"upload", picture(), "--title", "Small"}).exit, 0);
    EXPECT_LT(vault().process().peak_memory(), std::uint64_t{128} << 20) << "nothing of it is held for them";
}

}  // namespace
}  // namespace sat::test
