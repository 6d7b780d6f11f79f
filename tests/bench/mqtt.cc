// The client: see mqtt.h.
// SPDX-License-Identifier: Apache-2.0
#include "bench/mqtt.h"

#include <openssl/ssl.h>

#include "base/assert.h"

namespace sat::test {

namespace {

constexpr std::uint8_t kConnect = 1;
constexpr std::uint8_t kConnack = 2;
constexpr std::uint8_t kPublish = 3;
constexpr std::uint8_t kSubscribe = 8;
constexpr std::uint8_t kSuback = 9;
constexpr std::size_t kMostBody = 1 << 20;

std::string word(std::size_t value) { return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)}; }
std::string text(std::string_view value) { return word(value.size()) + std::string(value); }

std::string packet(std::uint8_t kind, std::uint8_t flags, const std::string& body) {
    std::string out(1, static_cast<char>(kind << 4 | flags));
    for (std::size_t left = body.size();;) {
        const std::size_t seven = left & 0x7f;
        left >>= 7;
        out.push_back(static_cast<char>(seven | (left > 0 ? 0x80 : 0)));
        if (left == 0) return out + body;
    }
}

}  // namespace

void FreeSsl::operator()(ssl_st* connection) const noexcept { SSL_free(connection); }
void FreeSsl::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

MqttClient::Context MqttClient::context(const std::string& ca) {
    Context out(SSL_CTX_new(TLS_client_method()));
    SAT_ASSERT(out && SSL_CTX_set_min_proto_version(out.get(), TLS1_3_VERSION) == 1);
    SAT_ASSERT(SSL_CTX_load_verify_locations(out.get(), ca.c_str(), nullptr) == 1);
    SSL_CTX_set_verify(out.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(out.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    return out;
}

std::optional<MqttClient> MqttClient::connect(const Address& broker, ssl_ctx_st* context, const std::string& name) {
    Socket socket = Socket::connect(broker);
    std::unique_ptr<ssl_st, FreeSsl> tls(SSL_new(context));
    SAT_ASSERT(tls);
    if (!socket || SSL_set_fd(tls.get(), socket.fd()) != 1 || SSL_connect(tls.get()) != 1) return std::nullopt;
    MqttClient client(std::move(socket), std::move(tls));
    constexpr char kLevel = 4;
    constexpr char kCleanSession = 2;
    const std::string body = text("MQTT") + kLevel + kCleanSession + word(0) + text(name);
    const auto answer = client.write(packet(kConnect, 0, body)) ? client.read(kConnack) : std::nullopt;
    if (!answer || answer->size() != 2 || (*answer)[1] != 0) return std::nullopt;
    return client;
}

bool MqttClient::subscribe(const std::string& topic) {
    constexpr std::uint8_t kFlags = 2;
    constexpr char kOnce = 0;
    return write(packet(kSubscribe, kFlags, word(1) + text(topic) + kOnce)) && read(kSuback).has_value();
}

bool MqttClient::publish(const std::string& topic, std::string_view payload) {
    return write(packet(kPublish, 0, text(topic) + std::string(payload)));
}

std::optional<std::size_t> MqttClient::receive() {
    const auto message = read(kPublish);
    return message ? std::optional(message->size()) : std::nullopt;
}

bool MqttClient::write(const std::string& packet) {
    return SSL_write(tls_.get(), packet.data(), static_cast<int>(packet.size())) == static_cast<int>(packet.size());
}

bool MqttClient::read_exactly(char* into, std::size_t size) {
    for (std::size_t have = 0; have < size;) {
        const int got = SSL_read(tls_.get(), into + have, static_cast<int>(size - have));
        if (got <= 0) return false;
        have += static_cast<std::size_t>(got);
    }
    return true;
}

std::optional<std::string> MqttClient::read(std::uint8_t kind) {
    char first = 0;
    if (!read_exactly(&first, 1) || static_cast<std::uint8_t>(first) >> 4 != kind) return std::nullopt;
    std::size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
        char byte = 0;
        if (shift > 21 || !read_exactly(&byte, 1)) return std::nullopt;
        size |= static_cast<std::size_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) break;
    }
    if (size > kMostBody) return std::nullopt;
    std::string body(size, '\0');
    if (!read_exactly(body.data(), size)) return std::nullopt;
    return body;
}

}  // namespace sat::test
