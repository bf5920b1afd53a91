// What both sides have said: the input of Finished, CertificateVerify and the session hash.
#pragma once

#include <optional>

#include <sluice/dtls/bytes.h>

#include "crypto/hash.h"

namespace sluice::dtls::handshake {

// Type and length: TLS's own handshake header, as the transcript of DTLS 1.3 has it (RFC 9147
// section 5.2).
inline constexpr std::size_t kTlsHeaderSize = 4;

// Messages come with the header that they would have unfragmented. They are kept whole until
// version and hash are known, and on as long as a CertificateVerify may need them: in TLS 1.2 that
// signs with a hash of its own (RFC 5246 section 7.4.8).
class Transcript {
 public:
  // How a message enters the hash.
  enum class Form : std::uint8_t {
    dtls12,  // with message_seq and fragment fields (RFC 6347 section 4.2.6)
    dtls13,  // without them (RFC 9147 section 5.2)
  };

  Result<void> add(Bytes message);
  // The cipher suite is known: from here on the hash runs along.
  Result<void> start_hash(crypto::Library& library, HashAlgorithm hash, Form form);
  // HelloVerifyRequest and the hello before it don't count (RFC 6347 section 4.2.1).
  void forget_all() { messages_.clear(); }
  // HelloRetryRequest: the first hello counts by its hash alone (RFC 8446 section 4.4.1).
  Result<void> replace_by_message_hash(crypto::Library& library);
  // The same where the hash of the first hello is all that was kept (RFC 9147 section 5.1).
  Result<void> start_after_message_hash(crypto::Library& library, HashAlgorithm hash,
                                        Bytes first_hello);
  // No signature over the messages will be made or checked any more.
  void stop_keeping_messages() {
    keeps_messages_ = false;
    messages_ = {};
  }

  // The hash of all so far and a message that is only begun: what the binders of a ClientHello sign
  // (RFC 8446 section 4.2.11.2). Before start_hash() only a first ClientHello has any.
  [[nodiscard]] Result<crypto::Digest> hash_with(crypto::Library& library, HashAlgorithm hash,
                                                 Bytes header, Bytes begun_body) const;

  [[nodiscard]] Bytes messages() const { return messages_; }
  [[nodiscard]] Result<crypto::Digest> hash(crypto::Library& library) const {
    return running_->value(library);
  }

 private:
  Result<void> update(Bytes message);

  Buffer messages_;
  bool keeps_messages_ = true;
  Form form_ = Form::dtls12;
  HashAlgorithm hash_{};
  std::optional<crypto::RunningHash> running_;
};

}  // namespace sluice::dtls::handshake
