// The search index's words.  docs/storage.md, "The catalogue".
// SPDX-License-Identifier: Apache-2.0
#include "vault/words.h"

#include "base/text.h"

namespace sat {

WorkWords words_of(const Registration& registration) {
    WorkWords words;
    for (const std::string* text : {&registration.title, &registration.description, &registration.artist})
        for (std::string& word : search_words(*text)) words.text.push_back(std::move(word));
    words.artist = fold(registration.artist);
    return words;
}

}  // namespace sat
