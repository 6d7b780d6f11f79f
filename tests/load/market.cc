// SPDX-License-Identifier: Apache-2.0
#include "load/market.h"

#include "base/assert.h"
#include "base/time.h"
#include "ledger/commitment.h"

namespace sat::test {

namespace {

constexpr UnixTime kClaimLife = 14 * 86'400;
constexpr UnixTime kYesLife = 86'400;

template <SignedByPerson T>
Statement signed_by(const T& body, const Person& person) {
    Statement out;
    out.jws = sign(body, person.sign);
    const auto parsed = parse_statement<T>(out.jws);
    SAT_ASSERT(parsed.has_value());
    out.id = parsed->id;
    return out;
}

ArtworkId id_of(const Held& work) {
    const auto id = ArtworkId::from_canonical(work.artwork);
    SAT_ASSERT(id.has_value());
    return *id;
}

bool is_ok(const Json& answer) { return answer.is_object() && answer.value("ok", false); }

}  // namespace

std::optional<Held> look_up(Session& session, const std::string& artwork) {
    const Json answer = session.request("artwork.get", Json{{"artwork", artwork}});
    if (!is_ok(answer)) return std::nullopt;
    const Json& work = answer["r"];
    const auto head = Digest::from_hex(work["head"].get<std::string>());
    const auto owner = Digest::from_hex(work["owner"].get<std::string>());
    if (!head || !owner) return std::nullopt;
    return Held{artwork, *head, work["seq"].get<std::uint64_t>(), *owner};
}

Statement claim_of(const Held& work, const Person& collector, const Wallet& vault) {
    auto body = make_statement<Claim>(collector.wallet(), vault, now_unix());
    body.artwork = id_of(work);
    body.head = work.head;
    body.seq = work.seq;
    body.owner = work.owner;
    body.exp = now_unix() + kClaimLife;
    return signed_by(body, collector);
}

Statement yes_to(const Held& work, const StatementId& claim, const Wallet& collector, const Person& owner,
                 const Wallet& vault) {
    auto body = make_statement<sat::Answer>(owner.wallet(), vault, now_unix());
    body.artwork = id_of(work);
    body.head = work.head;
    body.seq = work.seq;
    body.claim = claim;
    body.to = collector;
    body.yes = true;
    body.exp = now_unix() + kYesLife;
    return signed_by(body, owner);
}

Json acceptance_of(const Held& work, const StatementId& claim, const StatementId& answer, const Person& collector,
                   const Wallet& vault) {
    const auto metadata = sat::SaltedMetadata::draw(
        dump_json(Json{{"name", "Cleo"}, {"contact", "c"}, {"wallet_address", collector.wallet().hex()}}));
    SAT_ASSERT(metadata.has_value());
    auto body = make_statement<Accept>(collector.wallet(), vault, now_unix());
    body.artwork = id_of(work);
    body.head = work.head;
    body.seq = work.seq;
    body.claim = claim;
    body.answer = answer;
    body.metadata_commit = metadata->commit();
    return {{"accept", signed_by(body, collector).jws},
            {"salt", to_base64url(metadata->salt)},
            {"metadata", metadata->metadata}};
}

bool trade(const std::string& artwork, Session& from, const Person& owner, Session& to, const Person& collector,
           const Wallet& vault) {
    const auto work = look_up(to, artwork);
    if (!work || work->owner != owner.wallet()) return false;
    const Statement claim = claim_of(*work, collector, vault);
    if (!is_ok(to.request("claim.open", Json{{"claim", claim.jws}}))) return false;
    const Statement yes = yes_to(*work, claim.id, collector.wallet(), owner, vault);
    if (!is_ok(from.request("claim.answer", Json{{"answer", yes.jws}}))) return false;
    return is_ok(to.request("claim.accept", acceptance_of(*work, claim.id, yes.id, collector, vault)));
}

}  // namespace sat::test
