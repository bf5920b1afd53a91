#include "record/record_layer.h"

#include <algorithm>
#include <cstring>

namespace sluice::dtls::record {

RecordLayer::Taken RecordLayer::take(MutableBytes& datagram) {
  const MutableBytes before = datagram;
  Taken taken = take_any(datagram);
  if (std::holds_alternative<NeedsCiphers>(taken)) datagram = before;
  // RFC 9146 section 3: the datagram is invalid; RFC 9147 section 4: so is the rest of it.
  const auto* discard = std::get_if<Discard>(&taken);
  if (discard != nullptr && *discard == Discard::wrong_connection_id) datagram = {};
  const auto* record = std::get_if<Record>(&taken);
  if (observation() != nullptr && record != nullptr) {
    observation()->record(Direction::received, record->type, record->epoch, record->sequence,
                          record->contents);
  }
  return taken;
}

RecordLayer::Taken RecordLayer::take_any(MutableBytes& datagram) {
  return !datagram.empty() && Header13::is_unified(datagram.front()) ? take13(datagram)
                                                                     : take12(datagram);
}

RecordLayer::Taken RecordLayer::take12(MutableBytes& datagram) {
  const auto header = Header12::decode(datagram, ids_.own().size());
  if (!header || header->length > datagram.size() - header->size()) {
    datagram = {};
    return Discard::malformed_record;
  }
  const MutableBytes record = datagram.first(header->size() + header->length);
  datagram = datagram.subspan(record.size());
  if (!is_version_known(*header)) return Discard::unknown_version;
  if (header->length > kMaxCiphertext12) return Discard::malformed_record;
  return open12(*header, record);
}

bool RecordLayer::is_version_known(const Header12& header) const {
  if (header.version == ProtocolVersion::dtls12) return true;
  // The record of a ClientHello may carry any minor version (RFC 5246 appendix E.1), that of a
  // HelloVerifyRequest carries 1.0 (RFC 6347 section 4.2.1). Encrypted records carry 1.2.
  const bool is_dtls = static_cast<unsigned>(header.version) >> 8 == 0xfe;
  return is_dtls && header.epoch == wire::kPlaintextEpoch;
}

RecordLayer::Taken RecordLayer::open12(const Header12& header, MutableBytes record) {
  if (header.epoch == wire::kPlaintextEpoch && reads_plaintext_) {
    if (header.length > kMaxPlaintext) return Discard::malformed_record;
    return Record{header.type, header.epoch, header.sequence, record.subspan(header.size())};
  }
  if (header.epoch != wire::kFirstEncryptedEpoch12) return Discard::unknown_epoch;
  const bool has_our_id = is_for_us(header);
  // A record without an ID may be kept: it is not known yet whether the server agrees on one.
  if (!has_our_id && header.type == kTls12Cid) return Discard::wrong_connection_id;
  if (readers_.empty()) return FutureRecord{record};
  Reader& reader = readers_.newest();
  if (reader.epoch != header.epoch) return Discard::unknown_epoch;
  if (!has_our_id) return Discard::wrong_connection_id;
  const bool is_fresh = reader.window.is_fresh(header.sequence);
  if (!is_fresh && !takes_again(header.type)) {
    return Discard::replayed;
  }
  if (is_cold_) {
    // Both directions have the same cipher.
    const std::size_t shortest = RecordSize(writers_.newest().room, 0, 0).shortest();
    if (record.size() < shortest + header.connection_id.size()) {
      return Discard::authentication_failed;
    }
    return NeedsCiphers{};
  }
  const auto plaintext = std::get<Opener12>(*readers_.cipher()).open(header, record);
  if (!plaintext) {
    count_forgery(reader);
    return Discard::authentication_failed;
  }
  const InnerPlaintext opened = header.type == kTls12Cid
                                    ? strip_inner_plaintext(*plaintext, max_received(header.epoch))
                                    : InnerPlaintext{header.type, *plaintext};
  // A connection ID hides the type until here.
  if (!is_fresh && !takes_again(opened.type)) return Discard::replayed;
  const bool newest = is_newest(reader, header.sequence);
  reader.window.mark(header.sequence);
  peer_encrypts_ = true;
  return Record{opened.type, header.epoch, header.sequence, opened.contents, newest, !is_fresh};
}

bool RecordLayer::is_for_us(const Header12& header) const {
  const bool has_id = header.type == kTls12Cid;
  return has_id != ids_.own().empty() && std::ranges::equal(header.connection_id, ids_.own());
}

RecordLayer::Taken RecordLayer::take13(MutableBytes& datagram) {
  const auto header = Header13::decode(datagram, ids_.own().size());
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
  const Bytes id = header.connection_id_in(record);
  const bool has_our_id = ids_.take(id);
  // As in open12().
  if (!has_our_id && !id.empty()) return Discard::wrong_connection_id;
  // The header has two bits of the epoch. The newest known epoch that ends in them is meant.
  Readers* const found = readers_.find([&](const Reader& candidate) {
    return candidate.epoch != wire::kFirstEncryptedEpoch12 && header.matches(candidate.epoch);
  });
  if (found == nullptr) {
    const bool speaks12 =
        !readers_.empty() && readers_.newest().epoch == wire::kFirstEncryptedEpoch12;
    // FutureRecords keeps records one after another, so each needs a length.
    if (speaks12 || (header.flags & kLengthPresent) == 0) return Discard::unknown_epoch;
    return FutureRecord{record};
  }
  if (!has_our_id) return Discard::wrong_connection_id;
  if (header.length < crypto::RecordMask::kSampleSize) return Discard::malformed_record;
  auto* const cipher = found->cipher();
  if (cipher == nullptr) {
    if (!is_cold_) return Discard::unknown_epoch;
    return NeedsCiphers{};
  }
  auto& opener = std::get<Opener13>(*cipher);
  Reader& reader = found->newest();
  const auto sequence = opener.reveal_sequence(header, record, reader.window.next());
  if (!sequence) return Discard::malformed_record;
  const bool is_fresh = reader.window.is_fresh(*sequence);
  if (!is_fresh && window_units_ != 0) return Discard::replayed;
  const auto opened = opener.open(header, record, *sequence, content_limits_.received);
  if (!opened) {
    count_forgery(reader);
    return Discard::authentication_failed;
  }
  // Its content type is known only now.
  if (!is_fresh && !takes_again(opened->type)) return Discard::replayed;
  const bool newest = is_newest(reader, *sequence);
  reader.window.mark(*sequence);
  if (newest) ids_.on_newest(id);
  peer_encrypts_ = true;
  return Record{opened->type, reader.epoch, *sequence, opened->contents, newest, !is_fresh};
}

void RecordLayer::count_forgery(Reader& reader) {
  if (reader.forgeries_left == 0) {
    forgeries_exceeded_ = true;
  } else {
    --reader.forgeries_left;
  }
}

bool RecordLayer::is_newest(const Reader& reader, wire::SequenceNumber sequence) const {
  if (wire::value_of(sequence) < reader.window.next()) return false;
  const bool is_last_epoch = &reader == &readers_.newest();
  return is_last_epoch || readers_.find([&](const Reader& later) {
    return later.epoch > reader.epoch && later.window.next() > 0;
  }) == nullptr;
}

void RecordLayer::add_reader12(Opener12 opener, const KeyLimits& limits) {
  readers_.add({limits.forgeries, make_window(), wire::kFirstEncryptedEpoch12}, std::move(opener));
}

void RecordLayer::add_reader(wire::Epoch epoch, Opener13 opener, const KeyLimits& limits) {
  readers_.add({limits.forgeries, make_window(), epoch}, std::move(opener));
}

ReplayWindow RecordLayer::make_window() const {
  return ReplayWindow(window_units_ != 0 ? window_units_ * ReplayWindow::kUnit
                                         : ReplayWindow::kDefaultSize);
}

void RecordLayer::stop_reading_before(wire::Epoch epoch) { readers_.drop_before(epoch); }

bool RecordLayer::has_read(wire::Epoch epoch) const {
  const Readers* found = readers_.find(epoch);
  return found != nullptr && found->newest().window.next() > 0;
}

void RecordLayer::add_writer12(Sealer12 sealer, const KeyLimits& limits) {
  const RecordRoom room = room12(sealer.room(), sealer.has_exact_room());
  writers_.add({0, limits.records, wire::kFirstEncryptedEpoch12, room}, std::move(sealer));
}

void RecordLayer::add_writer(wire::Epoch epoch, Sealer13 sealer, const KeyLimits& limits) {
  const RecordRoom room = room13(sealer.tag_size());
  writers_.add({0, limits.records, epoch, room}, std::move(sealer));
  is_encrypting_ = true;
}

void RecordLayer::stop_writing_before(wire::Epoch epoch) { writers_.drop_before(epoch); }

RecordSize RecordLayer::size_of(const Writer& writer) const {
  const std::size_t id = ids_.peers().size();
  if (id == 0) return {writer.room, content_limits_.sent, padding_};
  // RFC 9146 section 4 hides the type of DTLS 1.2, which then counts against the limit.
  const std::size_t new_type = writer.room.has_inner_type ? 0 : kInnerTypeSize;
  RecordRoom room = writer.room;
  room.head = static_cast<std::uint16_t>(room.head + id);
  room.tail = static_cast<std::uint8_t>(room.tail + new_type);
  room.has_inner_type = true;
  return {room, static_cast<std::uint16_t>(content_limits_.sent - new_type), padding_};
}

// ---- connections that move

std::vector<ReadNumbers> RecordLayer::read_numbers(const KeyLimits& limits) const {
  std::vector<ReadNumbers> all;
  readers_.for_each([&](const Reader& reader) {
    all.push_back({reader.epoch, reader.window.next(), reader.window.received(),
                   limits.forgeries - reader.forgeries_left});
  });
  return all;
}

void RecordLayer::restore(ProtocolVersion version, const ReadNumbers& read,
                          const WriteNumbers& write, const RecordRoom& room,
                          const KeyLimits& limits) {
  version_ = version;
  reads_plaintext_ = false;
  peer_encrypts_ = true;
  is_encrypting_ = true;
  is_cold_ = true;
  readers_.add(restored(read, limits));
  writers_.add({write.next, limits.records, write.epoch, room});
}

void RecordLayer::restore_old(const ReadNumbers& read, Opener13 opener, const KeyLimits& limits) {
  readers_.add(restored(read, limits), std::move(opener));
}

RecordLayer::Reader RecordLayer::restored(const ReadNumbers& read, const KeyLimits& limits) const {
  // A limit may be lower than before.
  Reader reader{limits.forgeries - std::min(limits.forgeries, read.forgeries), make_window(),
                read.epoch};
  reader.window.restore(read.next, read.received);
  return reader;
}

void RecordLayer::cool() {
  readers_.cool();
  writers_.cool();
  is_cold_ = true;
}

bool RecordLayer::exhausted(wire::Epoch epoch) const {
  if (epoch == wire::kPlaintextEpoch) return next_plaintext_ > wire::kMaxSequenceNumber;
  const Writer* encrypted = find_writer(epoch);
  return encrypted != nullptr &&
         (encrypted->next > wire::kMaxSequenceNumber || encrypted->next >= encrypted->limit ||
          (send_limit() != nullptr && !send_limit()->allows({epoch, encrypted->next})));
}

bool RecordLayer::takes_data() const {
  const Writer* encrypted = find_writer(write_epoch());
  return encrypted != nullptr && !exhausted(write_epoch()) && data_left() != 0 &&
         !waits_for_snapshot();
}

std::uint64_t RecordLayer::data_left() const {
  const auto& [next, limit, epoch, room] = writers_.newest();
  const std::uint64_t end = std::min(limit - limit / 8, wire::kMaxSequenceNumber + 1);
  return end - std::min(end, next);
}

bool RecordLayer::should_update_keys() const {
  const Writer* encrypted = find_writer(write_epoch());
  return encrypted != nullptr && encrypted->next >= encrypted->limit / 2;
}

wire::SequenceNumber RecordLayer::last_sequence(wire::Epoch epoch) const {
  const Writer* encrypted = find_writer(epoch);
  return wire::SequenceNumber{(encrypted != nullptr ? encrypted->next : next_plaintext_) - 1};
}

Result<std::size_t> RecordLayer::seal_with(Writers& encrypted, const Header12& header,
                                           Bytes contents, MutableBytes out) const {
  const RecordSize size = size_of(encrypted.newest());
  const std::size_t padded_inner =
      size.padded(contents.size(), out.size()) - size.overhead() + kInnerTypeSize;
  if (auto* sealer13 = std::get_if<Sealer13>(encrypted.cipher())) {
    return sealer13->seal(header, contents, out, padded_inner);
  }
  auto& sealer12 = std::get<Sealer12>(*encrypted.cipher());
  if (header.connection_id.empty()) return sealer12.seal(header, contents, out);
  const MutableBytes inner = out.subspan(size.head(), padded_inner);
  write_inner_plaintext(header.type, contents, inner);
  Header12 outer = header;
  outer.type = kTls12Cid;
  return sealer12.seal(outer, inner, out);
}

std::optional<std::size_t> RecordLayer::seal(wire::Epoch epoch, wire::ContentType type,
                                             Bytes contents, MutableBytes out) {
  const bool plaintext = epoch == wire::kPlaintextEpoch;
  Writers* encrypted = writers_.find(epoch);
  const bool has_key = encrypted != nullptr && encrypted->cipher() != nullptr;
  if (exhausted(epoch) || out.size() < size_of(epoch).overhead() + contents.size() ||
      (!plaintext && !has_key)) {
    return std::nullopt;
  }
  // A number is used up even if sealing fails: no nonce is used twice.
  const wire::SequenceNumber sequence{(plaintext ? next_plaintext_ : encrypted->newest().next)++};
  if (observation() != nullptr) {
    observation()->record(Direction::sent, type, epoch, sequence, contents);
  }
  Header12 header{type, version_, epoch, sequence, contents.size()};
  if (!plaintext) {
    header.connection_id = ids_.peers();
    const auto size = seal_with(*encrypted, header, contents, out);
    return size ? std::optional(*size) : std::nullopt;
  }
  if (!contents.empty()) std::memmove(&out[kHeaderSize12], contents.data(), contents.size());
  header.encode(out);
  return kHeaderSize12 + contents.size();
}

}  // namespace sluice::dtls::record
