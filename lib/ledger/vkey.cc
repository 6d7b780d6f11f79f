// SPDX-License-Identifier: Apache-2.0
#include "ledger/vkey.h"

#include <algorithm>

#include "crypto/hash.h"

namespace sat {

namespace {

constexpr std::size_t kHashDigits = 8;

tl::unexpected<Error> refuse() { return fail(Errc::bad_statement, "not the verifier key that belongs here"); }

Bytes typed_key(const LogVerifyKey& key, VkeyType type) {
    const auto byte = static_cast<std::byte>(type);
    return concat({ByteView(&byte, 1), ByteView(key.raw())});
}

}  // namespace

bool is_key_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= kMaxKeyName &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '+'; });
}

std::string vault_note_name(const Wallet& vault) { return "sat-vault/" + vault.hex(); }

VkeyHash vkey_hash(std::string_view name, const LogVerifyKey& key, VkeyType type) {
    const Digest digest = sha256({as_bytes(name), as_bytes("\n"), ByteView(typed_key(key, type))});
    VkeyHash hash{};
    std::copy_n(digest.bytes.begin(), hash.size(), hash.begin());
    return hash;
}

std::string encode_vkey(std::string_view name, const LogVerifyKey& key, VkeyType type) {
    return std::string(name) + '+' + to_hex(vkey_hash(name, key, type)) + '+' + to_base64(typed_key(key, type));
}

Result<LogVerifyKey> parse_vkey(std::string_view text, std::string_view name, VkeyType type) {
    const std::size_t key_at = name.size() + 1 + kHashDigits + 1;
    if (!is_key_name(name) || !text.starts_with(name) || text.size() < key_at) return refuse();
    const auto typed = from_base64(text.substr(key_at));
    if (!typed || typed->size() != 1 + LogVerifyKey::kSize || typed->front() != static_cast<std::byte>(type))
        return refuse();
    SAT_TRY_VALUE(auto key, LogVerifyKey::from_raw(ByteView(*typed).subspan(1)));
    if (encode_vkey(name, key, type) != text) return refuse();
    return key;
}

Result<WitnessKey> WitnessKey::parse(std::string_view text) {
    const std::string_view name = text.substr(0, text.find('+'));
    SAT_TRY_VALUE(auto key, parse_vkey(text, name, VkeyType::cosignature));
    return WitnessKey{std::string(name), std::move(key)};
}

}  // namespace sat
