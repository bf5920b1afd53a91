#include "negotiation/peer_chain.h"

#include "crypto/certificate_key.h"
#include "negotiation/config_rules.h"

namespace sluice::dtls::handshake {

Result<crypto::PublicKey> take_chain(Context& context, std::span<const Bytes> chain,
                                     CertificateType type) {
  // A peer that has negotiated no type sends X.509.
  if (!accepts(context.config, type)) {
    return fatal(Errc::unsupported_certificate, Alert::unsupported_certificate,
                 "the peer has none of peer_certificate_types");
  }
  const bool is_raw = type == CertificateType::raw_public_key;
  if (is_raw && chain.size() != 1) {  // RFC 8446 section 4.4.2
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter, "more than one raw public key");
  }
  auto key = is_raw ? crypto::raw_public_key(context.library, chain.front())
                    : crypto::certificate_key(context.library, chain.front());
  if (key) context.peer.take_chain(chain, type);
  return key;
}

}  // namespace sluice::dtls::handshake
