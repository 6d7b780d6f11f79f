// The sealed columns' plaintext and the places they are bound to: the same whatever database keeps them.
// docs/storage.md, "Sealed columns".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "base/codec.h"
#include "base/secret.h"
#include "store/catalog.h"

namespace sat {

// AAD: Label("SAT/1 row <table>", key).
Bytes row_aad(std::string_view table, ByteView key);
// AAD of leaf number `index`, in the catalogue and in the leaves files.
Bytes leaf_aad(std::uint64_t index);

// What the search index has of a word: 'w', a word of the texts; 'a', the artist's name as a whole.  128 bits: no two
// words of a vault collide by luck.
using WordHash = std::array<std::byte, 16>;
WordHash search_word_hash(const SecretBytes& key, char kind, std::string_view word);

Bytes encode_work_row(const WorkRow& work);
// The sealed members; io_error.
Result<void> decode_work_row(ByteView bytes, WorkRow& work);
Bytes encode_claim_row(const ClaimRow& claim);
// `claim` has its clear members already: io_error too where its state or times are not those that were sealed.
Result<void> decode_claim_row(ByteView bytes, ClaimRow& claim);

// As the claims table has it: 1 to 7, never renumbered.
std::int64_t claim_state_number(ClaimState state);
std::optional<ClaimState> claim_state_from_number(std::int64_t number);

// u32 length, then the text.
void put_text(ByteWriter& out, std::string_view text);
// At most `max` bytes.
std::string get_text(ByteReader& in, std::size_t max);

}  // namespace sat
