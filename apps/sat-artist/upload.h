// upload: steps 2 to 5.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/client_app.h"

namespace sat {

Result<Report> run_upload(ClientApp& app);

}  // namespace sat
