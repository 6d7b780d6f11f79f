// The I-JSON reader and the member reader.
// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "support/vectors.h"

namespace sat {
namespace {

Errc refusal(std::string_view text, int depth = kJsonMaxDepth) {
    const auto value = parse_json(text, depth);
    EXPECT_FALSE(value) << text;
    return value ? Errc::internal : value.error().code;
}

TEST(ParseJson, KeepsMembersInTheirOrderAndPrintsThemCompact) {
    const std::string text = R"({"b":1,"a":[true,false,null,"é\n"],"c":{"z":-5,"y":""}})";
    const auto value = parse_json(text);
    ASSERT_TRUE(value);
    EXPECT_EQ(dump_json(*value), text);
    EXPECT_EQ(dump_json(parse_json(" { \"x\" : [ ] } \n").value()), R"({"x":[]})");
}

TEST(ParseJson, RefusesDuplicateNamesHoweverSpelt) {
    EXPECT_EQ(refusal(R"({"a":1,"a":1})"), Errc::malformed);
    EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), Errc::malformed);
    EXPECT_EQ(refusal(R"([{"x":{"a":1,"b":2,"a":3}}])"), Errc::malformed);
    EXPECT_EQ(refusal(R"({"":1,"":2})"), Errc::malformed);
    EXPECT_TRUE(parse_json(R"({"a":{"a":1},"A":[{"a":1},{"a":1}]})"));
}

TEST(ParseJson, RefusesEveryNumberThatIsNotAnInteger) {
    for (const char* text : {"1.0", "0.0", "-0.0", "1e3", "1E0", "0e1", "1.5", "-1e-7", "[1.0]", R"({"a":1e2})"})
        EXPECT_EQ(refusal(text), Errc::malformed) << text;
}

TEST(ParseJson, TakesIntegersUpTo2To53Minus1) {
    EXPECT_EQ(parse_json("9007199254740991").value().get<std::int64_t>(), kJsonMaxInteger);
    EXPECT_EQ(parse_json("-9007199254740991").value().get<std::int64_t>(), -kJsonMaxInteger);
    EXPECT_EQ(parse_json("0").value().get<std::int64_t>(), 0);
    EXPECT_EQ(parse_json("-0").value().get<std::int64_t>(), 0);
    for (const char* text : {"9007199254740992", "-9007199254740992", "9223372036854775807", "-9223372036854775808",
                             "18446744073709551615", "18446744073709551616", "123456789012345678901234567890"})
        EXPECT_EQ(refusal(text), Errc::malformed) << text;
}

