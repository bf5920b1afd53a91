// The ICE credentials of a session.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sluice/dtls/environment.h>
#include <sluice/dtls/secret.h>
#include <sluice/ice_lite/session.h>
#include <sluice/stun/integrity.h>

namespace sluice::ice_lite {

// RFC 8839 section 5.4: ice-chars, 4 to 256 of them for a ufrag and 22 to 256 for a password.
bool is_valid_ufrag(std::string_view ufrag);
bool is_valid_pwd(std::string_view pwd);

// Random ones. Errors: libcrypto_failure.
dtls::Result<Credentials> random_credentials(dtls::Environment& environment);

// Counts the credentials of a session: those of each ICE restart have the next number.
using IceGeneration = std::uint32_t;

// One pair of credentials with what belongs to them.
struct LocalCredentials {
  // Errors: invalid_config (Error::detail names the field), libcrypto_failure.
  static dtls::Result<LocalCredentials> make(dtls::Environment& environment,
                                             const Credentials& local, std::string remote_ufrag,
                                             IceGeneration generation);

  [[nodiscard]] Credentials text() const;

  std::string ufrag;
  dtls::SecretBytes pwd;
  stun::IntegrityKey key;
  std::string remote_ufrag;  // empty: not known
  IceGeneration generation;
};

}  // namespace sluice::ice_lite
