// The vault's ledger as this client sees it: checkpoints that go on from each other, leaves that stand under them,
// certificates.  docs/protocol.md, "Checkpoints", "Certificates".
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "base/assert.h"
#include "base/json.h"
#include "client/vault_client.h"
#include "client/vault_client_impl.h"

namespace sat {

const TreeHead& VaultClient::tree_head() const {
    SAT_ASSERT(impl_->ledger);
    return impl_->ledger->head;
}

const std::string& VaultClient::checkpoint() const {
    SAT_ASSERT(impl_->ledger);
    return impl_->ledger->note;
}

namespace {

// A vault that refuses a proof says that there is none.  Not so one that has no time for it, or no room.
bool is_refusal(Errc code) noexcept {
    const auto number = static_cast<unsigned>(code);
    return number >= 100 && number < 200 && code != Errc::rate_limited && code != Errc::busy &&
           code != Errc::storage_full;
}

}  // namespace

Result<void> VaultClient::require_no_evidence() const { return impl_->checkpoints.require_no_evidence(vault_wallet()); }

// Keeps the proof, shows the vault what it signed, and has done with it.
tl::unexpected<Error> VaultClient::contradiction(const std::string& kept, const std::string& shown) {
    Error error = impl_->checkpoints.keep_evidence(vault_wallet(), kept, shown);
    (void)call(LedgerReportRequest{kept});
    if (shown != kept && SignedNote::parse(shown)) (void)call(LedgerReportRequest{shown});
    close();
    return fail(std::move(error));
}

// The vault proves that the newer one is the older one, grown, or has done so already by `given`.  False: its proof
// fails, or it refuses to give one.
Result<bool> VaultClient::is_continued(const TreeHead& older, const TreeHead& newer, const MerkleProof* given) {
    MerkleProof proof;
    if (given != nullptr) {
        proof = *given;
    } else if (older.size > 0 && older.size < newer.size) {
        auto reply = call(LedgerConsistencyRequest{older.size, newer.size});
        // A connection that was ended with such a code has not answered.
        if (!reply && connected() && is_refusal(reply.error().code)) return false;
        if (!reply) return fail(std::move(reply.error()));
        proof = std::move(reply->proof);
    }
    return verify_consistency(older, newer, proof).has_value();
}

Result<void> VaultClient::compare(const VerifiedCheckpoint& older, const VerifiedCheckpoint& newer,
                                  const MerkleProof* given) {
    SAT_TRY_VALUE(const bool continued, is_continued(older.head, newer.head, given));
    if (!continued) return contradiction(older.note, newer.note);
    return {};
}

// `fresh` goes on from what this connection knows.
Result<void> VaultClient::join(const VerifiedCheckpoint& fresh, const MerkleProof* given) {
    if (!impl_->ledger) return {};
    if (fresh.head.size < impl_->ledger->head.size) return contradiction(impl_->ledger->note, fresh.note);
    return compare(*impl_->ledger, fresh, given);
}

// `fresh`, which goes on from `joined`, goes on from what is on file, and is on file itself.
Result<void> VaultClient::file_checkpoint(const VerifiedCheckpoint& fresh, std::optional<TreeHead> joined) {
    // Another process of this home may have been shown a newer one since this one dialled: that is no contradiction as
    // long as one of the two goes on from the other.
    for (;;) {
        SAT_TRY_VALUE(const auto filed, impl_->checkpoints.keep(vault(), fresh, joined));
        if (!filed) break;
        SAT_TRY(filed->head.size <= fresh.head.size ? compare(*filed, fresh) : compare(fresh, *filed));
        joined = filed->head;
    }
    return {};
}

Result<void> VaultClient::take_checkpoint(const std::string& note) {
    SAT_TRY_VALUE(const TreeHead head, open_checkpoint(note, vault_wallet(), *vault().log_key()));
    const VerifiedCheckpoint fresh{note, head};
    auto joined = join(fresh, nullptr);
    if (joined) {
        const std::optional<TreeHead> known = impl_->ledger ? std::optional(impl_->ledger->head) : std::nullopt;
        joined = file_checkpoint(fresh, impl_->unfiled ? impl_->unfiled : known);
    }
    if (!joined) {
        if (joined.error().code == Errc::checkpoint_inconsistent) return joined;
        // The vault has signed it: hanging up does not take it back.
        const auto filed = impl_->checkpoints.add_unproved(vault(), fresh);
        if (!filed)
            joined.error().message += "; the checkpoint that it showed could not be kept: " + filed.error().message;
        return joined;
    }
    impl_->ledger = fresh;
    impl_->unfiled.reset();
    return {};
}

// The same of a note that came with its proof; it is on file once keep_checkpoint() succeeds.  What a crash before that
// forgets, nobody was told anything by.
Result<void> VaultClient::take_proved_checkpoint(const std::string& note, const MerkleProof& proof) {
    SAT_TRY_VALUE(const TreeHead head, open_checkpoint(note, vault_wallet(), *vault().log_key()));
    const VerifiedCheckpoint fresh{note, head};
    SAT_TRY(join(fresh, &proof));
    if (!impl_->unfiled) impl_->unfiled = impl_->ledger->head;
    impl_->ledger = fresh;
    return {};
}

Result<void> VaultClient::keep_checkpoint() {
    if (!impl_->unfiled) return {};
    // The vault is asked only where somebody else has filed one since.  What it has acknowledged is stored, whatever
    // became of this connection: a new one files what is known, too.
    auto kept = file_checkpoint(*impl_->ledger, *impl_->unfiled);
    for (int tries = 1; !kept && is_lost(kept.error().code) && tries < kMaxTries; ++tries) {
        auto again = reconnect();
        if (again) return {};
        if (!is_lost(again.error().code) && again.error().code != Errc::unreachable) return again;
    }
    if (kept) impl_->unfiled.reset();
    return kept;
}

// The ledger that is shown now goes on from everything that was shown, and not proved, before.
Result<void> VaultClient::prove_unproved() {
    SAT_TRY_VALUE(const auto unproved, impl_->checkpoints.find_unproved(vault()));
    for (const VerifiedCheckpoint& shown : unproved) {
        if (shown.head.size > tree_head().size) SAT_TRY(refresh_checkpoint());
        if (shown.head.size > tree_head().size) return contradiction(shown.note, checkpoint());
        SAT_TRY(compare(shown, *impl_->ledger));
        SAT_TRY(impl_->checkpoints.remove_unproved(vault(), shown));
    }
    return {};
}

Result<void> VaultClient::refresh_checkpoint() {
    SAT_TRY_VALUE(const auto reply, call(LedgerCheckpointRequest{}));
    return take_checkpoint(reply.checkpoint);
}

// A proof of the tree of the newest checkpoint.
Result<void> VaultClient::take_inclusion(const LeafHash& leaf, const LedgerInclusionReply& reply) {
    const TreeHead head = tree_head();
    if (!verify_inclusion(leaf, reply.index, head.size, reply.proof, head.root)) {
        // With the note, what anybody needs to see that the proof does not hold.
        Json shown{{"v", 1}, {"leaf", leaf.hex()}};
        shown.update(reply.to_json());
        shown["checkpoint"] = checkpoint();
        return contradiction(checkpoint(), dump_json(shown) + "\n");
    }
    impl_->included.insert(leaf);
    return {};
}

Result<void> VaultClient::prove_included(const LeafHash& leaf) {
    if (impl_->included.contains(leaf)) return {};
    for (bool refreshed = false;; refreshed = true) {
        const TreeHead head = tree_head();
        Result<LedgerInclusionReply> reply = fail(Errc::not_found, "the ledger is empty");
        if (head.size > 0) reply = call(LedgerInclusionRequest{leaf, head.size});
        if (reply) return take_inclusion(leaf, *reply);
        if (reply.error().code != Errc::not_found) return fail(std::move(reply.error()));
        if (refreshed)
            return fail(Errc::bad_statement, "the vault's ledger does not hold what the vault showed of this work");
        SAT_TRY(refresh_checkpoint());
    }
}

// The other party of a transfer was shown the same ledger: one tree head is the beginning of the other.
Result<void> VaultClient::check_seen(const std::optional<TreeHead>& seen, const std::string& statement) {
    if (!seen) return {};
    if (seen->size > tree_head().size) SAT_TRY(refresh_checkpoint());
    if (seen->size > tree_head().size) return contradiction(checkpoint(), statement);
    SAT_TRY_VALUE(const bool continued, is_continued(*seen, tree_head()));
    if (!continued) return contradiction(checkpoint(), statement);
    return {};
}

Result<std::vector<std::string>> VaultClient::get_entries(std::uint64_t from) {
    SAT_TRY_VALUE(LedgerEntriesReply page, call(LedgerEntriesRequest{from}));
    if (page.entries.empty() || (page.next && *page.next != from + page.entries.size()))
        return fail(Errc::malformed, "the vault's pages of its ledger do not join");
    return std::move(page.entries);
}

Result<void> VaultClient::learn_signers(std::span<const std::string> entries, bool again) {
    std::vector<Wallet> signers;
    for (const std::string& entry : entries) collect_signers(entry, signers);
    return learn(signers, again);
}

Result<void> VaultClient::require_continuation(const std::string& note) {
    SAT_TRY_VALUE(const TreeHead head, open_checkpoint(note, vault_wallet(), *vault().log_key()));
    if (head.size > tree_head().size) SAT_TRY(refresh_checkpoint());
    if (head.size > tree_head().size) return contradiction(note, checkpoint());
    return compare({note, head}, *impl_->ledger);
}

Result<Certificate> VaultClient::certify(const ArtworkId& artwork, const std::optional<std::string>& cosigned,
                                         std::span<const WitnessKey> witnesses) {
    Certificate out;
    LedgerHeadRequest request{artwork, std::nullopt};
    if (cosigned) {
        SAT_TRY(require_continuation(*cosigned));
        SAT_TRY_VALUE(const TreeHead head, open_checkpoint(*cosigned, vault_wallet(), *vault().log_key()));
        request.size = head.size;
        // The vault's line and those of the witnesses, no other: a certificate says who signed its checkpoint.
        SAT_TRY_VALUE(SignedNote note, SignedNote::parse(*cosigned));
        SignedNote kept{note.text, {}};
        const auto take = [&](std::string_view name, const VkeyHash& hash) {
            for (const SignedNote::Line& line : note.lines)
                if (line.name == name && line.key_hash == hash) kept.lines.push_back(line);
        };
        const std::string vault_name = vault_note_name(vault_wallet());
        take(vault_name, vkey_hash(vault_name, *vault().log_key()));
        for (const WitnessKey& witness : witnesses) {
            SAT_TRY(verify_cosignature(note, witness));
            take(witness.name, vkey_hash(witness.name, witness.key, VkeyType::cosignature));
            out.witnesses.push_back(witness.vkey());
        }
        out.checkpoint = kept.encode();
    }
    SAT_TRY_VALUE(LedgerHeadReply reply, call(request));
    if (!cosigned) {
        SAT_TRY(take_checkpoint(reply.checkpoint));
        SAT_TRY_VALUE(const SignedNote note, SignedNote::parse(reply.checkpoint));
        if (note.lines.size() != 1) return fail(Errc::malformed, "the vault's checkpoint has signatures of others");
        out.checkpoint = std::move(reply.checkpoint);
    }
    out.head = std::move(reply.head);
    SAT_TRY_VALUE(const auto head, parse_and_verify<Head>(out.head, vault()));
    SAT_TRY_VALUE(WorkLeaves leaves, read_history(artwork));
    if (head.body.leaves > leaves.entries.size())
        return fail(Errc::bad_statement, "the vault counts more leaves of this work than it gives");
    leaves.entries.resize(head.body.leaves);
    std::map<Wallet, const IdentityChain*> signers;
    for (std::string& entry : leaves.entries) {
        SAT_TRY_VALUE(auto included, call(LedgerInclusionRequest{leaf_hash(entry), head.body.tree.size}));
        std::vector<Wallet> wallets;
        collect_signers(entry, wallets);
        for (const Wallet& wallet : wallets) signers[wallet] = find_identity(wallet);
        out.leaves.push_back({std::move(entry), included.index, std::move(included.proof)});
    }
    out.vault = vault().texts();
    for (const auto& [wallet, chain] : signers) {
        if (chain == nullptr) return fail(Errc::bad_signature, "the identity of a signer is missing");
        out.identities.push_back(chain->texts());
    }
    if (out.encode().size() > kMaxCertificate)
        return fail(Errc::too_large, "this work's history is too long for a certificate");
    SAT_TRY_VALUE(const CertifiedOwnership proved, verify_certificate(out));
    if (proved.history.registration.body.artwork != artwork)
        return fail(Errc::bad_statement, "the vault gave another work's history than was asked for");
    return out;
}

}  // namespace sat
