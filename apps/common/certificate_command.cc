// certificate: the proof of an ownership, as a file.  verify: checks one, without a vault, a network or a wallet.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/text.h"
#include "client/checkpoint_store.h"
#include "common/owner_commands.h"
#include "common/views.h"
#include "crypto/hash.h"
#include "ledger/certificate.h"

namespace sat {

namespace {

constexpr std::size_t kPiece = 64 * 1024;

Result<std::vector<WitnessKey>> parse_witnesses(const std::vector<std::string>& texts) {
    std::vector<WitnessKey> witnesses;
    for (const std::string& text : texts) {
        auto witness = WitnessKey::parse(text);
        if (!witness)
            return fail(Errc::bad_data, "a witness's key is none",
                        "write it as the witness prints it: NAME+8 hexadecimal digits+base64");
        witnesses.push_back(std::move(*witness));
    }
    return witnesses;
}

// The vault whose word counts: the one named, or one that this home has pinned.
struct TrustedVault {
    std::string how;        // for people
    const char* word = "";  // for JSON
    IdentityChain chain;    // the newest known
};

// The longer one of two chains, either of which may be: the certificate stays as it was made.
Result<IdentityChain> join_chains(const IdentityChain& certified, const IdentityChain& known) {
    const bool older = certified.seq() < known.seq();
    const ChainOrder order = older ? compare_chains(certified, known) : compare_chains(known, certified);
    if (order != ChainOrder::same && order != ChainOrder::newer)
        return fail(Errc::vault_key_changed, "the certificate's vault has another identity than the one known here");
    return older ? known : certified;
}

Result<TrustedVault> judge_signer(ClientApp& app, const IdentityChain& vault) {
    const std::string key = fingerprint(vault.wallet());
    const auto& pin = app.trust().pin;
    if (pin && *pin != vault.wallet())
        return fail(Errc::vault_key_changed,
                    "the certificate is signed by the vault " + key + ", and not by the one named",
                    "compare --vault-key with what the vault's operator publishes");
    SAT_TRY_VALUE(const auto vaults, KnownVaults(app.home_directory()).all());
    const KnownVault* known = nullptr;
    IdentityChain newest = vault;
    for (const KnownVault& one : vaults) {  // one vault may have several addresses
        if (one.wallet != vault.wallet()) continue;
        if (known == nullptr) known = &one;
        if (!one.chain) continue;
        SAT_TRY_VALUE(newest, join_chains(newest, *one.chain));
    }
    if (pin) return TrustedVault{"the vault that was named", "named", std::move(newest)};
    if (known == nullptr)
        return fail(Errc::vault_key_unknown,
                    "every signature holds, but the vault that certifies is not known here; its key is " + key,
                    "compare it with the one that its operator publishes, then give it with --vault-key");
    return TrustedVault{"the vault pinned for " + known->address, "pinned", std::move(newest)};
}

// A signed checkpoint, whosever it is.
Result<std::string> read_checkpoint(const Path& path) {
    constexpr const char* kHint = "give the file that `ledger witness -o` wrote";
    const auto text = read_file(path, kMaxNote);
    if (!text && text.error().code != Errc::too_large) return fail(text.error());
    if (!text || !SignedNote::parse(as_text(*text)))
        return fail(Errc::bad_data, printable(path.string()) + " is no signed checkpoint", kHint);
    return to_string(*text);
}

struct OpenedCertificate {
    std::string checkpoint;  // note
    CertifiedOwnership proved;
};

Result<OpenedCertificate> open_certificate(std::string_view text) {
    constexpr const char* kHint =
        "do not rely on it; ask whoever gave it to you for the certificate as the program wrote it";
    auto certificate = Certificate::parse(text);
    if (!certificate) return fail(certificate.error().code, certificate.error().message, kHint);
    auto proved = verify_certificate(*certificate);
    if (!proved) return fail(proved.error().code, "the certificate does not hold; " + proved.error().message, kHint);
    return OpenedCertificate{std::move(certificate->checkpoint), std::move(*proved)};
}

// This home's own checkpoint of the vault, where it has one of the same size, is another witness.
Result<void> compare_with_kept(ClientApp& app, const IdentityChain& vault, const OpenedCertificate& certificate) {
    const CheckpointStore store(app.home_directory());
    SAT_TRY(store.require_no_evidence(vault.wallet()));
    SAT_TRY_VALUE(const auto kept, store.find(vault));
    const TreeHead& tree = certificate.proved.tree;
    if (!kept || kept->head.size != tree.size || kept->head.root == tree.root) return {};
    Error error = store.keep_evidence(vault.wallet(), kept->note, certificate.checkpoint);
    error.message.insert(0, "the certificate is of another ledger than the one that the vault showed here; ");
    return fail(std::move(error));
}

bool is_same(const WitnessKey& a, const WitnessKey& b) { return a.name == b.name && a.key.raw() == b.key.raw(); }

// Anybody can add a cosignature of a key of their own: only those that the caller named are somebody's.
bool is_named(const WitnessKey& key, const std::vector<WitnessKey>& named) {
    return std::any_of(named.begin(), named.end(), [&](const WitnessKey& one) { return is_same(one, key); });
}

Result<void> require_witnesses(const CertifiedOwnership& proved, const std::vector<WitnessKey>& wanted) {
    for (const WitnessKey& witness : wanted) {
        const bool signed_it =
            std::any_of(proved.witnesses.begin(), proved.witnesses.end(),
                        [&](const CertifiedOwnership::Witness& there) { return is_same(there.key, witness); });
        if (!signed_it)
            return fail(Errc::bad_signature, "the witness " + witness.name + " has not signed the checkpoint");
    }
    return {};
}

Result<void> compare_image(const Path& path, const Registration& registration) {
    SAT_TRY_VALUE(const FileDescriptor file, open_regular(path));
    Sha256 hash;
    std::uint64_t bytes = 0;
    Bytes piece(kPiece);
    for (;;) {
        auto got = read_some(file.get(), piece, path);
        if (!got) return fail(Errc::input_unreadable, got.error().message);
        hash.update(ByteView(piece).first(*got));
        bytes += *got;
        if (*got < piece.size()) break;
    }
    if (bytes != registration.bytes || hash.finish() != registration.sha256)
        return fail(
            Errc::hash_mismatch,
            "the certificate holds, but " + printable(path.string()) + " is not the image that its artist signed",
            "give the image that the certificate is about");
    return {};
}

Json certificate_json(const CertifiedOwnership& proved, const TrustedVault& vault, const std::string& image,
                      const std::vector<WitnessKey>& named) {
    Json json = registration_json(proved.history.registration.body);
    Json signers = Json::array();
    for (const Wallet& wallet : proved.signers) signers.push_back(wallet.hex());
    Json witnesses = Json::array();
    for (const CertifiedOwnership::Witness& witness : proved.witnesses)
        witnesses.push_back(Json{{"name", witness.key.name},
                                 {"key", witness.key.vkey()},
                                 {"at", witness.at},
                                 {"required", is_named(witness.key, named)}});
    return Json{
        {"intact", true},
        {"artwork", std::move(json)},
        {"signed_by", {{"vault", fingerprint(proved.vault.wallet())}, {"known", vault.word}, {"people", signers}}},
        {"ledger", {{"size", proved.tree.size}, {"root", proved.tree.root.hex()}, {"witnesses", witnesses}}},
        {"owner",
         {{"wallet", proved.history.owner().hex()},
          {"seq", proved.history.seq()},
          {"at", proved.at},
          {"held", proved.history.held()}}},
        {"image", image.empty() ? Json(nullptr) : Json{{"file", json_text(image)}, {"matches", true}}},
        {"history", history_json(proved.history)["items"]}};
}

std::string certificate_text(const CertifiedOwnership& proved, const TrustedVault& vault, const std::string& image,
                             const std::vector<WitnessKey>& named, const Wallet& me) {
    const Registration& r = proved.history.registration.body;
    std::string text = "the certificate is intact\n";
    text += field("work", r.artwork.str() + "  " + printable(r.title));
    if (!r.artist.empty()) text += field("artist", printable(r.artist));
    text += field("owner", who(proved.history.owner(), me));
    text += field("at", format_utc(proved.at) + ", checkpoint " + std::to_string(proved.tree.size) +
                            (proved.history.held() ? "; held by the vault's operator" : ""));
    text += field("signed by", fingerprint(proved.vault.wallet()) + ", " + vault.how + "; " +
                                   std::to_string(proved.signers.size()) +
                                   (proved.signers.size() == 1 ? " person" : " people"));
    text +=
        field("in the ledger", "yes: root " + to_base64(proved.tree.root.view()) + " of " +
                                   std::to_string(proved.tree.size) + (proved.tree.size == 1 ? " leaf" : " leaves"));
    for (const CertifiedOwnership::Witness& witness : proved.witnesses)
        text += is_named(witness.key, named)
                    ? field("witness", printable(witness.key.name) + ", " + format_utc(witness.at))
                    : field("cosigned by", printable(witness.key.vkey()) + " (a key not known here)");
    text += field("image", image.empty() ? "not compared; --image FILE does" : "the one that its artist signed");
    return text + "\n" + history_text(proved.history, me);
}

}  // namespace

Result<Report> run_certificate(ClientApp& app) {
    const Options& options = app.options();
    SAT_TRY_VALUE(const ArtworkId id, ArtworkId::parse(options.id));
    const Path path = options.output.value_or("");
    if (path.empty()) return fail(Errc::usage, "no file was named for the certificate", "give -o FILE");
    SAT_TRY_VALUE(const auto witnesses, parse_witnesses(options.witnesses));
    if (options.checkpoint.has_value() != !witnesses.empty())
        return fail(Errc::usage, "a cosigned checkpoint goes with the keys of its witnesses",
                    "give --checkpoint FILE and --witness KEY, or neither");
    std::optional<std::string> cosigned;
    if (options.checkpoint) {
        SAT_TRY_VALUE(cosigned, read_checkpoint(*options.checkpoint));
    }
    const bool to_stdout = path == "-";
    if (to_stdout && options.json) return fail(Errc::usage, "-o - and --json both want standard output");
    const auto existing = options.force ? AtomicFile::Existing::replace : AtomicFile::Existing::refuse;
    std::optional<AtomicFile> file;
    if (!to_stdout) {
        SAT_TRY_VALUE(file, AtomicFile::create(path, existing));
    }
    SAT_TRY_VALUE(VaultClient * vault, app.connect());
    SAT_TRY_VALUE(const Certificate certificate, vault->certify(id, cosigned, witnesses));
    SAT_TRY_VALUE(const CertifiedOwnership proved, verify_certificate(certificate));
    const std::string text = certificate.encode();
    if (file) {
        SAT_TRY(file->write(as_bytes(text)));
        SAT_TRY(file->commit());
    } else {
        SAT_TRY(app.output().print(text));
    }
    SAT_TRY_VALUE(const KeyHome* home, app.home());
    Report report;
    report.data = Json{{"artwork", id.str()},
                       {"file", json_text(path.string())},
                       {"bytes", text.size()},
                       {"owner", proved.history.owner().hex()},
                       {"size", proved.tree.size},
                       {"root", proved.tree.root.hex()},
                       {"vault", fingerprint(proved.vault.wallet())},
                       {"verified", true}};
    report.text = printable(path.string()) + ": " + std::to_string(text.size()) + " bytes, verified\n" +
                  field("owner", who(proved.history.owner(), home->wallet())) +
                  field("checkpoint", std::to_string(proved.tree.size)) +
                  field("vault", fingerprint(proved.vault.wallet()));
    report.brief = printable(path.string()) + "\n";
    report.shown = to_stdout;
    return report;
}

Result<Report> run_verify(ClientApp& app) {
    const Options& options = app.options();
    const Path path = options.file;
    SAT_TRY_VALUE(const auto witnesses, parse_witnesses(options.witnesses));
    const auto bytes = read_file(path, kMaxCertificate);
    if (!bytes && bytes.error().code == Errc::too_large)
        return fail(Errc::bad_statement, printable(path.string()) + " is too large for a certificate");
    if (!bytes) return fail(bytes.error());
    SAT_TRY_VALUE(const OpenedCertificate certificate, open_certificate(as_text(*bytes)));
    const CertifiedOwnership& proved = certificate.proved;
    SAT_TRY(require_witnesses(proved, witnesses));
    SAT_TRY_VALUE(const TrustedVault vault, judge_signer(app, proved.vault));
    SAT_TRY(compare_with_kept(app, vault.chain, certificate));
    if (!options.image.empty()) SAT_TRY(compare_image(options.image, proved.history.registration.body));
    Wallet me;
    if (KeyHome::exists(app.home_directory())) {
        SAT_TRY_VALUE(const KeyHome* home, app.home());
        me = home->wallet();
    }
    return Report{certificate_json(proved, vault, options.image, witnesses),
                  certificate_text(proved, vault, options.image, witnesses, me), proved.history.owner().hex() + "\n"};
}

}  // namespace sat
