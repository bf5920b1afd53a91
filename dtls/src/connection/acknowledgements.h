// Decides when an ACK is due and which records it lists (RFC 9147 section 7.1).
#pragma once

#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>

#include "flight/received_records.h"

namespace sluice::dtls::connection {

class Acknowledgements {
 public:
  void received(const message::RecordNumber& number) {
    records_.add(number);
    waiting_ = true;
  }
  // Sends an ACK immediately, if any record is unacknowledged.
  void send_now() {
    if (!waiting_) return;
    is_due_ = true;
    deadline_.reset();
  }
  // Sends an ACK immediately because of a gap, but at most once per `pause`. Otherwise the peer
  // would retransmit the rest for each record after the gap.
  void send_early(Instant now, Duration pause) {
    if (now < no_early_until_) return send_later(no_early_until_);
    if (waiting_) no_early_until_ = now + pause;
    send_now();
  }
  // Sends an ACK at `when`, unless the rest of the flight arrives before.
  void send_later(Instant when) {
    if (waiting_ && !is_due_ && !deadline_) deadline_ = when;
  }
  void on_timeout(Instant now) {
    if (deadline_ && now >= *deadline_) send_now();
  }
  // Our next flight acknowledges all received records.
  void answered() { *this = Acknowledgements(); }

  [[nodiscard]] bool is_due() const { return is_due_; }
  // Whether no record has arrived since the last ACK.
  [[nodiscard]] bool is_idle() const { return !waiting_ && !is_due_; }
  [[nodiscard]] std::optional<Instant> deadline() const { return deadline_; }
  // The path of ACKs; empty: the connection's path at the time of sending.
  void set_path(PathId path) { path_ = path; }
  [[nodiscard]] std::optional<PathId> path() const { return path_; }
  // The records for an ACK of at most `limit` numbers. The ACK counts as sent.
  message::RecordNumbers take(std::size_t limit) {
    is_due_ = false;
    waiting_ = false;
    return records_.newest(limit);
  }

 private:
  flight::ReceivedRecords records_;
  std::optional<PathId> path_;
  bool waiting_ = false;  // a record has arrived since the last ACK
  bool is_due_ = false;
  std::optional<Instant> deadline_;
  Instant no_early_until_ = Instant::min();
};

}  // namespace sluice::dtls::connection
