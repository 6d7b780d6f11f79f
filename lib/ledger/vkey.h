// C2SP verifier keys for Ed25519 (c2sp.org/signed-note): <name>+<hash, 8 hex>+<base64(01 || key)>, where
// hash = SHA-256(name || 0A || 01 || key)[:4].  A vault's name is "sat-vault/<wallet>".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/keys.h"

namespace sat {

// "sat-vault/<64 hex>": the name of a vault's log key and the origin of its checkpoints.
std::string vault_note_name(const Wallet& vault);
std::array<std::byte, 4> vkey_hash(std::string_view name, const LogVerifyKey& key);
std::string encode_vkey(std::string_view name, const LogVerifyKey& key);
// bad_statement unless `text` is exactly the encoding of a key under `name`; key_policy for a key that is none.
Result<LogVerifyKey> parse_vkey(std::string_view text, std::string_view name);

}  // namespace sat
