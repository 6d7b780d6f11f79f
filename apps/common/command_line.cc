// SPDX-License-Identifier: Apache-2.0
#include "common/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "base/text.h"

namespace sat {

std::string sentence(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
    if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && ((text[1] >= 'a' && text[1] <= 'z') || text[1] == ' '))
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return printable(text);
}

std::string see_help(const CLI::App& app) {
    std::string names = app.get_name();
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        names += " " + at->get_name();
    }
    return "see " + names + " --help";
}

std::string left_over(const CLI::App& app, const CLI::ExtrasError& error) {
    const std::vector<std::string> left = app.remaining(true);
    const auto word =
        std::find_if(left.begin(), left.end(), [](const std::string& argument) { return !argument.starts_with('-'); });
    if (app.get_subcommands().empty() && word != left.end()) return "there is no command " + printable(*word);
    return sentence(error.what());
}

}  // namespace sat
