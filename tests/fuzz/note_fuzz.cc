// Fuzz target: signed notes, checkpoints and witnesses' keys; what parses encodes to the same text.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "fuzz/fuzz.h"
#include "ledger/note.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sat::as_text(fuzz_view(data, size));
    if (const auto witness = sat::WitnessKey::parse(text)) SAT_ASSERT(witness->vkey() == text);
    const auto note = sat::SignedNote::parse(text);
    if (!note) return 0;
    SAT_ASSERT(note->encode() == text);
    // The vault is the one that the origin names, so that checkpoints of any vault are read.
    const auto vault = sat::Wallet::from_hex(note->text.substr(std::min<std::size_t>(10, note->text.size()), 64));
    if (!vault) return 0;
    const auto head = sat::parse_checkpoint_text(note->text, *vault);
    if (head) SAT_ASSERT(sat::checkpoint_text(*vault, *head) == note->text);
    return 0;
}
