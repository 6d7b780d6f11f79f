// SAT-KEM/1.  docs/protocol.md, "Handshake".
// SPDX-License-Identifier: Apache-2.0
#include "wire/handshake.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/codec.h"
#include "base/json.h"
#include "crypto/aead.h"

namespace sat {
namespace {

constexpr std::string_view kProtocolName = "SATP/1 RSAOAEP256-X25519-HKDFSHA256-A256GCM";
constexpr std::string_view kMagic = "SATP";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint16_t kSuite = 1;
constexpr std::size_t kMinExt = 2;  // {}
// The last second of the year 9999: a client adds lives to the vault's clock and signs the sum.
constexpr std::int64_t kMaxClock = 253'402'300'799;

// The one answer to everything that can go wrong once a private key was used: whoever probes learns nothing from which.
tl::unexpected<Error> handshake_failure() { return fail(Errc::handshake_failed, "the handshake failed"); }

tl::unexpected<Error> out_of_order() { return fail(Errc::unexpected, "a step of the handshake is out of its order"); }

bool is_printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// --- The exts ---

Json to_json(const ClientHelloExt& ext) {
    Json json = Json::object();
    if (ext.agent) json["agent"] = *ext.agent;
    return json;
}

Json to_json(const ServerHelloExt& ext) {
    Json limits = Json::object();
    limits["artwork_bytes"] = ext.limits.artwork_bytes;
    limits["preview_bytes"] = ext.limits.preview_bytes;
    Json json = Json::object();
    json["time"] = ext.time;
    json["limits"] = std::move(limits);
    json["checkpoint"] = ext.checkpoint ? Json(*ext.checkpoint) : Json();
    return json;
}

Json to_json(const ClientFinishedExt& ext) {
    Json json = Json::object();
    json["seen"] = Json();
    if (ext.seen) {
        Json seen = Json::object();
        seen["size"] = ext.seen->size;
        seen["root"] = ext.seen->root.hex();
        json["seen"] = std::move(seen);
    }
    return json;
}

Result<void> read_ext(const Json& json, ClientHelloExt& ext) {
    ObjectReader in(json, Errc::malformed);
    in.ignore_unknown();
    in.allow_absent();
    ext.agent = in.text_or_null("agent", kMaxAgent);
    if (ext.agent && !is_printable_ascii(*ext.agent)) in.refuse("agent", "is not ASCII");
    return in.finish();
}

Result<void> read_ext(const Json& json, ServerHelloExt& ext) {
    ObjectReader in(json, Errc::malformed);
    in.ignore_unknown();
    ext.time = in.integer("time", 0, kMaxClock);
    ext.checkpoint = in.text_or_null("checkpoint", kMaxExt);
    ObjectReader limits(in.value("limits"), Errc::malformed);
    limits.ignore_unknown();
    ext.limits.artwork_bytes = static_cast<std::uint64_t>(limits.integer("artwork_bytes", 0, kJsonMaxInteger));
    ext.limits.preview_bytes = static_cast<std::uint64_t>(limits.integer("preview_bytes", 0, kJsonMaxInteger));
    SAT_TRY(in.finish());
    return limits.finish();
}

Result<void> read_ext(const Json& json, ClientFinishedExt& ext) {
    ObjectReader in(json, Errc::malformed);
    in.ignore_unknown();
    const Json& seen = in.value("seen");
    SAT_TRY(in.finish());
    if (seen.is_null()) return {};
    ObjectReader inner(seen, Errc::malformed);
    inner.ignore_unknown();
    TreeHead checkpoint;
    checkpoint.size = static_cast<std::uint64_t>(inner.integer("size", 0, std::int64_t{kMaxTreeSize}));
    checkpoint.root = inner.digest("root");
    SAT_TRY(inner.finish());
    ext.seen = checkpoint;
    return {};
}

template <typename Ext>
Bytes encode_ext(const Ext& ext) {
    Bytes text = to_bytes(dump_json(to_json(ext)));
    SAT_ASSERT(text.size() <= kMaxExt);
    return text;
}

template <typename Ext>
Result<Ext> parse_ext(ByteView text) {
    SAT_TRY_VALUE(const Json json, parse_json(as_text(text)));
    Ext ext;
    SAT_TRY(read_ext(json, ext));
    return ext;
}

// --- Parts that both ends share ---

// What follows the type byte of `frame`, which must be of type `wanted`.
Result<ByteView> body_of(ByteView frame, FrameType wanted, bool& peer_alerted) {
    SAT_TRY_VALUE(const FrameType type, frame_type(frame));
    if (type == FrameType::alert) {
        SAT_TRY_VALUE(const Errc code, parse_alert(frame));
        peer_alerted = true;
        return fail(alert_error(code));
    }
    if (type != wanted) return out_of_order();
    return frame.subspan(kFrameHeaderSize + 1);
}

// The running hash, begun with P.
Sha256 begin_transcript(const Wallet& vault, ByteView identity_frame) {
    Sha256 transcript;
    transcript.update(label(kProtocolName, {vault.view(), sha256(identity_frame).view()}));
    return transcript;
}

Bytes seal_part(const SecretBytes& material, const Digest& transcript, ByteView plaintext) {
    KeyAndNonce key(material);
    Bytes sealed(plaintext.size() + kAeadTagSize);
    key.key.seal(key.base, transcript.view(), plaintext, sealed);
    return sealed;
}

Result<Bytes> open_part(const SecretBytes& material, const Digest& transcript, ByteView sealed) {
    KeyAndNonce key(material);
    Bytes plaintext(sealed.size() - kAeadTagSize);
    if (!key.key.open(key.base, transcript.view(), sealed, plaintext)) return handshake_failure();
    return plaintext;
}

// finished[32] | vec16 ext, of either side.
template <typename Ext>
Bytes finished_part(const Digest& mac, const Ext& ext) {
    ByteWriter out;
    out.raw(mac.view()).vec16(encode_ext(ext));
    return out.take();
}

template <typename Ext>
Result<Ext> check_finished_part(ByteView plaintext, const Digest& mac) {
    ByteReader in(plaintext);
    const ByteView theirs = in.raw(Digest::kSize);
    const ByteView ext = in.vec16(kMinExt, kMaxExt);
    SAT_TRY(in.finish());
    if (!equal_constant_time(theirs, mac.view())) return handshake_failure();
    return parse_ext<Ext>(ext);
}

// A frame whose last field is a sealed part of which only the size is known yet: length, and `front` behind it.
Bytes unfinished_frame(ByteView front, std::size_t sealed_size) {
    ByteWriter out;
    out.u32(static_cast<std::uint32_t>(front.size() + 2 + sealed_size)).raw(front);
    return out.take();
}

// Appends the sealed part as a vec16, to the frame and to the transcript.
void finish_frame(Bytes& frame, Sha256& transcript, ByteView sealed) {
    ByteWriter part;
    part.vec16(sealed);
    append(frame, part.bytes());
    transcript.update(part.bytes());
}

Bytes vault_label(const Wallet& vault) { return label("SAT/1 kem c2v", vault.view()); }

Bytes client_label(const Wallet& client, const Digest& th_1) {
    return label("SAT/1 kem v2c", {client.view(), th_1.view()});
}

X25519Key draw_ephemeral(const std::optional<FixedRandomnessForTests>& fixed) {
    return fixed ? X25519Key::from_private(fixed->ephemeral) : X25519Key::generate();
}

Encapsulated encapsulate_to(const KemPublicKey& key, ByteView kem_label,
                            const std::optional<FixedRandomnessForTests>& fixed) {
    if (!fixed) return encapsulate(key, kem_label);
    return {fixed->ciphertext, kem_secret(fixed->m, key.id(), fixed->ciphertext, kem_label)};
}

}  // namespace

HandshakeParty::HandshakeParty(IdentityChain chain, KemPrivateKey kem)
    : chain_(std::move(chain)), kem_(std::move(kem)) {
    SAT_ASSERT(chain_.kem_key().id() == kem_.public_key().id());
    ByteWriter body;
    body.u8(static_cast<std::uint8_t>(FrameType::identity)).raw(chain_.encode());
    identity_frame_ = encode_frame(body.bytes(), Phase::handshake);
}

// --- The client ---

struct ClientHandshake::State {
    enum class Step { identity, hello, server_hello, established, over };

