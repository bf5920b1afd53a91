#include "record/protection13.h"

#include <algorithm>

#include "record/record_size.h"

namespace sluice::dtls::record {
namespace {

// RFC 8446 section 5.3: the IV, exclusive-or the sequence number. The epoch is not part of it.
crypto::AeadNonce nonce(const crypto::AeadNonce& iv, wire::SequenceNumber sequence) {
  crypto::AeadNonce nonce = iv;
  std::uint64_t number = wire::value_of(sequence);
  for (std::size_t i = nonce.size(); number != 0; number >>= 8) {
    nonce[--i] ^= static_cast<std::byte>(number & 0xff);
  }
  return nonce;
}

std::span<const std::byte, crypto::RecordMask::kSampleSize> sample_of(Bytes ciphertext) {
  return ciphertext.first<crypto::RecordMask::kSampleSize>();
}

void apply(const crypto::RecordMask::Mask& mask, MutableBytes sequence) {
  for (std::size_t i = 0; i < sequence.size(); ++i) sequence[i] ^= mask[i];
}

}  // namespace

Sealer13::Sealer13(Bytes iv, crypto::AeadSealer aead, crypto::RecordMask mask)
    : aead_(std::move(aead)), mask_(std::move(mask)) {
  std::ranges::copy(iv, iv_.begin());
}

Result<Sealer13> Sealer13::make(crypto::Library& library, const ProtectionKey13& key) {
  auto aead = crypto::AeadSealer::make(library, key.aead, key.key);
  if (!aead) return forward_error(aead);
  auto mask = crypto::RecordMask::make(library, key.aead, key.sn_key);
  if (!mask) return forward_error(mask);
  return Sealer13(key.iv, std::move(*aead), std::move(*mask));
}

Result<std::size_t> Sealer13::seal(const Header12& header, Bytes contents, MutableBytes out,
                                   std::size_t padded_size) {
  const std::size_t padded =
      std::max({contents.size() + kInnerTypeSize, padded_size, min_inner_size(aead_.tag_size())});
  const Bytes id = header.connection_id;
  const std::size_t head = kHeaderSize13 + id.size();
  const std::size_t length = padded + aead_.tag_size();
  const std::size_t size = head + length;
  if (out.size() < size) return tl::unexpected(Error{Errc::buffer_too_small});
  const MutableBytes inner = out.subspan(head, padded);
  write_inner_plaintext(header.type, contents, inner);

  const MutableBytes unified = out.first(head);
  unified[0] =
      static_cast<std::byte>(kFixedBits | (id.empty() ? 0 : kConnectionId) | kLongSequence |
                             kLengthPresent | (wire::value_of(header.epoch) & kEpochMask));
  std::ranges::copy(id, unified.begin() + 1);
  const MutableBytes number = unified.subspan(1 + id.size(), 2);
  wire::store(number, wire::value_of(header.sequence));
  wire::store(unified.last(2), length);
  // The additional data is the header with its sequence number still in plaintext.
  const MutableBytes sealed = out.subspan(head, length);
  if (auto done = aead_.seal(nonce(iv_, header.sequence), unified, inner, sealed); !done) {
    return forward_error(done);
  }
  const auto mask = mask_.compute(sample_of(sealed));
  if (!mask) return tl::unexpected(Error{Errc::libcrypto_failure, Alert::internal_error});
  apply(*mask, number);
  return size;
}

Opener13::Opener13(Bytes iv, crypto::AeadOpener aead, crypto::RecordMask mask)
    : aead_(std::move(aead)), mask_(std::move(mask)) {
  std::ranges::copy(iv, iv_.begin());
}

Result<Opener13> Opener13::make(crypto::Library& library, const ProtectionKey13& key) {
  auto aead = crypto::AeadOpener::make(library, key.aead, key.key);
  if (!aead) return forward_error(aead);
  auto mask = crypto::RecordMask::make(library, key.aead, key.sn_key);
  if (!mask) return forward_error(mask);
  return Opener13(key.iv, std::move(*aead), std::move(*mask));
}

std::optional<wire::SequenceNumber> Opener13::reveal_sequence(const Header13& header,
                                                              MutableBytes record,
                                                              std::uint64_t next) {
  const Bytes ciphertext = record.subspan(header.size);
  if (ciphertext.size() < crypto::RecordMask::kSampleSize) return std::nullopt;
  const auto mask = mask_.compute(sample_of(ciphertext));
  if (!mask) return std::nullopt;
  const MutableBytes number = record.subspan(header.sequence_at, header.sequence_size);
  apply(*mask, number);
  wire::Reader reader(number);
  const std::uint64_t low_bits = number.size() == 2 ? reader.u16() : reader.u8();
  return wire::SequenceNumber{reconstruct_sequence(next, low_bits, number.size())};
}

std::optional<InnerPlaintext> Opener13::open(const Header13& header, MutableBytes record,
                                             wire::SequenceNumber sequence,
                                             std::size_t max_contents) {
  const MutableBytes sealed = record.subspan(header.size);
  if (!aead_.open(nonce(iv_, sequence), record.first(header.size), sealed)) return std::nullopt;
  const MutableBytes inner = sealed.first(sealed.size() - aead_.tag_size());
  return strip_inner_plaintext(inner, max_contents);
}

}  // namespace sluice::dtls::record
