// The transcript of the handshake: the input of Finished, CertificateVerify and the session hash.
#pragma once

#include <optional>

#include <sluice/dtls/bytes.h>

#include "crypto/hash.h"

namespace sluice::dtls::handshake {

// The handshake header of TLS, type and length, which the transcript of DTLS 1.3 uses (RFC 9147
// section 5.2).
inline constexpr std::size_t kTlsHeaderSize = 4;

// Messages are added with the header of an unfragmented message. They are kept until version and
// hash are known. DTLS 1.2 keeps them until CertificateVerify, which may use another hash (RFC 5246
// section 7.4.8). In DTLS 1.2 those that are kept are hashed together when the hash is needed.
class Transcript {
 public:
  // Which header enters the hash.
  enum class Form : std::uint8_t {
    dtls12,  // with message_seq and fragment fields (RFC 6347 section 4.2.6)
    dtls13,  // without them (RFC 9147 section 5.2)
  };

  Result<void> add(Bytes message);
  // To be called when the cipher suite is known.
  Result<void> start_hash(crypto::Library& library, HashAlgorithm hash, Form form);
  // Removes the first hello: HelloVerifyRequest and the hello before it are no part of the
  // transcript (RFC 6347 section 4.2.1).
  void forget_all() { messages_ = {}; }
  // Replaces the first hello by its hash before a HelloRetryRequest (RFC 8446 section 4.4.1).
  Result<void> replace_by_message_hash(crypto::Library& library);
  // The same after a stateless HelloRetryRequest, whose cookie contains the hash (RFC 9147
  // section 5.1).
  Result<void> start_after_message_hash(crypto::Library& library, HashAlgorithm hash,
                                        Bytes first_hello);
  // To be called when no further signature over the messages is made or checked.
  void stop_keeping_messages() { keeps_messages_ = false; }

  // The hash of the transcript and of the first part of a further message, which binders sign
  // (RFC 8446 section 4.2.11.2). Before start_hash() the transcript must be empty.
  [[nodiscard]] Result<crypto::Digest> hash_with(crypto::Library& library, HashAlgorithm hash,
                                                 Bytes header, Bytes begun_body) const;

  [[nodiscard]] Bytes messages() const { return messages_; }
  [[nodiscard]] Result<crypto::Digest> hash(crypto::Library& library);

 private:
  // In DTLS 1.3.
  Result<void> update(Bytes message);
  // Hashes the messages that are only kept so far.
  Result<void> catch_up();

  Buffer messages_;
  std::size_t hashed_ = 0;  // bytes of messages_, in DTLS 1.2
  bool keeps_messages_ = true;
  Form form_ = Form::dtls12;
  HashAlgorithm hash_{};
  std::optional<crypto::RunningHash> running_;
  // In DTLS 1.2 the session hash is also what the client's Finished is made of, unless the client
  // signs.
  std::optional<crypto::Digest> latest_;
};

}  // namespace sluice::dtls::handshake
