// SPDX-License-Identifier: Apache-2.0
#include "ledger/certificate.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"

namespace sat {

namespace {

// JSON values and members: each of the certificate's own parts has at most five, and its frame has few.
constexpr std::size_t kMaxValues = 5 * kMaxCertificateParts + 64;
constexpr const char* kTooManyParts = "not a certificate: it has too many parts";

tl::unexpected<Error> refuse(const char* why) { return fail(Errc::bad_statement, why); }

// Names the part in which `result` failed.
template <typename T>
Result<T> in_part(std::string_view part, Result<T> result) {
    if (!result) result.error().message.insert(0, std::string(part) + ": ");
    return result;
}

// Whether JSON of few bytes a value would fill the memory; before it is parsed, and of any text.
bool has_too_many_values(std::string_view text) noexcept {
    std::size_t values = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '\\')
            ++i;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ',' || c == '[' || c == '{') && ++values > kMaxValues)
            return true;
    }
    return false;
}

std::size_t count_parts(const Certificate& certificate) noexcept {
    std::size_t parts = certificate.vault.size() + certificate.identities.size() + certificate.leaves.size() +
                        certificate.witnesses.size();
    for (const Certificate::Chain& chain : certificate.identities) parts += chain.size();
    for (const Certificate::Entry& leaf : certificate.leaves) parts += leaf.proof.size();
    return parts;
}

Json strings_to_json(const std::vector<std::string>& strings) {
    Json array = Json::array();
    for (const std::string& text : strings) array.push_back(text);
    return array;
}

Result<std::vector<std::string>> strings_from_json(const Json& array) {
    std::vector<std::string> strings;
    for (const Json& text : array) {
        if (!text.is_string() || text.get_ref<const std::string&>().empty())
            return refuse("not a certificate: a text is missing");
        strings.push_back(text.get<std::string>());
    }
    return strings;
}

Json entry_to_json(const Certificate::Entry& leaf) {
    Json proof = Json::array();
    for (const Digest& node : leaf.proof) proof.push_back(node.hex());
    return Json{{"entry", leaf.entry}, {"index", leaf.index}, {"proof", std::move(proof)}};
}

Result<Certificate::Entry> entry_from_json(const Json& json) {
    ObjectReader in(json, Errc::bad_statement);
    Certificate::Entry leaf;
    leaf.entry = in.text("entry", kMaxLeafEntry);
    if (leaf.entry.empty()) in.refuse("entry", "missing");
    leaf.index = static_cast<std::uint64_t>(in.integer("index", 0, std::int64_t{kMaxTreeSize} - 1));
    const Json& proof = in.array("proof", kMaxProof);
    SAT_TRY(in.finish());
    for (const Json& node : proof) {
        const auto hash = node.is_string() ? Digest::from_hex(node.get_ref<const std::string&>())
                                           : Result<Digest>(refuse("not a hash"));
        if (!hash) return refuse("not a certificate: a node of a proof is no hash");
        leaf.proof.push_back(*hash);
    }
    return leaf;
}

// One verification; holds what later steps look up.
class Verification {
public:
    explicit Verification(const Certificate& certificate) : certificate_(certificate) {}

    Result<CertifiedOwnership> run() {
        if (count_parts(certificate_) > kMaxCertificateParts) return refuse(kTooManyParts);
        SAT_TRY_VALUE(IdentityChain vault, in_part("the vault's identity", read_vault()));
        SAT_TRY_VALUE(const TreeHead tree, in_part("the checkpoint", read_checkpoint(vault)));
        SAT_TRY_VALUE(auto witnesses, in_part("the witnesses", read_witnesses()));
        SAT_TRY(in_part("the ledger's proof", check_inclusion(tree)));
        SAT_TRY(in_part("the identities", read_identities()));
        SAT_TRY_VALUE(History history, in_part("the history", read_history(vault)));
        SAT_TRY_VALUE(const Head head, in_part("the vault's word on the owner", check_head(vault, history, tree)));
        // Slow, and so after everything that fails more often.
        SAT_TRY(in_part("the vault's identity", vault.check_keys()));
        std::vector<Wallet> signers;
        for (const auto& [wallet, chain] : identities_) {
            SAT_TRY(in_part("the identities", chain.check_keys()));
            signers.push_back(wallet);
        }
        return CertifiedOwnership{std::move(vault), std::move(signers),  std::move(history), tree,
                                  head.iat,         std::move(witnesses)};
    }

private:
    Result<IdentityChain> read_vault() const {
        SAT_TRY_VALUE(auto chain, IdentityChain::from_documents(certificate_.vault));
        if (chain.kind() != IdentityKind::vault) return refuse("it is not a vault's");
        return chain;
    }

    Result<TreeHead> read_checkpoint(const IdentityChain& vault) const {
        return open_checkpoint(certificate_.checkpoint, vault.wallet(), *vault.log_key());
    }

    // The note's lines are the vault's, then one of each witness, and no other.
    Result<std::vector<CertifiedOwnership::Witness>> read_witnesses() const {
        SAT_TRY_VALUE(const SignedNote note, SignedNote::parse(certificate_.checkpoint));
        if (note.lines.size() != 1 + certificate_.witnesses.size())
            return refuse("there are more or fewer of them than signatures of the checkpoint");
        std::vector<CertifiedOwnership::Witness> witnesses;
        for (const std::string& vkey : certificate_.witnesses) {
            SAT_TRY_VALUE(WitnessKey key, WitnessKey::parse(vkey));
            SAT_TRY_VALUE(const UnixTime at, verify_cosignature(note, key));
            const SignedNote::Line& line = note.lines[1 + witnesses.size()];
            if (line.name != key.name || line.key_hash != vkey_hash(key.name, key.key, VkeyType::cosignature))
                return refuse("they do not stand in the order of their signatures");
            witnesses.push_back({std::move(key), at});
        }
        return witnesses;
    }

