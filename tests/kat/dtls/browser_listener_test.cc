// Real browsers' first hellos, which span two datagrams, as a Listener takes them.
#include <gtest/gtest.h>
#include <sluice/dtls/listener.h>

#include <string>

#include "kat/dtls/vectors.h"
#include "message/client_hello.h"
#include "message/key_share.h"
#include "message/server_hello.h"
#include "support/endpoints.h"

namespace sluice::dtls {
namespace {

using test::make_config;
using wire::ExtensionType;

const Buffer kAddress = test::from_hex("c0000201 c350");

class BrowserListener : public testing::TestWithParam<std::string> {
 protected:
  BrowserListener() {
    const auto vectors = test::load_vectors("browser_client_hellos.json");
    for (const std::string hex : vectors.at("hellos").at(GetParam()).at("first_flight_datagrams")) {
      datagrams_.push_back(test::from_hex(hex));
    }
  }
  // The answer to both datagrams.
  Buffer answer(Listener& listener, bool reversed = false) {
    auto ordered = datagrams_;
    if (reversed) std::ranges::reverse(ordered);
    auto outcome = listener.handle_datagram(ordered.at(0), kAddress, {});
    EXPECT_TRUE(std::holds_alternative<Listener::Unfinished>(outcome));
    outcome = listener.handle_datagram(ordered.at(1), kAddress, {});
    const auto* reply = std::get_if<Listener::Reply>(&outcome);
    return reply != nullptr ? test::copy_of(reply->datagram) : Buffer{};
  }

  std::vector<Buffer> datagrams_;
};

constexpr std::size_t kBodyAt = 13 + 12;

// The message of a reply, without the number and the MAC of the cookie at its end: with the hash of
// the whole hello.
std::string without_mac(const Buffer& reply) {
  constexpr std::size_t kContent = 2 + 2 + 32;
  constexpr std::size_t kMac = 16;
  const Bytes message = Bytes(reply).subspan(13);
  const Bytes before_number = message.first(message.size() - kMac - kContent - 4);
  return test::to_hex(before_number) + test::to_hex(message.last(kMac + kContent).first(kContent));
}

TEST_P(BrowserListener, GetsARetryRequestWithACookieAlone) {
  auto listener = test::must(Listener::make(make_config(), test::environment()));
  const Buffer reply = answer(listener);
  ASSERT_GT(reply.size(), kBodyAt);
  const auto hello = message::ServerHello::decode(Bytes(reply).subspan(kBodyAt));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->random, message::kHelloRetryRequestRandom);
  EXPECT_EQ(hello->cipher_suite, CipherSuite::aes_128_gcm_sha256);
  EXPECT_TRUE(hello->extensions.has(ExtensionType::cookie));
  EXPECT_FALSE(hello->extensions.has(ExtensionType::key_share)) << "X25519 was there";
  // In whatever order they come; the record's number is the last one's.
  const Buffer again = answer(listener, true);
  EXPECT_EQ(without_mac(again), without_mac(reply));
  EXPECT_EQ(listener.statistics().unfinished, 2U);
}

TEST_P(BrowserListener, IsAskedForAShareThatItDidNotSend) {
  ConfigOptions options = test::options();
  options.groups = {NamedGroup::secp256r1};
  auto listener = test::must(Listener::make(make_config(options), test::environment()));
  const Buffer reply = answer(listener);
  ASSERT_GT(reply.size(), kBodyAt);
  const auto hello = message::ServerHello::decode(Bytes(reply).subspan(kBodyAt));
  ASSERT_TRUE(hello);
  const auto group =
      message::decode_selected_group(hello->extensions.find(ExtensionType::key_share).value());
  EXPECT_EQ(group, NamedGroup::secp256r1);
}

TEST_P(BrowserListener, GetsAVerifyRequestFromAServerOfDtls12) {
  auto listener = test::must(
      Listener::make(make_config(test::options_for(ProtocolVersion::dtls12)), test::environment()));
  const Buffer reply = answer(listener);
  ASSERT_GT(reply.size(), kBodyAt);
  EXPECT_EQ(reply[13], static_cast<std::byte>(wire::HandshakeType::hello_verify_request));
}

// One entry is enough for any number of hellos, one after another.
TEST_P(BrowserListener, LeavesItsEntryFree) {
  auto listener =
      test::must(Listener::make(make_config(), test::environment(), {.unfinished_hellos = 1}));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(answer(listener).empty());
  EXPECT_EQ(listener.statistics().evictions, 0U);
  EXPECT_EQ(listener.statistics().hello_retry_requests, 10U);
}

INSTANTIATE_TEST_SUITE_P(Browsers, BrowserListener,
                         testing::Values("chromium-156", "firefox-esr-153"),
                         [](const auto& param_info) {
                           return std::string(param_info.param.starts_with("chromium") ? "Chromium"
                                                                                       : "Firefox");
                         });

}  // namespace
}  // namespace sluice::dtls
