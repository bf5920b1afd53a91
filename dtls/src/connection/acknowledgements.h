// When an ACK is due, and for what (RFC 9147 section 7.1).
#pragma once

#include <optional>

#include <sluice/dtls/clock.h>

#include "flight/received_records.h"

namespace sluice::dtls::connection {

class Acknowledgements {
 public:
  void received(const message::RecordNumber& number) {
    records_.add(number);
    waiting_ = true;
  }
  // To be sent at once.
  void send_now() {
    is_due_ = true;
    deadline_.reset();
  }
  // To be sent unless the rest of the flight comes first.
  void send_later(Instant when) {
    if (waiting_ && !is_due_ && !deadline_) deadline_ = when;
  }
  void on_timeout(Instant now) {
    if (deadline_ && now >= *deadline_) send_now();
  }
  // Our next flight says it all.
  void answered() { *this = Acknowledgements(); }

  [[nodiscard]] bool is_due() const { return is_due_; }
  [[nodiscard]] std::optional<Instant> deadline() const { return deadline_; }
  // What the ACK names; it counts as sent.
  std::span<const message::RecordNumber> take() {
    is_due_ = false;
    waiting_ = false;
    return records_.sorted();
  }

 private:
  flight::ReceivedRecords records_;
  bool waiting_ = false;  // something has come since the last ACK
  bool is_due_ = false;
  std::optional<Instant> deadline_;
};

}  // namespace sluice::dtls::connection
