// A call as a sequence diagram: each arrow a datagram, with its records.
#pragma once

#include <sluice/dtls/packet_observer.h>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::sequences {

// In Mermaid's language, which GitHub draws. To be set as the observer of both ends.
class Diagram : public dtls::PacketObserver {
 public:
  void on_record(const dtls::ObservedRecord& record) override;
  void on_datagram(const dtls::ObservedDatagram& datagram) override;

  // Draws the datagram that was sent last, once it is known by whom and what became of it.
  void sent_by(dtls::Role sender, bool is_lost);
  // A datagram that isn't DTLS.
  void add_packet(dtls::Role sender, dtls::Duration when, std::size_t size, std::string_view what);
  void add_note(dtls::Role whose, dtls::Duration when, std::string_view text);

  [[nodiscard]] std::string text() const { return "sequenceDiagram\n" + heads_ + lines_; }

 private:
  struct Arrow {
    dtls::Duration when;
    std::size_t size;
    std::vector<std::string> records;
  };
  void add_arrow(dtls::Role sender, const Arrow& arrow, bool is_lost);

  std::vector<std::string> records_;  // of the datagram that is being written
  Arrow last_{};                      // the datagram that was sent last
  std::string heads_ = "    participant C as client\n    participant S as server\n";
  std::string lines_;
};

}  // namespace sluice::sequences
