// What a server puts into its store, before it is sealed. moving_sessions_test.py stores real
// sessions.
#include "tools/stored_session.h"

#include <gtest/gtest.h>

namespace sluice::interop::tools {
namespace {

const dtls::UdpEndpoint kPeer4{dtls::Ipv4Address{192, 0, 2, 1}, 0x1234};
const dtls::UdpEndpoint kPeer6{dtls::Ipv6Address{0x20, 1, 0xd, 0xb8}, 0xffff};

dtls::Buffer stored(const dtls::UdpEndpoint& peer) {
  const auto bytes = encode_stored(dtls::SessionState(dtls::Buffer(3, std::byte{9})), peer);
  return {bytes.bytes().begin(), bytes.bytes().end()};
}

TEST(StoredSession, HasTheAddressInFront) {
  const dtls::Buffer expected{std::byte{4}, std::byte{192},  std::byte{0},    std::byte{2},
                              std::byte{1}, std::byte{0x12}, std::byte{0x34}, std::byte{9},
                              std::byte{9}, std::byte{9}};
  EXPECT_EQ(stored(kPeer4), expected);
  EXPECT_EQ(stored(kPeer6).size(), 1U + 16 + 2 + 3);
}

TEST(StoredSession, IsRefusedInAnyOtherForm) {
  for (const auto& peer : {kPeer4, kPeer6}) {
    dtls::Buffer bytes = stored(peer);
    EXPECT_FALSE(decode_stored(bytes)) << "no state";
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_stored(dtls::Bytes(bytes).first(size))) << size;
    }
    bytes.front() = std::byte{5};
    EXPECT_FALSE(decode_stored(bytes));
  }
}

}  // namespace
}  // namespace sluice::interop::tools
