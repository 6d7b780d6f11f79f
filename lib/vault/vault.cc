// The door: a Vault and its sessions hand each request to its use case.  docs/protocol.md, "Requests".
// SPDX-License-Identifier: Apache-2.0
#include "vault/vault.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "vault/browse.h"
#include "vault/claims.h"
#include "vault/core.h"
#include "vault/fetch.h"
#include "vault/healer.h"
#include "vault/ledger.h"
#include "vault/operator.h"
#include "vault/upload.h"

namespace sat {

struct Vault::Impl {
    std::unique_ptr<VaultCore> core;
};

struct VaultSession::State {
    VaultCore& core;
    Caller caller;
    ChainMark mark;
    bool chain_left = false;
    std::unique_ptr<Upload> upload;
    std::unique_ptr<Fetch> fetch;
};

namespace {

using Outcome = VaultSession::Outcome;

Error contradiction() {
    return {
        Errc::internal,
        "the vault signed a checkpoint that its ledger contradicts: an older or another copy of its data was started",
        "stop it, and put back the newest copy of the data directory"};
}

Outcome refuse(Error error) { return {Outcome::Next::respond, fail(std::move(error)), 0}; }

Outcome halt(const Result<void>& kept = {}) {
    Error error = contradiction();
    if (!kept) error.message += "; it could not be kept: " + kept.error().message;
    return {Outcome::Next::halt, fail(std::move(error)), 0};
}

// Whether the caller's chain is looked at: for who signed, to seal for it, or to be kept beside the ledger.
bool needs_keys(const Request& request) {
    return std::visit(
        [](const auto& r) {
            using R = std::decay_t<decltype(r)>;
            return std::is_same_v<R, UploadCommitRequest> || std::is_same_v<R, ArtworkFetchRequest> ||
                   std::is_same_v<R, ClaimOpenRequest> || std::is_same_v<R, ClaimWithdrawRequest> ||
                   std::is_same_v<R, ClaimAnswerRequest> || std::is_same_v<R, ClaimAcceptRequest>;
        },
        request);
}

template <typename T>
Outcome respond(Result<T> result) {
    if (!result && result.error().code == Errc::interrupted)
        return {Outcome::Next::hang_up, fail(std::move(result.error())), 0};
    if (!result) return refuse(std::move(result.error()));
    return {Outcome::Next::respond, Reply(std::move(*result)), 0};
}

}  // namespace

VaultSession::VaultSession(Vault& vault, Caller caller)
    : state_(new State{*vault.impl_->core, std::move(caller), {}, false, nullptr, nullptr}) {
    state_->mark = ChainMark::of(*state_->caller.chain);
}
VaultSession::~VaultSession() = default;
VaultSession::VaultSession(VaultSession&&) noexcept = default;

const Caller& VaultSession::caller() const noexcept { return state_->caller; }

void VaultSession::leave_chain() {
    state_->chain_left = true;
    if (state_->caller.chain) state_->core.identities.keep_parsed(std::exchange(state_->caller.chain, nullptr));
}

VaultSession::Outcome VaultSession::handle(const Request& request) {
    VaultCore& core = state_->core;
    const Caller& caller = state_->caller;
    state_->fetch.reset();
    if (core.checkpoints->contradicted()) return halt();
    // Keys that their owner has replaced open nothing any more, nor do connections that they opened: also one whose
    // request overtakes the news.
    const auto superseded = core.identities.superseded(*core.catalog, state_->mark);
    if (!superseded) return refuse(superseded.error());
    if (*superseded)
        return {Outcome::Next::hang_up, fail(Errc::key_policy, "the wallet has newer keys than this connection's"), 0};
    if (!caller.chain && needs_keys(request)) {
        auto chain = core.identities.chain(*core.catalog, state_->mark);
        if (!chain) return refuse(std::move(chain.error()));
        state_->caller.chain = std::move(*chain);
    }

    struct Handler {
        VaultCore& core;
        const Caller& caller;
        State& state;

        Outcome operator()(const IdentityGetRequest& r) { return respond(get_identities(core, r)); }
        Outcome operator()(const UploadBeginRequest& r) {
            state.upload.reset();  // one at a time
            auto upload = begin_upload(core, caller, r);
            if (!upload) return refuse(std::move(upload.error()));
            state.upload = std::move(*upload);
            const UploadBeginReply reply{state.upload->artwork(), state.upload->offered(), true};
            return {Outcome::Next::respond, Reply(reply), 0};
        }
        Outcome operator()(const UploadResumeRequest& r) {
            auto resumed = state.upload ? state.upload->resume(r.header)
                                        : Result<void>(fail(Errc::state, "there is no upload to go on with"));
            if (resumed) return {Outcome::Next::work, EmptyReply{}, 0};
            state.upload.reset();
            return refuse(std::move(resumed.error()));
        }
        Outcome operator()(const UploadDataRequest& r) {
            Result<std::uint64_t> started =
                state.upload ? state.upload->start(r.header) : fail(Errc::state, "there is no upload to send data for");
            if (started) return {Outcome::Next::receive, EmptyReply{}, *started};
            state.upload.reset();
            return {Outcome::Next::discard, fail(std::move(started.error())), 0};
        }
        Outcome operator()(const UploadCommitRequest& r) {
            return respond(commit_upload(core, caller, state.upload, r));
        }
        Outcome operator()(const ArtworkListRequest& r) { return respond(list_works(core, caller, r)); }
        Outcome operator()(const ArtworkGetRequest& r) { return respond(get_work(core, caller, r)); }
        Outcome operator()(const ArtworkPreviewRequest& r) { return respond(get_preview(core, r)); }
        Outcome operator()(const ArtworkHistoryRequest& r) { return respond(get_history(core, r)); }
        Outcome operator()(const ArtworkFetchRequest& r) {
            auto fetch = Fetch::open(core, caller, r);
            if (!fetch) return refuse(std::move(fetch.error()));
            state.fetch = std::make_unique<Fetch>(std::move(*fetch));
            return {Outcome::Next::transmit, Reply(ArtworkFetchReply{state.fetch->header()}), state.fetch->remaining()};
        }
        Outcome operator()(const ClaimOpenRequest& r) { return respond(open_claim(core, caller, r)); }
        Outcome operator()(const ClaimWithdrawRequest& r) { return respond(withdraw_claim(core, caller, r)); }
        Outcome operator()(const ClaimGetRequest& r) { return respond(get_claim(core, caller, r)); }
        Outcome operator()(const ClaimMineRequest& r) { return respond(list_my_claims(core, caller, r)); }
        Outcome operator()(const ClaimInboxRequest& r) { return respond(list_inbox(core, caller, r)); }
        Outcome operator()(const ClaimSubscribeRequest&) { return {Outcome::Next::subscribe, Reply(EmptyReply{}), 0}; }
        Outcome operator()(const ClaimAnswerRequest& r) { return respond(answer_claim(core, caller, r)); }
        Outcome operator()(const ClaimAcceptRequest& r) { return respond(accept_claim(core, caller, r)); }
        Outcome operator()(const LedgerCheckpointRequest&) { return respond(get_checkpoint(core)); }
        Outcome operator()(const LedgerInclusionRequest& r) const { return respond(get_inclusion(core, r)); }
        Outcome operator()(const LedgerConsistencyRequest& r) const { return respond(get_consistency(core, r)); }
        Outcome operator()(const LedgerEntriesRequest& r) const { return respond(get_entries(core, r)); }
        Outcome operator()(const LedgerHeadRequest& r) { return respond(get_head(core, r)); }
        Outcome operator()(const LedgerReportRequest& r) const {
            auto kept = core.checkpoints->report(r.checkpoint);
            if (core.checkpoints->contradicted()) return halt(kept);
            return respond(Result<EmptyReply>(fail(std::move(kept.error()))));
        }
    };
    Outcome outcome = std::visit(Handler{core, caller, *state_}, request);
    if (state_->chain_left) state_->caller.chain.reset();
    return outcome;
}

std::optional<Response> VaultSession::go_on() {
    if (!state_->upload) return fail(Errc::state, "there is no upload to go on with");
    auto resealed = state_->upload->reseal();
    if (resealed && *resealed) return Reply(**resealed);
    if (resealed) return std::nullopt;
    state_->upload.reset();
    return fail(std::move(resealed.error()));
}

Result<void> VaultSession::receive(ByteView data) {
    if (state_->core.checkpoints->contradicted()) return fail(contradiction());
    if (!state_->upload || !state_->upload->receiving())
        return fail(Errc::state, "there is no upload that data belong to");
    auto received = state_->upload->receive(data);
    if (!received) state_->upload.reset();
    return received;
}

Response VaultSession::end_receive(std::uint64_t total) {
    if (!state_->upload || !state_->upload->receiving())
        return fail(Errc::state, "there is no upload that data belong to");
    auto finished = state_->upload->finish(total);
    if (finished) return Reply(UploadDataReply{*finished});
    state_->upload.reset();
    return fail(std::move(finished.error()));
}

Result<std::size_t> VaultSession::read(MutableBytes out) {
    SAT_ASSERT(state_->fetch);
    if (state_->core.checkpoints->contradicted()) return fail(contradiction());
    return state_->fetch->read(out);
}

Vault::Vault(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::open(VaultOptions options, VaultKeys keys, Clock clock) {
    SAT_TRY_VALUE(auto core, VaultCore::open(std::move(options), std::move(keys), std::move(clock)));
    return std::unique_ptr<Vault>(new Vault(std::make_unique<Impl>(Impl{std::move(core)})));
}

const VaultKeys& Vault::keys() const noexcept { return impl_->core->keys; }
const VaultOptions& Vault::options() const noexcept { return impl_->core->options; }
UnixTime Vault::now() const { return impl_->core->now(); }
void Vault::set_notify(Notify notify) { impl_->core->set_notify(std::move(notify)); }
void Vault::set_heal_report(HealReport report) { impl_->core->healer->set_report(std::move(report)); }

Result<std::vector<KeyCheck>> Vault::key_checks(const Caller& caller) {
    SAT_ASSERT(caller.chain->wallet() == caller.wallet);
    if (contradicted()) return fail(contradiction());
    VaultCore& core = *impl_->core;
    SAT_TRY_VALUE(auto checks, core.identities.key_checks(*core.catalog, *caller.chain));
    SAT_TRY_VALUE(const bool known, core.identities.knows(*core.catalog, caller.wallet));
    if (!known) {
        SAT_TRY_VALUE(const std::uint64_t room, core.blobs->room());
        if (room < core.options.reserve_bytes)
            return fail(Errc::storage_full, "a wallet that is new finds no room", "make room on the vault's disk");
    }
    return checks;
}

Result<bool> Vault::remembers(const Caller& caller) {
    return impl_->core->identities.remembers(*impl_->core->catalog, *caller.chain);
}

Result<bool> Vault::admit(const Caller& caller) {
    if (contradicted()) return fail(contradiction());
    return impl_->core->identities.remember(*impl_->core->catalog, *caller.chain);
}

std::string Vault::checkpoint() const { return impl_->core->checkpoints->newest().note; }
Result<bool> Vault::agrees(const TreeHead& seen) const { return impl_->core->checkpoints->agrees(seen); }
bool Vault::contradicted() const noexcept { return impl_->core->checkpoints->contradicted(); }

Sweep Vault::expire_due() {
    constexpr UnixTime kRetry = 10;
    VaultCore& core = *impl_->core;
    Sweep sweep;
    const auto due = [&sweep](std::optional<UnixTime> at) {
        if (at) sweep.next = std::min(sweep.next.value_or(*at), *at);
    };
    // Until it is on the disk the next start would know nothing of it.
    if (auto kept = core.checkpoints->keep(); !kept) {
        sweep.failures.push_back(std::move(kept.error()));
        due(now() + kRetry);
    }
    // Where it failed after a commit, and nobody has committed since.
    auto synced = core.sync_leaves();
    if (!synced && !contradicted()) sweep.failures.push_back(std::move(synced.error()));
    due(expire_uploads(core));
    // A sweep that failed changes nothing that anybody is told: every use case judges deadlines by itself.  Again soon.
    auto claim = expire_claims(core);
    if (!claim) sweep.failures.push_back(std::move(claim.error()));
    due(claim ? *claim : now() + kRetry);
    return sweep;
}

Result<void> Vault::hold(const ArtworkId& artwork, const std::string& reason) {
    return hold_work(*impl_->core, artwork, reason);
}

Result<void> Vault::release(const ArtworkId& artwork, const std::string& reason) {
    return release_work(*impl_->core, artwork, reason);
}

VaultStatus Vault::status() const {
    VaultStatus status;
    status.uploads = impl_->core->uploads.running();
    status.copies = impl_->core->blobs->copies();
    const auto reader = impl_->core->catalog->read();
    if (!reader) return status;
    const auto totals = (*reader)->totals();
    if (!totals) return status;
    status.works = totals->works;
    status.bytes = totals->bytes;
    status.open_claims = totals->open_claims;
    const auto head = (*reader)->tree_head();
    if (!head) return status;
    status.ledger = *head;
    return status;
}

}  // namespace sat
