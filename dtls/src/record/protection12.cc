#include "record/protection12.h"

#include <algorithm>

namespace sluice::dtls::record {
namespace {

constexpr std::size_t kRecordNumberAt = 3;
constexpr std::size_t kRecordNumberSize = 8;

// epoch + sequence number, type, version, length of the plaintext (RFC 6347 section 4.1.2.1).
using AssociatedData = std::array<std::byte, 13>;

AssociatedData associated_data(const Header12& header, std::size_t plaintext_size) {
  AssociatedData data;
  const MutableBytes out(data);
  wire::store(out.first(2), wire::value_of(header.epoch));
  wire::store(out.subspan(2, 6), wire::value_of(header.sequence));
  wire::store(out.subspan(8, 1), wire::value_of(header.type));
  wire::store(out.subspan(9, 2), wire::value_of(header.version));
  wire::store(out.subspan(11, 2), plaintext_size);
  return data;
}

}  // namespace

Nonces12::Nonces12(Bytes iv)
    : kind_(iv.size() == crypto::kAeadNonceSize ? NonceKind::from_sequence
                                                : NonceKind::explicit_part) {
  std::ranges::copy(iv, iv_.begin());
}

crypto::AeadNonce Nonces12::nonce(Bytes record_number) const {
  crypto::AeadNonce nonce = iv_;
  const auto tail = MutableBytes(nonce).last(kRecordNumberSize);
  // The explicit kind has zeros there, so both are the same exclusive or.
  for (std::size_t i = 0; i < tail.size(); ++i) tail[i] ^= record_number[i];
  return nonce;
}

Result<Sealer12> Sealer12::make(crypto::Library& library, const ProtectionKey12& key) {
  return crypto::AeadSealer::make(library, key.aead, key.key).map([&](crypto::AeadSealer aead) {
    return Sealer12(Nonces12(key.iv), std::move(aead));
  });
}

Result<std::size_t> Sealer12::seal(Header12 header, Bytes plaintext, MutableBytes out) {
  header.length = head_room() + plaintext.size() + tail_room();
  const std::size_t size = kHeaderSize12 + header.length;
  if (out.size() < size) return tl::unexpected(Error{Errc::buffer_too_small});
  header.encode(out);
  const Bytes record_number = out.subspan(kRecordNumberAt, kRecordNumberSize);
  std::ranges::copy(record_number.first(head_room()), out.begin() + kHeaderSize12);
  return aead_
      .seal(nonces_.nonce(record_number), associated_data(header, plaintext.size()), plaintext,
            out.subspan(kHeaderSize12 + head_room(), plaintext.size() + tail_room()))
      .map([&] { return size; });
}

Result<Opener12> Opener12::make(crypto::Library& library, const ProtectionKey12& key) {
  return crypto::AeadOpener::make(library, key.aead, key.key).map([&](crypto::AeadOpener aead) {
    return Opener12(Nonces12(key.iv), std::move(aead));
  });
}

std::optional<MutableBytes> Opener12::open(const Header12& header, MutableBytes record) {
  const std::size_t before = kHeaderSize12 + nonces_.explicit_size();
  if (record.size() < before + aead_.tag_size()) return std::nullopt;
  const Bytes record_number = nonces_.explicit_size() != 0
                                  ? record.subspan(kHeaderSize12, kRecordNumberSize)
                                  : record.subspan(kRecordNumberAt, kRecordNumberSize);
  const MutableBytes sealed = record.subspan(before);
  const MutableBytes plaintext = sealed.first(sealed.size() - aead_.tag_size());
  if (!aead_.open(nonces_.nonce(record_number), associated_data(header, plaintext.size()),
                  sealed)) {
    return std::nullopt;
  }
  return plaintext;
}

}  // namespace sluice::dtls::record
