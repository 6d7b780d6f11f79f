// The original scheme, as small as it can be: what SAT is measured against.  docs/performance.md, "Method".
//
// Every message is one TCP connection: u32 length, then the message, and the answer likewise.  A file is read whole,
// encrypted whole with one AES-256-GCM key that is wrapped by RSA-OAEP, and sent as one message beside its metadata;
// the server decrypts it whole and writes image and metadata in clear, twice.  To fetch, a client sends its public key.
// Two encodings of a message:
//     json    {"key":base64,"nonce":base64,"image":base64,"metadata":text}, as scripts of this kind do
//     binary  the same fields, each behind a u64 length
// Nothing is slowed down on purpose: OpenSSL does the ciphers and base64, buffers are moved where they can be, nothing
// is synced, and nobody is authenticated.
//
//     bench-original serve DIRECTORY ENCODING          prints its port, then serves until it is killed
//     bench-original put PORT ENCODING FILE            prints the ID
//     bench-original get PORT ENCODING ID FILE
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

using Text = std::string;  // of any bytes
using Fields = std::map<Text, Text>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr int kBits = 3072;
constexpr std::size_t kKey = 32;
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

void require(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(what);
}

const unsigned char* in(const Text& text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* out(Text& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// --- Messages ---

Text to_base64(const Text& bytes) {
    Text text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    text.resize(static_cast<std::size_t>(EVP_EncodeBlock(out(text), in(bytes), static_cast<int>(bytes.size()))));
    return text;
}

Text from_base64(const Text& text) {
    Text bytes(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(out(bytes), in(text), static_cast<int>(text.size()));
    require(size >= 0, "bad base64");
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

Text encode(const Fields& fields, bool json) {
    if (json) {
        nlohmann::json object;
        for (const auto& [name, value] : fields) object[name] = to_base64(value);
        return object.dump();
    }
    Text message;
    std::size_t size = 0;
    for (const auto& [name, value] : fields) size += 16 + name.size() + value.size();
    message.reserve(size);
    for (const auto& [name, value] : fields) {
        for (const Text* part : {&name, &value}) {
            const std::uint64_t length = part->size();
            message.append(reinterpret_cast<const char*>(&length), sizeof length);
            message += *part;
        }
    }
    return message;
}

Fields decode(const Text& message, bool json) {
    Fields fields;
    if (json) {
        const nlohmann::json object = nlohmann::json::parse(message);
        for (const auto& [name, value] : object.items()) fields[name] = from_base64(value.get_ref<const Text&>());
        return fields;
    }
    std::size_t at = 0;
    const auto part = [&] {
        std::uint64_t length = 0;
        require(message.size() - at >= sizeof length, "a short message");
        message.copy(reinterpret_cast<char*>(&length), sizeof length, at);
        at += sizeof length;
        require(message.size() - at >= length, "a short message");
        at += length;
        return message.substr(at - length, length);
    };
    while (at < message.size()) {
        Text name = part();
        fields[std::move(name)] = part();
    }
    return fields;
}

void send_message(int fd, const Text& message) {
    const std::uint32_t length = htonl(static_cast<std::uint32_t>(message.size()));
    require(send(fd, &length, sizeof length, MSG_NOSIGNAL | MSG_MORE) == sizeof length, "cannot send");
    for (std::size_t at = 0; at < message.size();) {
        const ssize_t sent = send(fd, message.data() + at, message.size() - at, MSG_NOSIGNAL);
        require(sent > 0, "cannot send");
        at += static_cast<std::size_t>(sent);
    }
}

void receive_whole(int fd, void* into, std::size_t size) {
    for (std::size_t at = 0; at < size;) {
        const ssize_t got = recv(fd, static_cast<char*>(into) + at, size - at, 0);
        require(got > 0, "the connection ended");
        at += static_cast<std::size_t>(got);
    }
}

Text receive_message(int fd) {
    std::uint32_t length = 0;
    receive_whole(fd, &length, sizeof length);
    Text message(ntohl(length), '\0');
    receive_whole(fd, message.data(), message.size());
    return message;
}

// --- Ciphers ---

KeyPtr make_key() { return {EVP_RSA_gen(kBits), EVP_PKEY_free}; }

Text public_text(const KeyPtr& key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key.get(), &der);
    require(size > 0, "no public key");
    Text text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return text;
}

KeyPtr read_public(const Text& text) {
    const unsigned char* der = in(text);
    KeyPtr key(d2i_PUBKEY(nullptr, &der, static_cast<long>(text.size())), EVP_PKEY_free);
    require(key != nullptr, "no public key");
    return key;
}

Text rsa(EVP_PKEY* key, const Text& text, bool wrap) {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key, nullptr),
                                                                              EVP_PKEY_CTX_free);
    require((wrap ? EVP_PKEY_encrypt_init(context.get()) : EVP_PKEY_decrypt_init(context.get())) > 0, "RSA");
    require(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) > 0, "RSA");
    Text result(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    std::size_t size = result.size();
    const auto run = wrap ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
    require(run(context.get(), out(result), &size, in(text), text.size()) > 0, "RSA");
    result.resize(size);
    return result;
}

// In place, where the tag has room behind.
void crypt(Text& text, const Text& key, const Text& nonce, bool encrypt) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                  EVP_CIPHER_CTX_free);
    require(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, in(key), in(nonce), encrypt ? 1 : 0) > 0,
            "AES");
    require(encrypt || text.size() >= kTag, "a short ciphertext");
    const std::size_t size = text.size() - (encrypt ? 0 : kTag);
    if (!encrypt) require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, out(text) + size) > 0, "AES");
    int done = 0;
    require(EVP_CipherUpdate(context.get(), out(text), &done, in(text), static_cast<int>(size)) > 0, "AES");
    int last = 0;
    require(EVP_CipherFinal_ex(context.get(), out(text) + done, &last) > 0, "the tag is wrong");
    text.resize(size + (encrypt ? kTag : 0));
    if (encrypt) require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, out(text) + size) > 0, "AES");
}

