// HOST:PORT as people write it, and listen addresses.  docs/protocol.md leaves the port to the vault; 7420 is ours.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sat {

inline constexpr std::uint16_t kDefaultPort = 7420;

struct Address {
    std::string host;  // a name or a numeric address, without brackets
    std::uint16_t port = kDefaultPort;

    // "vault.example:7420", "[::1]:7420": what parse_address() takes, the port always there.
    std::string text() const;
    bool operator==(const Address&) const = default;
};

// "host", "host:port", "192.0.2.1:7420", "[::1]:7420", "[::1]", and a bare "::1".  usage for anything else: an empty
// host, a port that is not 1 to 65,535, characters that no host name has, more than 253 of them.
Result<Address> parse_address(std::string_view text);

// Where a vault listens: a numeric address; port 0 lets the system choose one.  usage for anything else.
Result<asio::ip::tcp::endpoint> parse_listen_address(std::string_view text);

// "127.0.0.1:7420", "[::1]:7420".
std::string endpoint_text(const asio::ip::tcp::endpoint& endpoint);
// The numeric address alone; an IPv4 address that came mapped into IPv6 as the IPv4 address that it is.
std::string address_text(const asio::ip::address& address);
// Whom limits of an address are counted for: an IPv4 address, or the /64 of an IPv6 one, which is what one customer
// gets: "192.0.2.1", "2001:db8:0:1::/64".
std::string address_group(const asio::ip::address& address);

}  // namespace sat
