// SPDX-License-Identifier: Apache-2.0
#include "ledger/note.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/codec.h"
#include "base/json.h"
#include "base/text.h"

namespace sat {

namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014 and a space
constexpr std::size_t kEd25519Signature = 64;
constexpr std::size_t kTimeSize = 8;  // before a cosignature's signature

tl::unexpected<Error> refuse(const char* why) { return fail(Errc::bad_statement, why); }

// The line that begins `rest`, without its LF.  Asserts that there is one.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    SAT_ASSERT(end != std::string_view::npos);
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
}

Result<SignedNote::Line> parse_line(std::string_view line) {
    if (!line.starts_with(kDash)) return refuse("a signature line of the note does not begin with a dash");
    line.remove_prefix(kDash.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return refuse("a signature line of the note is cut off");
    SignedNote::Line out;
    out.name = line.substr(0, space);
    if (!is_key_name(out.name)) return refuse("a name in the note is not a key's");
    const auto bytes = from_base64(line.substr(space + 1));
    if (!bytes || bytes->size() <= out.key_hash.size()) return refuse("a signature of the note is not base64 of one");
    std::copy_n(bytes->begin(), out.key_hash.size(), out.key_hash.begin());
    out.signature.assign(bytes->begin() + static_cast<std::ptrdiff_t>(out.key_hash.size()), bytes->end());
    return out;
}

// The one line of a key; null where there is none, or more than one.
const SignedNote::Line* only_line(const SignedNote& note, std::string_view name, const VkeyHash& hash) {
    const SignedNote::Line* found = nullptr;
    for (const SignedNote::Line& line : note.lines) {
        if (line.name != name || line.key_hash != hash) continue;
        if (found != nullptr) return nullptr;
        found = &line;
    }
    return found;
}

// Decimal without leading zeros, up to kMaxTreeSize.
std::optional<std::uint64_t> read_size(std::string_view text) noexcept {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc{} || end != text.data() + text.size() || size > kMaxTreeSize) return std::nullopt;
    return size;
}

Bytes cosigned_message(std::string_view text, std::uint64_t at) {
    return to_bytes("cosignature/v1\ntime " + std::to_string(at) + "\n" + std::string(text));
}

}  // namespace

std::string SignedNote::encode() const {
    std::string out = text;
    out += '\n';
    for (const Line& line : lines) {
        out += kDash;
        out += line.name;
        out += ' ';
        out += to_base64(concat({ByteView(line.key_hash), ByteView(line.signature)}));
        out += '\n';
    }
    return out;
}

Result<SignedNote> SignedNote::parse(std::string_view note) {
    if (note.size() > kMaxNote) return refuse("the note is too long");
    if (!is_utf8(note)) return refuse("the note is not UTF-8");
    if (std::any_of(note.begin(), note.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == 0x7f; }))
        return refuse("the note holds a control character");
    // The last empty line parts the text from the signatures.
    const std::size_t end = note.rfind("\n\n");
    if (end == std::string_view::npos || !note.ends_with('\n')) return refuse("not a signed note");
    SignedNote out;
    out.text = note.substr(0, end + 1);
    std::string_view rest = note.substr(end + 2);
    while (!rest.empty()) {
        if (out.lines.size() == kMaxNoteSignatures) return refuse("the note has too many signatures");
        SAT_TRY_VALUE(auto line, parse_line(take_line(rest)));
        out.lines.push_back(std::move(line));
    }
    if (out.lines.empty()) return refuse("the note has no signature");
    return out;
}

std::string checkpoint_text(const Wallet& vault, const TreeHead& head) {
    return vault_note_name(vault) + '\n' + std::to_string(head.size) + '\n' + to_base64(head.root.view()) + '\n';
}

Result<TreeHead> parse_checkpoint_text(std::string_view text, const Wallet& vault) {
    if (std::count(text.begin(), text.end(), '\n') != 3 || !text.ends_with('\n'))
        return refuse("a checkpoint has three lines");
    if (take_line(text) != vault_note_name(vault)) return refuse("a checkpoint of another vault");
    const auto size = read_size(take_line(text));
    if (!size) return refuse("the checkpoint's size is not a number of leaves");
    const auto bytes = from_base64(take_line(text));
    const auto root = bytes ? Digest::from_bytes(*bytes) : Result<Digest>(fail(Errc::malformed, ""));
    if (!root) return refuse("the checkpoint's root is not a hash");
    return TreeHead{*size, *root};
}

std::string sign_checkpoint(const Wallet& vault, const TreeHead& head, const LogKey& key) {
    SAT_ASSERT(head.size <= kMaxTreeSize);
    SignedNote note;
    note.text = checkpoint_text(vault, head);
    const std::string name = vault_note_name(vault);
    note.lines.push_back({name, vkey_hash(name, key.public_key()), key.sign(as_bytes(note.text))});
    return note.encode();
}

Result<TreeHead> open_checkpoint(std::string_view note, const Wallet& vault, const LogVerifyKey& key) {
    SAT_TRY_VALUE(const SignedNote parsed, SignedNote::parse(note));
    SAT_TRY_VALUE(const TreeHead head, parse_checkpoint_text(parsed.text, vault));
    const std::string name = vault_note_name(vault);
    const SignedNote::Line* line = only_line(parsed, name, vkey_hash(name, key));
    if (line == nullptr || !key.verify(as_bytes(parsed.text), line->signature))
        return fail(Errc::bad_signature, "the vault's signature of its checkpoint is missing or wrong");
    return head;
}

Result<std::string> cosign_note(std::string_view note, std::string_view name, const LogKey& key, UnixTime at) {
    SAT_ASSERT(is_key_name(name) && at >= 0);
    SAT_TRY_VALUE(SignedNote parsed, SignedNote::parse(note));
    const VkeyHash hash = vkey_hash(name, key.public_key(), VkeyType::cosignature);
    std::erase_if(parsed.lines, [&](const SignedNote::Line& l) { return l.name == name && l.key_hash == hash; });
    if (parsed.lines.size() == kMaxNoteSignatures) return refuse("the note has no room for another signature");
    const auto time = static_cast<std::uint64_t>(at);
    const Bytes signature = key.sign(cosigned_message(parsed.text, time));
    parsed.lines.push_back({std::string(name), hash, concat({ByteView(u64_bytes(time)), ByteView(signature)})});
    std::string cosigned = parsed.encode();
    if (cosigned.size() > kMaxNote) return refuse("the note has no room for another signature");
    return cosigned;
}

Result<UnixTime> verify_cosignature(const SignedNote& note, const WitnessKey& witness) {
    const auto refused = fail(Errc::bad_signature, "a witness's signature of the checkpoint is missing or wrong");
    const VkeyHash hash = vkey_hash(witness.name, witness.key, VkeyType::cosignature);
    const SignedNote::Line* line = only_line(note, witness.name, hash);
    if (line == nullptr || line->signature.size() != kTimeSize + kEd25519Signature) return refused;
    ByteReader in(line->signature);
    const std::uint64_t at = in.u64();
    if (at > static_cast<std::uint64_t>(kJsonMaxInteger)) return refused;
    if (!witness.key.verify(cosigned_message(note.text, at), in.raw(kEd25519Signature))) return refused;
    return static_cast<UnixTime>(at);
}

}  // namespace sat
