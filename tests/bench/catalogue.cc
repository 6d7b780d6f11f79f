// One thing that a vault tells asked for again and again over one connection: a page of the catalogue, or the proofs of
// a page's leaves.  Before the clock starts every registration on the page is verified under its artist's chain, and
// every proof against the checkpoint.  While it runs answers are received and decrypted, and not parsed, as the clients
// of the peers do not parse theirs.  Prints how many, the seconds that all took, and the median and the 99th percentile
// of one in microseconds.
//
//     bench-catalogue HOME HOST:PORT COUNT page TEXT CURSOR        TEXT, CURSOR: empty for none
//     bench-catalogue HOME HOST:PORT COUNT proof TEXT CURSOR
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <map>

#include "ledger/note.h"
#include "ledger/statement.h"
#include "support/peer.h"

namespace sat::test {
namespace {

bool page_verifies(Session& session, const Json& page) {
    std::map<std::string, IdentityChain> chains;
    for (const Json& item : page["r"]["items"]) {
        const auto registration = parse_statement<Registration>(item["registration"].get<std::string>());
        if (!registration) return false;
        const std::string wallet = registration->body.iss.hex();
        auto chain = chains.find(wallet);
        if (chain == chains.end()) {
            const Json reply = session.request("identity.get", {{"wallets", {wallet}}});
            const auto read = IdentityChain::from_json(reply["r"]["identities"][0]);
            if (!read) return false;
            chain = chains.emplace(wallet, *read).first;
        }
        if (!verify(*registration, chain->second)) return false;
    }
    return !page["r"]["items"].empty();
}

// The newest checkpoint, verified under the vault's chain.
std::optional<TreeHead> ledger_head(Session& session) {
    // Of the note: "sat-vault/<wallet>".
    const std::string& note = session.checkpoint();
    const std::string name = note.substr(note.find('/') + 1, 2 * Digest::kSize);
    const auto wallet = Digest::from_hex(name);
    const Json reply = session.request("identity.get", {{"wallets", {name}}});
    const auto chain = IdentityChain::from_json(reply["r"]["identities"][0]);
    if (!wallet || !chain || !chain->log_key()) return std::nullopt;
    const auto head = open_checkpoint(note, *wallet, *chain->log_key());
    return head ? std::optional(*head) : std::nullopt;
}

// What asks for a leaf's proof, and whether the answer is one.
std::optional<Json> proof_query(Session& session, const std::string& head, const TreeHead& tree) {
    Json query{{"leaf", head}, {"size", tree.size}};
    const Json reply = session.request("ledger.inclusion", query);
    const auto leaf = Digest::from_hex(head);
    if (!reply.value("ok", false) || !leaf) return std::nullopt;
    MerkleProof proof;
    for (const Json& hash : reply["r"]["proof"]) {
        const auto read = Digest::from_hex(hash.get<std::string>());
        if (!read) return std::nullopt;
        proof.push_back(*read);
    }
    if (!verify_inclusion(*leaf, reply["r"]["index"].get<std::uint64_t>(), tree.size, proof, tree.root))
        return std::nullopt;
    return query;
}

// True where `answer` is {"ok":true,…}.
bool is_ok_text(const std::optional<Message>& answer) {
    constexpr std::string_view kOk = "{\"ok\":true";
    return answer && answer->type == RecordType::response && as_text(answer->body).starts_with(kOk);
}

int measure(const Path& home, const Address& vault, std::size_t count, bool proofs, const std::string& text,
            const std::string& cursor) {
    const Person person = load_person(home);
    auto session = open_session(vault, person);
    Json query{{"limit", 50}};
    if (!text.empty()) query["text"] = text;
    if (!cursor.empty()) query["cursor"] = cursor;
    const Json page = session ? session->request("artwork.list", query) : Json();
    if (!page.is_object() || !page_verifies(*session, page)) {
        std::cerr << "bench-catalogue: the page is empty, or does not verify\n";
        return 1;
    }
    std::vector<std::string> requests;
    if (proofs) {
        const auto head = ledger_head(*session);
        for (const Json& item : page["r"]["items"]) {
            const auto asks = head ? proof_query(*session, item["head"].get<std::string>(), *head) : std::nullopt;
            if (!asks) {
                std::cerr << "bench-catalogue: a leaf is not proved\n";
                return 1;
            }
            requests.push_back(dump_json(Json{{"m", "ledger.inclusion"}, {"p", *asks}}));
        }
    } else {
        requests.push_back(dump_json(Json{{"m", "artwork.list"}, {"p", query}}));
    }
    std::vector<double> took;
    const auto start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        const auto before = Clock::now();
        if (!session->send(RecordType::request, requests[i % requests.size()]) || !is_ok_text(session->receive())) {
            std::cerr << "bench-catalogue: the vault refused\n";
            return 1;
        }
        took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - before).count());
    }
    const double seconds_taken = std::chrono::duration<double>(Clock::now() - start).count();
    std::sort(took.begin(), took.end());
    std::cout << count << " " << seconds_taken << " " << took[count / 2] << " " << took[count * 99 / 100] << "\n";
    return 0;
}

}  // namespace
}  // namespace sat::test

int main(int argc, char** argv) {
    const std::string what = argc == 7 ? argv[4] : "";
    if ((what != "page" && what != "proof") || std::stoul(argv[3]) == 0) {
        std::cerr << "usage: bench-catalogue HOME HOST:PORT COUNT page|proof TEXT CURSOR\n";
        return 64;
    }
    return sat::test::measure(argv[1], sat::test::Address::parse(argv[2]), std::stoul(argv[3]), what == "proof",
                              argv[5], argv[6]);
}
