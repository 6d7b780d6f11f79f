// SPDX-License-Identifier: Apache-2.0
#include "ledger/vkey.h"

#include <algorithm>

#include "crypto/hash.h"

namespace sat {

namespace {

constexpr std::byte kEd25519{0x01};  // c2sp.org/signed-note, "Signature types"
constexpr std::size_t kHashDigits = 8;

tl::unexpected<Error> refuse() { return fail(Errc::bad_statement, "not the verifier key of this vault's log"); }

Bytes typed_key(const LogVerifyKey& key) { return concat({ByteView(&kEd25519, 1), ByteView(key.raw())}); }

}  // namespace

std::string vault_note_name(const Wallet& vault) { return "sat-vault/" + vault.hex(); }

std::array<std::byte, 4> vkey_hash(std::string_view name, const LogVerifyKey& key) {
    const Digest digest = sha256({as_bytes(name), as_bytes("\n"), ByteView(typed_key(key))});
    std::array<std::byte, 4> hash{};
    std::copy_n(digest.bytes.begin(), hash.size(), hash.begin());
    return hash;
}

std::string encode_vkey(std::string_view name, const LogVerifyKey& key) {
    return std::string(name) + '+' + to_hex(vkey_hash(name, key)) + '+' + to_base64(typed_key(key));
}

Result<LogVerifyKey> parse_vkey(std::string_view text, std::string_view name) {
    const std::size_t key_at = name.size() + 1 + kHashDigits + 1;
    if (!text.starts_with(name) || text.size() < key_at) return refuse();
    const auto typed = from_base64(text.substr(key_at));
    if (!typed || typed->size() != 1 + LogVerifyKey::kSize || typed->front() != kEd25519) return refuse();
    SAT_TRY_VALUE(auto key, LogVerifyKey::from_raw(ByteView(*typed).subspan(1)));
    if (encode_vkey(name, key) != text) return refuse();
    return key;
}

}  // namespace sat
