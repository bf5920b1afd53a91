// The largest record that each side takes, in both versions (RFC 8449).
#include "support/connections.h"
#include "support/record_access.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Buffer;
using dtls::Bytes;
using dtls::Errc;

// The records of a datagram, of either header.
std::vector<Bytes> records_in(Bytes datagram) {
  std::vector<Bytes> records;
  while (!datagram.empty()) {
    const bool unified = std::to_integer<unsigned>(datagram[0]) >> 5 == 1;
    const std::size_t header = unified ? 5 : 13;
    const std::size_t length = std::to_integer<std::size_t>(datagram[header - 2]) << 8 |
                               std::to_integer<std::size_t>(datagram[header - 1]);
    records.push_back(datagram.first(header + length));
    datagram = datagram.subspan(header + length);
  }
  return records;
}

class Rfc8449 : public ByVersion {
 protected:
  static dtls::ConfigOptions limited(std::optional<std::size_t> limit) {
    dtls::ConfigOptions limited = options();
    limited.record_size_limit = limit;
    return limited;
  }
  // What a limit leaves to contents: DTLS 1.3 counts their type.
  static std::size_t contents(std::size_t limit) { return limit - (is13() ? 1 : 0); }
  // A record that the engine wouldn't send.
  static Buffer forced(Peer& from, Bytes data, dtls::ContentType type) {
    auto& records = records_of(from.connection());
    Buffer out(data.size() + dtls::kSealOverhead);
    out.resize(records.seal(records.write_epoch(), type, data, out).value_or(0));
    return out;
  }
};

TEST_P(Rfc8449, EachSideKeepsToTheOthers) {
  Pair pair(limited(200), limited(64));
  pair.run();
  ASSERT_TRUE(works(pair));
  for (const auto& [from, to, limit] : {std::tuple{&pair.client, &pair.server, 64U},
                                        std::tuple{&pair.server, &pair.client, 200U}}) {
    const std::size_t most = contents(limit);
    EXPECT_EQ(from->connected->max_application_data, most);
    Buffer out(1000);
    const auto above = from->connection().seal(counted(most + 1), out);
    ASSERT_FALSE(above);
    EXPECT_EQ(above.error(), dtls::SendError::too_large);
    to->receive(from->seal(counted(most)), {});
    EXPECT_EQ(to->data.back(), counted(most));
  }
}

// Certificates are cut to fit, and no protected record is larger.
TEST_P(Rfc8449, HandshakeMessagesKeepToItToo) {
  Pair pair(limited(64), limited(80));
  std::size_t protected_records = 0;
  for (int i = 0; i < 20; ++i) {
    for (const bool from_client : {true, false}) {
      Peer& from = from_client ? pair.client : pair.server;
      for (auto& datagram : from.take_datagrams()) {
        for (const Bytes record : records_in(datagram)) {
          const bool unified = std::to_integer<unsigned>(record[0]) >> 5 == 1;
          const bool encrypted12 = !unified && record[4] != std::byte{0};
          if (!unified && !encrypted12) continue;
          ++protected_records;
          const std::size_t around = unified ? 5 + 16 : 13 + 8 + 16;
          EXPECT_LE(record.size(), around + (from_client ? 80 : 64));
        }
        (from_client ? pair.server : pair.client).receive(std::move(datagram), {});
      }
    }
  }
  EXPECT_TRUE(works(pair));
  EXPECT_GE(protected_records, is13() ? 10U : 2U);
}

// Section 4: servers SHOULD say it, and a client that doesn't is not told.
TEST_P(Rfc8449, AServerAnswersWhoeverAsks) {
  Pair pair(limited(100), limited({}));
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->max_application_data, dtls::kMaxApplicationData);
  EXPECT_EQ(pair.server.connected->max_application_data, contents(100));
  auto& records = records_of(pair.client.connection());
  EXPECT_EQ(records.max_received(records.write_epoch()), contents(100)) << "so it has answered";

  Pair silent(limited({}), limited(100));
  silent.run();
  ASSERT_TRUE(works(silent));
  EXPECT_EQ(silent.client.connected->max_application_data, dtls::kMaxApplicationData);
  EXPECT_EQ(silent.server.connected->max_application_data, dtls::kMaxApplicationData);
}

TEST_P(Rfc8449, TheLargestLimitIsNoLimit) {
  Pair pair(limited(dtls::kMaximumRecordSizeLimit), limited(dtls::kMaximumRecordSizeLimit));
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->max_application_data, dtls::kMaxApplicationData);
  EXPECT_EQ(pair.server.connected->max_application_data, dtls::kMaxApplicationData);
}

// One of the two answers that section 4 allows: the record is authentic, so the peer is at fault.
TEST_P(Rfc8449, ARecordAboveOurOwnIsFatal) {
  for (const std::size_t above : {0U, 1U}) {
    Pair pair(limited(300), limited(100));
    pair.run();
    ASSERT_TRUE(works(pair));
    pair.server.receive(
        forced(pair.client, counted(contents(100) + above), dtls::ContentType::application_data),
        {});
    if (above == 0) {
      EXPECT_EQ(pair.server.data.back().size(), contents(100));
    } else {
      EXPECT_TRUE(failed(pair.server, Errc::decode_error, Alert::record_overflow, pair.client));
    }
  }
}

// "The complete length of TLSInnerPlaintext".
TEST_P(Rfc8449, PaddingCounts) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 has none";
  for (const std::size_t above : {0U, 1U}) {
    Pair pair(limited(300), limited(100));
    pair.run();
    ASSERT_TRUE(works(pair));
    // Contents, their type, and zeros but for the last, which sealing adds as the type.
    Buffer inner = buffer_of("data");
    inner.push_back(static_cast<std::byte>(dtls::ContentType::application_data));
    inner.resize(99 + above);
    pair.server.receive(forced(pair.client, inner, dtls::ContentType{0}), {});
    EXPECT_EQ(pair.server.error.has_value(), above != 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, Rfc8449, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
