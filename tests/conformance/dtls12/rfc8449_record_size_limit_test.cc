// RFC 8449 section 4: what record_size_limit may say, against a scripted peer of DTLS 1.2.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

// The peer says `data`, in whichever role it has.
Duel duel_with(Role role, const char* data, dtls::ConfigOptions options) {
  Script script;
  auto& extensions =
      role == Role::server ? script.client_hello.extensions : script.server_hello.extensions;
  extensions.set(ExtensionType::record_size_limit, from_hex(data));
  return Duel(role, script, std::move(options));
}
dtls::ConfigOptions asking() {
  dtls::ConfigOptions options = test::options();
  options.record_size_limit = 1000;
  return options;
}

TEST(Rfc8449_4, WhatIsBelow64IsRefused) {
  for (const Role role : kRoles) {
    for (const char* data : {"0000", "003f"}) {
      SCOPED_TRACE(data);
      Duel duel = duel_with(role, data, asking());
      duel.run();
      EXPECT_TRUE(failed(duel, Errc::illegal_parameter, Alert::illegal_parameter));
    }
  }
}

TEST(Rfc8449_4, AMalformedLimitIsRefused) {
  for (const Role role : kRoles) {
    for (const char* data : {"", "40", "0040 00"}) {
      SCOPED_TRACE(data);
      Duel duel = duel_with(role, data, asking());
      duel.run();
      EXPECT_TRUE(failed(duel, Errc::decode_error, Alert::decode_error));
    }
  }
}

// "A server MUST NOT enforce this restriction" of 2^14 bytes, and a client need not.
TEST(Rfc8449_4, MoreThanTheVersionAllowsIsAsMuchAsItAllows) {
  for (const Role role : kRoles) {
    for (const char* data : {"4000", "4001", "ffff"}) {
      SCOPED_TRACE(data);
      Duel duel = duel_with(role, data, asking());
      ASSERT_TRUE(works(duel));
      EXPECT_EQ(duel.engine.connected->max_application_data, 16384U);
    }
  }
}

TEST(Rfc8449_4, TheSmallestLimitHolds) {
  for (const Role role : kRoles) {
    Duel duel = duel_with(role, "0040", asking());
    ASSERT_TRUE(works(duel));
    EXPECT_EQ(duel.engine.connected->max_application_data, 64U);
  }
}

TEST(Rfc8449_4, AnAnswerThatNobodyAskedForIsRefused) {
  Duel duel = duel_with(Role::client, "0400", test::options());
  duel.run();
  EXPECT_TRUE(failed(duel, Errc::unsupported_extension, Alert::unsupported_extension));
}

}  // namespace
}  // namespace sluice::test
