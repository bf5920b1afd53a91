#include "send_status.h"

namespace sluice::nice {

SendStatus status_of(srtp::PacketError error) {
  switch (error) {
    case srtp::PacketError::no_key:
      return SendStatus::not_connected;
    case srtp::PacketError::malformed:
    case srtp::PacketError::header_in_clear:
      return SendStatus::malformed;
    case srtp::PacketError::replayed:
    case srtp::PacketError::index_reused:
    case srtp::PacketError::ssrc_retired:
      return SendStatus::repeated;
    case srtp::PacketError::too_many_ssrcs:
      return SendStatus::too_many_ssrcs;
    case srtp::PacketError::buffer_too_small:
      return SendStatus::too_large;
    case srtp::PacketError::key_exhausted:
      return SendStatus::limit_reached;
    case srtp::PacketError::authentication_failed:
    case srtp::PacketError::internal:
      break;
  }
  return SendStatus::failed;
}

SendStatus status_of(dtls::SendError error) {
  switch (error) {
    case dtls::SendError::not_connected:
      return SendStatus::not_connected;
    case dtls::SendError::limit_reached:
      return SendStatus::limit_reached;
    case dtls::SendError::snapshot_needed:  // a transport takes no snapshots
    case dtls::SendError::libcrypto_failure:
      return SendStatus::failed;
    case dtls::SendError::too_large:
    case dtls::SendError::buffer_too_small:
      break;
  }
  return SendStatus::too_large;
}

SendStatus status_of(IceSend result) {
  switch (result) {
    case IceSend::sent:
      return SendStatus::sent;
    case IceSend::would_block:
      return SendStatus::blocked;
    case IceSend::no_consent:
    case IceSend::failed:
      break;
  }
  return SendStatus::refused;
}

}  // namespace sluice::nice
