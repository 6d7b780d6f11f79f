// SPDX-License-Identifier: Apache-2.0
#include "common/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/assert.h"

namespace sat {

namespace {

struct Word {
    std::string text;  // "browse", "--limit", "-o"
    std::string about;
    bool value = false;  // of an option: a word of its own follows
};

struct Commands {
    std::vector<Word> names;
    std::vector<Word> options;
};

std::string joined(const std::vector<Word>& words, std::string_view between = " ") {
    std::string out;
    for (const Word& word : words) out += (out.empty() ? "" : std::string(between)) + word.text;
    return out;
}

// In single quotes, for every shell alike.
std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

Commands words_of(const CLI::App& app) {
    Commands out;
    for (const CLI::App* sub : app.get_subcommands({})) out.names.push_back({sub->get_name(), sub->get_description()});
    for (const CLI::Option* option : app.get_options()) {
        const bool value = option->get_items_expected_max() > 0;
        for (const std::string& name : option->get_lnames())
            out.options.push_back({"--" + name, option->get_description(), value});
        for (const std::string& name : option->get_snames())
            out.options.push_back({"-" + name, option->get_description(), value});
    }
    return out;
}

std::string function_name(const CLI::App& app) {
    std::string name = "_" + app.get_name();
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

// The words that may follow each path of commands: "", "browse", "ledger", "ledger follow".
template <typename Visit>
void each_command(const CLI::App& app, const std::string& path, const Visit& visit) {
    visit(app, path);
    for (const CLI::App* sub : app.get_subcommands({}))
        each_command(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), visit);
}

// bash and zsh share the loop that finds the command; what is offered differs.
std::string find_command(const CLI::App& app, std::string_view words, std::string_view first, std::string_view end) {
    std::string out;
    out += "    local command='' i\n";
    out += "    for ((i = " + std::string(first) + "; i < " + std::string(end) + "; i++)); do\n";
    out += "        case \"$command ${" + std::string(words) + "[i]}\" in\n";
    each_command(app, "", [&](const CLI::App&, const std::string& path) {
        if (path.empty()) return;
        const std::string pattern = path.find(' ') == std::string::npos ? " " + path : path;
        out += "            " + shell_quoted(pattern) + ") command=" + shell_quoted(path) + " ;;\n";
    });
    return out + "        esac\n    done\n";
}

std::string bash_script(const CLI::App& app) {
    const std::string name = function_name(app);
    const Commands global = words_of(app);
    std::string out = "# bash completion for " + app.get_name() + "\n" + name + "() {\n";
    out += find_command(app, "COMP_WORDS", "1", "COMP_CWORD");
    out += "    local words=''\n    case $command in\n";
    std::vector<Word> valued;
    each_command(app, "", [&](const CLI::App& sub, const std::string& path) {
        const Commands own = words_of(sub);
        std::copy_if(own.options.begin(), own.options.end(), std::back_inserter(valued),
                     [](const Word& word) { return word.value; });
        std::string offered = joined(own.names);
        for (const Word& word : own.options) offered += " " + word.text;
        if (!path.empty()) offered += " " + joined(global.options);
        out += "        " + shell_quoted(path) + ") words=" + shell_quoted(offered) + " ;;\n";
    });
    out += "    esac\n    COMPREPLY=()\n    case ${COMP_WORDS[COMP_CWORD-1]} in\n        " + joined(valued, "|") +
           ") return ;;\n    esac\n";
    out += "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n}\n";
    return out + "complete -o default -F " + name + " " + app.get_name() + "\n";
}

std::string zsh_array(const char* name, const std::vector<Word>& words) {
    std::string out = "            " + std::string(name) + "=(";
    for (const Word& word : words) {
        std::string about = word.about;
        // A colon parts the word from what is said of it.
        std::replace(about.begin(), about.end(), ':', ' ');
        out += "\n                " + shell_quoted(word.text + ":" + about);
    }
    return out + (words.empty() ? ")\n" : "\n            )\n");
}

std::string zsh_script(const CLI::App& app) {
    const std::string name = function_name(app);
    const Commands global = words_of(app);
    std::string out = "#compdef " + app.get_name() + "\n" + name + "() {\n";
    out += find_command(app, "words", "2", "CURRENT");
    out += "    local -a names options\n    case $command in\n";
    each_command(app, "", [&](const CLI::App& sub, const std::string& path) {
        Commands own = words_of(sub);
        if (!path.empty()) own.options.insert(own.options.end(), global.options.begin(), global.options.end());
        out += "        " + shell_quoted(path) + ")\n" + zsh_array("names", own.names) +
               zsh_array("options", own.options) + "            ;;\n";
    });
    out += "    esac\n    if [[ $words[CURRENT] == -* ]]; then\n        _describe -o option options\n";
    out += "    elif ((${#names})); then\n        _describe command names\n    else\n        _files\n    fi\n}\n";
    return out + "compdef " + name + " " + app.get_name() + "\n";
}

void fish_options(std::string& out, const std::string& start, const std::vector<Word>& words) {
    for (const Word& word : words) {
        const bool is_long = word.text.starts_with("--");
        out += start + (is_long ? " -l " : " -s ") + word.text.substr(is_long ? 2 : 1) + (word.value ? " -r" : "") +
               " -d " + shell_quoted(word.about) + "\n";
    }
}

std::string fish_script(const CLI::App& app) {
    const std::string start = "complete -c " + app.get_name();
    std::string out = "# fish completion for " + app.get_name() + "\n";
    each_command(app, "", [&](const CLI::App& sub, const std::string& path) {
        const Commands own = words_of(sub);
        std::string when;
        for (std::size_t at = 0; at < path.size();) {
            const std::size_t end = std::min(path.find(' ', at), path.size());
            when += when.empty() ? "" : "; and ";
            when += "__fish_seen_subcommand_from " + path.substr(at, end - at);
            at = end + 1;
        }
        fish_options(out, when.empty() ? start : start + " -n " + shell_quoted(when), own.options);
        when += when.empty() ? "" : "; and ";
        when += "not __fish_seen_subcommand_from " + joined(own.names);
        for (const Word& word : own.names)
            out +=
                start + " -f -n " + shell_quoted(when) + " -a " + word.text + " -d " + shell_quoted(word.about) + "\n";
    });
    return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
    if (shell == "bash") return bash_script(app);
    if (shell == "zsh") return zsh_script(app);
    SAT_ASSERT(shell == "fish");
    return fish_script(app);
}

}  // namespace sat
