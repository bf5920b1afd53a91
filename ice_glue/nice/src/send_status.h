// What a failure to protect, to seal or to send means to the user of a NiceTransport.
#pragma once

#include <sluice/nice/nice_transport.h>

#include "ice_agent.h"

namespace sluice::nice {

SendStatus status_of(srtp::PacketError error);
SendStatus status_of(dtls::SendError error);
SendStatus status_of(IceSend result);

}  // namespace sluice::nice
