// zlib streams (RFC 1950, RFC 1951) of trusted test data: Wycheproof keeps its long ciphertexts compressed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "base/bytes.h"

namespace sat {

class Inflater {
public:
    // Throws where `zlib` is not one whole stream with the right checksum.
    static Bytes run(ByteView zlib) {
        Inflater inflater(zlib);
        return inflater.stream();
    }

private:
    // A canonical Huffman code: how many codes of each length, and the symbols in order.
    struct Code {
        std::array<unsigned, 16> count{};
        std::vector<unsigned> symbols;

        explicit Code(const std::vector<unsigned>& lengths) : symbols(lengths.size()) {
            for (const unsigned length : lengths) ++count[length];
            count[0] = 0;
            std::array<unsigned, 17> offset{};
            std::partial_sum(count.begin(), count.end(), offset.begin() + 1);
            for (unsigned symbol = 0; symbol < lengths.size(); ++symbol)
                if (lengths[symbol] != 0) symbols[offset[lengths[symbol]]++] = symbol;
        }
    };

    explicit Inflater(ByteView in) : in_(in) {}

    unsigned byte() {
        if (at_ >= in_.size()) throw std::runtime_error("zlib: cut off");
        return std::to_integer<unsigned>(in_[at_++]);
    }

    unsigned bits(unsigned count) {
        for (; held_ < count; held_ += 8) buffer_ |= std::uint64_t{byte()} << held_;
        const auto value = static_cast<unsigned>(buffer_ & ((std::uint64_t{1} << count) - 1));
        buffer_ >>= count;
        held_ -= count;
        return value;
    }

    unsigned symbol(const Code& code) {
        unsigned value = 0, first = 0, index = 0;
        for (std::size_t length = 1; length < code.count.size(); ++length) {
            value |= bits(1);
            if (value < first + code.count[length]) return code.symbols.at(index + value - first);
            index += code.count[length];
            first = (first + code.count[length]) << 1;
            value <<= 1;
        }
        throw std::runtime_error("zlib: no such code");
    }

    void stored() {
        buffer_ = 0;
        held_ = 0;
        const unsigned low = byte();
        const unsigned size = low | byte() << 8;
        byte();
        byte();
        for (unsigned i = 0; i < size; ++i) out_.push_back(static_cast<std::byte>(byte()));
    }

    void compressed(const Code& literals, const Code& distances) {
        static constexpr std::array<unsigned, 29> kLength = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                                             15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                                             67, 83, 99, 115, 131, 163, 195, 227, 258};
        static constexpr std::array<unsigned, 29> kLengthBits = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                                 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
        static constexpr std::array<unsigned, 30> kDistance = {
            1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
            193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
        for (;;) {
            unsigned code = symbol(literals);
            if (code == 256) return;
            if (code < 256) {
                out_.push_back(static_cast<std::byte>(code));
                continue;
            }
            code -= 257;
            const unsigned length = kLength.at(code) + bits(kLengthBits.at(code));
            const unsigned far = symbol(distances);
            const unsigned distance = kDistance.at(far) + bits(far < 4 ? 0 : far / 2 - 1);
            if (distance > out_.size()) throw std::runtime_error("zlib: before the beginning");
            for (unsigned i = 0; i < length; ++i) out_.push_back(out_[out_.size() - distance]);
        }
    }

    void fixed() {
        std::vector<unsigned> lengths(288, 8);
        std::fill(lengths.begin() + 144, lengths.begin() + 256, 9);
        std::fill(lengths.begin() + 256, lengths.begin() + 280, 7);
        compressed(Code(lengths), Code(std::vector<unsigned>(30, 5)));
    }

    void dynamic() {
        static constexpr std::array<unsigned, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                            11, 4,  12, 3, 13, 2, 14, 1, 15};
        const unsigned literals = bits(5) + 257, distances = bits(5) + 1, codes = bits(4) + 4;
        std::vector<unsigned> lengths(19);
        for (unsigned i = 0; i < codes; ++i) lengths[kOrder[i]] = bits(3);
        const Code code(lengths);
        lengths.clear();
        while (lengths.size() < literals + distances) {
            const unsigned what = symbol(code);
            if (what < 16) {
                lengths.push_back(what);
                continue;
            }
            const unsigned repeated = what == 16 ? lengths.at(lengths.size() - 1) : 0;
            const unsigned times = what == 16 ? 3 + bits(2) : what == 17 ? 3 + bits(3) : 11 + bits(7);
            lengths.insert(lengths.end(), times, repeated);
        }
        const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(literals);
        compressed(Code({lengths.begin(), middle}), Code({middle, lengths.end()}));
    }

    Bytes stream() {
        const unsigned header = byte() << 8;
        if ((header | byte()) % 31 != 0) throw std::runtime_error("zlib: no header");
        for (bool last = false; !last;) {
            last = bits(1) == 1;
            switch (bits(2)) {
                case 0:
                    stored();
                    break;
                case 1:
                    fixed();
                    break;
                case 2:
                    dynamic();
                    break;
                default:
                    throw std::runtime_error("zlib: no such block");
            }
        }
        unsigned a = 1, b = 0;  // Adler-32
        for (const std::byte value : out_) {
            a = (a + std::to_integer<unsigned>(value)) % 65521;
            b = (b + a) % 65521;
        }
        unsigned checksum = 0;
        for (int i = 0; i < 4; ++i) checksum = checksum << 8 | byte();
        if (checksum != (b << 16 | a) || at_ != in_.size()) throw std::runtime_error("zlib: wrong checksum");
        return std::move(out_);
    }

    ByteView in_;
    std::size_t at_ = 0;
    std::uint64_t buffer_ = 0;
    unsigned held_ = 0;
    Bytes out_;
};

}  // namespace sat
