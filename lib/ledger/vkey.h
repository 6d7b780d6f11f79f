// C2SP verifier keys for Ed25519 (c2sp.org/signed-note): <name>+<hash, 8 hex>+<base64(type || key)>, where
// hash = SHA-256(name || 0A || type || key)[:4].  A vault's name is "sat-vault/<wallet>".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/keys.h"

namespace sat {

// What the key signs: the byte before it (c2sp.org/signed-note, "Signature types").
enum class VkeyType : std::uint8_t {
    note = 0x01,         // notes, as a log does
    cosignature = 0x04,  // checkpoints of logs, as a witness does (c2sp.org/tlog-cosignature)
};

using VkeyHash = std::array<std::byte, 4>;

inline constexpr std::size_t kMaxKeyName = 100;  // bytes; a vault's has 74

// 1 to kMaxKeyName printable ASCII characters without space and plus.
bool is_key_name(std::string_view name) noexcept;
// "sat-vault/<64 hex>": the name of a vault's log key and the origin of its checkpoints.
std::string vault_note_name(const Wallet& vault);
VkeyHash vkey_hash(std::string_view name, const LogVerifyKey& key, VkeyType type = VkeyType::note);
std::string encode_vkey(std::string_view name, const LogVerifyKey& key, VkeyType type = VkeyType::note);
// bad_statement unless `text` is exactly the encoding of a key under `name`; key_policy for a key that is none.
Result<LogVerifyKey> parse_vkey(std::string_view text, std::string_view name, VkeyType type = VkeyType::note);

// A witness: whose name its verifier key tells.
struct WitnessKey {
    std::string name;
    LogVerifyKey key;

    std::string vkey() const { return encode_vkey(name, key, VkeyType::cosignature); }
    // As parse_vkey(), under whatever name stands in `text`.
    static Result<WitnessKey> parse(std::string_view text);
};

}  // namespace sat
