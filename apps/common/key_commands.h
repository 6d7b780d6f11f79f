// The life of a wallet's keys, in both programs: passphrase, rekey, keys export, keys import.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "common/client_app.h"

namespace sat {

std::map<std::string, Command> key_commands();

}  // namespace sat