    Result<void> check_inclusion(const TreeHead& tree) const {
        std::uint64_t next = 0;
        for (const Certificate::Entry& leaf : certificate_.leaves) {
            if (leaf.index < next) return refuse("the leaves do not stand in the ledger's order");
            next = leaf.index + 1;
            if (!verify_inclusion(leaf_hash(leaf.entry), leaf.index, tree.size, leaf.proof, tree.root))
                return refuse("it does not show that a leaf stands under the checkpoint");
        }
        return {};
    }

    Result<void> read_identities() {
        for (const Certificate::Chain& documents : certificate_.identities) {
            SAT_TRY_VALUE(auto chain, IdentityChain::from_documents(documents));
            if (chain.kind() != IdentityKind::user) return refuse("one is not a person's");
            const Wallet wallet = chain.wallet();
            if (!identities_.empty() && wallet <= identities_.rbegin()->first)
                return refuse("they are not sorted, or one stands there twice");
            identities_.emplace(wallet, std::move(chain));
        }
        return {};
    }

    Result<History> read_history(const IdentityChain& vault) const {
        if (certificate_.leaves.empty()) return refuse("there is none");
        SAT_TRY_VALUE(const Leaf first, Leaf::parse(certificate_.leaves.front().entry));
        if (first.type != LeafType::registration) return refuse("the history does not begin with a registration");
        SAT_TRY_VALUE(const auto registration, parse_statement<Registration>(first.statements.front()));
        std::vector<std::string> entries;
        for (const Certificate::Entry& leaf : certificate_.leaves) entries.push_back(leaf.entry);
        std::set<Wallet> used;
        const IdentityLookup lookup = [&](const Wallet& wallet) -> const IdentityChain* {
            const auto found = identities_.find(wallet);
            if (found == identities_.end()) return nullptr;
            used.insert(wallet);
            return &found->second;
        };
        SAT_TRY_VALUE(History history, verify_history(registration.body.artwork, vault, lookup, entries));
        if (used.size() != identities_.size()) return refuse("an identity is given of somebody who did not sign");
        return history;
    }

    Result<Head> check_head(const IdentityChain& vault, const History& history, const TreeHead& tree) const {
        SAT_TRY_VALUE(auto statement, parse_and_verify<Head>(certificate_.head, vault));
        const Head& head = statement.body;
        if (head.vault != vault.wallet() || head.artwork != history.registration.body.artwork)
            return refuse("it is about another work");
        if (head.tree != tree) return refuse("it is about another checkpoint");
        if (head.leaves != certificate_.leaves.size()) return refuse("it counts another number of leaves");
        if (head.head != history.head() || head.seq != history.seq() || head.owner != history.owner())
            return refuse("it names another owner than the history");
        return std::move(statement.body);
    }

    const Certificate& certificate_;
    std::map<Wallet, IdentityChain> identities_;
};

}  // namespace

std::string Certificate::encode() const {
    Json chains = Json::array();
    for (const Chain& chain : identities) chains.push_back(strings_to_json(chain));
    Json entries = Json::array();
    for (const Entry& leaf : leaves) entries.push_back(entry_to_json(leaf));
    return dump_json(Json{{"v", 1},
                          {"vault", strings_to_json(vault)},
                          {"identities", std::move(chains)},
                          {"leaves", std::move(entries)},
                          {"head", head},
                          {"checkpoint", checkpoint},
                          {"witnesses", strings_to_json(witnesses)}});
}

Result<Certificate> Certificate::parse(std::string_view text) {
    if (text.size() > kMaxCertificate) return refuse("not a certificate: it is too long");
    if (has_too_many_values(text)) return refuse(kTooManyParts);
    const auto json = parse_json(text);
    if (!json) return refuse("not a certificate: it is not JSON as the protocol takes it");
    ObjectReader in(*json, Errc::bad_statement);
    Certificate out;
    in.integer("v", 1, 1);
    const Json& vault = in.array("vault", kMaxChainDocuments);
    const Json& identities = in.array("identities", kMaxCertificateParts);
    const Json& leaves = in.array("leaves", kMaxCertificateParts);
    out.head = in.text("head", kMaxShortJws);
    out.checkpoint = in.text("checkpoint", kMaxNote);
    const Json& witnesses = in.array("witnesses", kMaxWitnesses);
    SAT_TRY(in_part("not a certificate", in.finish()));
    SAT_TRY_VALUE(out.vault, strings_from_json(vault));
    SAT_TRY_VALUE(out.witnesses, strings_from_json(witnesses));
    for (const Json& chain : identities) {
        if (!chain.is_array() || chain.empty() || chain.size() > kMaxChainDocuments)
            return refuse("not a certificate: an identity is no array of one to four documents");
        SAT_TRY_VALUE(auto documents, strings_from_json(chain));
        out.identities.push_back(std::move(documents));
    }
    for (const Json& leaf : leaves) {
        SAT_TRY_VALUE(Entry entry, in_part("not a certificate", entry_from_json(leaf)));
        out.leaves.push_back(std::move(entry));
    }
    if (count_parts(out) > kMaxCertificateParts) return refuse(kTooManyParts);
    if (out.encode() != text) return refuse("not a certificate: it is not written in the one form that there is");
    return out;
}

Result<CertifiedOwnership> verify_certificate(const Certificate& certificate) {
    return Verification(certificate).run();
}

}  // namespace sat
