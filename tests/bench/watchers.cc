// Holds connections that wait for events, so that what each costs the server can be read from its memory.  Prints
// "ready" when all wait, and ends when standard input does.
//
//     bench-watchers sat HOME HOST:PORT COUNT         claim.subscribe
//     bench-watchers mqtt CA HOST:PORT COUNT          a topic of its own each
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <iostream>

#include "bench/mqtt.h"
#include "support/peer.h"
#include "wire/limits.h"

namespace sat::test {
namespace {

void wait_for_end() {
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) continue;
}

int hold_sat(const Path& home, const Address& vault, std::size_t count) {
    const Person person = load_person(home);
    std::vector<Session> sessions;
    auto pinged = Clock::now();
    while (sessions.size() < count) {
        auto session = open_session(vault, person);
        if (!session || !session->request("claim.subscribe", Json::object()).value("ok", false)) {
            std::cerr << "bench-watchers: number " << sessions.size() << " was refused\n";
            return 1;
        }
        sessions.push_back(std::move(*session));
        // Those who came first have not been silent for too long when the last one comes.
        if (Clock::now() - pinged < seconds(kPingSeconds)) continue;
        for (Session& one : sessions) (void)one.send_frame(one.sealer().ping());
        pinged = Clock::now();
    }
    wait_for_end();
    return 0;
}

int hold_mqtt(const std::string& ca, const Address& broker, std::size_t count) {
    const auto context = MqttClient::context(ca);
    std::vector<MqttClient> clients;
    while (clients.size() < count) {
        const std::string name = "watcher-" + std::to_string(clients.size());
        auto client = MqttClient::connect(broker, context.get(), name);
        if (!client || !client->subscribe("claims/" + name)) {
            std::cerr << "bench-watchers: number " << clients.size() << " was refused\n";
            return 1;
        }
        clients.push_back(std::move(*client));
    }
    wait_for_end();
    return 0;
}

}  // namespace
}  // namespace sat::test

int main(int argc, char** argv) {
    const std::string kind = argc == 5 ? argv[1] : "";
    if (kind == "sat") return sat::test::hold_sat(argv[2], sat::test::Address::parse(argv[3]), std::stoul(argv[4]));
    if (kind == "mqtt") return sat::test::hold_mqtt(argv[2], sat::test::Address::parse(argv[3]), std::stoul(argv[4]));
    std::cerr << "usage: bench-watchers sat|mqtt HOME|CA HOST:PORT COUNT\n";
    return 64;
}
