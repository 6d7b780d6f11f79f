// Certificates: a sound one, and every way to change, drop, double, swap or borrow a part of it.
// SPDX-License-Identifier: Apache-2.0
#include "ledger/certificate.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "unit/ledger/ledger_scene.h"

namespace sat {
namespace {

// RFC 6962, 2.1 and 2.1.1, as they are defined and not as anybody would compute them.
Digest naive_root(std::span<const LeafHash> leaves) {
    if (leaves.empty()) return sha256(ByteView{});
    if (leaves.size() == 1) return leaves.front();
    std::size_t k = 1;
    while (2 * k < leaves.size()) k *= 2;
    const std::byte prefix{1};
    return sha256({ByteView(&prefix, 1), naive_root(leaves.first(k)).view(), naive_root(leaves.subspan(k)).view()});
}
MerkleProof naive_path(std::size_t index, std::span<const LeafHash> leaves) {
    if (leaves.size() == 1) return {};
    std::size_t k = 1;
    while (2 * k < leaves.size()) k *= 2;
    const bool left = index < k;
    MerkleProof path = left ? naive_path(index, leaves.first(k)) : naive_path(index - k, leaves.subspan(k));
    path.push_back(naive_root(left ? leaves.subspan(k) : leaves.first(k)));
    return path;
}

std::string chain_of(const Wallet& wallet, Certificate::Chain& out) {
    for (const char* name : {"alice", "bob", "carol"})
        if (person(name).wallet() == wallet) out = person(name).chain.texts();
    return wallet.hex();
}

// A vault's whole ledger, with the leaves of works and of strangers mixed.
struct WholeLedger {
    std::vector<LeafHash> leaves;

    TreeHead head() const { return {leaves.size(), naive_root(leaves)}; }
    void strangers(int count) {
        for (int i = 0; i < count; ++i) leaves.push_back(named("stranger " + std::to_string(leaves.size())));
    }
    // The last leaf of `work`.
    void take(const Ledger& work) { leaves.push_back(leaf_hash(work.leaves.back())); }

    Certificate certify(
        const Ledger& work, const std::vector<std::string>& witnesses = {},
        const std::function<void(Head&)>& lie = [](Head&) {}) const {
        Certificate out;
        out.vault = vault_party().chain.texts();
        std::map<std::string, Certificate::Chain> signers;
        const auto history = work.verify();
        for (const OwnershipRecord& record : history->records) {
            Certificate::Chain chain;
            const std::string wallet = chain_of(record.owner, chain);
            signers[wallet] = chain;
        }
        for (auto& [wallet, chain] : signers) out.identities.push_back(chain);
        for (const std::string& entry : work.leaves) {
            const auto at = std::find(leaves.begin(), leaves.end(), leaf_hash(entry));
            const auto index = static_cast<std::size_t>(at - leaves.begin());
            out.leaves.push_back({entry, index, naive_path(index, leaves)});
        }
        auto head_body = said_by_vault<Head>();
        head_body.artwork = work.artwork;
        head_body.head = work.head;
        head_body.seq = work.seq;
        head_body.owner = work.owner->wallet();
        head_body.leaves = work.leaves.size();
        head_body.tree = head();
        lie(head_body);
        out.head = sign(head_body, vault_party().log);
        out.checkpoint = sign_checkpoint(vault_party().wallet(), head(), vault_party().log);
        for (const std::string& name : witnesses) {
            const LogKey& key = test_log_key(name);
            out.checkpoint = cosign_note(out.checkpoint, name, key, kSceneTime + 7).value();
            out.witnesses.push_back(encode_vkey(name, key.public_key(), VkeyType::cosignature));
        }
        return out;
    }
};

// A work that went from alice to bob, among others.
struct Scene {
    WholeLedger ledger;
    Ledger work = registered();
    Ledger other = registered();

