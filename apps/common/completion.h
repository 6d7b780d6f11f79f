// Shell completions, made from the commands and options as CLI11 has them: nothing is listed twice.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}

namespace sat {

inline const std::vector<std::string> kShells = {"bash", "zsh", "fish"};

// The script that `shell` (one of kShells, asserted) sources.  Words of the program alone: what follows an option or a
// command, an ID or a file, is left to the shell's own completion of file names.
std::string completion_script(const CLI::App& app, std::string_view shell);

}  // namespace sat
