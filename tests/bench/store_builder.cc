// A vault's catalogue of many works, filled by the vault's own code in large transactions: sealed rows, words, leaves,
// tree, the leaves file and a checkpoint.
// What is real: every row, word, leaf hash and node, every registration's form, size and members, each for its own ID.
// What is not: a million RSA signatures take half an hour, so registrations carry a signature of their own only where
// somebody verifies it (see signs()): on the pages that are measured.  The others carry one that was made for another
// registration; a vault that lists, searches or hands over works never looks at it.  There are no images and no
// receipts.  docs/performance.md says so too.
//
// Prints the cursor of the ten-thousandth page, or of the middle one where there are fewer.
//
//     bench-store DATA HOME WORKS      DATA: made by `sat-vaultd init`, empty but for keys/; HOME: of the works' artist
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>
#include <memory>
#include <optional>

#include "base/assert.h"
#include "ledger/leaf.h"
#include "store/sqlite_catalog.h"
#include "support/peer.h"
#include "vault/vault.h"
#include "vault/views.h"
#include "vault/words.h"

namespace sat {

namespace {

// SQLite walks over what the savepoint has changed at the end of each statement in it: large batches are slow.
constexpr std::uint64_t kBatch = 250;
constexpr std::uint64_t kPage = 50;
constexpr std::uint64_t kNear = 2 * kPage;  // works around a measured page that are signed for real
constexpr std::uint64_t kFarPage = 10'000;
constexpr std::array kSubjects{"boats", "harbour", "winter", "garden", "portrait", "bridge", "orchard", "storm"};

class Builder {
public:
    Builder(const Path& data, const Path& home, std::uint64_t works)
        : data_(data), works_(works), artist_(test::load_person(home)) {}

    // The last work of the page before the one that is measured.
    std::uint64_t cursor() const {
        const std::uint64_t page = std::min(kFarPage, works_ / kPage / 2);
        return works_ - page * kPage + kPage;
    }

    Result<void> run() {
        SAT_TRY_VALUE(VaultKeys keys, load_vault_keys(data_ / "keys", nullptr));
        vault_ = keys.wallet();
        // Makes the directories, the master key and an empty catalogue.
        SAT_TRY(open_once(keys));
        SAT_TRY_VALUE(const Bytes wrapped, read_file(data_ / "master.key", kMaxMasterKeyFile));
        SAT_TRY_VALUE(const MasterKey master, MasterKey::unwrap(wrapped, vault_, keys.store));
        {
            SAT_TRY_VALUE(catalog_, SqliteCatalog::open(data_ / "catalog.sqlite", master, vault_));
            SAT_TRY(introduce_artist());
            for (std::uint64_t from = 1; from <= works_; from += kBatch) {
                SAT_TRY_VALUE(const auto transaction, catalog_->begin());
                for (std::uint64_t number = from; number < from + kBatch && number <= works_; ++number)
                    SAT_TRY(add(*transaction, number));
                SAT_TRY(transaction->commit());
            }
            catalog_.reset();
        }
        // Writes the leaves file and signs a checkpoint.
        return open_once(keys);
    }

private:
    Result<void> open_once(const VaultKeys& keys) const {
        VaultOptions options;
        options.data = data_;
        SAT_TRY_VALUE(const auto opened, Vault::open(std::move(options), keys, now_unix));
        return {};
    }

    Result<void> introduce_artist() {
        SAT_TRY_VALUE(const auto transaction, catalog_->begin());
        SAT_TRY(transaction->put_identity(artist_.wallet(), artist_.party.chain().encode()));
        return transaction->commit();
    }

    // "blue" is a word of every tenth title, "harbour" of every eighth, both of every eightieth; "canvas" and "back"
    // are in all; "red" and "green", of every tenth each, are never together.
    static const char* colour_of(std::uint64_t number) {
        switch (number / kSubjects.size() % 10) {
            case 0:
                return "Blue ";
            case 1:
                return "Red ";
            case 2:
                return "Green ";
            default:
                return "Grey ";
        }
    }
    static std::size_t subject_of(std::uint64_t number) { return number % kSubjects.size(); }