    State(const HandshakeParty& party, ClientHelloExt hello_ext) : me(party), ext(std::move(hello_ext)) {}

    Result<void> take_identity(ByteView frame);
    Result<Bytes> make_hello();
    Result<Bytes> take_server_hello(ByteView frame, const ClientFinishedExt& finished_ext);
    Result<MasterSecret> agree(ByteView epk_v, ByteView ct_c);

    // Enters a step, which is over unless the caller sets the next one.
    bool enter(Step wanted) { return std::exchange(step, Step::over) == wanted; }

    const HandshakeParty& me;
    ClientHelloExt ext;
    std::optional<FixedRandomnessForTests> fixed;
    Step step = Step::identity;
    bool alerted = false;
    std::optional<IdentityChain> vault;
    Sha256 transcript;
    Digest th_1;
    std::optional<X25519Key> ephemeral;
    std::optional<EarlySecret> early;
    ServerHelloExt server_ext;
    std::optional<TrafficSecrets> traffic;
};

ClientHandshake::ClientHandshake(const HandshakeParty& me, ClientHelloExt ext)
    : state_(std::make_unique<State>(me, std::move(ext))) {
    const auto& agent = state_->ext.agent;
    SAT_ASSERT(!agent || (agent->size() <= kMaxAgent && is_printable_ascii(*agent)));
}

ClientHandshake::ClientHandshake(const HandshakeParty& me, ClientHelloExt ext, FixedRandomnessForTests fixed)
    : ClientHandshake(me, std::move(ext)) {
    state_->fixed = std::move(fixed);
}

ClientHandshake::ClientHandshake(ClientHandshake&&) noexcept = default;
ClientHandshake::~ClientHandshake() = default;

Result<void> ClientHandshake::State::take_identity(ByteView frame) {
    SAT_TRY_VALUE(const ByteView body, body_of(frame, FrameType::identity, alerted));
    SAT_TRY_VALUE(IdentityChain chain, IdentityChain::parse(body));
    if (chain.kind() != IdentityKind::vault)
        return fail(Errc::bad_statement, "the other end is not a vault", "check the address");
    if (chain.wallet() == me.chain().wallet()) return handshake_failure();
    transcript = begin_transcript(chain.wallet(), frame);
    vault = std::move(chain);
    return {};
}

Result<Bytes> ClientHandshake::State::make_hello() {
    ByteWriter identity;
    identity.raw(me.chain().encode()).vec16(encode_ext(ext));

    ephemeral = draw_ephemeral(fixed);
    Encapsulated to_vault = encapsulate_to(vault->kem_key(), vault_label(vault->wallet()), fixed);
    ByteWriter front;
    front.u8(static_cast<std::uint8_t>(FrameType::client_hello)).raw(as_bytes(kMagic)).u8(kVersion).u8(0).u16(kSuite);
    front.raw(vault->kem_key().id().view()).raw(ephemeral->public_key()).vec16(to_vault.ciphertext);
    const std::size_t sealed_size = identity.bytes().size() + kAeadTagSize;
    if (front.bytes().size() + 2 + sealed_size > kMaxHandshakeBody)
        return fail(Errc::too_large, "our chain of identities is too long for a hello");

    Bytes frame = unfinished_frame(front.bytes(), sealed_size);
    transcript.update(frame);
    const Digest th_1a = transcript.peek();
    early = EarlySecret::from_kem(std::move(to_vault.secret));
    finish_frame(frame, transcript, seal_part(early->identity_key_material(th_1a), th_1a, identity.bytes()));
    th_1 = transcript.peek();
    return frame;
}

// ES to MS: the ephemeral key, ES, HS and ss_c are gone afterwards.
Result<MasterSecret> ClientHandshake::State::agree(ByteView epk_v, ByteView ct_c) {
    SAT_TRY_VALUE(SecretBytes dh, ephemeral->agree(epk_v));
    ephemeral.reset();
    HandshakeSecret secret = std::move(*early).mix(std::move(dh));
    early.reset();
    SAT_TRY_VALUE(SecretBytes ss_c, decapsulate(me.kem(), ct_c, client_label(me.chain().wallet(), th_1)));
    return std::move(secret).mix(std::move(ss_c));
}

Result<Bytes> ClientHandshake::State::take_server_hello(ByteView frame, const ClientFinishedExt& finished_ext) {
    SAT_TRY_VALUE(const ByteView body, body_of(frame, FrameType::server_hello, alerted));
    ByteReader in(body);
    const ByteView epk_v = in.raw(X25519Key::kSize);
    const ByteView ct_c = in.vec16(me.kem().public_key().block_size(), me.kem().public_key().block_size());
    const ByteView sealed = in.vec16(kAeadTagSize, kMaxHandshakeBody);
    SAT_TRY(in.finish());

    Result<MasterSecret> master = agree(epk_v, ct_c);
    if (!master) return handshake_failure();
    const std::size_t front = frame.size() - 2 - sealed.size();
    transcript.update(me.chain().wallet().view()).update(me.kem().public_key().id().view()).update(frame.first(front));
    const Digest th_2a = transcript.peek();
    transcript.update(frame.subspan(front));
    const Digest th_2 = transcript.peek();

    const Result<Bytes> plaintext = open_part(master->server_key_material(th_2a), th_2a, sealed);
    if (!plaintext) return handshake_failure();
    Result<ServerHelloExt> theirs = check_finished_part<ServerHelloExt>(*plaintext, master->server_finished(th_2a));
    if (!theirs) return handshake_failure();
    server_ext = std::move(*theirs);

    const Bytes finished = finished_part(master->client_finished(th_2), finished_ext);
    constexpr std::array kFront = {static_cast<std::byte>(FrameType::client_finished)};
    Bytes answer = unfinished_frame(kFront, finished.size() + kAeadTagSize);
    transcript.update(answer);
    finish_frame(answer, transcript, seal_part(master->client_key_material(th_2), th_2, finished));
    traffic = std::move(*master).traffic(transcript.peek());
    return answer;
}

Result<void> ClientHandshake::on_identity(ByteView frame) {
    if (!state_->enter(State::Step::identity)) return out_of_order();
    SAT_TRY(state_->take_identity(frame));
    state_->step = State::Step::hello;
    return {};
}

const IdentityChain& ClientHandshake::vault() const {
    SAT_ASSERT(state_->vault);
    return *state_->vault;
}

Result<Bytes> ClientHandshake::hello() {
    if (!state_->enter(State::Step::hello)) return out_of_order();
    SAT_TRY_VALUE(Bytes frame, state_->make_hello());
    state_->step = State::Step::server_hello;
    return frame;
}

Result<Bytes> ClientHandshake::on_server_hello(ByteView frame, const ClientFinishedExt& ext) {
    if (!state_->enter(State::Step::server_hello)) return out_of_order();
    SAT_TRY_VALUE(Bytes answer, state_->take_server_hello(frame, ext));
    state_->step = State::Step::established;
    return answer;
}

Result<ClientEstablished> ClientHandshake::established() {
    if (!state_->enter(State::Step::established)) return out_of_order();
    TrafficSecrets traffic = std::move(*std::exchange(state_->traffic, std::nullopt));
    return ClientEstablished{*state_->vault, state_->server_ext, std::move(traffic.client_to_vault),
                             std::move(traffic.vault_to_client)};
}

bool ClientHandshake::peer_alerted() const noexcept { return state_->alerted; }

// --- The vault ---

struct VaultHandshake::State {
    enum class Step { client_hello, client_finished, established, over };

