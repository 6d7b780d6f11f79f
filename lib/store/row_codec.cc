// Sealed columns.  docs/storage.md, "Sealed columns".
// SPDX-License-Identifier: Apache-2.0
#include "store/row_codec.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/codec.h"
#include "crypto/hash.h"

namespace sat {

namespace {

constexpr std::uint8_t kFormat = 1;
// Of claims: with what nobody else vouches for.  Format 1 is read as well.
constexpr std::uint8_t kClaimFormat = 2;
constexpr std::size_t kMaxAddress = 64;  // numeric IPv6 with a scope has 61 characters at most

// Which members of a claim are there.
enum ClaimMember : std::uint8_t {
    has_claim_text = 1,
    has_answer = 2,
    has_answer_text = 4,
    has_accept = 8,
    has_metadata = 16,
    all_members = 31,
};

// As in the claims table: never renumbered.
constexpr std::array<std::pair<ClaimState, std::int64_t>, 7> kStates = {{
    {ClaimState::pending, 1},
    {ClaimState::confirmed, 2},
    {ClaimState::completed, 3},
    {ClaimState::declined, 4},
    {ClaimState::withdrawn, 5},
    {ClaimState::expired, 6},
    {ClaimState::superseded, 7},
}};

Result<void> finish(const ByteReader& in) {
    if (in.finish()) return {};
    return fail(Errc::io_error, "a sealed row has a format that this version does not know");
}

void put_salted(ByteWriter& out, const CommitSalt& salt, std::string_view text) {
    out.raw(salt);
    put_text(out, text);
}

CommitSalt get_salt(ByteReader& in) {
    CommitSalt salt{};
    const ByteView bytes = in.raw(salt.size());
    if (bytes.size() == salt.size()) std::copy(bytes.begin(), bytes.end(), salt.begin());
    return salt;
}

}  // namespace

std::int64_t claim_state_number(ClaimState state) {
    for (const auto& [known, number] : kStates)
        if (known == state) return number;
    SAT_ASSERT(false);
}

std::optional<ClaimState> claim_state_from_number(std::int64_t number) {
    for (const auto& [state, known] : kStates)
        if (known == number) return state;
    return std::nullopt;
}

ClaimFacts ClaimRow::facts() const {
    ClaimFacts facts;
    facts.id = id;
    facts.collector = collector;
    facts.head = head;
    facts.seq = seq;
    facts.exp = exp;
    facts.state = state;
    if (state == ClaimState::confirmed) {
        facts.answer = answer_id;
        facts.answer_exp = answer_exp;
    }
    return facts;
}

Bytes row_aad(std::string_view table, ByteView key) { return label("SAT/1 row " + std::string(table), key); }

Bytes leaf_aad(std::uint64_t index) { return label("SAT/1 leaf", u64_bytes(index)); }

void put_text(ByteWriter& out, std::string_view text) {
    SAT_ASSERT(text.size() <= std::numeric_limits<std::uint32_t>::max());
    out.u32(static_cast<std::uint32_t>(text.size())).raw(as_bytes(text));
}

std::string get_text(ByteReader& in, std::size_t max) {
    const std::uint32_t size = in.u32();
    // Asking for more than is left makes the reader fail, as it should.
    return to_string(in.raw(size <= max ? size : std::numeric_limits<std::size_t>::max()));
}

WordHash search_word_hash(const SecretBytes& key, char kind, std::string_view word) {
    const Digest full = hmac_sha256(key.reveal(), label(std::string_view(&kind, 1), as_bytes(word)));
    WordHash out;
    std::copy_n(full.bytes.begin(), out.size(), out.begin());
    return out;
}

Bytes encode_work_row(const WorkRow& work) {
    ByteWriter out;
    out.u8(kFormat);
    put_text(out, work.registration);
    put_text(out, work.origin.sender_ip);
    return out.u16(work.origin.sender_port).take();
}

Result<void> decode_work_row(ByteView bytes, WorkRow& work) {
    ByteReader in(bytes);
    const std::byte format{kFormat};
    in.expect({&format, 1});
    work.registration = get_text(in, kMaxJwsSize);
    work.origin.sender_ip = get_text(in, kMaxAddress);
    work.origin.sender_port = in.u16();
    return finish(in);
}

Bytes encode_claim_row(const ClaimRow& claim) {
    unsigned members = 0;
    if (claim.claim_text) members |= has_claim_text;
    if (claim.answer) members |= has_answer;
    if (claim.answer_text) members |= has_answer_text;
    if (claim.accept) members |= has_accept;
    if (claim.metadata) members |= has_metadata;
    ByteWriter out;
    out.u8(kClaimFormat).u8(static_cast<std::uint8_t>(members));
    out.u8(static_cast<std::uint8_t>(claim_state_number(claim.state)));
    out.u64(static_cast<std::uint64_t>(claim.asked_at)).u64(static_cast<std::uint64_t>(claim.changed_at));
    put_text(out, claim.claim);
    if (claim.claim_text) put_salted(out, claim.claim_text->salt, claim.claim_text->text);
    if (claim.answer) put_text(out, *claim.answer);
    if (claim.answer_text) put_salted(out, claim.answer_text->salt, claim.answer_text->text);
    if (claim.accept) put_text(out, *claim.accept);
    if (claim.metadata) put_salted(out, claim.metadata->salt, claim.metadata->metadata);
    return out.take();
}

Result<void> decode_claim_row(ByteView bytes, ClaimRow& claim) {
    constexpr std::size_t kMaxText = 4 * kMaxNoteCodePoints;
    ByteReader in(bytes);
    const unsigned format = in.u8();
    if (format != kFormat && format != kClaimFormat)
        return fail(Errc::io_error, "a sealed row has a format that this version does not know");
    const unsigned members = in.u8();
    if (members > all_members) return fail(Errc::io_error, "a sealed row has a format that this version does not know");
    if (format == kClaimFormat) {
        const auto state = claim_state_from_number(in.u8());
        const auto asked_at = static_cast<UnixTime>(in.u64());
        const auto changed_at = static_cast<UnixTime>(in.u64());
        if (state != claim.state || asked_at != claim.asked_at || changed_at != claim.changed_at)
            return fail(Errc::io_error,
                        "the catalogue is damaged: a claim's state or times are not those that were sealed",
                        "stop the vault, and run `sat-vaultd check --repair`");
    }
    claim.claim = get_text(in, kMaxShortJws);
    const auto salted_text = [&] {
        SaltedText out;
        out.salt = get_salt(in);
        out.text = get_text(in, kMaxText);
        return out;
    };
    if ((members & has_claim_text) != 0) claim.claim_text = salted_text();
    if ((members & has_answer) != 0) claim.answer = get_text(in, kMaxShortJws);
    if ((members & has_answer_text) != 0) claim.answer_text = salted_text();
    if ((members & has_accept) != 0) claim.accept = get_text(in, kMaxShortJws);
    if ((members & has_metadata) != 0) {
        claim.metadata.emplace();
        claim.metadata->salt = get_salt(in);
        claim.metadata->metadata = get_text(in, kMaxMetadataSize);
    }
    return finish(in);
}

}  // namespace sat