    // Pages are measured at the front, at the cursor, and by the words "blue" and "blue harbour".
    bool signs(std::uint64_t number) const {
        const std::uint64_t from_front = works_ - number;
        const std::uint64_t from_cursor = number > cursor() ? number - cursor() : cursor() - number;
        const bool blue = number / kSubjects.size() % 10 == 0;
        return from_front < kNear || from_cursor < kNear || (blue && from_front < 12 * kPage) ||
               (blue && subject_of(number) == 1 && from_front < 90 * kPage);
    }

    std::string registration_of(std::uint64_t number, const ArtworkId& artwork) {
        auto body = make_statement<Registration>(artist_.wallet(), vault_, now_unix());
        body.artwork = artwork;
        body.title = std::string(colour_of(number)) + kSubjects.at(subject_of(number)) + " " + std::to_string(number);
        body.description = "Oil on canvas, signed and dated on the back";
        body.artist = "Ada Artist " + std::to_string(number % 1000);
        body.file_path = "scan-" + std::to_string(number) + ".tif";
        body.media_type = "image/tiff";
        body.bytes = 52'000'000;
        body.width = 6000;
        body.height = 4000;
        body.sha256 = sha256(as_bytes(body.title));
        body.preview = PreviewInfo{sha256(as_bytes(body.file_path)), 20'000, "image/jpeg"};
        return signs(number) || header_.empty() ? signed_for_real(body) : signed_with_a_lent_signature(body);
    }

    std::string signed_for_real(const Registration& body) {
        std::string jws = sign(body, artist_.sign);
        if (header_.empty()) {
            const auto parsed = parse_jws(jws);
            SAT_ASSERT(parsed.has_value());
            const auto payload = parse_json(parsed->payload);
            SAT_ASSERT(payload.has_value());
            payload_ = *payload;
            header_ = jws.substr(0, jws.find('.') + 1);
            lent_signature_ = jws.substr(jws.rfind('.'));
        }
        return jws;
    }

    // The members that differ, in the place of those of the first that was signed.
    std::string signed_with_a_lent_signature(const Registration& body) {
        payload_["nonce"] = to_base64url(body.nonce);
        payload_["artwork"] = body.artwork.str();
        payload_["title"] = body.title;
        payload_["artist"] = body.artist;
        payload_["file_path"] = body.file_path;
        payload_["sha256"] = body.sha256.hex();
        payload_["preview"]["sha256"] = body.preview->sha256.hex();
        return header_ + to_base64url(as_bytes(dump_json(payload_))) + lent_signature_;
    }

    Result<void> add(CatalogTransaction& transaction, std::uint64_t number) {
        const ArtworkId artwork = ArtworkId::generate();
        SAT_TRY_VALUE(const bool fresh, transaction.give_out(artwork));
        if (!fresh) return add(transaction, number);
        WorkRow work;
        work.artwork = artwork;
        work.owner = artist_.wallet();
        work.registered_at = now_unix();
        work.bytes = 52'000'000;
        work.registration = registration_of(number, artwork);
        work.origin = {"192.0.2.7", 4711};
        SAT_TRY_VALUE(const auto statement, parse_statement<Registration>(work.registration));
        const std::string entry = Leaf{LeafType::registration, work.registered_at, {work.registration}}.encode();
        work.head = leaf_hash(entry);
        SAT_TRY(transaction.add_work(work, words_of(statement.body)));
        return transaction.append_leaf(artwork, work.head, work.registered_at, entry);
    }

    Path data_;
    std::uint64_t works_;
    test::Person artist_;
    Wallet vault_;
    std::unique_ptr<SqliteCatalog> catalog_;
    std::string header_;  // of every registration's JWS, its dot included
    Json payload_;
    std::string lent_signature_;  // its dot included
};

}  // namespace

}  // namespace sat

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: bench-store DATA HOME WORKS\n";
        return 64;
    }
    sat::Builder builder(argv[1], argv[2], std::stoull(argv[3]));
    const auto built = builder.run();
    if (!built) {
        std::cerr << "bench-store: " << built.error().message << "\n";
        return 1;
    }
    std::cout << sat::encode_cursor(sat::CursorKind::works, builder.cursor()) << "\n";
    return 0;
}
