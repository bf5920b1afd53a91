#include "common/sdp/transport_attributes.h"

#include <string>

namespace sluice::interop {

void add_transport(SdpAttributes& attributes, const TransportDescription& transport) {
  attributes.add("ice-ufrag", transport.ice.ufrag);
  attributes.add("ice-pwd", transport.ice.pwd);
  for (const auto& fingerprint : transport.fingerprints) {
    attributes.add("fingerprint", fingerprint.to_sdp());
  }
  attributes.add("setup", std::string{to_string(transport.setup)});
  if (!transport.tls_id.empty()) attributes.add("tls-id", transport.tls_id);
}

void add_candidates(SdpAttributes& attributes, const TransportDescription& transport) {
  for (const auto& candidate : transport.candidates) {
    attributes.add("candidate", candidate.substr(candidate.find(':') + 1));
  }
  attributes.add("end-of-candidates");
}

}  // namespace sluice::interop
