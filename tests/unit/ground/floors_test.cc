// Holds docs/architecture.md's picture against the sources, the checker against seeded violations, and the top level
// against its list.
// SPDX-License-Identifier: Apache-2.0
#include "unit/ground/floors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace sat::ground {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const fs::path kRoot = SAT_SOURCE_DIR;

TEST(Floors, HoldInEverySourceFile) {
    std::size_t files = 0;
    for (const char* top : {"lib", "apps"}) {
        for (const auto& entry : fs::recursive_directory_iterator(kRoot / top)) {
            const std::string extension = entry.path().extension();
            if (extension != ".h" && extension != ".cc") continue;
            std::ifstream in(entry.path());
            const std::string text(std::istreambuf_iterator<char>(in), {});
            EXPECT_THAT(violations(fs::relative(entry.path(), kRoot).string(), text), IsEmpty());
            ++files;
        }
    }
    EXPECT_GT(files, 50U);
}

TEST(Floors, TheTopLevelIsWhatItIs) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(kRoot)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with('.') && !name.starts_with("build")) names.insert(name);
    }
    EXPECT_THAT(names, ElementsAre("CMakeLists.txt", "LICENSE", "README.md", "apps", "cmake", "docs", "lib", "tests"));
}

TEST(FloorChecker, RefusesAnIncludeThatPointsUp) {
    EXPECT_THAT(violations("lib/base/a.h", "#include \"crypto/hash.h\"\n"),
                ElementsAre("lib/base/a.h:1: base may not include crypto"));
    EXPECT_THAT(violations("lib/wire/a.cc", "\n#include \"store/catalog.h\"\n"),
                ElementsAre("lib/wire/a.cc:2: wire may not include store"));
    EXPECT_THAT(violations("lib/vault/a.cc", "#include \"net/dial.h\"\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/net/a.cc", "#include \"vault/vault.h\"\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/client/a.cc", "# include <store/catalog.h>\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/client/a.cc", "#include \"common/options.h\"\n"), SizeIs(1));
    EXPECT_THAT(violations("apps/sat-artist/main.cc", "#include \"vault/vault.h\"\n"), SizeIs(1));
    EXPECT_THAT(violations("apps/common/a.cc", "#include \"store/catalog.h\"\n"), SizeIs(1));
    EXPECT_THAT(violations("apps/sat-vaultd/main.cc", "#include \"client/key_home.h\"\n"), SizeIs(1));
    EXPECT_THAT(violations("apps/sat-picture/main.cc", "#include \"crypto/keys.h\"\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/wire/a.cc", "#include \"../store/catalog.h\"\n"), SizeIs(1));
}

TEST(FloorChecker, AllowsWhatPointsDownAndOnesOwn) {
    EXPECT_THAT(violations("lib/wire/a.cc", "#include \"wire/a.h\"\n#include \"ledger/leaf.h\"\n#include <vector>\n"),
                IsEmpty());
    EXPECT_THAT(violations("apps/sat-collector/a.cc", "#include \"common/options.h\"\n#include \"own.h\"\n"),
                IsEmpty());
    EXPECT_THAT(violations("apps/sat-vaultd/a.cc", "#include \"vault/vault.h\"\n#include \"net/server.h\"\n"),
                IsEmpty());
}

TEST(FloorChecker, KeepsEachLibraryWhereItBelongs) {
    EXPECT_THAT(violations("lib/vault/a.cc", "#include <openssl/evp.h>\n"),
                ElementsAre("lib/vault/a.cc:1: vault may not name OpenSSL"));
    EXPECT_THAT(violations("lib/envelope/a.cc", "#include \"crypto/openssl.h\"\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/crypto/a.cc", "#include <openssl/evp.h>\n"), IsEmpty());
    EXPECT_THAT(violations("lib/vault/a.cc", "#include <sqlite3.h>\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/store/a.cc", "#include <sqlite3.h>\n"), IsEmpty());
    EXPECT_THAT(violations("lib/vault/a.cc", "#include <asio.hpp>\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/wire/a.cc", "#include <asio/ip/tcp.hpp>\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/client/a.cc", "#include <asio/ip/tcp.hpp>\n"), IsEmpty());
    EXPECT_THAT(violations("apps/sat-artist/a.cc", "#include <vips/vips.h>\n"), SizeIs(1));
    EXPECT_THAT(violations("apps/sat-picture/a.cc", "#include <vips/vips.h>\n"), IsEmpty());
    EXPECT_THAT(violations("lib/net/a.cc", "#include <spdlog/spdlog.h>\n"), SizeIs(1));
    EXPECT_THAT(violations("apps/sat-vaultd/a.cc", "#include <spdlog/spdlog.h>\n"), IsEmpty());
    EXPECT_THAT(violations("lib/client/a.cc", "#include <CLI/CLI.hpp>\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/wire/a.cc", "#include <nlohmann/json.hpp>\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/store/a.cc", "#include <sys/socket.h>\n"), SizeIs(1));
    EXPECT_THAT(violations("apps/sat-picture/a.cc", "#include <sys/socket.h>\n"), IsEmpty());
    EXPECT_THAT(violations("apps/sat-picture/a.cc", "#include <netinet/in.h>\n"), SizeIs(1));
}

TEST(FloorChecker, FindsClocksAndSocketsInThePureFloors) {
    EXPECT_THAT(violations("lib/ledger/a.cc", "auto t = std::chrono::system_clock::now();\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/wire/a.cc", "auto t = std::chrono::steady_clock::now();\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/wire/a.cc", "x = time(nullptr);\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/wire/a.cc", "x = std::time (nullptr);\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/envelope/a.cc", "int fd = ::socket(AF_INET, SOCK_STREAM, 0);\n"), SizeIs(1));
    EXPECT_THAT(violations("lib/ledger/a.cc", "return now_unix();\n"), SizeIs(1));
    // Elsewhere they are at home, and a word is no call.
    EXPECT_THAT(violations("lib/net/a.cc", "auto t = std::chrono::steady_clock::now();\n"), IsEmpty());
    EXPECT_THAT(violations("lib/ledger/a.cc", "decide(state, event, time); record.time(); // time(nullptr)\n"),
                IsEmpty());
    EXPECT_THAT(violations("lib/ledger/a.cc", "fail(\"no system_clock here, nor time(0)\"); /* system_clock\n */\n"),
                IsEmpty());
    EXPECT_THAT(violations("lib/ledger/a.cc", "const int n = 1'000; x = time(0); c = '\\'';\n"), SizeIs(1));
}

TEST(FloorChecker, OverlooksIncludesInComments) {
    EXPECT_THAT(violations("lib/base/a.cc", "// #include <openssl/evp.h>\n/*\n#include <asio.hpp>\n*/\n"), IsEmpty());
}

TEST(FloorChecker, RefusesAFileOfNoFloor) {
    EXPECT_THAT(violations("lib/cloud/a.cc", ""), SizeIs(1));
    EXPECT_THAT(violations("lib/stray.cc", ""), SizeIs(1));
}

}  // namespace
}  // namespace sat::ground
