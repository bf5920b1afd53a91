// Records as a test writes and reads them: every field is its own to choose.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/protocol.h>

#include <array>
#include <cstdint>
#include <optional>

#include "record/protection12.h"
#include "wire/types.h"

namespace sluice::test {

struct OutgoingRecord {
  dtls::wire::ContentType type;
  dtls::wire::Epoch epoch;
  dtls::Buffer contents;
  dtls::ProtocolVersion version = dtls::ProtocolVersion::dtls12;
  std::optional<std::uint64_t> sequence = {};  // absent: the next of its epoch
};

struct IncomingRecord {
  dtls::wire::ContentType type;
  dtls::ProtocolVersion version;
  dtls::wire::Epoch epoch;
  std::uint64_t sequence;
  dtls::Buffer contents;  // plaintext
};

// The record layer of DTLS 1.2 without its checks.
class ScriptedRecords {
 public:
  void install(dtls::record::Sealer12 sealer, dtls::record::Opener12 opener);
  [[nodiscard]] bool has_keys() const { return sealer_.has_value(); }

  // One record's bytes. A record of epoch 1 needs keys; other epochs leave as plaintext.
  dtls::Buffer seal(const OutgoingRecord& record);
  // Takes the first record off a datagram; empty when no key opens it. Throws when it isn't whole.
  std::optional<IncomingRecord> take(dtls::Bytes& datagram);

 private:
  std::optional<dtls::record::Sealer12> sealer_;
  std::optional<dtls::record::Opener12> opener_;
  std::array<std::uint64_t, 2> next_sequence_{};
};

}  // namespace sluice::test
