// What CLI11 says of a command line, in words of ours.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
class ExtrasError;
}  // namespace CLI

namespace sat {

// "--title is required" from CLI11 becomes a sentence of ours: lower case, one line, no full stop, nothing that a
// terminal would obey.
std::string sentence(std::string text);

// "see sat-vaultd backup --help": where the options of the command that was meant are listed.
std::string see_help(const CLI::App& app);

// Of words that nothing takes: without a command of ours among them, the first that is no option's value was meant as
// one.
std::string left_over(const CLI::App& app, const CLI::ExtrasError& error);

}  // namespace sat
