// The data section of an offer (RFC 8841): its answer and its association.
#pragma once

#include <cstdint>

#include <sluice/data_channel/association.h>
#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/protocol.h>

#include "common/sdp/sdp_document.h"
#include "common/sdp/sdp_offer.h"

namespace sluice::interop {

// Null: the offer has none that is accepted.
const OfferedSection* data_section(const Offer& offer);

// What the answer says about our side.
struct DataAnswer {
  std::uint64_t max_message_size = 0;  // in bytes
  std::uint16_t max_channels = data_channel::Options{}.max_channels;
  dtls::Bytes sctp_init = {};  // our INIT chunk, for a=sctp-init; empty: none
};
// `media`: of begin_answer().
void answer_data_section(SdpMedia& media, const OfferedSection& section, const DataAnswer& answer);

// `limits` with what the section says: the ports and the peer's limit. Our port is the offered one.
data_channel::Options association_options(const OfferedSection& section, dtls::Role own_role,
                                          data_channel::Options limits);
// Starts an association that has waited, once DTLS is connected. `peer_init`: of the peer's
// a=sctp-init; empty: a handshake.
void start_association(data_channel::Association& association, dtls::Bytes peer_init,
                       dtls::Instant now);

}  // namespace sluice::interop
