// Micro-benchmarks of what the jobs of docs/performance.md are made of (Google Benchmark): one thread, warm, in memory.
// The tree hash stands for what a later suite could do with the plaintext's hash: SHA-256 over leaves of 64 KiB, whose
// hashing goes to as many threads as there are.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <thread>

#include "base/assert.h"
#include "crypto/hash.h"
#include "envelope/envelope.h"
#include "ledger/leaf.h"
#include "ledger/merkle.h"
#include "ledger/statement.h"
#include "store/sqlite_catalog.h"
#include "support/temporary.h"
#include "vault/words.h"
#include "wire/handshake.h"

namespace sat {

namespace {

constexpr std::size_t kImage = std::size_t{16} << 20;
constexpr std::size_t kWholeChunks = kImage / kChunkPlaintext * kChunkSealed;
constexpr std::size_t kHashLeaf = std::size_t{64} << 10;
constexpr UnixTime kNow = 1790000000;

struct Party {
    SigningKey sign = SigningKey::generate(RsaBits::b3072);
    KemPrivateKey kem = KemPrivateKey::generate(RsaBits::b3072);
};

const Party& somebody() {
    static const Party party;
    return party;
}
const IdentityChain& artist() {
    static const IdentityChain chain =
        make_identity(IdentityKind::user, somebody().sign, somebody().kem.public_key(), std::nullopt, kNow);
    return chain;
}
const HandshakeParty& vault() {
    static const Party keys;
    static const LogKey log = LogKey::generate();
    static const HandshakeParty party(
        make_identity(IdentityKind::vault, keys.sign, keys.kem.public_key(), log.public_key(), kNow), keys.kem);
    return party;
}

const ArtworkId kArtwork = ArtworkId::from_canonical("000000001Y").value();
const Bytes kPlain(kImage, std::byte{42});

void count_bytes(benchmark::State& state, std::size_t each) {
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(each));
}

Sealer new_sealer() {
    return Sealer::create(kArtwork, kImage, artist().wallet(), somebody().kem.public_key(), Purpose::transit);
}

void seal(benchmark::State& state) {
    Bytes out(sealed_size(kImage));
    for (auto _ : state) {
        state.PauseTiming();
        Sealer sealer = new_sealer();
        state.ResumeTiming();
        SAT_ASSERT(sealer.seal_whole(kPlain, MutableBytes(out).first(kWholeChunks)).has_value());
    }
    count_bytes(state, kImage);
}
BENCHMARK(seal);

void open(benchmark::State& state) {
    Sealer sealer = new_sealer();
    Bytes stream;
    SAT_ASSERT(sealer.seal(kPlain, stream).has_value() && sealer.finish(stream).has_value());
    const auto key = unwrap(sealer.header(), Purpose::transit, somebody().kem);
    SAT_ASSERT(key.has_value());
    Bytes out(kImage);
    for (auto _ : state) {
        state.PauseTiming();
        auto opener = Opener::create(sealer.header(), *key);
        state.ResumeTiming();
        SAT_ASSERT(opener && opener->open_whole(ByteView(stream).first(kWholeChunks), out).has_value());
    }
    count_bytes(state, kImage);
}
BENCHMARK(open);

void sha256_whole(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(sha256(kPlain));
    count_bytes(state, kImage);
}
BENCHMARK(sha256_whole);

// By the clock, for the threads are the point.
void sha256_tree(benchmark::State& state) {
    const auto threads = static_cast<std::size_t>(state.range(0));
    const std::size_t leaves = kImage / kHashLeaf;
    for (auto _ : state) {
        std::vector<Digest> hashes(leaves);
        const auto hash_some = [&](std::size_t first) {
            for (std::size_t i = first; i < leaves; i += threads)
                hashes[i] = sha256(ByteView(kPlain).subspan(i * kHashLeaf, kHashLeaf));
        };
        std::vector<std::thread> others;
        for (std::size_t n = 1; n < threads; ++n) others.emplace_back(hash_some, n);
        hash_some(0);
        for (std::thread& other : others) other.join();
        MerkleBuilder tree;
        for (const Digest& hash : hashes) tree.append(hash);
        benchmark::DoNotOptimize(tree.root());
    }
    count_bytes(state, kImage);
}
BENCHMARK(sha256_tree)->Arg(1)->Arg(2)->UseRealTime();

// Both ends on one thread: two RSA private operations, two encapsulations, the chains' signatures.
void handshake(benchmark::State& state) {
    const HandshakeParty client(artist(), somebody().kem);
    const HandshakeParty& other = vault();
    for (auto _ : state) {
        ClientHandshake mine(client, {});
        VaultHandshake its(other);
        SAT_ASSERT(mine.on_identity(other.identity_frame()).has_value());
        const auto hello = mine.hello();
        SAT_ASSERT(hello.has_value());
        const auto answer = its.on_client_hello(*hello, ServerHelloExt{});
        SAT_ASSERT(answer.has_value());
        const auto finished = mine.on_server_hello(*answer);
        SAT_ASSERT(finished && its.on_client_finished(*finished).has_value());
    }
}
BENCHMARK(handshake);

Registration registration() {
    auto body = make_statement<Registration>(artist().wallet(), vault().chain().wallet(), kNow);
    body.artwork = kArtwork;
    body.title = "Boats in the harbour";
    body.description = "Oil on canvas, painted in the open air, signed and dated on the back";
    body.artist = "Ada Artist";
    body.file_path = "boats.tif";
    body.media_type = "image/tiff";
    body.bytes = kImage;
    body.width = body.height = 4000;
    return body;
}

void statement_sign(benchmark::State& state) {
    const Registration body = registration();
    const SigningKey& key = somebody().sign;
    for (auto _ : state) benchmark::DoNotOptimize(sign(body, key));
}
BENCHMARK(statement_sign);

void statement_verify(benchmark::State& state) {
    const std::string jws = sign(registration(), somebody().sign);
    for (auto _ : state) SAT_ASSERT(parse_and_verify<Registration>(jws, artist()).has_value());
}
BENCHMARK(statement_verify);

void merkle_append(benchmark::State& state) {
    const LeafHash leaf = leaf_hash("sat-leaf/1\nregister\n1790000000\n");
    MerkleBuilder tree;
    for (auto _ : state) {
        tree.append(leaf);
        benchmark::DoNotOptimize(tree.root());
    }
}
BENCHMARK(merkle_append);

// The newest 50 of a thousand works, rows unsealed; the wire's share is job 10's.
void catalogue_page(benchmark::State& state) {
    const TemporaryDirectory directory;
    const auto catalog = SqliteCatalog::open(directory / "catalog.sqlite", MasterKey::draw(), artist().wallet());
    SAT_ASSERT(catalog.has_value());
    Registration body = registration();
    const std::string jws = sign(body, somebody().sign);
    {
        const auto transaction = (*catalog)->begin();
        SAT_ASSERT(transaction.has_value());
        for (int i = 0; i < 1000; ++i) {
            WorkRow work;
            work.artwork = body.artwork = ArtworkId::generate();
            work.owner = artist().wallet();
            work.registered_at = kNow;
            work.registration = jws;
            const auto fresh = (*transaction)->give_out(work.artwork);
            SAT_ASSERT(fresh && *fresh && (*transaction)->add_work(work, words_of(body)).has_value());
        }
        SAT_ASSERT((*transaction)->commit().has_value());
    }
    WorkQuery query;
    query.limit = 50;
    for (auto _ : state) {
        const auto reader = (*catalog)->read();
        SAT_ASSERT(reader && (*reader)->works(query)->size() == 50);
    }
}
BENCHMARK(catalogue_page);

}  // namespace

}  // namespace sat

BENCHMARK_MAIN();
