// What the store's tests share: a master key, rows with something in every member, and a look at every byte of a
// directory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "crypto/hash.h"
#include "ledger/leaf.h"
#include "store/sqlite_catalog.h"
#include "support/keys.h"
#include "support/temporary.h"

namespace sat {

inline Digest digest_of(std::string_view name) { return sha256(as_bytes(name)); }

// An error's code, or nothing; for EXPECT_EQ.
template <typename T>
std::optional<Errc> code_of(const Result<T>& result) {
    if (result) return std::nullopt;
    return result.error().code;
}

// Whether any file below `directory` holds these bytes.
inline bool any_file_contains(const Path& directory, std::string_view needle) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        const auto bytes = read_file(entry.path(), std::size_t{1} << 28);
        EXPECT_TRUE(bytes.has_value()) << entry.path();
        if (bytes && as_text(*bytes).find(needle) != std::string_view::npos) return true;
    }
    return false;
}

class CatalogTest : public ::testing::Test {
protected:
    void SetUp() override { open(); }

    void open() {
        catalog.reset();
        auto opened = SqliteCatalog::open(file(), master, vault);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        catalog = std::move(*opened);
    }

    Path file() const { return directory / "catalog.sqlite"; }

    std::unique_ptr<CatalogReader> read() {
        auto reader = catalog->read();
        EXPECT_TRUE(reader.has_value());
        return std::move(*reader);
    }

    std::unique_ptr<CatalogTransaction> begin() {
        auto transaction = catalog->begin();
        EXPECT_TRUE(transaction.has_value());
        return std::move(*transaction);
    }

    static void must(const Result<void>& result) { ASSERT_TRUE(result.has_value()) << result.error().message; }

    // A work of `owner` with these words, an ID of its own, and its first leaf.
    ArtworkId add_work(const std::string& title, const std::string& artist = "", const Wallet& owner = Wallet{}) {
        WorkRow work;
        work.artwork = ArtworkId::generate();
        work.owner = owner;
        work.head = digest_of(title);
        work.registered_at = 1000;
        work.bytes = 10;
        work.registration = "registration of " + title;
        work.origin = {"192.0.2.7", 4711};
        auto transaction = begin();
        EXPECT_TRUE(*transaction->give_out(work.artwork));
        must(transaction->add_work(work, {search_words(title), fold(artist)}));
        must(transaction->append_leaf(work.artwork, work.head, 1000, "leaf of " + title));
        must(transaction->commit());
        return work.artwork;
    }

    ClaimRow claim_on(const ArtworkId& artwork, const std::string& name, UnixTime exp) {
        ClaimRow claim;
        claim.id = digest_of(name);
        claim.artwork = artwork;
        claim.collector = digest_of("collector");
        claim.owner = digest_of("owner");
        claim.asked_at = claim.changed_at = 1000;
        claim.exp = exp;
        claim.claim = "claim " + name;
        return claim;
    }

    void add(const ClaimRow& claim) {
        auto transaction = begin();
        must(transaction->add_claim(claim));
        must(transaction->commit());
    }

    std::vector<std::string> titles(const WorkQuery& query) {
        auto works = read()->works(query);
        EXPECT_TRUE(works.has_value());
        std::vector<std::string> out;
        for (const WorkRow& work : *works)
            out.push_back(work.registration.substr(std::string("registration of ").size()));
        return out;
    }

    std::vector<std::string> titles_of_words(const std::string& words) {
        WorkQuery query;
        query.words = search_words(words);
        query.limit = 50;
        return titles(query);
    }

    TemporaryDirectory directory;
    MasterKey master = MasterKey::draw();
    Wallet vault = digest_of("vault");
    std::unique_ptr<SqliteCatalog> catalog;
};

}  // namespace sat
