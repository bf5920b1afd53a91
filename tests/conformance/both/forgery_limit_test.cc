// ConfigOptions::max_forgeries_per_key, in both versions (RFC 9147 section 4.5.3).
#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Buffer;

class ForgeryLimit : public ByVersion {};

TEST_P(ForgeryLimit, EndsTheConnection) {
  dtls::ConfigOptions limited = options();
  limited.max_forgeries_per_key = 10;
  Pair pair = connected_pair(limited);
  for (int i = 0; i < 10; ++i) {
    Buffer forged = pair.client.seal(bytes_of("data"));
    forged.back() ^= std::byte{1};
    pair.server.receive(std::move(forged), {});
    EXPECT_FALSE(pair.server.error) << i;
  }
  Buffer forged = pair.client.seal(bytes_of("data"));
  forged.back() ^= std::byte{1};
  pair.server.receive(std::move(forged), {});
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->code, dtls::Errc::integrity_limit_reached);
}

INSTANTIATE_TEST_SUITE_P(Versions, ForgeryLimit, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