    Scene() {
        ledger.strangers(2);
        ledger.take(work);
        ledger.take(other);
        work.transfer(person("bob"));
        ledger.take(work);
        other.transfer(person("bob"));
        ledger.take(other);
        ledger.strangers(1);
    }
};

// "sound", or what is wrong.
std::string verdict(std::string_view text) {
    const auto certificate = Certificate::parse(text);
    if (!certificate) return certificate.error().message;
    const auto verified = verify_certificate(*certificate);
    return verified ? "sound" : verified.error().message;
}
std::string verdict(const Certificate& certificate) { return verdict(certificate.encode()); }

TEST(Certificate, ProvesTheOwnerAtItsCheckpoint) {
    Scene scene;
    const Certificate certificate = scene.ledger.certify(scene.work, {"w1", "w2"});
    const std::string text = certificate.encode();
    const auto parsed = Certificate::parse(text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, certificate);
    const auto proved = verify_certificate(*parsed);
    ASSERT_TRUE(proved) << proved.error().message;
    EXPECT_EQ(proved->vault.wallet(), vault_party().wallet());
    EXPECT_EQ(proved->history.owner(), person("bob").wallet());
    EXPECT_EQ(proved->history.records.size(), 2U);
    EXPECT_EQ(proved->history.registration.body.artwork, scene.work.artwork);
    EXPECT_EQ(proved->tree, scene.ledger.head());
    EXPECT_EQ(proved->at, kSceneTime);
    EXPECT_EQ(proved->signers.size(), 2U);
    ASSERT_EQ(proved->witnesses.size(), 2U);
    EXPECT_EQ(proved->witnesses[1].key.name, "w2");
    EXPECT_EQ(proved->witnesses[1].at, kSceneTime + 7);
}

TEST(Certificate, OfARegistrationAloneInALedgerOfOneLeafVerifies) {
    WholeLedger ledger;
    Ledger work = registered();
    ledger.take(work);
    EXPECT_EQ(verdict(ledger.certify(work)), "sound");
}

TEST(Certificate, OfAHeldWorkWithoutWitnessesVerifies) {
    Scene scene;
    scene.work.hold_or_release<Hold>();
    scene.ledger.take(scene.work);
    EXPECT_EQ(verdict(scene.ledger.certify(scene.work)), "sound");
}

TEST(Certificate, RefusesEverySingleByteChange) {
    Scene scene;
    const std::string text = scene.ledger.certify(scene.work, {"w1"}).encode();
    ASSERT_EQ(verdict(text), "sound");
    // Each byte one way, and which way goes round: a bit that no other position changes is changed by its neighbours.
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string wrong = text;
        wrong[at] = static_cast<char>(static_cast<unsigned char>(wrong[at]) ^ (1U << (at % 7)));
        ASSERT_NE(verdict(wrong), "sound") << at;
    }
}

TEST(Certificate, RefusesEveryTruncationAndAnythingBehind) {
    Scene scene;
    const std::string text = scene.ledger.certify(scene.work, {"w1"}).encode();
    for (std::size_t size = 0; size < text.size(); size += size + 100 < text.size() ? 37U : 1U)
        ASSERT_NE(verdict(text.substr(0, size)), "sound") << size;
    for (const char* more : {" ", "\n", "x", "{}"}) EXPECT_NE(verdict(text + more), "sound");
    EXPECT_NE(verdict(" " + text), "sound");
    EXPECT_NE(verdict("\xEF\xBB\xBF" + text), "sound");
    EXPECT_NE(verdict(text + text), "sound");
}

// Calls `use` with each text that comes of dropping, doubling or swapping one thing somewhere in `whole`, whose part
// `part` is.
void for_each_reshaping(Json& whole, Json& part, const std::function<void(const std::string&, const std::string&)>& use,
                        const std::string& path = "") {
    const Json before = part;
    const auto tried = [&](const char* what, std::size_t at) {
        use(whole.dump(), path + " " + what + " " + std::to_string(at));
        part = before;
    };
    if (part.is_array()) {
        for (std::size_t i = 0; i < before.size(); ++i) {
            part.erase(i);
            tried("dropped", i);
            part.insert(part.begin() + static_cast<std::ptrdiff_t>(i), before[i]);
            tried("doubled", i);
            part.push_back(before[i]);
            tried("doubled at the end", i);
            for (std::size_t j = i + 1; j < before.size(); ++j) {
                std::swap(part[i], part[j]);
                tried("swapped", i);
            }
        }
        part = Json::array();
        tried("emptied", 0);
    }
    if (part.is_object()) {
        std::vector<std::string> names;
        for (const auto& [name, value] : before.items()) names.push_back(name);
        for (std::size_t i = 0; i < names.size(); ++i) {
            part.erase(names[i]);
            tried("dropped", i);
            part.erase(names[i]);
            part[names[i]] = before[names[i]];
            tried("moved to the end", i);
            part[names[i]] = nullptr;
            tried("made null", i);
            for (std::size_t j = i + 1; j < names.size(); ++j) {
                std::swap(part[names[i]], part[names[j]]);
                tried("values swapped", i);
            }
        }
        part["more"] = 1;
        tried("a foreign member", 0);
    }
    if (part.is_array())
        for (std::size_t i = 0; i < before.size(); ++i)
            for_each_reshaping(whole, part[i], use, path + "/" + std::to_string(i));
    if (part.is_object())
        for (const auto& [name, value] : before.items()) for_each_reshaping(whole, part[name], use, path + "/" + name);
}

TEST(Certificate, RefusesEveryPartDroppedDoubledOrSwapped) {
    Scene scene;
    const std::string text = scene.ledger.certify(scene.work, {"w1", "w2"}).encode();
    Json json = parse_json(text).value();
    std::size_t tried = 0;
    for_each_reshaping(json, json, [&](const std::string& wrong, const std::string& what) {
        if (wrong == text) return;
        ++tried;
        EXPECT_NE(verdict(wrong), "sound") << what;
    });
    EXPECT_GT(tried, 100U);
}

TEST(Certificate, RefusesEveryPartThatStandsTwiceUnderItsName) {
    Scene scene;
    const std::string text = scene.ledger.certify(scene.work, {"w1"}).encode();
    const Json json = parse_json(text).value();
    for (const auto& [name, value] : json.items()) {
        const std::string again = "\"" + name + "\":" + value.dump();
        EXPECT_NE(verdict(text.substr(0, text.size() - 1) + "," + again + "}"), "sound") << name;
        EXPECT_NE(verdict("{" + again + "," + text.substr(1)), "sound") << name;
    }
}

// Puts each part of `foreign` into the place of the like part of `mine`, on every level, one at a time.
void for_each_borrowing(Json& whole, Json& mine, const Json& foreign,
                        const std::function<void(const std::string&, const std::string&)>& use,
                        const std::string& path = "") {
    const Json before = mine;
    mine = foreign;
    use(whole.dump(), path);
    mine = before;
    if (mine.is_object())
        for (const auto& [name, value] : before.items())
            for_each_borrowing(whole, mine[name], foreign[name], use, path + "/" + name);
    if (mine.is_array())
        for (std::size_t i = 0; i < before.size(); ++i)
            for (std::size_t j = 0; j < foreign.size(); ++j)
                for_each_borrowing(whole, mine[i], foreign[j], use, path + "/" + std::to_string(i));
}

TEST(Certificate, RefusesEveryForeignPart) {
    Scene scene;
    const std::string text = scene.ledger.certify(scene.work, {"w1", "w2"}).encode();
    std::vector<std::string> foreigners;
    foreigners.push_back(
        scene.ledger.certify(scene.other, {"w1", "w2"}).encode());  // another work, the same checkpoint
    Certificate witnessed = scene.ledger.certify(scene.work, {"w1", "w3"});
    witnessed.head = Certificate::parse(text)->head;  // what the vault said twice about one checkpoint is no forgery
    foreigners.push_back(witnessed.encode());         // another witness
    scene.ledger.strangers(3);
    foreigners.push_back(scene.ledger.certify(scene.work, {"w1", "w2"}).encode());  // a later checkpoint
    scene.work.transfer(person("carol"));
    scene.ledger.take(scene.work);
    foreigners.push_back(scene.ledger.certify(scene.work, {"w1", "w2"}).encode());  // a later owner
    for (std::size_t which = 0; which < foreigners.size(); ++which) {
        ASSERT_EQ(verdict(foreigners[which]), "sound");
        Json json = parse_json(text).value();
        const Json foreign = parse_json(foreigners[which]).value();
        std::size_t tried = 0;
        for_each_borrowing(json, json, foreign, [&](const std::string& wrong, const std::string& what) {
            if (wrong == text || wrong == foreigners[which]) return;
            ++tried;
            EXPECT_NE(verdict(wrong), "sound") << which << what;
        });
        EXPECT_GT(tried, 10U);
    }
}

TEST(Certificate, SaysWhichPartDoesNotHold) {
    Scene scene;
    const WholeLedger& ledger = scene.ledger;
    const Certificate good = ledger.certify(scene.work, {"w1"});
    ASSERT_EQ(verdict(good), "sound");
    const auto with = [&](const std::function<void(Certificate&)>& change) {
        Certificate wrong = good;
        change(wrong);
        return verdict(wrong);
    };
    const auto headed = [&](const std::function<void(Head&)>& lie) {
        return verdict(ledger.certify(scene.work, {}, lie));
    };

    EXPECT_EQ(with([](Certificate& c) { c.vault = person("alice").chain.texts(); }),
              "the vault's identity: it is not a vault's");
    EXPECT_EQ(with([](Certificate& c) { c.vault.clear(); }),
              "the vault's identity: an identity chain has one to four documents");
    EXPECT_EQ(with([&](Certificate& c) {
                  c.checkpoint = sign_checkpoint(vault_party().wallet(), ledger.head(), test_log_key("other"));
                  c.witnesses.clear();
              }),
              "the checkpoint: the vault's signature of its checkpoint is missing or wrong");
    EXPECT_EQ(with([](Certificate& c) { c.witnesses.clear(); }),
              "the witnesses: there are more or fewer of them than signatures of the checkpoint");
    EXPECT_EQ(with([](Certificate& c) {
                  c.witnesses[0] = encode_vkey("w2", test_log_key("w2").public_key(), VkeyType::cosignature);
              }),
              "the witnesses: a witness's signature of the checkpoint is missing or wrong");
    EXPECT_TRUE(with([](Certificate& c) { c.leaves[0].proof[0] = named("x"); }).starts_with("the ledger's proof: "));
    EXPECT_TRUE(with([](Certificate& c) { ++c.leaves[1].index; }).starts_with("the ledger's proof: "));
    EXPECT_EQ(with([](Certificate& c) { std::swap(c.leaves[0], c.leaves[1]); }),
              "the ledger's proof: the leaves do not stand in the ledger's order");
    EXPECT_EQ(with([](Certificate& c) { std::swap(c.identities[0], c.identities[1]); }),
              "the identities: they are not sorted, or one stands there twice");
    EXPECT_EQ(with([](Certificate& c) { c.identities.pop_back(); }),
              "the history: the identity of a signer is missing");
    EXPECT_EQ(with([](Certificate& c) {
                  std::map<Wallet, Certificate::Chain> sorted;
                  for (const char* name : {"alice", "bob", "carol"})
                      sorted[person(name).wallet()] = person(name).chain.texts();
                  c.identities.clear();
                  for (const auto& [wallet, chain] : sorted) c.identities.push_back(chain);
              }),
              "the history: an identity is given of somebody who did not sign");
    EXPECT_EQ(with([](Certificate& c) { c.leaves.clear(); }), "the history: there is none");
    EXPECT_EQ(with([](Certificate& c) { c.leaves.erase(c.leaves.begin()); }),
              "the history: the history does not begin with a registration");
    EXPECT_EQ(
        with([](Certificate& c) {
            c.leaves.pop_back();
            c.identities.erase(c.identities.begin() + (person("bob").wallet() < person("alice").wallet() ? 0 : 1));
        }),
        "the vault's word on the owner: it counts another number of leaves");
    EXPECT_EQ(with([](Certificate& c) { c.head = person("alice").chain.texts().front(); }),
              "the vault's word on the owner: a statement of another type");
    EXPECT_EQ(headed([](Head& head) { head.artwork = ArtworkId::generate(); }),
              "the vault's word on the owner: it is about another work");
    EXPECT_EQ(headed([](Head& head) { head.owner = person("alice").wallet(); }),
              "the vault's word on the owner: it names another owner than the history");
    EXPECT_EQ(headed([](Head& head) { ++head.seq; }),
              "the vault's word on the owner: it names another owner than the history");
    EXPECT_EQ(headed([](Head& head) { head.head = named("x"); }),
              "the vault's word on the owner: it names another owner than the history");
    EXPECT_EQ(headed([](Head& head) { ++head.leaves; }),
              "the vault's word on the owner: it counts another number of leaves");
    EXPECT_EQ(headed([](Head& head) { ++head.tree.size; }),
              "the vault's word on the owner: it is about another checkpoint");
    EXPECT_EQ(headed([](Head& head) { head.tree.root = named("x"); }),
              "the vault's word on the owner: it is about another checkpoint");
}

TEST(Certificate, IsWrittenInOneFormOnly) {
    Scene scene;
    const std::string text = scene.ledger.certify(scene.work).encode();
    EXPECT_EQ(verdict("{ " + text.substr(1)), "not a certificate: it is not written in the one form that there is");
    std::string escaped = text;
    escaped.replace(escaped.find("sat-leaf/1"), 1, "\\u0073");
    EXPECT_EQ(verdict(escaped), "not a certificate: it is not written in the one form that there is");
    EXPECT_EQ(verdict(""), "not a certificate: it is not JSON as the protocol takes it");
    EXPECT_EQ(verdict(std::string(kMaxCertificate + 1, ' ')), "not a certificate: it is too long");
    EXPECT_TRUE(verdict("[]").starts_with("not a certificate: "));
    EXPECT_TRUE(verdict("{\"v\":2}").starts_with("not a certificate: "));
}

TEST(Certificate, HasOnlySoManyPartsAndNoEmptyOne) {
    Scene scene;
    const Certificate good = scene.ledger.certify(scene.work);
    const std::string too_many = "not a certificate: it has too many parts";
    const std::size_t parts = [&] {
        std::size_t sum = good.vault.size() + good.identities.size() + good.leaves.size();
        for (const auto& chain : good.identities) sum += chain.size();
        for (const auto& leaf : good.leaves) sum += leaf.proof.size();
        return sum;
    }();
    // Each further identity is two parts: itself and its document.
    Certificate full = good;
    full.identities.resize(full.identities.size() + (kMaxCertificateParts - parts) / 2, {"x"});
    if ((kMaxCertificateParts - parts) % 2 != 0) full.identities.back().emplace_back("x");
    EXPECT_TRUE(Certificate::parse(full.encode()));
    full.identities.back().emplace_back("x");
    EXPECT_EQ(verdict(full), too_many);
    EXPECT_EQ(verify_certificate(full).error().message, too_many);

    // Refused before they are read into memory: as long as a certificate may be, of the smallest parts.
    for (const std::string part : {"[],", "{},", "0,", "[[", R"("","\"[",)", R"({"":0},)"}) {
        std::string text = R"({"v":1,"vault":[],"identities":[)";
        while (text.size() + part.size() <= kMaxCertificate) text += part;
        EXPECT_EQ(verdict(text), too_many) << part;
    }
    const auto with = [&](const std::function<void(Certificate&)>& change) {
        Certificate wrong = good;
        change(wrong);
        return verdict(wrong);
    };
    EXPECT_EQ(with([](Certificate& c) { c.identities.emplace_back(); }),
              "not a certificate: an identity is no array of one to four documents");
    EXPECT_EQ(with([](Certificate& c) { c.identities[0][0].clear(); }), "not a certificate: a text is missing");
    EXPECT_EQ(with([](Certificate& c) { c.vault[0].clear(); }), "not a certificate: a text is missing");
    EXPECT_EQ(with([](Certificate& c) { c.leaves[0].entry.clear(); }), "not a certificate: entry: missing");
}

// What `verify` shows of the witnesses rests on it: see the protocol.
TEST(Certificate, CosignaturesCanBeAddedAndTakenOutByAnybody) {
    Scene scene;
    Certificate certificate = scene.ledger.certify(scene.work, {"w1"});
    const std::string plain = sign_checkpoint(vault_party().wallet(), scene.ledger.head(), vault_party().log);
    const LogKey& stranger = test_log_key("stranger");
    certificate.checkpoint = cosign_note(plain, "w1", stranger, kSceneTime).value();
    certificate.witnesses = {encode_vkey("w1", stranger.public_key(), VkeyType::cosignature)};
    const auto proved = verify_certificate(certificate);
    ASSERT_TRUE(proved) << proved.error().message;
    ASSERT_EQ(proved->witnesses.size(), 1U);
    EXPECT_EQ(proved->witnesses[0].key.key.raw(), stranger.public_key().raw()) << "the name alone is nobody's";
    certificate.checkpoint = plain;
    certificate.witnesses.clear();
    EXPECT_EQ(verdict(certificate), "sound");
}

}  // namespace
}  // namespace sat
