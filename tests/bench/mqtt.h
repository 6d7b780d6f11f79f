// As much of an MQTT 3.1.1 client over TLS 1.3 as it takes to measure a broker: connect, subscribe, publish with QoS 0.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "support/socket.h"

struct ssl_st;
struct ssl_ctx_st;

namespace sat::test {

struct FreeSsl {
    void operator()(ssl_st* connection) const noexcept;
    void operator()(ssl_ctx_st* context) const noexcept;
};

class MqttClient {
public:
    // What all clients share: the certificate authority in `ca`.
    using Context = std::unique_ptr<ssl_ctx_st, FreeSsl>;
    static Context context(const std::string& ca);

    // Connected and acknowledged; nothing where the broker refuses.  `name` is the client's own.
    static std::optional<MqttClient> connect(const Address& broker, ssl_ctx_st* context, const std::string& name);

    // True when the broker has acknowledged it.
    bool subscribe(const std::string& topic);
    bool publish(const std::string& topic, std::string_view payload);
    // The next message's size, topic and all; nothing where the connection ends.
    std::optional<std::size_t> receive();

private:
    MqttClient(Socket socket, std::unique_ptr<ssl_st, FreeSsl> tls)
        : socket_(std::move(socket)), tls_(std::move(tls)) {}
    bool write(const std::string& packet);
    // A packet of that kind (the upper half of its first byte); nothing where another comes.
    std::optional<std::string> read(std::uint8_t kind);
    bool read_exactly(char* into, std::size_t size);

    Socket socket_;
    std::unique_ptr<ssl_st, FreeSsl> tls_;
};

}  // namespace sat::test
