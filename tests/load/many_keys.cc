// Keys of shared primes: see many_keys.h.
// SPDX-License-Identifier: Apache-2.0
#include "load/many_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

#include "base/assert.h"
#include "base/time.h"

namespace sat::test {

namespace {

constexpr int kPrimeBits = 1536;
constexpr unsigned long kExponent = 65537;

template <auto free_function>
struct Free {
    template <typename T>
    void operator()(T* object) const noexcept {
        free_function(object);
    }
};
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Scratch = std::unique_ptr<BN_CTX, Free<BN_CTX_free>>;

Number number() {
    Number out(BN_new());
    SAT_ASSERT(out);
    return out;
}

// With both top bits set, so that the product of any two has 3,072 bits; p − 1 prime to the exponent.
Number prime(BN_CTX* scratch) {
    Number p = number();
    do {
        SAT_ASSERT(BN_generate_prime_ex2(p.get(), kPrimeBits, 0, nullptr, nullptr, nullptr, scratch) == 1);
    } while (BN_mod_word(p.get(), kExponent) == 1);
    return p;
}

SigningKey key_of(const BIGNUM* p, const BIGNUM* q, BN_CTX* scratch) {
    const Number n = number();
    const Number e = number();
    const Number d = number();
    const Number p1 = number();
    const Number q1 = number();
    const Number both = number();
    const Number dp = number();
    const Number dq = number();
    const Number coefficient = number();
    SAT_ASSERT(BN_mul(n.get(), p, q, scratch) == 1 && BN_set_word(e.get(), kExponent) == 1);
    SAT_ASSERT(BN_sub(p1.get(), p, BN_value_one()) == 1 && BN_sub(q1.get(), q, BN_value_one()) == 1);
    SAT_ASSERT(BN_mul(both.get(), p1.get(), q1.get(), scratch) == 1);
    SAT_ASSERT(BN_mod_inverse(d.get(), e.get(), both.get(), scratch) != nullptr);
    SAT_ASSERT(BN_mod(dp.get(), d.get(), p1.get(), scratch) == 1 && BN_mod(dq.get(), d.get(), q1.get(), scratch) == 1);
    SAT_ASSERT(BN_mod_inverse(coefficient.get(), q, p, scratch) != nullptr);

    const std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>> build(OSSL_PARAM_BLD_new());
    SAT_ASSERT(build);
    const auto push = [&](const char* name, const BIGNUM* value) {
        SAT_ASSERT(OSSL_PARAM_BLD_push_BN(build.get(), name, value) == 1);
    };
    push(OSSL_PKEY_PARAM_RSA_N, n.get());
    push(OSSL_PKEY_PARAM_RSA_E, e.get());
    push(OSSL_PKEY_PARAM_RSA_D, d.get());
    push(OSSL_PKEY_PARAM_RSA_FACTOR1, p);
    push(OSSL_PKEY_PARAM_RSA_FACTOR2, q);
    push(OSSL_PKEY_PARAM_RSA_EXPONENT1, dp.get());
    push(OSSL_PKEY_PARAM_RSA_EXPONENT2, dq.get());
    push(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, coefficient.get());
    const std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(build.get()));
    const std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    SAT_ASSERT(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1);
    EVP_PKEY* made = nullptr;
    SAT_ASSERT(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters.get()) == 1);
    auto key = SigningKey::from_handle(KeyHandle(made));
    SAT_ASSERT(key.has_value());
    return std::move(*key);
}

}  // namespace

std::vector<Person> many_people(std::size_t count) {
    const Scratch scratch(BN_CTX_new());
    SAT_ASSERT(scratch);
    const KemPrivateKey kem = KemPrivateKey::generate(RsaBits::b3072);
    std::vector<Person> people;
    people.reserve(count);
    std::vector<Number> primes;
    while (people.size() < count) {
        primes.push_back(prime(scratch.get()));
        for (std::size_t i = 0; i + 1 < primes.size() && people.size() < count; ++i) {
            const SigningKey sign = key_of(primes.back().get(), primes[i].get(), scratch.get());
            auto chain = make_identity(IdentityKind::user, sign, kem.public_key(), std::nullopt, now_unix());
            people.push_back({sign, HandshakeParty(std::move(chain), kem)});
        }
    }
    return people;
}

}  // namespace sat::test