Fields sealed(Text image, Text metadata, EVP_PKEY* recipient) {
    Text key(kKey, '\0');
    Text nonce(kNonce, '\0');
    require(RAND_bytes(out(key), kKey) > 0 && RAND_bytes(out(nonce), kNonce) > 0, "no randomness");
    image.reserve(image.size() + kTag);
    crypt(image, key, nonce, true);
    Fields fields;
    fields["key"] = rsa(recipient, key, true);
    fields["nonce"] = std::move(nonce);
    fields["image"] = std::move(image);
    fields["metadata"] = std::move(metadata);
    return fields;
}

Text opened(Fields& fields, EVP_PKEY* mine) {
    Text image = std::move(fields["image"]);
    crypt(image, rsa(mine, fields["key"], false), fields["nonce"], false);
    return image;
}

// --- Files ---

Text read_file(const std::filesystem::path& path) {
    Text text(std::filesystem::file_size(path), '\0');
    std::ifstream file(path, std::ios::binary);
    require(static_cast<bool>(file.read(text.data(), static_cast<std::streamsize>(text.size()))), "cannot read");
    return text;
}

void write_file(const std::filesystem::path& path, const Text& text) {
    std::ofstream file(path, std::ios::binary);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    require(static_cast<bool>(file.flush()), "cannot write");
}

// --- Both ends ---

int connect_to(const char* port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "cannot connect");
    return fd;
}

// One connection a message.
Fields ask(const char* port, const Fields& question, bool json) {
    const int fd = connect_to(port);
    send_message(fd, encode(question, json));
    Fields answer = decode(receive_message(fd), json);
    close(fd);
    return answer;
}

class Server {
public:
    explicit Server(std::filesystem::path directory) : directory_(std::move(directory)), key_(make_key()) {
        for (const char* store : {"image_store", "duplicate_store", "metadata_store", "duplicate_metadata_store"})
            std::filesystem::create_directories(directory_ / store);
    }

    Fields answer(Fields question) {
        if (question.contains("image")) {
            const Text id = std::to_string(++last_);
            const Text metadata = question["metadata"];
            const Text image = opened(question, key_.get());
            for (const char* store : {"image_store", "duplicate_store"}) write_file(directory_ / store / id, image);
            for (const char* store : {"metadata_store", "duplicate_metadata_store"})
                write_file(directory_ / store / id, metadata);
            return {{"id", id}};
        }
        if (question.contains("id")) {
            const KeyPtr caller = read_public(question["public"]);
            return sealed(read_file(directory_ / "image_store" / question["id"]),
                          read_file(directory_ / "metadata_store" / question["id"]), caller.get());
        }
        return {{"public", public_text(key_)}};
    }

private:
    std::filesystem::path directory_;
    KeyPtr key_;
    int last_ = 0;
};

int serve(const char* directory, bool json) {
    Server server(directory);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    auto* address = reinterpret_cast<sockaddr*>(&here);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(listener >= 0 && bind(listener, address, size) == 0 && listen(listener, 16) == 0, "cannot listen");
    require(getsockname(listener, address, &size) == 0, "no port");
    std::cout << ntohs(here.sin_port) << std::endl;
    for (;;) {
        const int fd = accept(listener, nullptr, nullptr);
        require(fd >= 0, "cannot accept");
        try {
            send_message(fd, encode(server.answer(decode(receive_message(fd), json)), json));
        } catch (const std::exception& error) {
            std::cerr << "bench-original: " << error.what() << "\n";
        }
        close(fd);
    }
}

int put(const char* port, bool json, const std::filesystem::path& file) {
    const KeyPtr server = read_public(ask(port, {{"hello", ""}}, json)["public"]);
    const Text metadata = R"({"title":"Boats","artist":"Ada","file_path":")" + file.filename().string() + "\"}";
    std::cout << ask(port, sealed(read_file(file), metadata, server.get()), json)["id"] << "\n";
    return 0;
}

// The keys of a client are made once, not for each command: beside `file`.
KeyPtr client_key(const std::filesystem::path& file) {
    const std::filesystem::path path = file.parent_path() / "original-client.der";
    if (std::filesystem::exists(path)) {
        const Text der = read_file(path);
        const unsigned char* at = in(der);
        return {d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free};
    }
    KeyPtr key = make_key();
    unsigned char* der = nullptr;
    const int size = i2d_PrivateKey(key.get(), &der);
    require(size > 0, "no private key");
    write_file(path, Text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
    OPENSSL_free(der);
    return key;
}

int get(const char* port, bool json, const char* id, const std::filesystem::path& file) {
    const KeyPtr mine = client_key(file);
    require(mine != nullptr, "no private key");
    Fields answer = ask(port, {{"id", id}, {"public", public_text(mine)}}, json);
    write_file(file, opened(answer, mine.get()));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Text command = argc > 3 ? argv[1] : "";
        const bool json = argc > 3 && Text(argv[3]) == "json";
        if (command == "serve" && argc == 4) return serve(argv[2], json);
        if (command == "put" && argc == 5) return put(argv[2], json, argv[4]);
        if (command == "get" && argc == 6) return get(argv[2], json, argv[4], argv[5]);
        std::cerr << "usage: bench-original serve DIR json|binary | put PORT json|binary FILE | "
                     "get PORT json|binary ID FILE\n";
        return 64;
    } catch (const std::exception& error) {
        std::cerr << "bench-original: " << error.what() << "\n";
        return 1;
    }
}
