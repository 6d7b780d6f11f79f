// Ownership transfers against a real vault: claim, answer and accept, each durable before it is answered, from
// statements that were signed before the clock starts.  A statement names the leaf that made the present owner, which
// nobody knows beforehand, so every transfer is another work's first.  Each of CLIENTS threads has a connection of the
// owner's and one of the collector's.  Prints transfers, seconds and the median of a transfer in microseconds.
//
//     bench-transfers OWNER-HOME COLLECTOR-HOME HOST:PORT CLIENTS EACH        the owner has CLIENTS × EACH works
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>

#include "base/assert.h"
#include "load/market.h"
#include "support/peer.h"

namespace sat::test {
namespace {

struct Transfer {
    Json open, answer, accept;
};

class Bench {
public:
    Bench(const Path& owner, const Path& collector, Address vault)
        : owner_(load_person(owner)), collector_(load_person(collector)), vault_(std::move(vault)) {}

    Session dial(const Person& person) const {
        auto session = open_session(vault_, person);
        SAT_ASSERT(session.has_value());
        return std::move(*session);
    }

    // All that moves `count` works of the owner's, signed.
    std::vector<Transfer> prepare(std::size_t count) const {
        Session session = dial(owner_);
        // Of the note that every connection begins with: "sat-vault/<wallet>".
        const std::string& note = session.checkpoint();
        const auto wallet = Digest::from_hex(note.substr(note.find('/') + 1, 2 * Digest::kSize));
        SAT_ASSERT(wallet.has_value());
        std::vector<Transfer> out;
        Json query{{"limit", 50}, {"owner", owner_.wallet().hex()}};
        while (out.size() < count) {
            const Json page = session.request("artwork.list", query);
            SAT_ASSERT(page.value("ok", false));
            for (const Json& item : page["r"]["items"]) {
                if (out.size() == count) break;
                out.push_back(sign_for(item, *wallet));
            }
            query["cursor"] = page["r"]["next_cursor"];
            SAT_ASSERT(out.size() == count || !query["cursor"].is_null());
        }
        return out;
    }

    const Person& owner() const { return owner_; }
    const Person& collector() const { return collector_; }

private:
    Transfer sign_for(const Json& item, const Wallet& vault) const {
        const auto registration = parse_statement<Registration>(item["registration"].get<std::string>());
        const auto head = Digest::from_hex(item["head"].get<std::string>());
        SAT_ASSERT(registration.has_value() && head.has_value());
        const Held work{registration->body.artwork.str(), *head, item["seq"].get<std::uint64_t>(), owner_.wallet()};
        const Statement claim = claim_of(work, collector_, vault);
        const Statement yes = yes_to(work, claim.id, collector_.wallet(), owner_, vault);
        return {
            {{"claim", claim.jws}}, {{"answer", yes.jws}}, acceptance_of(work, claim.id, yes.id, collector_, vault)};
    }

    Person owner_;
    Person collector_;
    Address vault_;
};

int run(const Bench& bench, std::size_t clients, std::size_t each) {
    const std::vector<Transfer> transfers = bench.prepare(clients * each);
    std::atomic<bool> go = false;
    std::atomic<std::size_t> ready = 0;
    std::atomic<std::size_t> failed = 0;
    std::vector<std::vector<double>> took(clients);
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < clients; ++n) {
        threads.emplace_back([&, n] {
            Session owner = bench.dial(bench.owner());
            Session collector = bench.dial(bench.collector());
            ++ready;
            go.wait(false);
            for (std::size_t i = n * each; i < (n + 1) * each; ++i) {
                const Transfer& transfer = transfers[i];
                const auto start = Clock::now();
                const bool done = collector.request("claim.open", transfer.open).value("ok", false) &&
                                  owner.request("claim.answer", transfer.answer).value("ok", false) &&
                                  collector.request("claim.accept", transfer.accept).value("ok", false);
                if (!done) ++failed;
                took[n].push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
            }
        });
    }
    const bool started = eventually([&] { return ready == clients; });
    const auto start = Clock::now();
    go = true;
    go.notify_all();
    for (std::thread& thread : threads) thread.join();
    const double seconds_taken = std::chrono::duration<double>(Clock::now() - start).count();
    std::vector<double> all;
    for (const auto& some : took) all.insert(all.end(), some.begin(), some.end());
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
    std::cout << all.size() << " " << seconds_taken << " " << all[all.size() / 2] << "\n";
    if (failed != 0) std::cerr << "bench-transfers: " << failed << " transfers failed\n";
    return started && failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sat::test

int main(int argc, char** argv) {
    if (argc != 6 || std::stoul(argv[4]) == 0 || std::stoul(argv[5]) == 0) {
        std::cerr << "usage: bench-transfers OWNER-HOME COLLECTOR-HOME HOST:PORT CLIENTS EACH\n";
        return 64;
    }
    const sat::test::Bench bench(argv[1], argv[2], sat::test::Address::parse(argv[3]));
    return run(bench, std::stoul(argv[4]), std::stoul(argv[5]));
}
