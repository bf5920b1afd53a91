// Initialisation of libsrtp, whose state belongs to the process.
#pragma once

#include <cstdint>
#include <string_view>

#include <sluice/dtls/error.h>

namespace sluice::srtp {

enum class SetupError : std::uint8_t {
  library_init_failed,  // srtp_init() failed: libsrtp's self-tests did not pass
  invalid_options,      // a field of SessionOptions is out of range
  invalid_keys,         // unknown profile, wrong key length, or an MKI above kMaxMki
  out_of_memory,        // libsrtp could not make a context
  unsupported_profile,  // libsrtp was built without it, such as without AES-GCM
  foreign_state,        // Session::restore(): the state is of other keys or another profile
  state_too_large,      // Session::restore(): more SSRCs than SessionOptions::max_ssrcs allows
  unsupported_cryptex,  // SessionOptions::cryptex, and this libsrtp has none: see has_cryptex()
};

std::string_view to_string(SetupError error);

struct LibraryOptions {
  // True if the program uses the same libsrtp and has called srtp_init() itself. It must then keep
  // libsrtp initialised while any Session lives. No effect with the bundled libsrtp, whose symbols
  // are separate.
  bool host_owns_libsrtp = false;
  // If libsrtp is built on NSS, as Debian's is: initialise NSS once without a database, unless it
  // is initialised already. Otherwise each SRTP context takes 0.5 ms. A program that calls
  // NSS_Init() with its own database does so before, or clears this.
  bool initialize_nss = true;
};

// Initialises libsrtp once per process: the first call decides, later calls return its result.
// Session::make() calls it with the defaults, so call it yourself only for other options.
// Thread-safe. Nothing is shut down again: libsrtp's state is a few tables that live as long as the
// process.
tl::expected<void, SetupError> initialize(const LibraryOptions& options = {});

// Which libsrtp this build uses, for diagnostics: its own (on OpenSSL) or the system's.
std::string_view library_flavor();  // "bundled" or "system"

// Whether the libsrtp of this build encrypts header extensions and CSRCs (RFC 9335): 2.8.0 and
// newer. Debian 12 has 2.5.0.
bool has_cryptex();

}  // namespace sluice::srtp
