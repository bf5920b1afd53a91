// Key expansion and records from fixed traffic secrets.
#include <gtest/gtest.h>

#include "kat/dtls13/vectors.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
namespace record = dtls::record;
namespace schedule = dtls::schedule;
namespace wire = dtls::wire;

class Dtls13Kat : public testing::TestWithParam<std::size_t> {
 protected:
  const nlohmann::json vectors_ = load_vectors("dtls13_kat.json").at(GetParam());
  const Suite13 suite_ = suite13(
      static_cast<unsigned>(std::stoul(vectors_.at("suite").get<std::string>(), nullptr, 16)));
  const Buffer secret_ = hex("traffic_secret");

  Buffer hex(const char* field) const { return from_hex(vectors_.at(field).get<std::string>()); }
  static Buffer copy(dtls::Bytes bytes) { return {bytes.begin(), bytes.end()}; }
};

TEST_P(Dtls13Kat, ExpandsTheTrafficSecret) {
  const auto keys = keys_of(suite_, secret_);
  EXPECT_EQ(copy(keys.key.bytes()), hex("expand_key"));
  EXPECT_EQ(copy(keys.iv.bytes()), hex("expand_iv"));
  EXPECT_EQ(copy(keys.sn_key.bytes()), hex("expand_sn"));

  auto& library = environment().library();
  const schedule::HashSecret traffic(secret_);
  const auto finished =
      must(schedule::derive_secret(library, suite_.hash, secret_, "finished", {}));
  EXPECT_EQ(copy(finished.bytes()), hex("expand_finished"));
  const auto next = must(schedule::next_traffic_secret(library, suite_.hash, traffic));
  EXPECT_EQ(copy(next.bytes()), hex("expand_traffic upd"));
}

TEST_P(Dtls13Kat, OpensEveryRecord) {
  const auto keys = keys_of(suite_, secret_);
  auto opener = must(record::Opener13::make(environment().library(), protection(suite_, keys)));
  ASSERT_EQ(vectors_.at("records").size(), 6U);
  for (const auto& entry : vectors_.at("records")) {
    Buffer bytes = from_hex(entry.at("record").get<std::string>());
    const auto header = record::Header13::decode(bytes);
    ASSERT_TRUE(header);
    EXPECT_TRUE(header->matches(wire::Epoch{entry.at("epoch").get<std::uint64_t>()}));
    EXPECT_EQ(header->sequence_size * 8, entry.at("seq_bits").get<std::size_t>());
    const auto sequence = entry.at("seq").get<std::uint64_t>();
    // A receiver that has seen the records before this one.
    const auto revealed = opener.reveal_sequence(*header, bytes, sequence);
    ASSERT_TRUE(revealed);
    EXPECT_EQ(wire::value_of(*revealed), sequence);
    const auto opened = opener.open(*header, bytes, *revealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(wire::value_of(opened->type), entry.at("type").get<unsigned>());
    EXPECT_EQ(copy(opened->contents), from_hex(entry.at("plaintext").get<std::string>()));
  }
}

// Those in the form that this engine writes: 16 bits, with a length, without padding.
TEST_P(Dtls13Kat, SealsTheSameBytes) {
  const auto keys = keys_of(suite_, secret_);
  auto sealer = must(record::Sealer13::make(environment().library(), protection(suite_, keys)));
  int compared = 0;
  for (const auto& entry : vectors_.at("records")) {
    if (entry.at("seq_bits") != 16 || !entry.at("has_length") || entry.at("padding") != 0) continue;
    const Buffer plaintext = from_hex(entry.at("plaintext").get<std::string>());
    Buffer out(plaintext.size() + 64);
    const auto size =
        sealer.seal({.type = wire::ContentType{entry.at("type").get<std::uint8_t>()},
                     .epoch = wire::Epoch{entry.at("epoch").get<std::uint64_t>()},
                     .sequence = wire::SequenceNumber{entry.at("seq").get<std::uint64_t>()}},
                    plaintext, out);
    ASSERT_TRUE(size);
    out.resize(*size);
    EXPECT_EQ(to_hex(out), entry.at("record").get<std::string>());
    ++compared;
  }
  EXPECT_EQ(compared, 3);
}

INSTANTIATE_TEST_SUITE_P(Suites, Dtls13Kat, testing::Range<std::size_t>(0, 3));

// RFC 9147 section 4.2.2: the number nearest to the one expected.
TEST(ReconstructSequence, TakesTheNearest) {
  using record::reconstruct_sequence;
  EXPECT_EQ(reconstruct_sequence(0, 0, 1), 0U);
  EXPECT_EQ(reconstruct_sequence(0, 255, 1), 255U);  // there is nothing below 0
  EXPECT_EQ(reconstruct_sequence(256, 255, 1), 255U);
  EXPECT_EQ(reconstruct_sequence(255, 0, 1), 256U);
  EXPECT_EQ(reconstruct_sequence(1000, 0xe8, 1), 1000U);
  EXPECT_EQ(reconstruct_sequence(65535, 0, 2), 65536U);
  EXPECT_EQ(reconstruct_sequence(65536, 65535, 2), 65535U);
  EXPECT_EQ(reconstruct_sequence((std::uint64_t{1} << 48) - 1, 0xffff, 2),
            (std::uint64_t{1} << 48) - 1);
}

}  // namespace
}  // namespace sluice::test
