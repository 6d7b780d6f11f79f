// How long a message is under way from one client, by the server, to another one that waits for it.  Of a vault: from
// the moment that a signed claim is sent until its owner's connection has the event, decrypted; the claim is durable by
// then, and withdrawn before the next.  Of a broker: from publish to receive, of as many bytes.  Prints how many, the
// median and the 99th percentile in microseconds, and what the vault's checks of one claim's signature take here.
//
//     bench-events sat OWNER-HOME COLLECTOR-HOME HOST:PORT COUNT        the owner has a work
//     bench-events mqtt CA HOST:PORT COUNT
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>

#include "base/assert.h"
#include "bench/mqtt.h"
#include "load/market.h"
#include "support/peer.h"

namespace sat::test {
namespace {

constexpr std::size_t kEventSize = 3'600;  // of claim.opened with a registration of the usual length
constexpr std::size_t kWarm = 5;

double microseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

int report(std::vector<double> took, double check) {
    took.erase(took.begin(), took.begin() + kWarm);
    std::sort(took.begin(), took.end());
    std::cout << took.size() << " " << took[took.size() / 2] << " " << took[took.size() * 99 / 100] << " " << check
              << "\n";
    return 0;
}

// The median of what verifying takes.
double check_of(const std::string& claim, const IdentityChain& chain) {
    std::vector<double> took;
    for (int i = 0; i < 101; ++i) {
        const auto start = Clock::now();
        SAT_ASSERT(parse_and_verify<Claim>(claim, chain).has_value());
        took.push_back(microseconds_since(start));
    }
    std::nth_element(took.begin(), took.begin() + 50, took.end());
    return took[50];
}

int tell_sat(const Path& owner_home, const Path& collector_home, const Address& vault, std::size_t count) {
    const Person owner = load_person(owner_home);
    const Person collector = load_person(collector_home);
    auto watching = open_session(vault, owner);
    auto asking = open_session(vault, collector);
    if (!watching || !asking || !watching->request("claim.subscribe", Json::object()).value("ok", false)) {
        std::cerr << "bench-events: the vault refused\n";
        return 1;
    }
    const Json page = watching->request("artwork.list", {{"limit", 1}, {"owner", owner.wallet().hex()}});
    const auto registration = parse_statement<Registration>(page["r"]["items"][0]["registration"].get<std::string>());
    SAT_ASSERT(registration.has_value());
    const std::string& note = watching->checkpoint();
    const auto wallet = Digest::from_hex(note.substr(note.find('/') + 1, 2 * Digest::kSize));
    const auto work = look_up(*asking, registration->body.artwork.str());
    SAT_ASSERT(wallet && work);

    std::vector<double> took;
    double check = 0;
    for (std::size_t i = 0; i < count + kWarm; ++i) {
        const Statement claim = claim_of(*work, collector, *wallet);
        auto body = make_statement<Withdraw>(collector.wallet(), *wallet, now_unix());
        body.artwork = registration->body.artwork;
        body.claim = claim.id;
        const std::string withdraw = sign(body, collector.sign);
        if (i == 0) check = check_of(claim.jws, collector.party.chain());
        const std::string request = dump_json(Json{{"m", "claim.open"}, {"p", {{"claim", claim.jws}}}});
        const auto start = Clock::now();
        const bool sent = asking->send(RecordType::request, request);
        const auto told = sent ? watching->receive() : std::nullopt;
        took.push_back(microseconds_since(start));
        const auto answer = asking->receive();
        if (!told || told->type != RecordType::event || !answer || !answer->json().value("ok", false) ||
            !asking->request("claim.withdraw", {{"withdraw", withdraw}}).value("ok", false) || !watching->receive()) {
            std::cerr << "bench-events: the vault refused\n";
            return 1;
        }
    }
    return report(std::move(took), check);
}

int tell_mqtt(const std::string& ca, const Address& broker, std::size_t count) {
    const auto context = MqttClient::context(ca);
    auto watching = MqttClient::connect(broker, context.get(), "owner");
    auto asking = MqttClient::connect(broker, context.get(), "collector");
    if (!watching || !asking || !watching->subscribe("claims/owner")) {
        std::cerr << "bench-events: the broker refused\n";
        return 1;
    }
    const std::string payload(kEventSize, 'e');
    std::vector<double> took;
    for (std::size_t i = 0; i < count + kWarm; ++i) {
        const auto start = Clock::now();
        if (!asking->publish("claims/owner", payload) || !watching->receive()) return 1;
        took.push_back(microseconds_since(start));
    }
    return report(std::move(took), 0);
}

}  // namespace
}  // namespace sat::test

int main(int argc, char** argv) {
    using sat::test::Address;
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 5 && words[0] == "sat")
        return sat::test::tell_sat(words[1], words[2], Address::parse(words[3]), std::stoul(words[4]));
    if (words.size() == 4 && words[0] == "mqtt")
        return sat::test::tell_mqtt(words[1], Address::parse(words[2]), std::stoul(words[3]));
    std::cerr << "usage: bench-events sat OWNER-HOME COLLECTOR-HOME HOST:PORT COUNT | mqtt CA HOST:PORT COUNT\n";
    return 64;
}
