// Identity files.  docs/storage.md, "Identity files".
// SPDX-License-Identifier: Apache-2.0
#include "store/identity_files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/codec.h"
#include "crypto/hash.h"
#include "ledger/identity.h"

namespace sat {

namespace {

constexpr std::string_view kMagic = "SATI";
constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kLabel = "SAT/1 identity file";
// Chains are asked of the catalogue so many at once.
constexpr std::size_t kStep = 64;
// 64 bytes each.
constexpr std::size_t kMostKept = std::size_t{1} << 16;

Bytes header(const Wallet& wallet) {
    return ByteWriter().raw(as_bytes(kMagic)).u8(kVersion).u8(0).u16(0).raw(wallet.view()).take();
}

// Whether `there` is `chain`, or goes on from it: a document count, then the documents.
bool holds(ByteView there, ByteView chain) {
    return !there.empty() && there.size() >= chain.size() && there[0] >= chain[0] &&
           std::equal(chain.begin() + 1, chain.end(), there.begin() + 1);
}

}  // namespace

Path identity_path(const Path& root, const Wallet& wallet) { return root / kIdentityDirectory / wallet.hex(); }

Bytes seal_identity_file(const Wallet& wallet, ByteView chain, AtRestSealer& sealer) {
    Bytes bytes = header(wallet);
    append(bytes, sealer.seal(label(kLabel, bytes), chain));
    return bytes;
}

Result<Bytes> open_identity_file(ByteView bytes, const Wallet& wallet, AtRestSealer& sealer) {
    const Bytes clear = header(wallet);
    if (bytes.size() < clear.size() || !std::equal(clear.begin(), clear.end(), bytes.begin()))
        return fail(Errc::io_error, "an identity file is not that of its wallet");
    return sealer.open(label(kLabel, clear), bytes.subspan(clear.size()));
}

Result<std::unique_ptr<IdentityFiles>> IdentityFiles::open(const std::vector<Path>& roots, const MasterKey& master,
                                                           Catalog& catalog) {
    std::unique_ptr<IdentityFiles> files(new IdentityFiles(roots, master));
    for (const Path& root : roots) {
        if (is_there(root / kIdentityDirectory)) {
            SAT_TRY(require_private_directory(root / kIdentityDirectory));
        } else {
            SAT_TRY(files->fill(root, catalog));
        }
    }
    SAT_TRY(files->complete(catalog));
    return files;
}

// In how many roots each wallet has a file.
Result<std::unordered_map<Wallet, std::size_t>> IdentityFiles::names() const {
    std::unordered_map<Wallet, std::size_t> out;
    for (const Path& root : roots_) {
        std::error_code error;
        std::filesystem::directory_iterator at(root / kIdentityDirectory, error);
        for (; !error && at != std::filesystem::directory_iterator(); at.increment(error))
            if (const auto wallet = Wallet::from_hex(at->path().filename().string())) ++out[*wallet];
        if (error) return fail(errno_error("read", root / kIdentityDirectory, error.value()));
    }
    return out;
}

Result<void> IdentityFiles::complete(Catalog& catalog) {
    SAT_TRY_VALUE(const auto there, names());
    for (const auto& [wallet, roots] : there) {
        if (roots == roots_.size()) continue;
        SAT_TRY_VALUE(const auto reader, catalog.read());
        SAT_TRY_VALUE(const auto chain, reader->identity(wallet));
        if (!chain) continue;
        for (const Path& root : roots_) {
            const Path path = identity_path(root, wallet);
            if (is_there(path)) continue;
            SAT_TRY(write_file_atomically(path, seal_identity_file(wallet, *chain, sealer_),
                                          AtomicFile::Existing::replace, 0600));
        }
    }
    return {};
}

Result<void> IdentityFiles::refresh(Catalog& catalog) {
    SAT_TRY_VALUE(const auto there, names());
    for (const auto& [wallet, roots] : there) {
        std::optional<Bytes> chain;
        {
            SAT_TRY_VALUE(const auto reader, catalog.read());
            SAT_TRY_VALUE(chain, reader->identity(wallet));
        }
        if (!chain) continue;
        for (const Path& root : roots_) {
            const Path path = identity_path(root, wallet);
            if (const auto file = read_file(path, kMaxIdentityFile)) {
                const auto opened = open_identity_file(*file, wallet, sealer_);
                if (opened && *opened == *chain) continue;
                const auto kept = opened ? IdentityChain::parse(*opened) : Result<IdentityChain>(fail(opened.error()));
                const auto known = IdentityChain::parse(*chain);
                if (!known || (kept && kept->wallet() == wallet && kept->seq() >= known->seq())) continue;
            }
            SAT_TRY(write_file_atomically(path, seal_identity_file(wallet, *chain, sealer_),
                                          AtomicFile::Existing::replace, 0600));
        }
    }
    return {};
}

// Under another name until it is whole.
Result<void> IdentityFiles::fill(const Path& root, Catalog& catalog) {
    const Path part = root / (std::string(kIdentityDirectory) + ".part");
    std::error_code error;
    std::filesystem::remove_all(part, error);
    if (error) return fail(errno_error("remove", part, error.value()));
    SAT_TRY(make_private_directory(part));
    std::optional<Wallet> after;
    for (;;) {
        std::vector<KnownIdentity> known;
        {
            SAT_TRY_VALUE(const auto reader, catalog.read());
            SAT_TRY_VALUE(known, reader->identities(after, kStep));
        }
        if (known.empty()) break;
        for (const KnownIdentity& identity : known)
            SAT_TRY(write_file_atomically(part / identity.wallet.hex(),
                                          seal_identity_file(identity.wallet, identity.chain, sealer_),
                                          AtomicFile::Existing::replace, 0600));
        after = known.back().wallet;
    }
    const Path place = root / kIdentityDirectory;
    if (std::rename(part.c_str(), place.c_str()) != 0) return fail(errno_error("create", place, errno));
    return sync_directory(root);
}

Result<void> IdentityFiles::keep(const Wallet& wallet, ByteView chain) {
    const Digest hash = sha256(chain);
    const auto is_kept = [&] {
        const std::lock_guard lock(kept_mutex_);
        const auto known = kept_.find(wallet);
        return known != kept_.end() && known->second == hash;
    };
    if (is_kept()) return {};
    const std::lock_guard writing(write_mutex_);
    if (is_kept()) return {};  // while we waited
    for (const Path& root : roots_) {
        const Path path = identity_path(root, wallet);
        if (const auto there = read_file(path, kMaxIdentityFile)) {
            const auto opened = open_identity_file(*there, wallet, sealer_);
            if (opened && holds(*opened, chain)) continue;
        }
        SAT_TRY(write_file_atomically(path, seal_identity_file(wallet, chain, sealer_), AtomicFile::Existing::replace,
                                      0600));
    }
    const std::lock_guard lock(kept_mutex_);
    if (kept_.size() >= kMostKept) kept_.clear();
    kept_[wallet] = hash;
    return {};
}

}  // namespace sat
