#include "record/protection12.h"

#include <algorithm>
#include <cstring>

namespace sluice::dtls::record {
namespace {

constexpr std::size_t kRecordNumberAt = 3;
constexpr std::size_t kRecordNumberSize = crypto::kExplicitNonceSize;

// epoch + sequence number, type, version, length of the plaintext (RFC 6347 section 4.1.2.1).
crypto::AssociatedData12 associated_data(const Header12& header, std::size_t plaintext_size) {
  crypto::AssociatedData12 data;
  const MutableBytes out(data);
  wire::store(out.first(2), wire::value_of(header.epoch));
  wire::store(out.subspan(2, 6), wire::value_of(header.sequence));
  wire::store(out.subspan(8, 1), wire::value_of(header.type));
  wire::store(out.subspan(9, 2), wire::value_of(header.version));
  wire::store(out.subspan(11, 2), plaintext_size);
  return data;
}

RecordProtection12::Header to_public(const Header12& header) {
  const auto epoch = std::uint64_t{wire::value_of(header.epoch)};
  return {epoch << 48 | wire::value_of(header.sequence), wire::value_of(header.type),
          header.version};
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

Result<AeadSealer12> AeadSealer12::make(crypto::Library& library, const ProtectionKey12& key) {
  return crypto::AeadSealer::make(library, key.aead, key.key).map([&](crypto::AeadSealer aead) {
    return AeadSealer12(Nonces12(key.iv), std::move(aead));
  });
}

Result<void> AeadSealer12::seal(const Header12& header, Bytes plaintext, MutableBytes out) {
  const auto [head, tail] = room();
  header.encode(out);
  const Bytes record_number = out.subspan(kRecordNumberAt, kRecordNumberSize);
  const crypto::AeadNonce nonce = nonces_.nonce(record_number);
  const auto data = associated_data(header, plaintext.size());
  const MutableBytes fragment = out.subspan(kHeaderSize12, head + plaintext.size() + tail);
  if (aead_.does_records12()) {
    if (!plaintext.empty()) std::memmove(&fragment[head], plaintext.data(), plaintext.size());
    return aead_.seal_record12(nonce, data, fragment);
  }
  std::ranges::copy(record_number.first(head), fragment.begin());
  return aead_.seal(nonce, data, plaintext, fragment.subspan(head));
}

Result<AeadOpener12> AeadOpener12::make(crypto::Library& library, const ProtectionKey12& key) {
  return crypto::AeadOpener::make(library, key.aead, key.key).map([&](crypto::AeadOpener aead) {
    return AeadOpener12(Nonces12(key.iv), std::move(aead));
  });
}

std::optional<MutableBytes> AeadOpener12::open(const Header12& header, MutableBytes record) {
  const std::size_t before = kHeaderSize12 + nonces_.explicit_size();
  if (record.size() < before + aead_.tag_size()) return std::nullopt;
  const Bytes record_number = nonces_.explicit_size() != 0
                                  ? record.subspan(kHeaderSize12, kRecordNumberSize)
                                  : record.subspan(kRecordNumberAt, kRecordNumberSize);
  const MutableBytes sealed = record.subspan(before);
  const MutableBytes plaintext = sealed.first(sealed.size() - aead_.tag_size());
  const crypto::AeadNonce nonce = nonces_.nonce(record_number);
  const auto data = associated_data(header, plaintext.size());
  const bool authentic = aead_.does_records12()
                             ? aead_.open_record12(nonce, data, record.subspan(kHeaderSize12))
                             : aead_.open(nonce, data, sealed);
  return authentic ? std::optional(plaintext) : std::nullopt;
}

Result<std::size_t> Sealer12::seal(Header12 header, Bytes plaintext, MutableBytes out) {
  const auto [head, tail] = room();
  header.length = head + plaintext.size() + tail;
  if (out.size() < kHeaderSize12 + header.length) {
    return tl::unexpected(Error{Errc::buffer_too_small});
  }
  if (auto* aead = std::get_if<AeadSealer12>(&sealer_)) {
    return aead->seal(header, plaintext, out).map([&] { return kHeaderSize12 + header.length; });
  }
  auto& own = *std::get<OwnProtection12>(sealer_).protection;
  const auto size = own.seal(to_public(header), plaintext, out.subspan(kHeaderSize12));
  if (!size) return tl::unexpected(Error{Errc::libcrypto_failure, Alert::internal_error});
  header.length = *size;
  header.encode(out);
  return kHeaderSize12 + header.length;
}

std::optional<MutableBytes> Opener12::open(const Header12& header, MutableBytes record) {
  if (auto* aead = std::get_if<AeadOpener12>(&opener_)) return aead->open(header, record);
  auto& own = *std::get<std::unique_ptr<RecordProtection12>>(opener_);
  return own.open(to_public(header), record.subspan(kHeaderSize12));
}

}  // namespace sluice::dtls::record
