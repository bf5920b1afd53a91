#include "record/record_layer.h"

#include <algorithm>
#include <cstring>

namespace sluice::dtls::record {

RecordLayer::Taken RecordLayer::take(MutableBytes& datagram) {
  Taken taken = take_any(datagram);
  const auto* record = std::get_if<Record>(&taken);
  if (observation_ != nullptr && record != nullptr) {
    observation_->record(Direction::received, record->type, record->epoch, record->sequence,
                         record->contents);
  }
  return taken;
}

RecordLayer::Taken RecordLayer::take_any(MutableBytes& datagram) {
  return !datagram.empty() && Header13::is_unified(datagram.front()) ? take13(datagram)
                                                                     : take12(datagram);
}

RecordLayer::Taken RecordLayer::take12(MutableBytes& datagram) {
  const auto header = Header12::decode(datagram);
  if (!header || header->length > datagram.size() - kHeaderSize12) {
    datagram = {};
    return Discard::malformed_record;
  }
  const MutableBytes record = datagram.first(kHeaderSize12 + header->length);
  datagram = datagram.subspan(record.size());
  if (!is_version_known(*header)) return Discard::unknown_version;
  if (header->length > kMaxCiphertext12) return Discard::malformed_record;
  return open12(*header, record);
}

bool RecordLayer::is_version_known(const Header12& header) const {
  if (header.version == ProtocolVersion::dtls12) return true;
  // A ClientHello's record may carry any minor version (RFC 5246 appendix E.1), that of
  // HelloVerifyRequest says 1.0 (RFC 6347 section 4.2.1); encrypted records never do.
  const bool is_dtls = static_cast<unsigned>(header.version) >> 8 == 0xfe;
  return is_dtls && header.epoch == wire::kPlaintextEpoch;
}

RecordLayer::Taken RecordLayer::open12(const Header12& header, MutableBytes record) {
  if (header.epoch == wire::kPlaintextEpoch && reads_plaintext_) {
    if (header.length > kMaxPlaintext) return Discard::malformed_record;
    return Record{header.type, header.epoch, header.sequence, record.subspan(kHeaderSize12)};
  }
  if (header.epoch != wire::kFirstEncryptedEpoch12) return Discard::unknown_epoch;
  if (readers_.empty()) return FutureRecord{record};
  Reader& reader = readers_.front();
  auto* opener = std::get_if<Opener12>(&reader.opener);
  if (opener == nullptr) return Discard::unknown_epoch;
  if (!reader.window.is_fresh(header.sequence) && !takes_again(header.type)) {
    return Discard::replayed;
  }
  const auto plaintext = opener->open(header, record);
  if (!plaintext) return Discard::authentication_failed;
  reader.window.mark(header.sequence);
  peer_encrypts_ = true;
  return Record{header.type, header.epoch, header.sequence, *plaintext};
}

RecordLayer::Taken RecordLayer::take13(MutableBytes& datagram) {
  const auto header = Header13::decode(datagram);
  if (!header) {
    datagram = {};
    return Discard::malformed_record;
  }
  const MutableBytes record = datagram.first(header->size + header->length);
  datagram = datagram.subspan(record.size());
  if (header->length > kMaxCiphertext13) return Discard::malformed_record;
  return open13(*header, record);
}

RecordLayer::Taken RecordLayer::open13(const Header13& header, MutableBytes record) {
  // Two bits of the epoch are on the wire: of those known that end in them, the newest.
  const auto reader =
      std::ranges::find_if(readers_.rbegin(), readers_.rend(), [&](const Reader& candidate) {
        return header.matches(candidate.epoch) &&
               std::holds_alternative<Opener13>(candidate.opener);
      });
  if (reader == readers_.rend()) {
    // Without a length it couldn't be put in a row with others.
    if ((header.flags & kLengthPresent) == 0) return Discard::unknown_epoch;
    return FutureRecord{record};
  }
  auto& opener = std::get<Opener13>(reader->opener);
  const auto sequence = opener.reveal_sequence(header, record, reader->window.next());
  if (!sequence) return Discard::malformed_record;
  const bool is_fresh = reader->window.is_fresh(*sequence);
  if (!is_fresh && window_units_ != 0) return Discard::replayed;
  const auto opened = opener.open(header, record, *sequence, content_limits_.received);
  if (!opened) {
    forgeries_exceeded_ = forgeries_exceeded_ || ++reader->forgeries > limits_.forgeries;
    return Discard::authentication_failed;
  }
  // Only now is it known what it is.
  if (!is_fresh && !takes_again(opened->type)) return Discard::replayed;
  reader->window.mark(*sequence);
  peer_encrypts_ = true;
  return Record{opened->type, reader->epoch, *sequence, opened->contents};
}

Result<void> RecordLayer::install_read(crypto::Library& library, const ProtectionKey12& key) {
  return Opener12::make(library, key).map([&](Opener12 opener) {
    add_reader12(std::move(opener));
  });
}

void RecordLayer::add_reader12(Opener12 opener) {
  readers_.push_back({wire::kFirstEncryptedEpoch12, std::move(opener), make_window(), 0});
}

void RecordLayer::add_reader(wire::Epoch epoch, Opener13 opener) {
  readers_.push_back({epoch, std::move(opener), make_window(), 0});
}

ReplayWindow RecordLayer::make_window() const {
  return ReplayWindow(window_units_ != 0 ? window_units_ * ReplayWindow::kUnit
                                         : ReplayWindow::kDefaultSize);
}

void RecordLayer::stop_reading_before(wire::Epoch epoch) {
  std::erase_if(readers_, [&](const Reader& reader) { return reader.epoch < epoch; });
}

bool RecordLayer::has_read(wire::Epoch epoch) const {
  const auto found = std::ranges::find(readers_, epoch, &Reader::epoch);
  return found != readers_.end() && found->window.next() > 0;
}

Result<void> RecordLayer::install_write(crypto::Library& library, const ProtectionKey12& key) {
  return Sealer12::make(library, key).map([&](Sealer12 sealer) {
    add_writer12(std::move(sealer));
  });
}

void RecordLayer::add_writer12(Sealer12 sealer) {
  writers_.push_back({wire::kFirstEncryptedEpoch12, std::move(sealer), 0});
}

void RecordLayer::add_writer(wire::Epoch epoch, Sealer13 sealer) {
  writers_.push_back({epoch, std::move(sealer), 0});
  write_epoch_ = epoch;
}

void RecordLayer::stop_writing_before(wire::Epoch epoch) {
  std::erase_if(writers_, [&](const Writer& writer) { return writer.epoch < epoch; });
}

const RecordLayer::Writer* RecordLayer::writer(wire::Epoch epoch) const {
  const auto found = std::ranges::find(writers_, epoch, &Writer::epoch);
  return found == writers_.end() ? nullptr : &*found;
}

std::size_t RecordLayer::head_room(wire::Epoch epoch) const {
  const Writer* encrypted = writer(epoch);
  if (encrypted == nullptr) return kHeaderSize12;
  const auto* sealer12 = std::get_if<Sealer12>(&encrypted->sealer);
  return sealer12 != nullptr ? kHeaderSize12 + sealer12->head_room() : Sealer13::head_room();
}

std::size_t RecordLayer::overhead(wire::Epoch epoch) const {
  const Writer* encrypted = writer(epoch);
  if (encrypted == nullptr) return kHeaderSize12;
  const auto tail_room = [](const auto& sealer) { return sealer.tail_room(); };
  return head_room(epoch) + std::visit(tail_room, encrypted->sealer);
}

std::size_t RecordLayer::inner_size(const Sealer13& sealer, std::size_t contents) const {
  const std::size_t unpadded = std::max(contents + kInnerTypeSize, sealer.min_inner_size());
  if (!pads()) return unpadded;
  const std::size_t padded = (unpadded + padding_ - 1) / padding_ * padding_;
  // RFC 8449 section 4 counts type and padding.
  return std::min(padded, std::max(unpadded, content_limits_.sent + kInnerTypeSize));
}

std::size_t RecordLayer::padded_size(wire::Epoch epoch, std::size_t contents) const {
  const Writer* encrypted = writer(epoch);
  const auto* sealer13 = encrypted != nullptr ? std::get_if<Sealer13>(&encrypted->sealer) : nullptr;
  return overhead(epoch) +
         (sealer13 != nullptr ? inner_size(*sealer13, contents) - kInnerTypeSize : contents);
}

bool RecordLayer::exhausted(wire::Epoch epoch) const {
  if (epoch == wire::kPlaintextEpoch) return next_plaintext_ > wire::kMaxSequenceNumber;
  const Writer* encrypted = writer(epoch);
  return encrypted != nullptr &&
         (encrypted->next > wire::kMaxSequenceNumber || encrypted->next >= limits_.records);
}

bool RecordLayer::takes_data() const {
  const Writer* encrypted = writer(write_epoch_);
  return encrypted != nullptr && !exhausted(write_epoch_) &&
         encrypted->next < limits_.records - limits_.records / 8;
}

bool RecordLayer::should_update_keys() const {
  const Writer* encrypted = writer(write_epoch_);
  return encrypted != nullptr && encrypted->next >= limits_.records / 2;
}

Result<std::size_t> RecordLayer::seal13(Sealer13& sealer, const Header12& header, Bytes contents,
                                        MutableBytes out) const {
  const std::size_t room = out.size() - sealer.head_room() - sealer.tail_room() + kInnerTypeSize;
  return sealer.seal(header.type, header.epoch, header.sequence, contents, out,
                     std::min(inner_size(sealer, contents.size()), room));
}

std::optional<std::size_t> RecordLayer::seal(wire::Epoch epoch, wire::ContentType type,
                                             Bytes contents, MutableBytes out) {
  const bool plaintext = epoch == wire::kPlaintextEpoch;
  auto* encrypted = const_cast<Writer*>(writer(epoch));
  if (exhausted(epoch) || out.size() < overhead(epoch) + contents.size() ||
      (!plaintext && encrypted == nullptr)) {
    return std::nullopt;
  }
  // A number is spent even if sealing fails: no nonce is tried twice.
  last_sequence_ = wire::SequenceNumber{(plaintext ? next_plaintext_ : encrypted->next)++};
  if (observation_ != nullptr) {
    observation_->record(Direction::sent, type, epoch, last_sequence_, contents);
  }
  const Header12 header{type, version_, epoch, last_sequence_, contents.size()};
  if (!plaintext) {
    auto* sealer12 = std::get_if<Sealer12>(&encrypted->sealer);
    const auto size = sealer12 != nullptr
                          ? sealer12->seal(header, contents, out)
                          : seal13(std::get<Sealer13>(encrypted->sealer), header, contents, out);
    return size ? std::optional(*size) : std::nullopt;
  }
  if (!contents.empty()) std::memmove(&out[kHeaderSize12], contents.data(), contents.size());
  header.encode(out);
  return kHeaderSize12 + contents.size();
}

}  // namespace sluice::dtls::record
