#include "record/record_layer.h"

#include <cstring>

namespace sluice::dtls::record {

std::variant<Record, FutureRecord, Discard> RecordLayer::take(MutableBytes& datagram) {
  const auto header = Header12::decode(datagram);
  if (!header || header->length > datagram.size() - kHeaderSize12) {
    datagram = {};
    return Discard::malformed_record;
  }
  const MutableBytes record = datagram.first(kHeaderSize12 + header->length);
  datagram = datagram.subspan(record.size());
  if (!is_version_known(*header)) return Discard::unknown_version;
  if (header->length > kMaxCiphertext12) return Discard::malformed_record;
  return open(*header, record);
}

bool RecordLayer::is_version_known(const Header12& header) const {
  if (header.version == ProtocolVersion::dtls12) return true;
  // A ClientHello's record may carry any minor version (RFC 5246 appendix E.1), that of
  // HelloVerifyRequest says 1.0 (RFC 6347 section 4.2.1); encrypted records never do.
  const bool is_dtls = static_cast<unsigned>(header.version) >> 8 == 0xfe;
  return is_dtls && header.epoch == wire::kPlaintextEpoch;
}

std::variant<Record, FutureRecord, Discard> RecordLayer::open(const Header12& header,
                                                              MutableBytes record) {
  if (header.epoch == wire::kPlaintextEpoch && reads_plaintext_) {
    if (header.length > kMaxPlaintext) return Discard::malformed_record;
    return Record{header.type, header.epoch, record.subspan(kHeaderSize12)};
  }
  if (header.epoch != wire::kFirstEncryptedEpoch12) return Discard::unknown_epoch;
  if (!opener_) return FutureRecord{record};
  if (!window_.is_fresh(header.sequence)) return Discard::replayed;
  const auto plaintext = opener_->open(header, record);
  if (!plaintext) return Discard::authentication_failed;
  window_.mark(header.sequence);
  peer_encrypts_ = true;
  return Record{header.type, header.epoch, *plaintext};
}

Result<void> RecordLayer::install_read(crypto::Library& library, const ProtectionKey12& key) {
  return Opener12::make(library, key).map([&](Opener12 opener) {
    opener_.emplace(std::move(opener));
  });
}

Result<void> RecordLayer::install_write(crypto::Library& library, const ProtectionKey12& key) {
  return Sealer12::make(library, key).map([&](Sealer12 sealer) {
    sealer_.emplace(std::move(sealer));
  });
}

std::size_t RecordLayer::head_room(wire::Epoch epoch) const {
  return kHeaderSize12 + (epoch != wire::kPlaintextEpoch && sealer_ ? sealer_->head_room() : 0);
}

std::size_t RecordLayer::overhead(wire::Epoch epoch) const {
  return head_room(epoch) + (epoch != wire::kPlaintextEpoch ? Sealer12::tail_room() : 0);
}

bool RecordLayer::exhausted(wire::Epoch epoch) const {
  return (epoch == wire::kPlaintextEpoch ? next_plaintext_ : next_encrypted_) >
         wire::kMaxSequenceNumber;
}

std::optional<std::size_t> RecordLayer::seal(wire::Epoch epoch, wire::ContentType type,
                                             Bytes contents, MutableBytes out) {
  const bool plaintext = epoch == wire::kPlaintextEpoch;
  if (exhausted(epoch) || out.size() < overhead(epoch) + contents.size() ||
      (!plaintext && !sealer_)) {
    return std::nullopt;
  }
  // A number is spent even if sealing fails: no nonce is tried twice.
  const wire::SequenceNumber sequence{(plaintext ? next_plaintext_ : next_encrypted_)++};
  const Header12 header{type, version_, epoch, sequence, contents.size()};
  if (!plaintext) {
    const auto size = sealer_->seal(header, contents, out);
    return size ? std::optional(*size) : std::nullopt;
  }
  if (!contents.empty()) std::memmove(&out[kHeaderSize12], contents.data(), contents.size());
  header.encode(out);
  return kHeaderSize12 + contents.size();
}

}  // namespace sluice::dtls::record
