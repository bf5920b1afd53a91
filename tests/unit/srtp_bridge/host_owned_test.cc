// A host that keeps libsrtp's initialisation to itself; alone in its process, since that happens
// once.
#include <srtp2/srtp.h>

#include <gtest/gtest.h>

#include "session_peers.h"

namespace sluice::srtp {
namespace {

TEST(HostOwnedLibsrtp, IsLeftToTheHost) {
  ASSERT_TRUE(initialize({.host_owns_libsrtp = true}));
  auto keys = test::make_srtp_keys(dtls::SrtpProfile::aead_aes_128_gcm);
  const auto early = Session::make(std::move(keys.client));
  if (library_flavor() == "bundled") {
    EXPECT_TRUE(early) << "no host can initialise a copy whose symbols it doesn't know";
  } else {
    ASSERT_FALSE(early) << "the host has not called srtp_init() yet";
    EXPECT_EQ(early.error(), SetupError::library_init_failed);
    ASSERT_EQ(srtp_init(), srtp_err_status_ok) << "the host is the first to call it";
  }
  auto peers = make_peers(dtls::SrtpProfile::aead_aes_128_gcm);
  EXPECT_TRUE(unprotect_rtp(peers.server, protect_rtp(peers.client, make_rtp())));
  EXPECT_TRUE(initialize()) << "the first call has decided";
}

}  // namespace
}  // namespace sluice::srtp
