// SPDX-License-Identifier: Apache-2.0
#include "load/floods.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <deque>

#include "base/codec.h"
#include "crypto/random.h"

namespace sat::test {

namespace {

using std::chrono::steady_clock;

// Whether the other end has ended it; what came before is dropped.
bool is_closed(const Socket& socket) {
    std::array<std::byte, 4096> scratch{};
    for (;;) {
        const ssize_t got = recv(socket.fd(), scratch.data(), scratch.size(), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return true;
        if (got < 0) return false;
    }
}

Bytes random_hello(const KeyId& vault_kem) {
    constexpr std::size_t kCiphertext = 384;
    constexpr std::size_t kSealedIdentity = 1500;
    Bytes ciphertext(kCiphertext);
    random_fill(ciphertext);
    ciphertext[0] = std::byte{0};  // below every modulus of that size
    Bytes sealed(kSealedIdentity);
    random_fill(sealed);
    std::array<std::byte, 32> share{};
    random_fill(share);
    const Bytes body = ByteWriter()
                           .u8(3)
                           .raw(as_bytes("SATP"))
                           .u8(1)
                           .u8(0)
                           .u16(1)
                           .raw(vault_kem.view())
                           .raw(share)
                           .vec16(ciphertext)
                           .vec16(sealed)
                           .take();
    return ByteWriter().u32(static_cast<std::uint32_t>(body.size())).raw(body).take();
}

}  // namespace

MuteFlood::MuteFlood(Address vault, double per_second, Source source)
    : thread_([this, vault = std::move(vault), per_second, source = std::move(source)](const std::stop_token& stop) {
          const auto pace =
              std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(1 / per_second));
          std::deque<Socket> held;
          std::uint32_t number = 0;
          for (auto next = steady_clock::now(); !stop.stop_requested(); next += pace) {
              std::this_thread::sleep_until(next);
              Socket socket = Socket::connect(vault, source(number++));
              if (socket) {
                  ++counts_.opened;
                  held.push_back(std::move(socket));
              }
              if (number % 32 == 0) counts_.refused += std::erase_if(held, is_closed);
              counts_.most_open = std::max<std::uint64_t>(counts_.most_open, held.size());
          }
      }) {}

HelloFlood::HelloFlood(Address vault, KeyId vault_kem, std::size_t threads, Source source) {
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this, i, threads, vault, vault_kem, source](const std::stop_token& stop) {
            const Bytes hello = random_hello(vault_kem);
            for (auto number = static_cast<std::uint32_t>(i); !stop.stop_requested();
                 number += static_cast<std::uint32_t>(threads)) {
                Socket socket = Socket::connect(vault, source(number));
                if (!socket) continue;
                ++counts_.opened;
                // IDENTITY comes at once or, to an address that has used up its rate, late: nobody waits for that.
                const auto identity = socket.receive_frame(std::chrono::milliseconds(300));
                if (!identity || (*identity)[4] != std::byte{2}) {
                    ++counts_.refused;
                    continue;
                }
                if (!socket.send(hello)) continue;
                ++counts_.sent;
                (void)socket.closes(std::chrono::seconds(2));
            }
        });
    }
}

DripFlood::DripFlood(std::size_t connections, std::function<Socket(std::uint32_t number)> open, Bytes text)
    : thread_([this, connections, open = std::move(open), text = std::move(text)](const std::stop_token& stop) {
          constexpr auto kPace = std::chrono::milliseconds(50);
          struct Dripping {
              Socket socket;
              std::size_t at = 0;
          };
          std::vector<Dripping> all(connections);
          std::uint32_t number = 0;
          for (auto next = steady_clock::now(); !stop.stop_requested(); next += kPace) {
              std::this_thread::sleep_until(next);
              for (Dripping& one : all) {
                  if (one.socket && (one.at == text.size() || is_closed(one.socket))) {
                      ++counts_.refused;
                      one.socket = Socket();
                  }
                  if (!one.socket) {
                      one = {open(number++), 0};
                      if (one.socket) ++counts_.opened;
                      continue;
                  }
                  if (one.socket.send(ByteView(text).subspan(one.at, 1))) ++counts_.sent;
                  ++one.at;
              }
          }
      }) {}

}  // namespace sat::test
