// What may be looked at: works in pages, one work, its preview, its history, and who people are.  Steps 6 and 7.
// docs/protocol.md, "Requests".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vault/core.h"

namespace sat {

Result<IdentityGetReply> get_identities(VaultCore& core, const IdentityGetRequest& request);
// bad_request for a cursor that is not of this list.
Result<WorkPage> list_works(VaultCore& core, const Caller& caller, const ArtworkListRequest& request);
// not_found, as of all below.
Result<WorkItem> get_work(VaultCore& core, const Caller& caller, const ArtworkGetRequest& request);
// held: the operator has stopped it from being served.
Result<ArtworkPreviewReply> get_preview(VaultCore& core, const ArtworkPreviewRequest& request);
Result<ArtworkHistoryReply> get_history(VaultCore& core, const ArtworkHistoryRequest& request);

}  // namespace sat
