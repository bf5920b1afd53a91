// The gateway of docs/examples/pre_shared_key.cc.
#include <gtest/gtest.h>

#define main example_main  // NOLINT(cppcoreguidelines-macro-usage): it has a main of its own
#include "../../../docs/examples/pre_shared_key.cc"
#undef main

#include "support/endpoints.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

dtls::PreSharedKey psk(std::string_view identity, std::string_view key) {
  return must(
      dtls::PreSharedKey::make(std::as_bytes(std::span(identity)), std::as_bytes(std::span(key))));
}

// A plaintext alert ends a handshake when the peer does not go on within a second.
void expire(dtls::Connection& connection) {
  for (auto next = connection.next_timeout(); next && *next <= dtls::Instant{1s};
       next = connection.next_timeout()) {
    static_cast<void>(connection.handle_timeout(*next));
  }
}

struct Call {
  explicit Call(dtls::ProtocolVersion version, const dtls::PreSharedKey& sensors) {
    dtls::ConfigOptions options{.min_version = version, .max_version = version};
    options.pre_shared_keys = {sensors};
    sensor.emplace(must(dtls::Connection::client(make_config(options), environment(), kPath, {})));
    options.pre_shared_keys = {};
    options.ask_for_psk = true;
    gateway.emplace(must(dtls::Connection::server(make_config(options), environment(), kPath, {})));
  }
  void run(const dtls::PskTable& known) {
    while (carry(*sensor, *gateway, {}) || carry(*gateway, *sensor, {})) {
      answer_questions(*gateway, known, {});
    }
  }
  std::optional<dtls::Connection> sensor;
  std::optional<dtls::Connection> gateway;
};

dtls::PskTable known_keys() {
  dtls::PskTable known;
  known.add(psk("sensor 7", "the key of the gateway"));
  return known;
}

TEST(HostileSensor, AnotherKeyEndsItsOwnConnectionAlone) {
  Call call(dtls::ProtocolVersion::dtls13, psk("sensor 7", "another key, made up"));
  call.run(known_keys());
  EXPECT_TRUE(call.gateway->ended());
  ASSERT_TRUE(call.gateway->error());
  EXPECT_EQ(call.gateway->error()->code, dtls::Errc::psk_mismatch);
  expire(*call.sensor);
  EXPECT_TRUE(call.sensor->ended()) << "the alert has reached it";
}

TEST(HostileSensor, AnUnknownIdentityIsAnswered) {
  Call call(dtls::ProtocolVersion::dtls13, psk("sensor 8", "the key of the gateway"));
  call.run(known_keys());
  expire(*call.sensor);
  EXPECT_TRUE(call.gateway->ended() && call.sensor->ended());
}

TEST(HostileSensor, GarbageChangesNothing) {
  Call call(dtls::ProtocolVersion::dtls13, psk("sensor 7", "the key of the gateway"));
  for (unsigned first = 0; first < 256; ++first) {
    dtls::Buffer garbage(40, std::byte{0x5a});
    garbage[0] = static_cast<std::byte>(first);
    EXPECT_TRUE(call.gateway->handle_datagram(garbage, kPath, {}));
  }
  call.run(known_keys());
  EXPECT_TRUE(call.gateway->connected() && call.sensor->connected());
}

}  // namespace
}  // namespace sluice::test
