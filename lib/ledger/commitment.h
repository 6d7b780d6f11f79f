// Salted commitments: messages, reasons and a collector's metadata travel beside the statements and enter the ledger
// only as hashes that nobody can guess back.  docs/protocol.md, "Statements".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sat {

inline constexpr std::size_t kCommitSaltSize = 32;
inline constexpr std::size_t kMaxNoteCodePoints = 280;     // of a message or a reason
inline constexpr std::size_t kMaxMetadataSize = 4 * 1024;  // bytes of the collector's metadata

using CommitSalt = std::array<std::byte, kCommitSaltSize>;

CommitSalt draw_commit_salt();

// H(Label("SAT/1 text", salt || UTF-8))
Digest text_commit(const CommitSalt& salt, std::string_view text);
// H(Label("SAT/1 meta", salt || the metadata's exact bytes))
Digest metadata_commit(const CommitSalt& salt, std::string_view metadata);

// A message or reason with the salt that opens its commitment.
struct SaltedText {
    CommitSalt salt{};
    std::string text;

    // With a fresh salt.  bad_data unless `text` is UTF-8 of 1 to kMaxNoteCodePoints code points.
    static Result<SaltedText> draw(std::string_view text);
    // bad_data unless the salt has 32 bytes and the text is as above.
    static Result<SaltedText> from_parts(ByteView salt, std::string_view text);
    Digest commit() const { return text_commit(salt, text); }
    bool operator==(const SaltedText&) const = default;
};

// The collector's metadata of step 11 likewise.
struct SaltedMetadata {
    CommitSalt salt{};
    std::string metadata;

    // bad_data unless `metadata` is UTF-8 of at most kMaxMetadataSize bytes.
    static Result<SaltedMetadata> draw(std::string_view metadata);
    static Result<SaltedMetadata> from_parts(ByteView salt, std::string_view metadata);
    Digest commit() const { return metadata_commit(salt, metadata); }
    bool operator==(const SaltedMetadata&) const = default;
};

}  // namespace sat
