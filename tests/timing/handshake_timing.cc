// Measures over loopback how long a real sat-vaultd takes to refuse a hello, for each way in which the ciphertext can
// be right or wrong inside, in random order, and compares each class with the right one (README.md).
//     handshake_timing [--seconds N]
// Exit: 0 no class can be told from the right one; 1 one can; 2 the method failed.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "support/programs.h"
#include "support/temporary.h"
#include "timing/hello.h"
#include "timing/padding.h"

namespace {

using namespace sat;
using namespace sat::test;

// Beyond the paddings: the right one under another name, which shows what chance alone does, and a ciphertext above the
// modulus, which is refused openly and early and so shows that the method sees a difference where there is one.
constexpr std::size_t kRight = 0;
constexpr std::size_t kRightAgain = kPaddings.size();
constexpr std::size_t kOpen = kPaddings.size() + 1;
constexpr std::size_t kClasses = kPaddings.size() + 2;
// Of Welch's t, the largest of all crops: below it nothing was found (Reparaz, Balasch and Verbauwhede, "dude, is my
// code constant time?", DATE 2017, use 4.5 for one; ours are a hundred).
constexpr double kThreshold = 5.5;

std::string class_name(std::size_t index) {
    if (index == kRightAgain) return "valid, once more";
    if (index == kOpen) return "above the modulus (refused openly)";
    return std::string(padding_name(kPaddings[index]));
}

Bytes ciphertext_of(std::size_t index, const KemPublicKey& key, ByteView kem_label) {
    if (index == kOpen) return Bytes(key.block_size(), std::byte{0xff});
    return wrap_with(index == kRightAgain ? Padding::valid : kPaddings[index], key, kem_label);
}

struct Trial {
    std::size_t cls = 0;
    Bytes hello;
};

// Microseconds from the hello's last byte to the ALERT, or less than 0 where there came another.
double measure(const test::Address& vault, const Trial& trial) {
    Socket socket = Socket::connect(vault);
    const auto identity = socket.receive_frame();
    if (!identity || !socket.send(ByteView(trial.hello).first(trial.hello.size() - 1))) return -1;
    const auto begin = Clock::now();
    socket.send(ByteView(trial.hello).last(1));
    const auto frame = socket.receive_frame();
    const auto end = Clock::now();
    if (!frame) return -1;
    const auto alert = parse_alert(*frame);
    // One code for all, what is refused openly included.
    if (!alert || *alert != Errc::handshake_failed) return -1;
    return std::chrono::duration<double, std::micro>(end - begin).count();
}

double quantile(std::vector<double> values, double q) {
    const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

struct Moments {
    double n = 0;
    double mean = 0;
    double variance = 0;
};

Moments moments_below(const std::vector<double>& values, double limit) {
    Moments m;
    double squares = 0;
    for (const double value : values) {
        if (value > limit) continue;
        m.n += 1;
        const double delta = value - m.mean;
        m.mean += delta / m.n;
        squares += delta * (value - m.mean);
    }
    m.variance = m.n > 1 ? squares / (m.n - 1) : 0;
    return m;
}

double welch(const Moments& a, const Moments& b) {
    const double error = std::sqrt(a.variance / a.n + b.variance / b.n);
    return error > 0 ? (a.mean - b.mean) / error : 0;
}

// The largest |t| over crops: what the scheduler did is in the slow tail, what the code does is in front of it.
double largest_t(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> both = a;
    both.insert(both.end(), b.begin(), b.end());
    double largest = 0;
    for (const double q : {0.2, 0.5, 0.75, 0.9, 0.99, 1.0}) {
        const double limit = quantile(both, q);
        const double t = welch(moments_below(a, limit), moments_below(b, limit));
        if (std::abs(t) > std::abs(largest)) largest = t;
    }
    return largest;
}

}  // namespace

int main(int argc, char** argv) {
    long length = 300;
    if (argc == 3 && std::string(argv[1]) == "--seconds") {
        const std::string text = argv[2];
        std::from_chars(text.data(), text.data() + text.size(), length);
    } else if (argc != 1) {
        std::fprintf(stderr, "usage: handshake_timing [--seconds N]\n");
        return 64;
    }
    const TemporaryDirectory directory;
    copy_cached("vault", directory / "vault");
    VaultProcess vault({.data = directory / "vault"});
    const test::Address address = vault.socket_address();

    Socket first = Socket::connect(address);
    const auto identity = first.receive_frame();
    const auto chain = identity ? IdentityChain::parse(ByteView(*identity).subspan(5))
                                : Result<IdentityChain>(fail(Errc::malformed, "no IDENTITY"));
    if (!chain) {
        std::fprintf(stderr, "the vault does not serve\n");
        return 2;
    }
    const Bytes kem_label = vault_kem_label(chain->wallet());

    std::vector<std::vector<double>> times(kClasses);
    std::mt19937_64 random(std::random_device{}());
    const auto until = Clock::now() + seconds(length);
    while (Clock::now() < until) {
        std::vector<Trial> trials;
        for (std::size_t cls = 0; cls < kClasses; ++cls)
            for (int i = 0; i < 4; ++i)
                trials.push_back({cls, hello_with(*chain, ciphertext_of(cls, chain->kem_key(), kem_label))});
        std::shuffle(trials.begin(), trials.end(), random);
        for (const Trial& trial : trials) {
            const double time = measure(address, trial);
            if (time < 0) {
                std::fprintf(stderr, "%s: not the ALERT that is due\n", class_name(trial.cls).c_str());
                return 1;
            }
            times[trial.cls].push_back(time);
        }
    }

    std::printf("%-36s %9s %9s %9s %9s %8s\n", "microseconds to the ALERT", "trials", "10 %", "median", "90 %", "t");
    int told_apart = 0;
    double control = 0;
    for (std::size_t cls = 0; cls < kClasses; ++cls) {
        const double t = cls == kRight ? 0 : largest_t(times[cls], times[kRight]);
        std::printf("%-36s %9zu %9.1f %9.1f %9.1f %8.2f\n", class_name(cls).c_str(), times[cls].size(),
                    quantile(times[cls], 0.1), quantile(times[cls], 0.5), quantile(times[cls], 0.9), t);
        if (cls == kOpen) {
            control = std::abs(t);
        } else if (std::abs(t) > kThreshold) {
            ++told_apart;
        }
    }
    if (control <= kThreshold) {
        std::printf("the method does not even see the open check: too few trials, or too loud a machine\n");
        return 2;
    }
    std::printf(told_apart == 0 ? "no class can be told from the right one (|t| <= %.1f)\n"
                                : "there are classes that can be told from the right one (|t| > %.1f)\n",
                kThreshold);
    return told_apart == 0 ? 0 : 1;
}
