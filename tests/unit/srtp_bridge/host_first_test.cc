// A host that has initialised libsrtp and told nobody; alone in its process, since that happens
// once.
#include <gtest/gtest.h>
#include <srtp2/srtp.h>

#include "session_peers.h"

namespace sluice::srtp {
namespace {

TEST(HostFirst, IsNoticed) {
  ASSERT_EQ(srtp_init(), srtp_err_status_ok);
  auto peers = make_peers(dtls::SrtpProfile::aead_aes_128_gcm);
  EXPECT_TRUE(unprotect_rtp(peers.server, protect_rtp(peers.client, make_rtp())));
}

}  // namespace
}  // namespace sluice::srtp
