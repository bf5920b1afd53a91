// Checks and their responses allocate nothing. libcrypto does: its HMAC copies its hash contexts.
#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

TEST(StunMemory, ACheckAndItsResponseAllocateNothing) {
  const std::array keys{test::ice_key(), test::ice_key(std::string(200, 'p'))};
  const std::array checks{test::written_check(keys[0]), test::written_check(keys[1])};
  std::array<std::byte, 128> out{};
  const auto answer = [&](std::size_t i) {
    const auto request = decode(checks[i]);
    if (!request || !verify_integrity(*request, test::environment(), keys[i])) return false;
    Writer response(out, MessageClass::success_response, request->method, request->transaction);
    response.xor_mapped_address(test::kIpv6Endpoint);
    return response.finish(test::environment(), keys[i]).has_value();
  };
  ASSERT_TRUE(answer(0) && answer(1));
  const auto before = test::allocations();
  for (std::size_t i = 0; i < 100; ++i) ASSERT_TRUE(answer(i % 2));
  const auto refused = decode(dtls::Bytes(checks[0]).first(50));
  EXPECT_EQ(test::allocations().count, before.count);
  EXPECT_FALSE(refused);
}

}  // namespace
}  // namespace sluice::stun
