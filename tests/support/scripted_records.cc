#include "support/scripted_records.h"

#include <stdexcept>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {

using dtls::Buffer;
using dtls::Bytes;
using dtls::record::Header12;
using dtls::record::kHeaderSize12;

void ScriptedRecords::install(dtls::record::Sealer12 sealer, dtls::record::Opener12 opener) {
  sealer_.emplace(std::move(sealer));
  opener_.emplace(std::move(opener));
}

Buffer ScriptedRecords::seal(const OutgoingRecord& record) {
  const bool encrypted = record.epoch == dtls::wire::kFirstEncryptedEpoch12;
  const std::uint64_t sequence =
      record.sequence ? *record.sequence : next_sequence_[encrypted ? 1 : 0]++;
  const Header12 header{record.type, record.version, record.epoch,
                        dtls::wire::SequenceNumber{sequence}, record.contents.size()};
  if (encrypted) {
    if (!sealer_) throw std::runtime_error("scripted peer: no keys yet");
    Buffer out(kHeaderSize12 + sealer_->head_room() + record.contents.size() +
               sealer_->tail_room());
    must(sealer_->seal(header, record.contents, out));
    return out;
  }
  Buffer out(kHeaderSize12);
  header.encode(out);
  out.insert(out.end(), record.contents.begin(), record.contents.end());
  return out;
}

std::optional<IncomingRecord> ScriptedRecords::take(Bytes& datagram) {
  const auto header = Header12::decode(datagram);
  if (!header || header->length > datagram.size() - kHeaderSize12) {
    throw std::runtime_error("the engine sent a broken record");
  }
  Buffer record = copy_of(datagram.first(kHeaderSize12 + header->length));
  datagram = datagram.subspan(record.size());
  std::optional<dtls::MutableBytes> contents = dtls::MutableBytes(record).subspan(kHeaderSize12);
  if (header->epoch != dtls::wire::kPlaintextEpoch) {
    contents = opener_ ? opener_->open(*header, record) : std::nullopt;
  }
  if (!contents) return std::nullopt;
  return IncomingRecord{header->type, header->version, header->epoch,
                        dtls::wire::value_of(header->sequence), copy_of(*contents)};
}

}  // namespace sluice::test
