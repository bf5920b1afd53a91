#include <sluice/srtp/library.h>

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <sluice/srtp/session.h>

namespace sluice::srtp {
namespace {

TEST(Library, InitializesNssWhereLibsrtpIsBuiltOnIt) {
  ASSERT_TRUE(initialize());
  if (library_flavor() == "bundled") GTEST_SKIP() << "the bundled libsrtp is built on OpenSSL";
  void* nss = dlopen("libnss3.so", RTLD_LAZY | RTLD_NOLOAD);
  if (!nss) GTEST_SKIP() << "this system's libsrtp is not built on NSS";
  const auto is_initialized = reinterpret_cast<int (*)()>(dlsym(nss, "NSS_IsInitialized"));
  ASSERT_NE(is_initialized, nullptr);
  EXPECT_NE(is_initialized(), 0) << "each context would initialise NSS anew";
  dlclose(nss);
}

TEST(Library, LaterCallsReturnTheFirstResult) {
  EXPECT_TRUE(initialize());
  EXPECT_TRUE(initialize({.host_owns_libsrtp = true, .initialize_nss = false}));
}

TEST(Library, SaysWhichLibsrtpItHas) {
  EXPECT_TRUE(library_flavor() == "bundled" || library_flavor() == "system");
}

TEST(Library, SaysWhichProfilesItSupports) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(supported(dtls::SrtpProfile::aead_aes_256_gcm));
    EXPECT_TRUE(supported(dtls::SrtpProfile::aead_aes_128_gcm));
    EXPECT_TRUE(supported(dtls::SrtpProfile::aes128_cm_hmac_sha1_80));
    EXPECT_TRUE(supported(dtls::SrtpProfile::aes128_cm_hmac_sha1_32));
    const auto unknown = supported(static_cast<dtls::SrtpProfile>(5));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error(), SetupError::unsupported_profile);
  }
}

TEST(Library, NamesItsErrors) {
  EXPECT_EQ(to_string(SetupError::invalid_keys), "invalid_keys");
  EXPECT_EQ(to_string(SetupError::out_of_memory), "out_of_memory");
  EXPECT_EQ(to_string(SetupError::unsupported_profile), "unsupported_profile");
  EXPECT_EQ(to_string(SetupError::unsupported_cryptex), "unsupported_cryptex");
  EXPECT_EQ(to_string(static_cast<SetupError>(99)), "unknown");
}

}  // namespace
}  // namespace sluice::srtp
