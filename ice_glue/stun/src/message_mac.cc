#include "message_mac.h"

#include <sluice/stun/message.h>

#include "crypto/hmac.h"
#include "layout.h"

namespace sluice::stun {

dtls::Result<dtls::crypto::Digest> message_mac(dtls::Environment& environment, dtls::Bytes key,
                                               dtls::Bytes before) {
  std::array<std::byte, kCookieAt> start{before[0], before[1]};
  store(start, kLengthAt, before.size() - kHeaderSize + kIntegritySize, 2);
  auto hmac =
      dtls::crypto::Hmac::with_repeated_key(environment.library(), dtls::HashAlgorithm::sha1, key);
  if (!hmac) return dtls::forward_error(hmac);
  return hmac->compute({start, before.subspan(kCookieAt)});
}

}  // namespace sluice::stun
