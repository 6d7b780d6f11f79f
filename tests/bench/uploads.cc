// Uploads files, several over as many connections as the command takes, each acknowledged with a verified receipt: what
// one command for many images does, without previews, so that a transfer is measured and nothing else.  Prints each ID.
//
//     bench-uploads HOME HOST:PORT VAULT-KEY FILE...
// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <atomic>
#include <iostream>
#include <thread>

#include "base/file.h"
#include "client/vault_client.h"

namespace sat {

namespace {

Result<UploadSource> source_of(const Path& path, const FileDescriptor& file) {
    UploadSource source;
    source.fd = file.get();
    source.path = path;
    if (::fstat(file.get(), &source.seen) != 0) return fail(Errc::input_unreadable, "cannot stat");
    source.draft.title = path.filename().string();
    source.draft.file_path = path.filename().string();
    source.draft.media_type = "image/tiff";
    source.draft.width = source.draft.height = 1024;
    return source;
}

// As sat-artist has.
constexpr std::size_t kConnections = 4;

// Takes the files in turn with others; counts them by `next`.
Result<void> work(const std::vector<std::string>& words, const KeyHome& home, KemPrivateKey kem, const SigningKey& sign,
                  std::atomic<std::size_t>& next) {
    IdentityCache identities(words[0]);
    VaultClientOptions options;
    SAT_TRY_VALUE(options.address, parse_address(words[1]));
    SAT_TRY_VALUE(options.trust.pin, parse_fingerprint(words[2]));
    options.agent = "bench-uploads";
    VaultClient vault(home, identities, std::move(kem), std::move(options));
    SAT_TRY(vault.connect());
    std::string ids;
    for (std::size_t i = next++; i < words.size(); i = next++) {
        SAT_TRY_VALUE(const FileDescriptor file, open_regular(words[i]));
        SAT_TRY_VALUE(const UploadSource source, source_of(words[i], file));
        SAT_TRY_VALUE(const UploadResult uploaded, vault.upload_of_many(source, sign, {}));
        ids += uploaded.work.id().str() + "\n";
    }
    SAT_TRY(vault.keep_checkpoint());
    std::cout << ids;
    SAT_TRY(vault.forget_commits());
    vault.close();
    return {};
}

Result<void> run(const std::vector<std::string>& words) {
    SAT_TRY_VALUE(const KeyHome home, KeyHome::open(words[0]));
    SAT_TRY_VALUE(const KemPrivateKey kem, home.unlock_kem(nullptr));
    SAT_TRY_VALUE(const SigningKey sign, home.unlock_sign(nullptr));
    std::atomic<std::size_t> next = 3;
    std::vector<Result<void>> done(std::min(kConnections, words.size() - 3));
    std::vector<std::thread> threads;
    for (Result<void>& one : done) threads.emplace_back([&] { one = work(words, home, kem, sign, next); });
    for (std::thread& thread : threads) thread.join();
    for (Result<void>& one : done) SAT_TRY(std::move(one));
    return {};
}

}  // namespace

}  // namespace sat

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 4) {
        std::cerr << "usage: bench-uploads HOME HOST:PORT VAULT-KEY FILE...\n";
        return 64;
    }
    const auto done = sat::run(words);
    if (!done) std::cerr << "bench-uploads: " << done.error().message << "\n";
    return done ? 0 : 1;
}
