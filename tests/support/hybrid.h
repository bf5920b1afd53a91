// X25519MLKEM768, which libcrypto has since OpenSSL 3.5.
#pragma once

#include "crypto/library.h"
#include "support/endpoints.h"

namespace sluice::test {

inline bool has_hybrid() { return environment().library().has(dtls::NamedGroup::x25519_mlkem768); }

// What a client offers that wants it.
inline dtls::ConfigOptions with_hybrid(dtls::ConfigOptions options) {
  options.groups = dtls::ConfigOptions::default_groups(dtls::Role::server);
  return options;
}

}  // namespace sluice::test

#define SLUICE_NEEDS_HYBRID()        \
  if (!::sluice::test::has_hybrid()) \
  GTEST_SKIP() << "this libcrypto has no X25519MLKEM768 (OpenSSL 3.5 has)"
