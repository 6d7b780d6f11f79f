// Fuzz target: what the handshake's frames seal, behind keys and tags that the target itself makes right.  The input's
// first byte chooses the part: 0 the client's identity and ext, 1 the vault's ext, 2 the client's last ext.
// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "base/codec.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "fuzz/fuzz.h"
#include "fuzz/parties.h"

namespace {

using namespace sat;

SecretBytes repeated(std::uint8_t value) { return SecretBytes(Bytes(32, std::byte{value})); }

Bytes transcript_start() {
    return label("SATP/1 RSAOAEP256-X25519-HKDFSHA256-A256GCM",
                 {fuzz_vault().chain().wallet().view(), sha256(fuzz_vault().identity_frame()).view()});
}

// `front` goes up to the sealed part; `keys` and `plaintext` are told the hash of all before it.
Bytes sealed_frame(ByteView front, std::size_t plaintext_size, const std::function<Digest(ByteView)>& hash,
                   const std::function<SecretBytes(const Digest&)>& keys,
                   const std::function<Bytes(const Digest&)>& plaintext) {
    ByteWriter frame;
    frame.u32(static_cast<std::uint32_t>(front.size() + 2 + plaintext_size + kAeadTagSize)).raw(front);
    const Digest th = hash(frame.bytes());
    KeyAndNonce key(keys(th));
    Bytes sealed(plaintext_size + kAeadTagSize);
    key.key.seal(key.base, th.view(), plaintext(th), sealed);
    return frame.vec16(sealed).take();
}

// Every handshake here draws the same, so that all but the part under test is made once.
struct Fixed {
    const Wallet& vault = fuzz_vault().chain().wallet();
    const Wallet& client = fuzz_client().chain().wallet();
    const KemPublicKey& vault_kem = fuzz_vault().chain().kem_key();
    const KemPublicKey& client_kem = fuzz_client().chain().kem_key();
    Bytes to_vault = vault_kem.wrap(repeated(1), label("SAT/1 kem c2v", vault.view()));
    X25519Key epk_c = X25519Key::from_private(repeated(2));
    X25519Key epk_v = X25519Key::from_private(repeated(3));

    EarlySecret early() const {
        return EarlySecret::from_kem(
            kem_secret(repeated(1), vault_kem.id(), to_vault, label("SAT/1 kem c2v", vault.view())));
    }
    FixedRandomnessForTests client_draws() const { return {repeated(2), repeated(1), to_vault}; }

    Bytes hello_with(ByteView identity_part) const {
        ByteWriter front;
        front.u8(3).raw(as_bytes("SATP")).u8(1).u8(0).u16(1).raw(vault_kem.id().view());
        front.raw(epk_c.public_key()).vec16(to_vault);
        return sealed_frame(
            front.bytes(), identity_part.size(),
            [](ByteView frame) {
                return sha256({transcript_start(), frame});
            },
            [&](const Digest& th_1a) { return early().identity_key_material(th_1a); },
            [&](const Digest&) { return to_bytes(identity_part); });
    }

    ClientHandshake greeted() const {
        ClientHandshake handshake(fuzz_client(), {}, client_draws());
        SAT_ASSERT(handshake.on_identity(fuzz_vault().identity_frame()).has_value());
        return handshake;
    }
    Bytes hello = greeted().hello().value();
    Digest th_1 = sha256({transcript_start(), hello});
    Bytes client_label = label("SAT/1 kem v2c", {client.view(), th_1.view()});
    Bytes to_client = client_kem.wrap(repeated(4), client_label);

    MasterSecret master() const {
        HandshakeSecret secret = early().mix(epk_c.agree(epk_v.public_key()).value());
        return std::move(secret).mix(kem_secret(repeated(4), client_kem.id(), to_client, client_label));
    }
    FixedRandomnessForTests vault_draws() const { return {repeated(3), repeated(4), to_client}; }
    Bytes server_front() const {
        ByteWriter front;
        return front.u8(4).raw(epk_v.public_key()).vec16(to_client).take();
    }
    Bytes th_2_start = concat({transcript_start(), hello, client.view(), client_kem.id().view()});
};

Bytes finished_part(const Digest& mac, ByteView ext) {
    ByteWriter out;
    return out.raw(mac.view()).raw(ext).take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Fixed fixed;
    constexpr std::size_t kMaxPart = 16'000;  // fits every frame
    if (size == 0 || size > kMaxPart) return 0;
    const ByteView part = fuzz_view(data, size).subspan(1);
    if (data[0] == 0) {
        VaultHandshake vault(fuzz_vault());
        (void)vault.on_client_hello(fixed.hello_with(part), {});
    } else if (data[0] == 1) {
        ClientHandshake client = fixed.greeted();
        SAT_ASSERT(client.hello().has_value());
        const MasterSecret master = fixed.master();
        const Bytes frame = sealed_frame(
            fixed.server_front(), Digest::kSize + part.size(),
            [&](ByteView front) {
                return sha256({fixed.th_2_start, front});
            },
            [&](const Digest& th_2a) { return master.server_key_material(th_2a); },
            [&](const Digest& th_2a) { return finished_part(master.server_finished(th_2a), part); });
        (void)client.on_server_hello(frame);
    } else if (data[0] == 2) {
        VaultHandshake vault(fuzz_vault(), fixed.vault_draws());
        const auto answer = vault.on_client_hello(fixed.hello, {kFuzzTime, {}, {}});
        SAT_ASSERT(answer.has_value());
        const MasterSecret master = fixed.master();
        const Digest th_2 = sha256({fixed.th_2_start, *answer});
        const std::byte type{5};
        const Bytes frame = sealed_frame(
            {&type, 1}, Digest::kSize + part.size(), [&](ByteView) { return th_2; },
            [&](const Digest&) { return master.client_key_material(th_2); },
            [&](const Digest&) { return finished_part(master.client_finished(th_2), part); });
        if (vault.on_client_finished(frame)) SAT_ASSERT(vault.established().has_value());
    }
    return 0;
}
