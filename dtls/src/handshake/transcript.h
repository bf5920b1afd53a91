// What both sides have said: the input of Finished, CertificateVerify and the session hash.
#pragma once

#include <optional>

#include <sluice/dtls/bytes.h>

#include "crypto/hash.h"

namespace sluice::dtls::handshake {

// Messages are kept whole until the hash is known, and on as long as a CertificateVerify may need
// them: in TLS 1.2 that signs with a hash of its own (RFC 5246 section 7.4.8).
class Transcript {
 public:
  Result<void> add(Bytes message) {
    if (keeps_messages_) messages_.insert(messages_.end(), message.begin(), message.end());
    return hash_ ? hash_->update(message) : Result<void>();
  }
  // The cipher suite is known: from here on the hash runs along.
  Result<void> start_hash(crypto::Library& library, HashAlgorithm hash) {
    auto started = crypto::RunningHash::start(library, hash);
    if (!started) return tl::unexpected(started.error());
    hash_.emplace(std::move(*started));
    return hash_->update(messages_);
  }
  // HelloVerifyRequest and the hello before it don't count (RFC 6347 section 4.2.1).
  void forget_all() { messages_.clear(); }
  // No signature over the messages will be made or checked any more.
  void stop_keeping_messages() {
    keeps_messages_ = false;
    messages_ = {};
  }

  [[nodiscard]] Bytes messages() const { return messages_; }
  [[nodiscard]] Result<crypto::Digest> hash(crypto::Library& library) const {
    return hash_->value(library);
  }

 private:
  Buffer messages_;
  bool keeps_messages_ = true;
  std::optional<crypto::RunningHash> hash_;
};

}  // namespace sluice::dtls::handshake
