// Certificates: what proves who owned a work at a checkpoint to somebody who trusts nobody, without the vault, a
// network or a clock.  One JSON text that has exactly one form.  docs/protocol.md, "Certificates".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ledger/history.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

namespace sat {

inline constexpr std::size_t kMaxCertificate = std::size_t{16} << 20;
inline constexpr std::size_t kMaxCertificateParts = 100'000;  // elements of all its arrays together
inline constexpr std::size_t kMaxWitnesses = kMaxNoteSignatures - 1;

// The parts as they stand in the text; nothing is verified.
struct Certificate {
    using Chain = std::vector<std::string>;  // an identity's documents
    struct Entry {
        std::string entry;
        std::uint64_t index = 0;
        MerkleProof proof;
        bool operator==(const Entry&) const = default;
    };
    Chain vault;
    std::vector<Chain> identities;  // of all who signed in the history, sorted by wallet
    std::vector<Entry> leaves;
    std::string head;                    // JWS
    std::string checkpoint;              // note
    std::vector<std::string> witnesses;  // verifier keys, in the order of their lines in the note

    std::string encode() const;
    // bad_statement unless `text` is exactly what encode() gives, within kMaxCertificate and kMaxCertificateParts, no
    // identity and no text in an array empty.
    static Result<Certificate> parse(std::string_view text);
    bool operator==(const Certificate&) const = default;
};

// What a certificate proves once it is verified.
struct CertifiedOwnership {
    struct Witness {
        WitnessKey key;
        UnixTime at = 0;  // when it signed, by its own clock
    };
    IdentityChain vault;  // that it is the vault one means is for the caller to judge, by its wallet
    std::vector<Wallet> signers;
    History history;                 // up to the checkpoint: its last owner is the owner there
    TreeHead tree;                   // the checkpoint's
    UnixTime at = 0;                 // when the vault said so, by its clock
    std::vector<Witness> witnesses;  // anybody can add one or take one out: they count for who knows their keys
};

// Verifies every part against the others.  The error's message begins with the part that does not hold.
// bad_signature, bad_statement, key_policy.
Result<CertifiedOwnership> verify_certificate(const Certificate& certificate);

}  // namespace sat
