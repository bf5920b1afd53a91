#include "common/own_dtls.h"

#include <sluice/dtls/identity.h>

#include <utility>

namespace sluice::interop::common {

tl::expected<OwnDtls, std::string> make_own_dtls(dtls::Environment& environment,
                                                 const std::string& name) {
  auto identity = dtls::Identity::self_signed(environment, name);
  if (!identity) return tl::unexpected(dtls::to_string(identity.error()));
  auto fingerprint =
      dtls::Fingerprint::of(identity->certificate(), dtls::HashAlgorithm::sha256, environment);
  if (!fingerprint) return tl::unexpected(dtls::to_string(fingerprint.error()));
  auto config = dtls::Config::make({.identities = {*std::move(identity)}});
  if (!config) return tl::unexpected(dtls::to_string(config.error()));
  return OwnDtls{.config = *std::move(config), .fingerprint = *std::move(fingerprint)};
}

}  // namespace sluice::interop::common
