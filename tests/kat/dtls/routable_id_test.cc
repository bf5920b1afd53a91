// Routable connection IDs against the vectors of draft-ietf-quic-load-balancers: its section 5.4.2
// (the first) and its appendix "Load Balancer Test Vectors".
#include <gtest/gtest.h>

#include <sluice/dtls/routable_connection_id.h>

#include <array>

#include "crypto/routable_id_cipher.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls {
namespace {

using test::from_hex;
using test::must;
using test::to_hex;

struct RoutableVector {
  std::string_view key;
  std::string_view server;
  std::string_view nonce;
  std::string_view id;
};

constexpr std::string_view kAppendixKey = "8f95f09245765f80256934e50c66207f";
constexpr std::array kRoutableVectors{
    RoutableVector{"fdf726a9893ec05c0632d3956680baf0", "31441a", "9c69c275", "0767947d29be054a"},
    RoutableVector{kAppendixKey, "ed793a", "ee080dbf", "0720b1d07b359d3c"},
    RoutableVector{kAppendixKey, "ed793a51d49b8f5fab65", "ee080dbf48",
                   "2fcc381bc74cb4fbad2823a3d1f8fed2"},
    // The length of one block: a single pass.
    RoutableVector{kAppendixKey, "ed793a51d49b8f5f", "ee080dbf48c0d1e5",
                   "504dd2d05a7b0de9b2b9907afb5ecf8cc3"},
    RoutableVector{kAppendixKey, "ed793a51d49b8f5fab", "ee080dbf48c0d1e55d",
                   "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"},
};

TEST(KnownAnswers, RoutableIdCipher) {
  for (const auto& vector : kRoutableVectors) {
    SCOPED_TRACE(vector.id);
    const Buffer plaintext = test::joined({from_hex(vector.server), from_hex(vector.nonce)});
    Buffer block = plaintext;
    auto cipher = must(crypto::RoutableIdCipher::make(test::environment().library(), block.size(),
                                                      from_hex(vector.key)));
    ASSERT_TRUE(cipher.encrypt(block));
    EXPECT_EQ(to_hex(block), vector.id.substr(2));
    ASSERT_TRUE(cipher.decrypt(block));
    EXPECT_EQ(to_hex(block), to_hex(plaintext));
  }
}

// The draft's first octet is read as ours: the length of the ID stands where the worker is.
TEST(KnownAnswers, RoutableIdDecoder) {
  int decoded_ones = 0;
  for (const auto& vector : kRoutableVectors) {
    SCOPED_TRACE(vector.id);
    const Buffer id = from_hex(vector.id);
    const std::size_t server_size = vector.server.size() / 2;
    if (server_size > 8) continue;  // RoutableId::server is a number of 64 bits
    RoutableIdDecoder decoder(test::environment());
    const RoutableKeyId key_id{std::to_integer<std::uint8_t>(id[0] >> 5)};
    must(decoder.add({.key_id = key_id, .size = id.size(), .server_size = server_size},
                     from_hex(vector.key)));
    const RoutableId decoded = must(decoder.decode(id));
    EXPECT_EQ(decoded.key_id, key_id);
    EXPECT_EQ(decoded.worker, (id.size() - 1) % kMaxRoutableWorkers);
    EXPECT_EQ(decoded.server, std::stoull(std::string(vector.server), nullptr, 16));
    EXPECT_EQ(to_hex(decoded.nonce()), vector.nonce);
    ++decoded_ones;
  }
  EXPECT_EQ(decoded_ones, 3);
}

}  // namespace
}  // namespace sluice::dtls
