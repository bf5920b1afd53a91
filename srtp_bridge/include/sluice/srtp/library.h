// libsrtp's process-wide state, and who owns it.
#pragma once

#include <cstdint>
#include <string_view>

#include <sluice/dtls/error.h>

namespace sluice::srtp {

enum class SetupError : std::uint8_t {
  library_init_failed,  // libsrtp's own self-tests did not pass
  invalid_options,      // a SessionOptions field is out of its range
  invalid_keys,         // the profile is unknown, the keys haven't its length, or a long MKI
  out_of_memory,        // libsrtp could not make a context
};

std::string_view to_string(SetupError error);

struct LibraryOptions {
  // A host that uses the same libsrtp has called srtp_init() itself and will keep it initialised as
  // long as any Session lives. Of no effect with the bundled libsrtp, whose symbols are Sluice's
  // own.
  bool host_owns_libsrtp = false;
  // Where libsrtp is built on NSS, as Debian's is, NSS is initialised once without a database
  // unless it already is: otherwise each context costs 0.5 ms. A host that will call NSS_Init()
  // with a database of its own does that first, or clears this.
  bool initialize_nss = true;
};

// Makes libsrtp ready, once in a process: the first call decides, all later ones return its result.
// Session::make() calls it with the defaults, so only a host with other criteria needs to. Safe
// from any thread. Nothing is shut down again: libsrtp's state is a few tables for the process's
// lifetime.
tl::expected<void, SetupError> initialize(const LibraryOptions& options = {});

// Whether this build uses a libsrtp of its own (on OpenSSL) or the system's, for diagnostics.
std::string_view library_flavor();  // "bundled" or "system"

}  // namespace sluice::srtp
