#include "common/sdp/data_section.h"

#include <sluice/data_channel/sctp_init.h>

#include <algorithm>
#include <optional>
#include <string>

namespace sluice::interop {

const OfferedSection* data_section(const Offer& offer) {
  const auto section = std::ranges::find_if(offer.sections, [](const OfferedSection& candidate) {
    return candidate.kind == SectionKind::data && candidate.accepted();
  });
  return section == offer.sections.end() ? nullptr : &*section;
}

void answer_data_section(SdpMedia& media, const OfferedSection& section, const DataAnswer& answer) {
  media.formats = section.formats;
  // RFC 8841 section 5: each side names its own port. Ours is the same as the offered one.
  const auto port = std::to_string(section.sctp_port);
  if (section.has_sctpmap) {
    media.attributes.add("sctpmap",
                         port + " webrtc-datachannel " + std::to_string(answer.max_channels));
  } else {
    media.attributes.add("sctp-port", port);
  }
  media.attributes.add("max-message-size", std::to_string(answer.max_message_size));
  if (!answer.sctp_init.empty()) {
    media.attributes.add("sctp-init", data_channel::write_sctp_init(answer.sctp_init));
  }
}

data_channel::Options association_options(const OfferedSection& section, dtls::Role own_role,
                                          data_channel::Options limits) {
  limits.role = own_role;
  limits.local_port = limits.remote_port = section.sctp_port;
  limits.peer_max_message_size = section.max_message_size;
  return limits;
}

void start_association(data_channel::Association& association, dtls::Bytes peer_init,
                       dtls::Instant now) {
  // A valid chunk that SCTP doesn't take leaves the handshake.
  if (peer_init.empty() || !association.start(peer_init, now)) {
    static_cast<void>(association.start(std::nullopt, now));
  }
}

}  // namespace sluice::interop
