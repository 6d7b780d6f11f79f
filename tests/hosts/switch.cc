// The line between the three computers: an Ethernet switch with delay, loss and slow cables, over veth pairs, in the
// network namespace it is started in.  What tc's netem would do, on kernels that have none too; and a witness from
// outside of who began to talk to whom.
//
//   hosts_switch plain INTERFACE      its own kernel cuts segments and fills in checksums, as for a real wire
//   hosts_switch PORT...              switches between these interfaces until standard input ends
//
// A line on standard input, an answer on standard output:
//   delay MILLISECONDS | loss PER_MILLE | rate PORT BYTES_PER_SECOND (0: as fast as it goes)    "ok"
//   counts PORT      "BYTES-FROM BYTES-TO OPENED STRANGE": what came through from it and was handed to it; the TCP
//                    connections it asked for (SYN without ACK); its frames that are neither TCP, ARP nor ICMP
//   lost             how many frames chance took
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Frame = std::vector<std::uint8_t>;
using Mac = std::array<std::uint8_t, 6>;

constexpr std::size_t kLargestFrame = 65'536;
// What a cable's queue holds before it drops: half a second of a fast one, and on a slow one still a few frames.
constexpr auto kLongestQueue = milliseconds(500);
constexpr std::size_t kShortestQueue = 8;

[[noreturn]] void give_up(const std::string& doing) {
    std::fprintf(stderr, "hosts_switch: cannot %s: %s\n", doing.c_str(), std::strerror(errno));
    std::exit(1);
}

enum class Kind { opens_tcp, known, strange };

