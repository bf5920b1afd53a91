// Somebody on the path who has been given a key log: reads what both sides say.
#pragma once

#include <sluice/dtls/key_log.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "record/record_layer.h"
#include "schedule/keys12.h"
#include "support/endpoints.h"

namespace sluice::test {

// Keeps the lines.
struct RecordingKeyLog : dtls::KeyLog {
  void add_line(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

struct Overheard {
  dtls::Role sender;
  dtls::wire::ContentType type;
  dtls::wire::Epoch epoch;
  dtls::wire::SequenceNumber sequence;
  dtls::Buffer contents;
};

// One association, whose hellos are not in fragments.
class Eavesdropper {
 public:
  // Lines of SSLKEYLOGFILE; those of other associations don't matter.
  explicit Eavesdropper(const std::vector<std::string>& key_log);

  // Datagrams in the order in which they were sent.
  void hear(dtls::Role sender, dtls::Bytes datagram);

  std::vector<Overheard> records;
  std::size_t unreadable = 0;  // records
  std::optional<dtls::CipherSuite> suite;

 private:
  void on_record(dtls::Role sender, const dtls::record::Record& record);
  void on_server_hello(dtls::Bytes body);
  void read12(const dtls::schedule::Random& server_random);
  void read13(dtls::Role sender, dtls::wire::Epoch epoch, const char* label);
  [[nodiscard]] dtls::Buffer secret(const std::string& label) const;

  std::map<std::string, dtls::Buffer> secrets_;  // by label and client random
  dtls::schedule::Random client_random_{};
  std::map<dtls::Role, dtls::record::RecordLayer> sides_;
};

}  // namespace sluice::test
