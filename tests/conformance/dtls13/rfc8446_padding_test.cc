// Padding of what is sent (RFC 8446 section 5.4).
#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::ProtocolVersion;

constexpr std::size_t kHead = 5;
constexpr std::size_t kTag = 16;

dtls::ConfigOptions padding_to(std::size_t multiple) {
  dtls::ConfigOptions options = options_for(ProtocolVersion::dtls13);
  options.record_padding = multiple;
  return options;
}

TEST(Rfc8446_5_4_Sending, RecordsAreMultiplesAndSayTheSame) {
  Pair pair = connected_pair(padding_to(256));
  for (std::size_t size = 0; size <= 1000; ++size) {
    const Buffer record = pair.client.seal(counted(size));
    EXPECT_EQ(record.size(), kHead + (size / 256 + 1) * 256 + kTag) << size;
    EXPECT_EQ(record.size(), pair.client.connection().sealed_size(size));
    pair.server.receive(record, {});
    ASSERT_EQ(pair.server.data.size(), size + 1);
    EXPECT_EQ(pair.server.data.back(), counted(size));
  }
}

TEST(Rfc8446_5_4_Sending, EndsAtTheMtuUnlessTheDataAreLonger) {
  Pair pair = connected_pair(padding_to(1000));
  pair.client.connection().set_path_mtu(300);
  EXPECT_EQ(pair.client.seal(counted(10)).size(), 300U);
  EXPECT_EQ(pair.client.seal(counted(300 - kHead - 1 - kTag)).size(), 300U);
  EXPECT_EQ(pair.client.seal(counted(400)).size(), kHead + 401 + kTag);
}

// RFC 8449 section 4 counts it.
TEST(Rfc8446_5_4_Sending, EndsAtThePeersLimit) {
  dtls::ConfigOptions options = padding_to(1000);
  options.record_size_limit = 128;
  Pair pair = connected_pair(options);
  EXPECT_EQ(pair.client.seal(counted(10)).size(), kHead + 128 + kTag);
  EXPECT_EQ(pair.client.seal(counted(127)).size(), kHead + 128 + kTag);
  EXPECT_TRUE(works(pair));
}

TEST(Rfc8446_5_4_Sending, ABufferWithoutRoomForItIsRefused) {
  Pair pair = connected_pair(padding_to(512));
  auto& client = pair.client.connection();
  Buffer out(client.sealed_size(10) - 1);
  const auto refused = client.seal(counted(10), out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), dtls::SendError::buffer_too_small);
  out.resize(out.size() + 1);
  EXPECT_EQ(client.seal(counted(10), out).value_or(0), out.size());
  // The longest data need no more than they do without padding.
  EXPECT_LE(client.sealed_size(dtls::kMaxApplicationData),
            dtls::kMaxApplicationData + dtls::kSealOverhead);
}

// RFC 9147 section 4.2.3: with a short tag the shortest records are longer than they need be.
TEST(Rfc8446_5_4_Sending, AShortTagHasItsOwnPadding) {
  dtls::ConfigOptions options = padding_to(2);
  options.cipher_suites = {dtls::CipherSuite::aes_128_ccm_8_sha256};
  options.max_forgeries_per_key = 1000;
  Pair pair = connected_pair(options);
  for (std::size_t size = 0; size < 20; ++size) {
    const Buffer record = pair.client.seal(counted(size));
    EXPECT_EQ(record.size(), kHead + std::max<std::size_t>(8, size / 2 * 2 + 2) + 8) << size;
    pair.server.receive(record, {});
    EXPECT_EQ(pair.server.data.back(), counted(size));
  }
}

TEST(Rfc8446_5_4_Sending, HandshakesKeepToTheirMtu) {
  for (const std::size_t multiple : {2U, 100U, 16384U}) {
    dtls::ConfigOptions options = padding_to(multiple);
    options.mtu = 300;
    Pair pair(options);
    for (int i = 0; i < 10; ++i) {
      for (Peer* from : {&pair.client, &pair.server}) {
        for (auto& datagram : from->take_datagrams()) {
          EXPECT_LE(datagram.size(), 300U);
          (from == &pair.client ? pair.server : pair.client).receive(std::move(datagram), {});
        }
      }
    }
    EXPECT_TRUE(works(pair)) << multiple;
  }
}

TEST(Rfc8446_5_4_Sending, Dtls12HasNone) {
  dtls::ConfigOptions options = options_for(ProtocolVersion::dtls12);
  options.max_version = ProtocolVersion::dtls13;
  options.record_padding = 512;
  Pair pair(options, options_for(ProtocolVersion::dtls12));
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.seal(counted(10)).size(), 13U + 8 + 10 + kTag);
  EXPECT_EQ(pair.client.connection().sealed_size(10), 13U + 8 + 10 + kTag);
}

TEST(Rfc8446_5_4_Sending, MoreThanARecordIsRefused) {
  EXPECT_FALSE(dtls::Config::make(padding_to(16385)));
}

}  // namespace
}  // namespace sluice::test
