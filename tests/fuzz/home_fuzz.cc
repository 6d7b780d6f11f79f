// Fuzz target: the files of a client's home that hold what vaults said: vaults, checkpoints, identities.
// SPDX-License-Identifier: Apache-2.0
#include "client/checkpoint_store.h"
#include "client/identity_cache.h"
#include "client/known_vaults.h"
#include "fuzz/fuzz.h"
#include "fuzz/parties.h"
#include "fuzz/scratch_file.h"

namespace {

struct Home {
    sat::TemporaryDirectory directory;
    sat::IdentityChain vault = sat::fuzz_vault().chain();
    sat::Wallet client = sat::fuzz_client().chain().wallet();
    sat::Path vaults = directory / "known_vaults.json";
    sat::Path checkpoint = directory / "checkpoints" / vault.wallet().hex();
    sat::Path unproved = checkpoint.string() + ".unproved";
    sat::Path identity = directory / "identities" / vault.wallet().hex() / (client.hex() + ".json");

    Home() {
        std::filesystem::create_directories(checkpoint.parent_path());
        std::filesystem::create_directories(identity.parent_path());
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Home home;
    const auto input = fuzz_view(data, size);
    for (const auto& file : {home.vaults, home.checkpoint, home.unproved, home.identity})
        sat::write_scratch(file, input);
    (void)sat::KnownVaults(home.directory.path()).all();
    const sat::CheckpointStore checkpoints(home.directory.path());
    (void)checkpoints.find(home.vault);
    const auto unproved = checkpoints.find_unproved(home.vault);
    if (unproved) SAT_ASSERT(unproved->size() <= sat::CheckpointStore::kMaxUnproved);
    sat::IdentityCache identities(home.directory.path());
    const auto* identity = identities.find(home.vault.wallet(), home.client);
    if (identity != nullptr) SAT_ASSERT(identity->wallet() == home.client);
    return 0;
}