TEST(ParseJson, CountsOpenBracketsAsDepth) {
    const auto nested = [](int depth, bool objects) {
        std::string text;
        for (int i = 0; i < depth; ++i) text += objects ? "{\"a\":" : "[";
        text += "1";
        for (int i = 0; i < depth; ++i) text += objects ? "}" : "]";
        return text;
    };
    for (const bool objects : {false, true}) {
        EXPECT_TRUE(parse_json(nested(7, objects)));
        EXPECT_TRUE(parse_json(nested(8, objects)));
        EXPECT_EQ(refusal(nested(9, objects)), Errc::malformed);
        EXPECT_TRUE(parse_json(nested(1, objects), 1));
        EXPECT_EQ(refusal(nested(1, objects), 0), Errc::malformed);
        EXPECT_EQ(refusal(nested(100'000, objects)), Errc::malformed);
    }
    EXPECT_TRUE(parse_json("1", 0));
    EXPECT_TRUE(parse_json("[[],[],[[]]]", 3));
}

TEST(ParseJson, RefusesTextThatIsNotUtf8) {
    for (const char* text : {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"",
                             R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", R"("\ud800x")", "{\"\xff\":1}"})
        EXPECT_EQ(refusal(text), Errc::malformed) << text;
    EXPECT_EQ(parse_json(R"("\ud83d\ude39")").value().get<std::string>(), "\xf0\x9f\x98\xb9");
}

TEST(ParseJson, RefusesNoncharactersAsRfc7493Does) {
    for (const char* text : {R"("\ufdd0")", R"("\ufdef")", R"("\ufffe")", "\"a\xef\xbf\xbf\"", R"("\udbff\udfff")",
                             R"("\ud83f\udffe")", R"({"\uffff":1})"})
        EXPECT_EQ(refusal(text), Errc::malformed) << text;
    for (const char* text : {R"("\ufdcf")", R"("\ufdf0")", R"("\ufffd")", R"("\udbff\udffd")", R"("\ud83f\udffd")"})
        EXPECT_TRUE(parse_json(text)) << text;
}

TEST(ParseJson, RefusesWhatStandsBesideTheValue) {
    for (const char* text : {"",       " ",    "1 2",    "{}x",    "[],", "\xef\xbb\xbf{}", "nul", "{}//c",
                             "/**/{}", "[1,]", "{,}",    "'a'",    "NaN", "Infinity",       "+1",  "01",
                             "1.",     ".5",   "\"\t\"", "\"\\x\""})
        EXPECT_EQ(refusal(text), Errc::malformed) << text;
    EXPECT_EQ(refusal(std::string_view("{}\0", 3)), Errc::malformed);
    EXPECT_EQ(refusal(std::string_view("1\0x", 3)), Errc::malformed);
    EXPECT_EQ(refusal(std::string_view("\0", 1)), Errc::malformed);
}

TEST(ParseJson, TakesAMessageFullOfMembersWithoutQuadraticTime) {
    std::string text = "{";
    for (int i = 0; i < 100'000; ++i) text += "\"" + std::to_string(i) + "\":0,";
    EXPECT_TRUE(parse_json(text + "\"x\":0}"));
    EXPECT_EQ(refusal(text + "\"77777\":0}"), Errc::malformed);
}

TEST(ParseJson, AgreesWithTheParsingSuite) {
    const std::set<std::string> floats = {
        "y_number.json",
        "y_number_0e+1.json",
        "y_number_0e1.json",
        "y_number_double_close_to_zero.json",
        "y_number_int_with_exp.json",
        "y_number_real_capital_e.json",
        "y_number_real_capital_e_neg_exp.json",
        "y_number_real_capital_e_pos_exp.json",
        "y_number_real_exponent.json",
        "y_number_real_fraction_exponent.json",
        "y_number_real_neg_exp.json",
        "y_number_real_pos_exponent.json",
        "y_number_simple_real.json",
        "y_object_extreme_numbers.json",
        "y_structure_lonely_negative_real.json",
    };
    const std::set<std::string> duplicates = {
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
    };
    const std::set<std::string> noncharacters = {
        "y_string_escaped_noncharacter.json",         "y_string_last_surrogates_1_and_2.json",
        "y_string_nonCharacterInUTF-8_U+10FFFF.json", "y_string_nonCharacterInUTF-8_U+FFFF.json",
        "y_string_unicode_U+10FFFE_nonchar.json",     "y_string_unicode_U+1FFFE_nonchar.json",
        "y_string_unicode_U+FDD0_nonchar.json",       "y_string_unicode_U+FFFE_nonchar.json",
    };
    const Path directory = vectors_dir() / "json";
    if (!std::filesystem::is_directory(directory)) {
        say_not_run("no vectors at " + directory.string());
        return;
    }
    int accepted = 0;
    int refused = 0;
    int refused_by_profile = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with(".json")) continue;
        const auto text = read_file(entry.path(), 1 << 20);
        ASSERT_TRUE(text) << name;
        const auto value = parse_json(as_text(*text));
        if (name.starts_with("n_")) {
            EXPECT_FALSE(value) << name;
            ++refused;
        } else if (floats.contains(name) || duplicates.contains(name) || noncharacters.contains(name)) {
            EXPECT_FALSE(value) << name;
            ++refused_by_profile;
        } else if (name.starts_with("y_")) {
            EXPECT_TRUE(value) << name;
            ++accepted;
        }
        // Whatever was taken, the undecided i_ too, comes back from its own print.
        if (value) {
            const auto again = parse_json(dump_json(*value));
            ASSERT_TRUE(again) << name;
            EXPECT_EQ(*again, *value) << name;
        }
    }
    EXPECT_GT(accepted, 0);
    EXPECT_GT(refused, 0);
    EXPECT_GT(refused_by_profile, 0);
}

TEST(DumpJson, WritesEveryStringAsTheLibraryDoes) {
    std::vector<std::string> marks = {"\"", "\\", "\x7f", "\u00e9", "\U0001f5bc"};
    for (char control = 0; control < 0x20; ++control) marks.emplace_back(1, control);
    // Words of eight bytes are looked at at once: a mark at every place of them, with and without a rest behind.
    for (std::size_t size = 0; size < 20; ++size) {
        const std::string plain(size, 'a');
        EXPECT_EQ(dump_json(plain), Json(plain).dump());
        for (std::size_t at = 0; at <= size; ++at) {
            for (const std::string& mark : marks) {
                const std::string text = plain.substr(0, at) + mark + plain.substr(at);
                ASSERT_EQ(dump_json(text), Json(text).dump());
                ASSERT_EQ(dump_json(Json{{text, mark + text}}), (Json{{text, mark + text}}.dump()));
            }
        }
    }
}

TEST(DumpJson, WritesEveryKindAsTheLibraryDoes) {
    const Json value{{"none", nullptr},
                     {"yes", true},
                     {"no", false},
                     {"small", -kJsonMaxInteger},
                     {"large", std::uint64_t{1} << 53},
                     {"empty", Json::array()},
                     {"nothing", Json::object()},
                     {"deep", {1, {2, {{"three", {}}}}, "four"}}};
    EXPECT_EQ(dump_json(value), value.dump());
}

TEST(DumpJsonDeathTest, AssertsValidUtf8) {
    EXPECT_DEATH(dump_json("\xff"), "assertion failed");
    EXPECT_DEATH(dump_json("eight bytes and \xc3"), "assertion failed");
}

const std::string kDigest(64, 'a');

TEST(ObjectReader, ReadsEveryKind) {
    const Json json = parse_json(R"({"t":"äb","n":null,"i":-7,"b":true,"d":")" + kDigest +
                                 R"(","x":"AQID","v":{"k":1},"a":[1,2],"tn":"t","in":3,"dn":null,"xn":"AA"})")
                          .value();
    ObjectReader in(json, Errc::bad_statement);
    EXPECT_EQ(in.text("t", 2), "äb");
    EXPECT_EQ(in.text_or_null("n", 2), std::nullopt);
    EXPECT_EQ(in.integer("i", -7, -7), -7);
    EXPECT_TRUE(in.boolean("b"));
    EXPECT_EQ(in.digest("d").hex(), kDigest);
    EXPECT_EQ(to_hex(in.bytes("x", 3, 3)), "010203");
    EXPECT_EQ(in.value("v").dump(), R"({"k":1})");
    EXPECT_EQ(in.array("a", 2).size(), 2U);
    EXPECT_EQ(in.text_or_null("tn", 1), "t");
    EXPECT_EQ(in.integer_or_null("in", 0, 3), 3);
    EXPECT_EQ(in.digest_or_null("dn"), std::nullopt);
    EXPECT_EQ(in.bytes_or_null("xn", 1, 1), Bytes{std::byte{0}});
    EXPECT_TRUE(in.finish());
}

TEST(ObjectReader, RefusesAnythingButAnObject) {
    for (const char* text : {"1", "null", "[]", "\"a\""}) {
        const Json json = parse_json(text).value();
        ObjectReader in(json, Errc::bad_request);
        EXPECT_FALSE(in.ok());
        EXPECT_EQ(in.text("a", 1), "");
        EXPECT_TRUE(in.value("a").is_null());
        EXPECT_TRUE(in.array("a", 1).empty());
        EXPECT_EQ(in.finish().error().code, Errc::bad_request);
    }
}

struct Wrong {
    const char* json;
    void (*read)(ObjectReader&);
    const char* message;
};

TEST(ObjectReader, NamesTheMemberThatIsWrongAndNothingOfItsContent) {
    const Wrong cases[] = {
        {R"({})", [](ObjectReader& in) { in.text("m", 3); }, "m: missing"},
        {R"({"m":null})", [](ObjectReader& in) { in.text("m", 3); }, "m: missing"},
        {R"({"m":1})", [](ObjectReader& in) { in.text("m", 3); }, "m: not a string"},
        {R"({"m":"aaää"})", [](ObjectReader& in) { in.text("m", 3); }, "m: too long, at most 3 characters"},
        {R"({"m":1})", [](ObjectReader& in) { in.text_or_null("m", 3); }, "m: not a string"},
        {R"({})", [](ObjectReader& in) { in.text_or_null("m", 3); }, "m: missing"},
        {R"({})", [](ObjectReader& in) { in.integer("m", 0, 3); }, "m: missing"},
        {R"({"m":null})", [](ObjectReader& in) { in.integer("m", 0, 3); }, "m: missing"},
        {R"({"m":"1"})", [](ObjectReader& in) { in.integer("m", 0, 3); }, "m: not an integer"},
        {R"({"m":true})", [](ObjectReader& in) { in.integer("m", 0, 3); }, "m: not an integer"},
        {R"({"m":-1})", [](ObjectReader& in) { in.integer("m", 0, 3); }, "m: out of range, from 0 to 3"},
        {R"({"m":4})", [](ObjectReader& in) { in.integer_or_null("m", 0, 3); }, "m: out of range, from 0 to 3"},
        {R"({"m":0})", [](ObjectReader& in) { in.boolean("m"); }, "m: neither true nor false"},
        {R"({})", [](ObjectReader& in) { in.boolean("m"); }, "m: missing"},
        {R"({"m":"AA"})", [](ObjectReader& in) { in.digest("m"); }, "m: not 64 lower-case hex digits"},
        {R"({"m":7})", [](ObjectReader& in) { in.digest_or_null("m"); }, "m: not 64 lower-case hex digits"},
        {R"({"m":null})", [](ObjectReader& in) { in.digest("m"); }, "m: missing"},
        {R"({"m":"AB"})", [](ObjectReader& in) { in.bytes("m", 0, 3); }, "m: not base64url"},
        {R"({"m":"AA="})", [](ObjectReader& in) { in.bytes("m", 0, 3); }, "m: not base64url"},
        {R"({"m":"AA"})", [](ObjectReader& in) { in.bytes("m", 2, 3); }, "m: of the wrong size"},
        {R"({"m":"AAAAAA"})", [](ObjectReader& in) { in.bytes_or_null("m", 2, 3); }, "m: of the wrong size"},
        {R"({"m":null})", [](ObjectReader& in) { in.bytes("m", 0, 3); }, "m: missing"},
        {R"({"m":[]})", [](ObjectReader& in) { in.bytes("m", 0, 3); }, "m: not a string"},
        {R"({"m":{}})", [](ObjectReader& in) { in.array("m", 3); }, "m: not an array"},
        {R"({"m":[1,2,3,4]})", [](ObjectReader& in) { in.array("m", 3); }, "m: too many, at most 3"},
        {R"({})", [](ObjectReader& in) { in.array("m", 3); }, "m: missing"},
        {R"({})", [](ObjectReader& in) { in.value("m"); }, "m: missing"},
        {R"({})", [](ObjectReader& in) { in.value("m", false); }, "m: missing"},
        {R"({"m":1})", [](ObjectReader& in) { in.refuse("m", "odd"); }, "m: odd"},
        {R"({"secret-of-a-peer":1})", [](ObjectReader&) {}, "a member that does not belong here"},
    };
    for (const Wrong& wrong : cases) {
        const Json json = parse_json(wrong.json).value();
        ObjectReader in(json, Errc::bad_statement);
        wrong.read(in);
        const auto finished = in.finish();
        ASSERT_FALSE(finished) << wrong.json;
        EXPECT_EQ(finished.error().code, Errc::bad_statement);
        EXPECT_EQ(finished.error().message, wrong.message) << wrong.json;
    }
}

TEST(ObjectReader, KeepsTheFirstFailure) {
    const Json json = parse_json(R"({"a":1,"b":2})").value();
    ObjectReader in(json, Errc::bad_request);
    in.text("a", 1);
    EXPECT_EQ(in.integer("b", 0, 9), 0);
    EXPECT_EQ(in.finish().error().message, "a: not a string");
}

TEST(ObjectReader, TakesAbsentMembersAsNullOnlyWhenTold) {
    const Json json = Json::object();
    ObjectReader in(json, Errc::bad_request);
    in.allow_absent();
    EXPECT_EQ(in.text_or_null("a", 1), std::nullopt);
    EXPECT_EQ(in.integer_or_null("b", 0, 1), std::nullopt);
    EXPECT_EQ(in.digest_or_null("c"), std::nullopt);
    EXPECT_EQ(in.bytes_or_null("d", 0, 1), std::nullopt);
    EXPECT_TRUE(in.value("e", false).is_null());
    EXPECT_TRUE(in.finish());
    ObjectReader strict(json, Errc::bad_request);
    strict.allow_absent();
    strict.text("a", 1);
    EXPECT_FALSE(strict.ok());
}

TEST(ObjectReader, IgnoresUnknownMembersOnlyWhenTold) {
    const Json json = parse_json(R"({"a":1,"zz":2})").value();
    ObjectReader in(json, Errc::bad_request);
    in.ignore_unknown();
    in.integer("a", 0, 9);
    EXPECT_TRUE(in.finish());
}

}  // namespace
}  // namespace sat
