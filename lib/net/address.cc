// Addresses as people write them: see address.h.
// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace sat {

namespace {

constexpr std::size_t kMaxHostName = 253;  // RFC 1035, 2.3.4, as text

struct HostPort {
    std::string_view host;
    std::optional<std::string_view> port;
    bool bracketed = false;
};

std::optional<HostPort> split(std::string_view text) {
    HostPort out;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        out.host = text.substr(1, end - 1);
        out.bracketed = true;
        rest = text.substr(end + 1);
        if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    } else if (std::count(text.begin(), text.end(), ':') > 1) {
        out.host = text;  // an IPv6 address without a port
        return out;
    } else {
        const auto colon = text.find(':');
        out.host = text.substr(0, colon);
        if (colon != std::string_view::npos) rest = text.substr(colon);
    }
    if (!rest.empty()) out.port = rest.substr(1);
    return out;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (text.empty() || text.size() > 5 || !whole) return std::nullopt;
    return port;
}

bool is_host_name(std::string_view host) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    return !host.empty() && host.size() <= kMaxHostName && host.find_first_not_of(kAllowed) == std::string_view::npos &&
           host.front() != '-';
}

// With or without a zone.  The system's own parser takes what stands before a NUL byte for the whole.
std::optional<asio::ip::address> parse_numeric(std::string_view host) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:%";
    if (host.find_first_not_of(kAllowed) != std::string_view::npos) return std::nullopt;
    std::error_code error;
    const auto address = asio::ip::make_address(std::string(host), error);
    return error ? std::nullopt : std::optional(address);
}

constexpr std::string_view kAddressHint = "write it as HOST, HOST:PORT or [IPV6]:PORT";

}  // namespace

std::string Address::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(std::string_view text) {
    const auto parts = split(text);
    const bool v6 = parts && parts->host.find(':') != std::string_view::npos;
    const bool good_host =
        parts && (v6 ? parse_numeric(parts->host).has_value() : is_host_name(parts->host) && !parts->bracketed);
    if (!good_host) return fail(Errc::usage, "not an address of a vault", std::string(kAddressHint));
    Address address{std::string(parts->host), kDefaultPort};
    if (parts->port) {
        const auto port = parse_port(*parts->port);
        if (!port || *port == 0) return fail(Errc::usage, "not a port: 1 to 65535 expected", std::string(kAddressHint));
        address.port = *port;
    }
    return address;
}

Result<asio::ip::tcp::endpoint> parse_listen_address(std::string_view text) {
    constexpr std::string_view kHint = "write it as 127.0.0.1:7420, 0.0.0.0:7420 or [::]:7420";
    const auto parts = split(text);
    if (!parts) return fail(Errc::usage, "not an address to listen on", std::string(kHint));
    const auto address = parse_numeric(parts->host);
    if (!address) return fail(Errc::usage, "not a numeric address to listen on", std::string(kHint));
    std::uint16_t port = kDefaultPort;
    if (parts->port) {
        const auto given = parse_port(*parts->port);
        if (!given) return fail(Errc::usage, "not a port: 0 to 65535 expected", std::string(kHint));
        port = *given;
    }
    return asio::ip::tcp::endpoint(*address, port);
}

std::string endpoint_text(const asio::ip::tcp::endpoint& endpoint) {
    const auto host = address_text(endpoint.address());
    return (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

std::string address_text(const asio::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    return address.to_string();
}

std::string address_group(const asio::ip::address& address) {
    if (!address.is_v6() || address.to_v6().is_v4_mapped()) return address_text(address);
    auto bytes = address.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return asio::ip::make_address_v6(bytes).to_string() + "/64";
}

}  // namespace sat