std::uint16_t u16_at(std::span<const std::uint8_t> bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// What a frame is about, as far as it can be told from its headers.
Kind kind_of(std::span<const std::uint8_t> frame) {
    constexpr std::size_t kIp = ETHER_HDR_LEN;
    constexpr std::uint8_t kSyn = 0x02;
    constexpr std::uint8_t kAck = 0x10;
    if (frame.size() < kIp) return Kind::strange;
    const std::uint16_t type = u16_at(frame, 12);
    if (type == ETHERTYPE_ARP) return Kind::known;
    std::size_t tcp = 0;
    if (type == ETHERTYPE_IP && frame.size() >= kIp + 20) {
        const std::uint8_t protocol = frame[kIp + 9];
        if (protocol == IPPROTO_ICMP) return Kind::known;
        if (protocol == IPPROTO_TCP) tcp = kIp + std::size_t{4} * (frame[kIp] & 0x0f);
    } else if (type == ETHERTYPE_IPV6 && frame.size() >= kIp + 40) {
        const std::uint8_t next = frame[kIp + 6];
        // Hop-by-hop options carry multicast reports here, which are ICMP.
        if (next == IPPROTO_ICMPV6 || next == IPPROTO_HOPOPTS) return Kind::known;
        if (next == IPPROTO_TCP) tcp = kIp + 40;
    }
    if (tcp == 0 || frame.size() < tcp + 14) return Kind::strange;
    return (frame[tcp + 13] & (kSyn | kAck)) == kSyn ? Kind::opens_tcp : Kind::known;
}

struct Waiting {
    Clock::time_point due;
    std::size_t from = 0;
    Frame frame;
};

struct Port {
    std::string name;
    int socket = -1;
    std::uint64_t rate = 0;        // bytes a second each way; 0: no limit
    Clock::time_point free_in{};   // when the cable has carried what was sent before
    Clock::time_point free_out{};  // likewise, towards the computer
    std::deque<Waiting> waiting;   // in the order of their time
    std::uint64_t bytes_from = 0;
    std::uint64_t bytes_to = 0;
    std::uint64_t opened = 0;
    std::uint64_t strange = 0;
};

class Switch {
public:
    explicit Switch(std::span<char* const> names) {
        for (const char* name : names) ports_.push_back(open_port(name));
    }

    void run() {
        for (;;) {
            std::vector<pollfd> waiting{{STDIN_FILENO, POLLIN, 0}};
            for (const Port& port : ports_) waiting.push_back({port.socket, POLLIN, 0});
            const auto left = until_next();
            const timespec limit{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
            if (::ppoll(waiting.data(), waiting.size(), &limit, nullptr) < 0 && errno != EINTR) give_up("wait");
            if (waiting[0].revents != 0 && !read_orders()) return;
            for (std::size_t i = 0; i < ports_.size(); ++i) {
                if (waiting[i + 1].revents != 0) receive(i);
            }
            deliver();
        }
    }

private:
    static Port open_port(const char* name) {
        Port port;
        port.name = name;
        port.socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
        if (port.socket < 0) give_up("open a packet socket");
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_ALL);
        address.sll_ifindex = static_cast<int>(::if_nametoindex(name));
        if (address.sll_ifindex == 0) give_up("find " + port.name);
        const int yes = 1;
        if (::setsockopt(port.socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) != 0)
            give_up("leave out what is sent on " + port.name);
        if (::bind(port.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            give_up("listen on " + port.name);
        return port;
    }

    nanoseconds until_next() const {
        auto next = Clock::now() + std::chrono::hours(1);
        for (const Port& port : ports_) {
            if (!port.waiting.empty()) next = std::min(next, port.waiting.front().due);
        }
        return std::max(nanoseconds(0), std::chrono::duration_cast<nanoseconds>(next - Clock::now()));
    }

    void receive(std::size_t from) {
        Port& port = ports_[from];
        for (;;) {
            const ssize_t size = ::recv(port.socket, buffer_.data(), buffer_.size(), 0);
            // A cable that is pulled says so once; the socket works again when it is back.
            if (size < 0 && (errno == ENETDOWN || errno == EINTR)) continue;
            if (size < 0 && errno == EAGAIN) return;
            if (size < 0) give_up("read from " + port.name);
            accept(from, std::span(buffer_).first(static_cast<std::size_t>(size)));
        }
    }

    void accept(std::size_t from, std::span<const std::uint8_t> frame) {
        if (frame.size() < ETHER_HDR_LEN) return;
        Port& port = ports_[from];
        const Kind kind = kind_of(frame);
        if (kind == Kind::opens_tcp) ++port.opened;
        if (kind == Kind::strange) ++port.strange;
        Mac to{};
        Mac source{};
        std::copy_n(frame.begin(), to.size(), to.begin());
        std::copy_n(frame.begin() + 6, source.size(), source.begin());
        homes_[source] = from;
        if (chance_(random_) < loss_) {
            ++lost_;
            return;
        }
        const auto now = Clock::now();
        const auto carried = carry(port.free_in, port.rate, now, frame.size());
        if (!carried) return;
        const auto home = homes_.find(to);
        for (std::size_t i = 0; i < ports_.size(); ++i) {
            if (i == from || (home != homes_.end() && home->second != i)) continue;
            const auto handed = carry(ports_[i].free_out, ports_[i].rate, *carried + delay_, frame.size());
            if (handed) ports_[i].waiting.push_back({*handed, from, Frame(frame.begin(), frame.end())});
        }
    }

    // When a frame that is ready at `ready` is through a cable; nothing where too many wait before it.
    static std::optional<Clock::time_point> carry(Clock::time_point& free, std::uint64_t rate, Clock::time_point ready,
                                                  std::size_t size) {
        if (rate == 0) {
            free = std::max(free, ready);
            return free;
        }
        const auto time = nanoseconds(size * 1'000'000'000 / rate);
        const auto begin = std::max(free, ready);
        if (begin - ready > std::max<nanoseconds>(kLongestQueue, kShortestQueue * time)) return std::nullopt;
        free = begin + time;
        return free;
    }

    void deliver() {
        const auto now = Clock::now();
        for (Port& port : ports_) {
            for (; !port.waiting.empty() && port.waiting.front().due <= now; port.waiting.pop_front()) {
                const Waiting& next = port.waiting.front();
                // A cable that is pulled, or a computer that does not read, loses the frame, as a wire would.
                if (::send(port.socket, next.frame.data(), next.frame.size(), 0) < 0) continue;
                port.bytes_to += next.frame.size();
                ports_[next.from].bytes_from += next.frame.size();
            }
        }
    }

    // False at the end of them.
    bool read_orders() {
        std::array<char, 4096> piece{};
        const ssize_t size = ::read(STDIN_FILENO, piece.data(), piece.size());
        if (size <= 0) return false;
        orders_.append(piece.data(), static_cast<std::size_t>(size));
        for (std::size_t end = orders_.find('\n'); end != std::string::npos; end = orders_.find('\n')) {
            const std::string answer = obey(orders_.substr(0, end));
            orders_.erase(0, end + 1);
            std::printf("%s\n", answer.c_str());
        }
        std::fflush(stdout);
        return true;
    }

    std::string obey(const std::string& order) {
        std::istringstream words(order);
        std::string verb;
        words >> verb;
        if (verb == "lost") return std::to_string(lost_);
        Port* port = nullptr;
        if (verb == "rate" || verb == "counts") {
            std::string name;
            words >> name;
            const auto found = std::ranges::find(ports_, name, &Port::name);
            if (found == ports_.end()) return "no such port";
            port = &*found;
        }
        if (verb == "counts")
            return std::to_string(port->bytes_from) + " " + std::to_string(port->bytes_to) + " " +
                   std::to_string(port->opened) + " " + std::to_string(port->strange);
        std::uint32_t value = 0;
        if (!(words >> value)) return "no number";
        if (verb == "delay") {
            delay_ = milliseconds(value);
        } else if (verb == "loss") {
            loss_ = value;
        } else if (verb == "rate") {
            port->rate = value;
        } else {
            return "no such order";
        }
        return "ok";
    }

    std::vector<Port> ports_;
    std::map<Mac, std::size_t> homes_;
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(kLargestFrame);
    std::string orders_;
    milliseconds delay_{0};
    std::uint32_t loss_ = 0;
    std::uint64_t lost_ = 0;
    // The same losses in every run, as far as the frames are the same.
    std::mt19937 random_{7420};  // NOLINT(cert-msc32-c,cert-msc51-cpp)
    std::uniform_int_distribution<std::uint32_t> chance_{0, 999};
};

// Without this a veth pair passes on segments of 64 KiB, and checksums that nobody computed.
void make_plain(const char* name) {
    const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) give_up("open a socket");
    for (const int feature : {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM}) {
        ethtool_value off{static_cast<std::uint32_t>(feature), 0};
        ifreq request{};
        std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
        request.ifr_data = reinterpret_cast<char*>(&off);
        if (::ioctl(any, SIOCETHTOOL, &request) != 0) give_up(std::string("set up ") + name);
    }
    ::close(any);
}

}  // namespace

int main(int argc, char** argv) {
    const std::span<char* const> words(argv + 1, argv + argc);
    if (words.size() == 2 && std::strcmp(words[0], "plain") == 0) {
        make_plain(words[1]);
        return 0;
    }
    if (words.size() < 2) {
        std::fputs("usage: hosts_switch plain INTERFACE | hosts_switch PORT PORT...\n", stderr);
        return 64;
    }
    Switch(words).run();
    return 0;
}
