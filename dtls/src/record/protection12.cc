#include "record/protection12.h"

#include <algorithm>
#include <cstring>

#include "record/additional_data12.h"

namespace sluice::dtls::record {
namespace {

RecordNumber12 number_of(const Header12& header) {
  const auto epoch = std::uint64_t{wire::value_of(header.epoch)};
  return RecordNumber12{epoch << 48 | wire::value_of(header.sequence)};
}

// libcrypto does a record in one go only where it has no connection ID.
bool fits_at_once(Bytes additional_data) {
  return additional_data.size() == crypto::kAssociatedDataSize12;
}

}  // namespace

Nonces12::Nonces12(Bytes iv)
    : kind_(iv.size() == crypto::kAeadNonceSize ? NonceKind::from_sequence
                                                : NonceKind::explicit_part) {
  std::ranges::copy(iv, iv_.begin());
}

crypto::AeadNonce Nonces12::nonce(Bytes record_number) const {
  crypto::AeadNonce nonce = iv_;
  const auto tail = MutableBytes(nonce).last(kRecordNumberSize12);
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
  const Bytes record_number = out.subspan(kRecordNumberAt12, kRecordNumberSize12);
  const crypto::AeadNonce nonce = nonces_.nonce(record_number);
  AdditionalDataBuffer12 buffer(header);
  const Bytes data = buffer.with_length(plaintext.size());
  const MutableBytes fragment = out.subspan(header.size(), head + plaintext.size() + tail);
  if (aead_.does_records12() && fits_at_once(data)) {
    if (!plaintext.empty()) std::memmove(&fragment[head], plaintext.data(), plaintext.size());
    return aead_.seal_record12(nonce, data.first<crypto::kAssociatedDataSize12>(), fragment);
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
  const MutableBytes fragment = record.subspan(header.size());
  const std::size_t explicit_size = nonces_.explicit_size();
  if (fragment.size() < explicit_size + aead_.tag_size()) return std::nullopt;
  const Bytes record_number = explicit_size != 0
                                  ? fragment.first(kRecordNumberSize12)
                                  : record.subspan(kRecordNumberAt12, kRecordNumberSize12);
  const MutableBytes sealed = fragment.subspan(explicit_size);
  const MutableBytes plaintext = sealed.first(sealed.size() - aead_.tag_size());
  const crypto::AeadNonce nonce = nonces_.nonce(record_number);
  AdditionalDataBuffer12 buffer(header);
  const Bytes data = buffer.with_length(plaintext.size());
  const bool authentic =
      aead_.does_records12() && fits_at_once(data)
          ? aead_.open_record12(nonce, data.first<crypto::kAssociatedDataSize12>(), fragment)
          : aead_.open(nonce, data, sealed);
  return authentic ? std::optional(plaintext) : std::nullopt;
}

Result<std::size_t> Sealer12::seal(Header12 header, Bytes plaintext, MutableBytes out) {
  const auto [head, tail] = room();
  header.length = head + plaintext.size() + tail;
  if (out.size() < header.size() + header.length) {
    return tl::unexpected(Error{Errc::buffer_too_small});
  }
  if (auto* aead = std::get_if<AeadSealer12>(&sealer_)) {
    return aead->seal(header, plaintext, out).map([&] { return header.size() + header.length; });
  }
  auto& own = *std::get<OwnProtection12>(sealer_).protection;
  AdditionalDataBuffer12 data(header);
  const auto size = own.seal(number_of(header), data.view(), plaintext, out.subspan(header.size()));
  if (!size) return tl::unexpected(Error{Errc::libcrypto_failure, Alert::internal_error});
  header.length = *size;
  header.encode(out);
  return header.size() + header.length;
}

std::optional<MutableBytes> Opener12::open(const Header12& header, MutableBytes record) {
  if (auto* aead = std::get_if<AeadOpener12>(&opener_)) return aead->open(header, record);
  auto& own = *std::get<std::unique_ptr<RecordProtection12>>(opener_);
  AdditionalDataBuffer12 data(header);
  return own.open(number_of(header), data.view(), record.subspan(header.size()));
}

}  // namespace sluice::dtls::record
