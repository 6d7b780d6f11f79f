// The picture of docs/architecture.md as a function: which floor may name what.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sat::ground {

// What the source file `path` ("lib/wire/frame.cc", "apps/sat-vaultd/main.cc", relative to the project) names that its
// floor may not, one sentence each; empty if all is well.  Reads `text` alone, no disk.  A file in no floor known here
// is a violation itself.
std::vector<std::string> violations(std::string_view path, std::string_view text);

}  // namespace sat::ground
