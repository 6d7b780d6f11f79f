// Uploads files over one connection, one after the other, each acknowledged with a verified receipt: what one command
// for many images does, without previews, so that a transfer is measured and nothing else.  Prints each ID.
//
//     bench-uploads HOME HOST:PORT VAULT-KEY FILE...
// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <iostream>

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

Result<void> run(const std::vector<std::string>& words) {
    SAT_TRY_VALUE(const KeyHome home, KeyHome::open(words[0]));
    SAT_TRY_VALUE(KemPrivateKey kem, home.unlock_kem(nullptr));
    SAT_TRY_VALUE(const SigningKey sign, home.unlock_sign(nullptr));
    IdentityCache identities(words[0]);
    VaultClientOptions options;
    SAT_TRY_VALUE(options.address, parse_address(words[1]));
    SAT_TRY_VALUE(options.trust.pin, parse_fingerprint(words[2]));
    options.agent = "bench-uploads";
    VaultClient vault(home, identities, std::move(kem), std::move(options));
    SAT_TRY(vault.connect());
    for (std::size_t i = 3; i < words.size(); ++i) {
        SAT_TRY_VALUE(const FileDescriptor file, open_regular(words[i]));
        SAT_TRY_VALUE(const UploadSource source, source_of(words[i], file));
        SAT_TRY_VALUE(const UploadResult uploaded, vault.upload(source, sign, {}));
        std::cout << uploaded.work.id().str() << "\n";
    }
    vault.close();
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
