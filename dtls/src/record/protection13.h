// Protection of DTLS 1.3 records: AEAD and record number encryption (RFC 9147 sections 4
// and 4.2.3).
#pragma once

#include <optional>

#include "crypto/aead.h"
#include "crypto/record_mask.h"
#include "record/header12.h"
#include "record/header13.h"

namespace sluice::dtls::record {

// One direction's keys of one epoch.
struct ProtectionKey13 {
  crypto::AeadAlgorithm aead;
  Bytes key;
  Bytes iv;
  Bytes sn_key;
};

// TLSInnerPlaintext: contents, type, padding (RFC 8446 section 5.2).
inline constexpr std::size_t kInnerTypeSize = 1;

class Sealer13 {
 public:
  static Result<Sealer13> make(crypto::Library& library, const ProtectionKey13& key);

  static constexpr std::size_t head_room() { return kHeaderSize13; }
  // What follows the contents; very short ones are padded besides where the tag is short.
  [[nodiscard]] std::size_t tail_room() const { return kInnerTypeSize + aead_.tag_size(); }

  // The shortest inner plaintext: with a short tag, what the mask is made from must be there too
  // (RFC 9147 section 4.2.3).
  [[nodiscard]] std::size_t min_inner_size() const {
    return crypto::RecordMask::kSampleSize - aead_.tag_size();
  }

  // Writes a whole record to `out` and returns its size; zeros make the inner plaintext
  // `padded_size` bytes, if it is shorter. `contents` may lie where their ciphertext will, else
  // they must not overlap `out`.
  Result<std::size_t> seal(wire::ContentType type, wire::Epoch epoch, wire::SequenceNumber sequence,
                           Bytes contents, MutableBytes out, std::size_t padded_size = 0);

 private:
  Sealer13(Bytes iv, crypto::AeadSealer aead, crypto::RecordMask mask);
  crypto::AeadNonce iv_{};
  crypto::AeadSealer aead_;
  crypto::RecordMask mask_;
};

class Opener13 {
 public:
  static Result<Opener13> make(crypto::Library& library, const ProtectionKey13& key);

  struct Opened {
    wire::ContentType type{};
    wire::SequenceNumber sequence{};
    MutableBytes contents;
  };

  // Decrypts the record number in its place; `next` is one above the highest number opened so far.
  // Empty when the record is too short for a mask.
  std::optional<wire::SequenceNumber> reveal_sequence(const Header13& header, MutableBytes record,
                                                      std::uint64_t next);
  // `record` is header and ciphertext, its number revealed. Empty when it isn't authentic. Contents
  // of type 0 are an inner plaintext of nothing but zeros, which its reader must refuse, as it must
  // contents longer than `max_contents`.
  std::optional<Opened> open(const Header13& header, MutableBytes record,
                             wire::SequenceNumber sequence,
                             std::size_t max_contents = kMaxPlaintext);

 private:
  Opener13(Bytes iv, crypto::AeadOpener aead, crypto::RecordMask mask);
  crypto::AeadNonce iv_{};
  crypto::AeadOpener aead_;
  crypto::RecordMask mask_;
};

}  // namespace sluice::dtls::record
