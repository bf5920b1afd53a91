// RFC 6066 section 4: what a server may answer, against a scripted one of DTLS 1.2.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

dtls::ConfigOptions asking_for_512() {
  dtls::ConfigOptions options = test::options();
  options.max_fragment_length = 512;
  return options;
}
Script answering(const char* data) {
  Script script;
  script.server_hello.extensions.set(ExtensionType::max_fragment_length, from_hex(data));
  return script;
}

TEST(Rfc6066_4, TheAnswerIsTheLengthThatWasAskedFor) {
  Duel duel(Role::client, answering("01"), asking_for_512());
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(duel.engine.connected->max_application_data, 512U);
  for (const char* other : {"00", "02", "05"}) {
    EXPECT_TRUE(refused(Role::client, answering(other), Errc::illegal_parameter,
                        Alert::illegal_parameter, asking_for_512()));
  }
  for (const char* malformed : {"", "0101"}) {
    EXPECT_TRUE(refused(Role::client, answering(malformed), Errc::decode_error, Alert::decode_error,
                        asking_for_512()));
  }
}

TEST(Rfc6066_4, AServerThatDoesNotKnowItSetsNoLimit) {
  Duel duel(Role::client, {}, asking_for_512());
  ASSERT_TRUE(works(duel));
  EXPECT_EQ(duel.engine.connected->max_application_data, 16384U);
}

TEST(Rfc6066_4, AnAnswerThatNobodyAskedForIsRefused) {
  EXPECT_TRUE(refused(Role::client, answering("01"), Errc::unsupported_extension,
                      Alert::unsupported_extension));
}

// RFC 8449 section 5: "MUST treat receipt of both [...] as a fatal error".
TEST(Rfc6066_4, BothAnswersAreIllegal) {
  Script script = answering("01");
  script.server_hello.extensions.set(ExtensionType::record_size_limit, from_hex("0400"));
  dtls::ConfigOptions options = asking_for_512();
  options.record_size_limit = 1000;
  EXPECT_TRUE(
      refused(Role::client, script, Errc::illegal_parameter, Alert::illegal_parameter, options));
}

}  // namespace
}  // namespace sluice::test
