// Addresses as people write them.
// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sat {
namespace {

TEST(Address, TakesWhatPeopleWrite) {
    const struct {
        const char* text;
        const char* host;
        std::uint16_t port;
    } kCases[] = {
        {"vault.example:7421", "vault.example", 7421},
        {"vault.example", "vault.example", kDefaultPort},
        {"192.0.2.1:1", "192.0.2.1", 1},
        {"[::1]:65535", "::1", 65535},
        {"[2001:db8::1]", "2001:db8::1", kDefaultPort},
        {"::1", "::1", kDefaultPort},
        {"a_b-c.d", "a_b-c.d", kDefaultPort},
    };
    for (const auto& good : kCases) {
        const auto address = parse_address(good.text);
        ASSERT_TRUE(address) << good.text;
        EXPECT_EQ(address->host, good.host);
        EXPECT_EQ(address->port, good.port);
        EXPECT_EQ(parse_address(address->text()), *address);
    }
    EXPECT_EQ(parse_address("[::1]:7420")->text(), "[::1]:7420");
}

TEST(Address, RefusesWhatIsNoneAsUsage) {
    const std::string longest(253, 'a');
    EXPECT_TRUE(parse_address(longest));
    const std::string bad[] = {"",
                               ":7420",
                               "host:",
                               "host:0",
                               "host:65536",
                               "host:+1",
                               "host:1x",
                               "host:-1",
                               "[::1",
                               "[::1]7420",
                               "[::1]:",
                               "[host]:1",
                               "[]:1",
                               "ho st",
                               "-host",
                               "host:1:2",
                               "http://a:1",
                               "a/b",
                               "host:00001x",
                               "a\nb",
                               longest + "a",
                               ":::",
                               "[::g]:7420",
                               "host: 1",
                               "\xc3\xa4",
                               std::string("::1\0", 4)};
    for (const auto& text : bad) {
        const auto address = parse_address(text);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().code, Errc::usage) << text;
        EXPECT_FALSE(address.error().hint.empty());
    }
}

TEST(ListenAddress, IsNumericAndMayLeaveThePortToTheSystem) {
    EXPECT_EQ(endpoint_text(*parse_listen_address("127.0.0.1:0")), "127.0.0.1:0");
    EXPECT_EQ(endpoint_text(*parse_listen_address("0.0.0.0")), "0.0.0.0:7420");
    EXPECT_EQ(endpoint_text(*parse_listen_address("[::]:7421")), "[::]:7421");
    EXPECT_EQ(endpoint_text(*parse_listen_address("::1")), "[::1]:7420");
    const std::string nul("127.0.0.1\0", 10);
    for (const std::string& bad :
         std::vector<std::string>{"", "localhost:1", "127.0.0.1:", "127.0.0.1:65536", "300.0.0.1:1", "[::1", nul}) {
        ASSERT_FALSE(parse_listen_address(bad)) << bad;
        EXPECT_EQ(parse_listen_address(bad).error().code, Errc::usage);
    }
}

TEST(AddressText, ShowsAMappedAddressAsTheIpv4AddressThatItIs) {
    EXPECT_EQ(address_text(asio::ip::make_address("::ffff:192.0.2.7")), "192.0.2.7");
    EXPECT_EQ(address_text(asio::ip::make_address("2001:db8::7")), "2001:db8::7");
}

}  // namespace
}  // namespace sat
