// In the steady state no record allocates memory, whichever AEAD protects it. libcrypto's
// allocations count as well.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "support/allocations.h"
#include "support/endpoints.h"

namespace sluice::test {
namespace {

using dtls::CipherSuite;
using dtls::ProtocolVersion;

// Before anything has called libcrypto.
const bool kLibcryptoCounts = count_libcrypto();

struct SteadySuite {
  ProtocolVersion version;
  CipherSuite suite;
};

// All AEADs. OpenSSL 3.0's HMAC, which the CBC suites need, copies its digest to the heap each
// time.
constexpr SteadySuite kSteadySuites[] = {
    {ProtocolVersion::dtls12, CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256},
    {ProtocolVersion::dtls12, CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384},
    {ProtocolVersion::dtls12, CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256},
    {ProtocolVersion::dtls12, CipherSuite::ecdhe_ecdsa_with_aes_128_ccm},
    {ProtocolVersion::dtls12, CipherSuite::ecdhe_ecdsa_with_aes_128_ccm_8},
    {ProtocolVersion::dtls13, CipherSuite::aes_128_gcm_sha256},
    {ProtocolVersion::dtls13, CipherSuite::aes_256_gcm_sha384},
    {ProtocolVersion::dtls13, CipherSuite::chacha20_poly1305_sha256},
    {ProtocolVersion::dtls13, CipherSuite::aes_128_ccm_sha256},
    {ProtocolVersion::dtls13, CipherSuite::aes_128_ccm_8_sha256},
};

class SteadyState : public testing::TestWithParam<SteadySuite> {
 protected:
  static dtls::ConfigPtr config() {
    dtls::ConfigOptions options = options_for(GetParam().version);
    options.cipher_suites = {GetParam().suite};
    // For CCM_8, whose tag is short.
    options.max_forgeries_per_key = 1000;
    return make_config(std::move(options));
  }
};

INSTANTIATE_TEST_SUITE_P(Suites, SteadyState, testing::ValuesIn(kSteadySuites),
                         [](const testing::TestParamInfo<SteadySuite>& instance) {
                           return std::string(to_string(instance.param.suite));
                         });

// One record there and one back, and every output polled.
TEST_P(SteadyState, NoRecordAllocates) {
  ASSERT_TRUE(kLibcryptoCounts);
  Peer client = make_client(config());
  Peer server = make_server(config());
  exchange(client, server);
  ASSERT_TRUE(client.connected && server.connected);
  const dtls::Buffer data(1000, std::byte{7});
  std::array<std::byte, 1500> wire{};
  std::array<std::byte, 1500> out{};
  int arrived = 0;
  const auto pass = [&](dtls::Connection& from, dtls::Connection& to) {
    const auto size = from.seal(data, wire).value_or(0);
    EXPECT_TRUE(to.handle_datagram(dtls::MutableBytes(wire).first(size), kPath, {}));
    while (to.poll_data()) ++arrived;
    EXPECT_FALSE(to.poll_event() || to.poll_transmit(out));
    static_cast<void>(to.next_timeout());
  };
  const auto round = [&] {
    pass(client.connection(), server.connection());
    pass(server.connection(), client.connection());
  };
  // The first to arrive ends what the handshake has left.
  for (int i = 0; i < 10; ++i) round();
  const auto before = allocations().count;
  for (int i = 0; i < 500; ++i) round();
  EXPECT_EQ(allocations().count, before);
  EXPECT_EQ(arrived, 2 * 510);
}

}  // namespace
}  // namespace sluice::test
