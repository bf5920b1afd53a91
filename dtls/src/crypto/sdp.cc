#include <sluice/dtls/sdp.h>

namespace sluice::dtls {

std::vector<Fingerprint> fingerprints_in(std::string_view sdp) {
  constexpr std::string_view kAttribute = "a=fingerprint:";
  std::vector<Fingerprint> found;
  while (!sdp.empty()) {
    const auto end = sdp.find('\n');
    std::string_view line = sdp.substr(0, end);
    sdp.remove_prefix(end == std::string_view::npos ? sdp.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with(kAttribute)) continue;
    if (auto fingerprint = Fingerprint::parse(line.substr(kAttribute.size()))) {
      found.push_back(*std::move(fingerprint));
    }
  }
  return found;
}

std::optional<Role> role_by_setup(std::string_view peers_setup, Role if_free) {
  if (peers_setup == "active") return Role::server;
  if (peers_setup == "passive") return Role::client;
  if (peers_setup == "actpass") return if_free;
  return std::nullopt;
}

}  // namespace sluice::dtls
