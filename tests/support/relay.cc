// One thread accepts, two carry each connection.
// SPDX-License-Identifier: Apache-2.0
#include "support/relay.h"

#include <sys/socket.h>

#include <algorithm>

namespace sat::test {

struct Relay::Link {
    Socket client;
    Socket vault;
    Treatment treatments[2];
    std::uint64_t passed[2] = {0, 0};
    bool held[2] = {false, false};
    bool dead = false;
    std::thread threads[2];

    void close_both() {
        shutdown(client.fd(), SHUT_RDWR);
        shutdown(vault.fd(), SHUT_RDWR);
    }
};

Relay::Relay(Address vault) : listener_(0, true), vault_(std::move(vault)), thread_([this] { serve(); }) {}

Relay::~Relay() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (const auto& link : links_) link->close_both();
        changed_.notify_all();
    }
    listener_.stop();
    thread_.join();
    for (const auto& link : links_) {
        for (std::thread& thread : link->threads) {
            if (thread.joinable()) thread.join();
        }
    }
}

void Relay::set_vault(Address vault) {
    const std::lock_guard lock(mutex_);
    vault_ = std::move(vault);
}

void Relay::treat(Direction direction, Treatment treatment) {
    const std::lock_guard lock(mutex_);
    (direction == Direction::to_vault ? to_vault_ : to_client_) = std::move(treatment);
}

bool Relay::wait_held(std::size_t count, Duration patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] {
        const auto held = std::count_if(links_.begin(), links_.end(), [](const auto& link) {
            return !link->dead && (link->held[0] || link->held[1]);
        });
        return static_cast<std::size_t>(held) >= count;
    });
}

void Relay::release() {
    const std::lock_guard lock(mutex_);
    ++released_;
    changed_.notify_all();
}

void Relay::cut() {
    const std::lock_guard lock(mutex_);
    for (const auto& link : links_) {
        link->dead = true;
        link->close_both();
    }
    changed_.notify_all();
}

std::uint64_t Relay::passed(Direction direction) const {
    const std::lock_guard lock(mutex_);
    return links_.empty() ? 0 : links_.back()->passed[static_cast<int>(direction)];
}

void Relay::serve() {
    for (;;) {
        Socket client = listener_.accept(seconds(3600));
        std::unique_lock lock(mutex_);
        if (stopping_) return;
        if (!client) continue;
        ++connections_;
        Socket vault = Socket::connect(vault_);
        if (!vault) continue;
        auto link = std::make_unique<Link>();
        link->client = std::move(client);
        link->vault = std::move(vault);
        link->treatments[0] = to_vault_;
        link->treatments[1] = to_client_;
        Link& begun = *link;
        links_.push_back(std::move(link));
        for (const Direction direction : {Direction::to_vault, Direction::to_client}) {
            begun.threads[static_cast<int>(direction)] =
                std::thread([this, &begun, direction] { pump(begun, direction); });
        }
    }
}

void Relay::pump(Link& link, Direction direction) {
    const int index = static_cast<int>(direction);
    Socket& from = direction == Direction::to_vault ? link.client : link.vault;
    Socket& to = direction == Direction::to_vault ? link.vault : link.client;
    const Treatment& treatment = link.treatments[index];
    std::size_t number = 0;
    bool held_once = false;

    // False where the connection is at its end.
    const auto pass = [&](ByteView bytes) {
        while (!bytes.empty()) {
            std::uint64_t room = bytes.size();
            {
                std::unique_lock lock(mutex_);
                const std::uint64_t passed = link.passed[index];
                if (passed >= treatment.cut_after) {
                    link.dead = true;
                    link.close_both();
                    return false;
                }
                if (passed >= treatment.hold_after && !held_once) {
                    link.held[index] = true;
                    const std::uint64_t before = released_;
                    changed_.notify_all();
                    changed_.wait(lock, [&] { return released_ != before || stopping_ || link.dead; });
                    link.held[index] = false;
                    held_once = true;
                    if (stopping_ || link.dead) return false;
                }
                room = std::min(room, treatment.cut_after - passed);
                if (!held_once) room = std::min(room, treatment.hold_after - passed);
                if (treatment.bytes_per_second != 0) {
                    room = std::min<std::uint64_t>(room, std::max<std::size_t>(1, treatment.bytes_per_second / 20));
                    changed_.wait_for(lock, milliseconds(50), [&] { return stopping_ || link.dead; });
                    if (stopping_ || link.dead) return false;
                }
            }
            const ByteView part = bytes.first(static_cast<std::size_t>(room));
            if (!to.send(part)) {
                link.close_both();
                return false;
            }
            bytes = bytes.subspan(part.size());
            const std::lock_guard lock(mutex_);
            link.passed[index] += part.size();
            changed_.notify_all();
        }
        return true;
    };

    for (;;) {
        if (treatment.edit) {
            auto frame = from.receive_frame(seconds(3600));
            if (!frame) break;
            bool open = true;
            for (const Bytes& edited : treatment.edit(number++, std::move(*frame))) open = open && pass(edited);
            if (!open) break;
        } else {
            const auto some = from.receive_some(seconds(3600));
            if (!some || some->empty() || !pass(*some)) break;
        }
    }
    // The end of one direction is passed on; the other may have words left.
    to.finish_sending();
}

}  // namespace sat::test
