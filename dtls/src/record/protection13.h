// Protection of DTLS 1.3 records: AEAD and record number encryption (RFC 9147 sections 4
// and 4.2.3).
#pragma once

#include <optional>

#include "crypto/aead.h"
#include "crypto/record_mask.h"
#include "record/header12.h"
#include "record/header13.h"
#include "record/inner_plaintext.h"

namespace sluice::dtls::record {

// One direction's keys of one epoch.
struct ProtectionKey13 {
  crypto::AeadAlgorithm aead;
  Bytes key;
  Bytes iv;
  Bytes sn_key;
};

class Sealer13 {
 public:
  static Result<Sealer13> make(crypto::Library& library, const ProtectionKey13& key);

  [[nodiscard]] std::size_t tag_size() const { return aead_.tag_size(); }

  // Writes a whole record to `out` and returns its size. Of `header`, type, epoch, sequence number
  // and connection ID are used. Padding makes the inner plaintext `padded_size` bytes long, if it
  // is shorter. `contents` may lie where their ciphertext will, else they must not overlap `out`.
  // Errors: buffer_too_small, libcrypto_failure.
  Result<std::size_t> seal(const Header12& header, Bytes contents, MutableBytes out,
                           std::size_t padded_size = 0);

 private:
  Sealer13(Bytes iv, crypto::AeadSealer aead, crypto::RecordMask mask);
  // no_unique_address: iv_ begins in the padding.
  [[no_unique_address]] crypto::AeadSealer aead_;
  crypto::AeadNonce iv_{};
  crypto::RecordMask mask_;
};

class Opener13 {
 public:
  static Result<Opener13> make(crypto::Library& library, const ProtectionKey13& key);

  // Decrypts the sequence number in place. `next` is one above the highest number opened so far.
  // Empty when the record is too short for a mask.
  std::optional<wire::SequenceNumber> reveal_sequence(const Header13& header, MutableBytes record,
                                                      std::uint64_t next);
  // Decrypts in place. `record` is the whole record with its sequence number decrypted. Empty when
  // it is not authentic. The receiver must refuse contents of type 0 and contents longer than
  // `max_contents`, as strip_inner_plaintext() describes.
  std::optional<InnerPlaintext> open(const Header13& header, MutableBytes record,
                                     wire::SequenceNumber sequence,
                                     std::size_t max_contents = kMaxPlaintext);

 private:
  Opener13(Bytes iv, crypto::AeadOpener aead, crypto::RecordMask mask);
  // no_unique_address: iv_ begins in the padding.
  [[no_unique_address]] crypto::AeadOpener aead_;
  crypto::AeadNonce iv_{};
  crypto::RecordMask mask_;
};

}  // namespace sluice::dtls::record