    explicit State(const HandshakeParty& party) : me(party) {}

    Result<Bytes> take_client_hello(ByteView frame, const ServerHelloExt& ext);
    Result<Bytes> answer(ByteView frame, ByteView epk_c, ByteView ct_v, ByteView sealed, const ServerHelloExt& ext);
    Result<void> take_client_finished(ByteView frame);
    bool enter(Step wanted) { return std::exchange(step, Step::over) == wanted; }

    const HandshakeParty& me;
    std::optional<FixedRandomnessForTests> fixed;
    Step step = Step::client_hello;
    bool alerted = false;
    Sha256 transcript;
    std::optional<IdentityChain> client;
    ClientHelloExt client_ext;
    ClientFinishedExt finished_ext;
    std::optional<MasterSecret> master;
    std::optional<TrafficSecrets> traffic;
};

VaultHandshake::VaultHandshake(const HandshakeParty& me) : state_(std::make_unique<State>(me)) {
    SAT_ASSERT(me.chain().kind() == IdentityKind::vault);
}

VaultHandshake::VaultHandshake(const HandshakeParty& me, FixedRandomnessForTests fixed) : VaultHandshake(me) {
    state_->fixed = std::move(fixed);
}

VaultHandshake::VaultHandshake(VaultHandshake&&) noexcept = default;
VaultHandshake::~VaultHandshake() = default;

Result<Bytes> VaultHandshake::State::take_client_hello(ByteView frame, const ServerHelloExt& ext) {
    SAT_TRY_VALUE(const ByteView body, body_of(frame, FrameType::client_hello, alerted));
    ByteReader in(body);
    in.expect(as_bytes(kMagic));
    const std::uint8_t version = in.u8();
    // Another version's hello may look different from here on, so this comes before every other complaint.
    if (in.ok() && version != kVersion) return fail(Errc::version, "the client speaks another version of the protocol");
    const bool reserved_is_zero = in.u8() == 0;
    const std::uint16_t suite = in.u16();
    if (in.ok() && suite != kSuite) return fail(Errc::version, "the client wants another suite");
    const KeyId kem_id = in.digest();
    const ByteView epk_c = in.raw(X25519Key::kSize);
    const ByteView ct_v = in.vec16(kMinRsaBlock, kMaxRsaBlock);
    const ByteView sealed = in.vec16(kAeadTagSize, kMaxHandshakeBody);
    SAT_TRY(in.finish());
    if (!reserved_is_zero) return fail(Errc::malformed, "a reserved byte of the hello is not zero");
    if (kem_id != me.kem().public_key().id())
        return fail(Errc::unknown_vault_key, "the client sealed to a key that is not ours");
    if (ct_v.size() != me.kem().public_key().block_size())
        return fail(Errc::malformed, "the hello's ciphertext has the wrong size");

    Result<Bytes> reply = answer(frame, epk_c, ct_v, sealed, ext);
    if (!reply) return handshake_failure();
    return reply;
}

// From Decap on.  The caller turns every error into the same one.
Result<Bytes> VaultHandshake::State::answer(ByteView frame, ByteView epk_c, ByteView ct_v, ByteView sealed,
                                            const ServerHelloExt& ext) {
    const Wallet& wallet = me.chain().wallet();
    transcript = begin_transcript(wallet, me.identity_frame());
    const std::size_t client_front = frame.size() - 2 - sealed.size();
    transcript.update(frame.first(client_front));
    const Digest th_1a = transcript.peek();
    transcript.update(frame.subspan(client_front));
    const Digest th_1 = transcript.peek();

    SAT_TRY_VALUE(SecretBytes ss_v, decapsulate(me.kem(), ct_v, vault_label(wallet)));
    EarlySecret early = EarlySecret::from_kem(std::move(ss_v));
    SAT_TRY_VALUE(const Bytes identity, open_part(early.identity_key_material(th_1a), th_1a, sealed));
    ByteReader in(identity);
    SAT_TRY_VALUE(IdentityChain chain, IdentityChain::read(in));
    const ByteView ext_text = in.vec16(kMinExt, kMaxExt);
    SAT_TRY(in.finish());
    SAT_TRY_VALUE(client_ext, parse_ext<ClientHelloExt>(ext_text));
    if (chain.kind() != IdentityKind::user || chain.wallet() == wallet) return handshake_failure();

    std::optional<X25519Key> ephemeral = draw_ephemeral(fixed);
    const auto epk_v = ephemeral->public_key();
    SAT_TRY_VALUE(SecretBytes dh, ephemeral->agree(epk_c));
    ephemeral.reset();
    HandshakeSecret secret = std::move(early).mix(std::move(dh));
    Encapsulated to_client = encapsulate_to(chain.kem_key(), client_label(chain.wallet(), th_1), fixed);
    master = std::move(secret).mix(std::move(to_client.secret));

    // server_finished hangs on th_2a, which hangs on the frame's length: so the ext's size is taken first.
    Bytes finished = finished_part(Digest{}, ext);
    ByteWriter front;
    front.u8(static_cast<std::uint8_t>(FrameType::server_hello)).raw(epk_v).vec16(to_client.ciphertext);
    Bytes reply = unfinished_frame(front.bytes(), finished.size() + kAeadTagSize);
    transcript.update(chain.wallet().view()).update(chain.kem_key().id().view()).update(reply);
    const Digest th_2a = transcript.peek();
    finished = finished_part(master->server_finished(th_2a), ext);
    finish_frame(reply, transcript, seal_part(master->server_key_material(th_2a), th_2a, finished));
    client = std::move(chain);
    return reply;
}

Result<void> VaultHandshake::State::take_client_finished(ByteView frame) {
    SAT_TRY_VALUE(const ByteView body, body_of(frame, FrameType::client_finished, alerted));
    ByteReader in(body);
    const ByteView sealed = in.vec16(kAeadTagSize, kMaxHandshakeBody);
    SAT_TRY(in.finish());

    const Digest th_2 = transcript.peek();
    const Result<Bytes> plaintext = open_part(master->client_key_material(th_2), th_2, sealed);
    if (!plaintext) return handshake_failure();
    Result<ClientFinishedExt> theirs =
        check_finished_part<ClientFinishedExt>(*plaintext, master->client_finished(th_2));
    if (!theirs) return handshake_failure();
    finished_ext = *theirs;
    traffic = std::move(*master).traffic(transcript.update(frame).peek());
    master.reset();
    return {};
}

Result<Bytes> VaultHandshake::on_client_hello(ByteView frame, const ServerHelloExt& ext) {
    if (!state_->enter(State::Step::client_hello)) return out_of_order();
    SAT_TRY_VALUE(Bytes reply, state_->take_client_hello(frame, ext));
    state_->step = State::Step::client_finished;
    return reply;
}

Result<void> VaultHandshake::on_client_finished(ByteView frame) {
    if (!state_->enter(State::Step::client_finished)) return out_of_order();
    SAT_TRY(state_->take_client_finished(frame));
    state_->step = State::Step::established;
    return {};
}

Result<VaultEstablished> VaultHandshake::established() {
    if (!state_->enter(State::Step::established)) return out_of_order();
    TrafficSecrets traffic = std::move(*std::exchange(state_->traffic, std::nullopt));
    return VaultEstablished{std::move(*state_->client), state_->client_ext, state_->finished_ext,
                            std::move(traffic.vault_to_client), std::move(traffic.client_to_vault)};
}

bool VaultHandshake::peer_alerted() const noexcept { return state_->alerted; }

}  // namespace sat
