// SPDX-License-Identifier: Apache-2.0
#include "ledger/commitment.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace sat {

namespace {

Digest commit_to(std::string_view name, const CommitSalt& salt, std::string_view content) {
    return sha256(label(name, {ByteView(salt), as_bytes(content)}));
}

Result<CommitSalt> read_salt(ByteView bytes) {
    CommitSalt salt;
    if (bytes.size() != salt.size()) return fail(Errc::bad_data, "a commitment's salt has 32 bytes");
    std::copy(bytes.begin(), bytes.end(), salt.begin());
    return salt;
}

}  // namespace

CommitSalt draw_commit_salt() {
    CommitSalt salt;
    random_fill(salt);
    return salt;
}

Digest text_commit(const CommitSalt& salt, std::string_view text) { return commit_to("SAT/1 text", salt, text); }

Digest metadata_commit(const CommitSalt& salt, std::string_view metadata) {
    return commit_to("SAT/1 meta", salt, metadata);
}

Result<SaltedText> SaltedText::draw(std::string_view text) { return from_parts(draw_commit_salt(), text); }

Result<SaltedText> SaltedText::from_parts(ByteView salt, std::string_view text) {
    SAT_TRY_VALUE(const CommitSalt drawn, read_salt(salt));
    if (text.empty() || !is_utf8(text) || count_code_points(text) > kMaxNoteCodePoints)
        return fail(Errc::bad_data, "a message has 1 to 280 characters of UTF-8", "shorten the message");
    return SaltedText{drawn, std::string(text)};
}

Result<SaltedMetadata> SaltedMetadata::draw(std::string_view metadata) {
    return from_parts(draw_commit_salt(), metadata);
}

Result<SaltedMetadata> SaltedMetadata::from_parts(ByteView salt, std::string_view metadata) {
    SAT_TRY_VALUE(const CommitSalt drawn, read_salt(salt));
    if (metadata.size() > kMaxMetadataSize || !is_utf8(metadata))
        return fail(Errc::bad_data, "metadata has at most 4,096 bytes of UTF-8");
    return SaltedMetadata{drawn, std::string(metadata)};
}

}  // namespace sat
