#include "negotiation/agreed_extensions.h"

#include <gtest/gtest.h>

namespace sluice::dtls::handshake {
namespace {

TEST(AgreedExtensions, ACopyHasAll) {
  AgreedExtensions agreed{.srtp_profile = SrtpProfile::aead_aes_128_gcm,
                          .record_size_limits = RecordSizeLimits{.ours = 100, .peers = 200}};
  agreed.names.edit() = {
      .srtp_mki = Buffer(4), .application_protocol = "a", .server_name = "server.example"};
  const AgreedExtensions copy = agreed;
  agreed = {};
  EXPECT_EQ(copy.srtp_profile, SrtpProfile::aead_aes_128_gcm);
  EXPECT_EQ(copy.record_size_limits->ours, 100);
  EXPECT_EQ(copy.record_size_limits->peers, 200);
  EXPECT_EQ(copy.names->srtp_mki, Buffer(4));
  EXPECT_EQ(copy.names->application_protocol, "a");
  EXPECT_EQ(copy.names->server_name, "server.example");
  EXPECT_TRUE(agreed.names->server_name.empty());
}

// Each session has one for as long as it lives.
static_assert(sizeof(AgreedExtensions) == 24);

TEST(ContentLimits, FollowFromTheRecordSizeLimits) {
  const AgreedExtensions none;
  const AgreedExtensions agreed{.record_size_limits = RecordSizeLimits{.ours = 100, .peers = 200}};
  for (const auto version : {ProtocolVersion::dtls12, ProtocolVersion::dtls13}) {
    // RFC 8449 section 4: DTLS 1.3 counts the inner content type.
    const int inner = version == ProtocolVersion::dtls13 ? 1 : 0;
    EXPECT_EQ(content_limits(version, agreed).sent, 200 - inner);
    EXPECT_EQ(content_limits(version, agreed).received, 100 - inner);
    EXPECT_EQ(content_limits(version, agreed).plaintext, record::kMaxPlaintext);
    EXPECT_EQ(content_limits(version, none).sent, record::kMaxPlaintext);
  }
}

// RFC 6066 section 4, for plaintext, too; in DTLS 1.3 what is sent has room for its type.
TEST(ContentLimits, FollowFromTheMaxFragmentLength) {
  const AgreedExtensions agreed{.max_fragment_length = message::MaxFragmentLength::bytes_1024};
  EXPECT_EQ(content_limits(ProtocolVersion::dtls12, agreed).sent, 1024);
  EXPECT_EQ(content_limits(ProtocolVersion::dtls13, agreed).sent, 1023);
  for (const auto version : {ProtocolVersion::dtls12, ProtocolVersion::dtls13}) {
    EXPECT_EQ(content_limits(version, agreed).received, 1024);
    EXPECT_EQ(content_limits(version, agreed).plaintext, 1024);
  }
}

}  // namespace
}  // namespace sluice::dtls::handshake
