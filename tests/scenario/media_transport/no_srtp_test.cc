// When libsrtp makes no session. The linker puts this file's srtp_create() before libsrtp's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <srtp2/srtp.h>

#include <string>

#include "call.h"

// The name may be another one by sluice_srtp2_rename.h.
#define SLUICE_JOIN(prefix, name) prefix##name
#define SLUICE_PREFIXED(prefix, name) SLUICE_JOIN(prefix, name)
#define SLUICE_REAL SLUICE_PREFIXED(__real_, srtp_create)
#define SLUICE_WRAP SLUICE_PREFIXED(__wrap_, srtp_create)

namespace {
srtp_err_status_t failure = srtp_err_status_ok;
}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names.
extern "C" srtp_err_status_t SLUICE_REAL(srtp_t* session, const srtp_policy_t* policy);
extern "C" srtp_err_status_t SLUICE_WRAP(srtp_t* session, const srtp_policy_t* policy) {
  return failure != srtp_err_status_ok ? failure : SLUICE_REAL(session, policy);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace sluice::transport {
namespace {

using dtls::SrtpProfile;

class NoSrtp : public testing::Test {
 protected:
  ~NoSrtp() override { failure = srtp_err_status_ok; }
};

dtls::Result<MediaTransport> make_with(SrtpProfile profile) {
  auto options = test::options();
  options.srtp_profiles = {profile};
  return MediaTransport::make({.dtls = test::make_config(options)}, test::environment());
}

// What libsrtp without AES-GCM says.
TEST_F(NoSrtp, AProfileThatLibsrtpLacksIsRefusedByMake) {
  failure = srtp_err_status_fail;
  const auto made = make_with(SrtpProfile::aead_aes_256_gcm);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, dtls::Errc::invalid_config);
  EXPECT_THAT(std::string(made.error().detail), testing::StartsWith("dtls: srtp_profiles:"));
  auto without_media = test::options();
  without_media.srtp_profiles = {};
  EXPECT_TRUE(
      MediaTransport::make({.dtls = test::make_config(without_media)}, test::environment()));
  failure = srtp_err_status_alloc_fail;
  EXPECT_FALSE(make_with(SrtpProfile::aead_aes_256_gcm));
  failure = srtp_err_status_ok;
  EXPECT_TRUE(make_with(SrtpProfile::aead_aes_256_gcm)) << "the failure is not remembered";
}

TEST_F(NoSrtp, NoMemoryForReceivedMediaIsAnError) {
  Call call;
  call.connect();
  const auto packet = protect_rtp(call.client, make_rtp());
  failure = srtp_err_status_alloc_fail;
  call.inject(call.server, packet, kPathA);
  ASSERT_TRUE(call.server.error);
  EXPECT_EQ(call.server.error->code, dtls::Errc::libcrypto_failure);
  EXPECT_THAT(std::string(call.server.error->detail), testing::HasSubstr("no memory"));
  EXPECT_FALSE(call.server.transport.connected());
  call.run_for(100ms);
  EXPECT_TRUE(call.client.closed) << "the peer is told";
}

TEST_F(NoSrtp, NoMemoryForSentMediaIsAnErrorOfTheNextInput) {
  Call call;
  call.connect();
  failure = srtp_err_status_alloc_fail;
  auto buffer = make_rtp();
  const auto size = buffer.size();
  buffer.resize(size + srtp::kMaxTrailer);
  EXPECT_EQ(call.client.transport.protect_rtp(buffer, size),
            tl::unexpected(srtp::PacketError::internal));
  call.settle(call.client, call.client.transport.handle_timeout(call.now));
  ASSERT_TRUE(call.client.error);
  EXPECT_EQ(call.client.error->code, dtls::Errc::libcrypto_failure);
  call.run_for(100ms);
  EXPECT_TRUE(call.server.closed);
}

}  // namespace
}  // namespace sluice::transport
