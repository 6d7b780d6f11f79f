// A directory of one test's own, mode 0700, removed with all that is in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <iterator>
#include <string>

#include "base/assert.h"
#include "base/file.h"

namespace sat {

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "sat-test-XXXXXX").string();
        SAT_ASSERT(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const Path& path() const noexcept { return path_; }
    Path operator/(const Path& name) const { return path_ / name; }
    // How many entries are in it.
    std::size_t count() const {
        const std::filesystem::directory_iterator entries(path_);
        return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
    }

private:
    Path path_;
};

}  // namespace sat
