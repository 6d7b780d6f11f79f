// sat-artist: PC1, for an artist, and for anybody who owns a work.  docs/man/sat-artist.1.
// SPDX-License-Identifier: Apache-2.0
#include "common/client_app.h"
#include "sat-artist/upload.h"

int main(int argc, char** argv) {
    constexpr sat::OwnCommand kCommands[] = {{"upload", sat::run_upload}};
    return sat::run_client(sat::Program::artist, argc, argv, kCommands);
}
