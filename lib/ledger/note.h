// Signed notes, and the checkpoints that a vault signs as such: a tree head that is meant to be shown to everybody.
//     sat-vault/<wallet> LF size LF base64 of the root LF LF  then signature lines: — name base64(key hash || ...) LF
// Witnesses add lines of theirs (cosignatures).  c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature;
// docs/protocol.md, "Checkpoints", has the limits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ledger/merkle.h"
#include "ledger/vkey.h"

namespace sat {

inline constexpr std::size_t kMaxNote = 2560;
inline constexpr std::size_t kMaxNoteSignatures = 16;

// A note taken apart; nothing is verified.
struct SignedNote {
    struct Line {
        std::string name;
        VkeyHash key_hash{};
        Bytes signature;  // what follows the key hash, at least a byte
        bool operator==(const Line&) const = default;
    };
    std::string text;  // with its last LF
    std::vector<Line> lines;

    std::string encode() const;
    // bad_statement unless it is exactly such a note: UTF-8 without control characters but LF, at most kMaxNote bytes,
    // 1 to kMaxNoteSignatures lines of is_key_name() and strict base64.  What parses encodes to the same text.
    static Result<SignedNote> parse(std::string_view note);
    bool operator==(const SignedNote&) const = default;
};

// The text of `vault`'s checkpoint.
std::string checkpoint_text(const Wallet& vault, const TreeHead& head);
// The tree head of a text that is exactly a checkpoint of `vault`'s; bad_statement.
Result<TreeHead> parse_checkpoint_text(std::string_view text, const Wallet& vault);

// The note with the vault's signature and no other.  Asserts head.size <= kMaxTreeSize.
std::string sign_checkpoint(const Wallet& vault, const TreeHead& head, const LogKey& key);
// The tree head of a note that is a checkpoint of `vault`'s, with exactly one line of `key`, and that one good.  Lines
// of other keys are ignored.  bad_statement: not a checkpoint of this vault; bad_signature.
Result<TreeHead> open_checkpoint(std::string_view note, const Wallet& vault, const LogVerifyKey& key);

// `note` with a cosignature of `key`'s at its end, in the place of an older one of the same key.  bad_statement: no
// note, or one that has no room for it.  Whether to sign is the caller's to judge.
Result<std::string> cosign_note(std::string_view note, std::string_view name, const LogKey& key, UnixTime at);
// When the witness signed.  bad_signature unless the note has exactly one line of its, and that one good.
Result<UnixTime> verify_cosignature(const SignedNote& note, const WitnessKey& witness);

}  // namespace sat
