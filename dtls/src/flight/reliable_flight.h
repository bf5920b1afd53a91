// One flight until the peer has it: when it is sent again, and when that ends (RFC 6347 section
// 4.2.4, RFC 9147 sections 5.8 and 7.2).
#pragma once

#include <optional>
#include <span>
#include <utility>

#include <sluice/dtls/path.h>

#include "flight/outgoing_flight.h"
#include "flight/retransmission_timer.h"

namespace sluice::dtls::flight {

// A handshake has one at a time. After a DTLS 1.3 handshake each message is a flight of its own
// (RFC 9147 section 5.8.4), and several may be under way.
class ReliableFlight {
 public:
  explicit ReliableFlight(const RetransmissionTimers& settings)
      : ReliableFlight(settings, settings.initial) {}
  ReliableFlight(const RetransmissionTimers& settings, Duration initial_timeout)
      : timer_(settings, initial_timeout) {}

  // ---- its messages

  // As OutgoingFlight's.
  template <class Encode>
  Bytes add_message(wire::HandshakeType type, wire::MessageSeq seq, wire::Epoch epoch,
                    Encode&& encode) {
    return messages_.add_message(type, seq, epoch, std::forward<Encode>(encode));
  }
  void add_change_cipher_spec() { messages_.add_change_cipher_spec(); }
  // Drops the messages. The timer runs on until begin() or stop().
  void clear() { messages_.clear(); }
  [[nodiscard]] bool empty() const { return messages_.empty(); }
  // What its first message is protected with; of a flight that isn't empty.
  [[nodiscard]] wire::Epoch first_epoch() const { return messages_.first_epoch(); }

  // A held flight isn't complete, so nothing of it leaves.
  void hold() { is_held_ = true; }
  void release() { is_held_ = false; }
  [[nodiscard]] bool is_held() const { return is_held_; }

  // ---- sending

  // All its messages are there and leave now. At the first timeout from `give_up` on it isn't sent
  // again.
  void begin(Instant now, Instant give_up = Instant::max());
  void set_give_up(Instant give_up) { give_up_ = give_up; }
  // Something waits to be written.
  [[nodiscard]] bool has_more() const { return !is_held_ && messages_.has_more(); }
  // All of it has been written at least once.
  [[nodiscard]] bool has_left() const { return messages_.has_left(); }
  // Fills one datagram of at most `mtu` bytes, or of 548 once two timeouts have passed: the path
  // may swallow larger ones.
  OutgoingFlight::Written write_datagram(record::RecordLayer& records, MutableBytes out,
                                         std::size_t mtu);

  // The path it leaves on; empty: the connection's path at that time.
  void set_path(PathId path) { path_ = path; }
  [[nodiscard]] std::optional<PathId> path() const { return path_; }

  // ---- what comes from the peer; true: it is sent again

  // The peer repeats what this flight has answered, so it lacks a part of this one. Its repetition
  // may have crossed this flight, or be many datagrams: half a timeout has to pass between two
  // answers.
  [[nodiscard]] bool on_repetition(Instant now);
  // RFC 9147 section 7.2: what an ACK leaves SHOULD be sent again, but not for each of many ACKs.
  [[nodiscard]] bool on_ack(std::span<const message::RecordNumber> numbers, Instant now);
  [[nodiscard]] bool fully_acknowledged() const { return messages_.fully_acknowledged(); }
  // The ACKs so far weren't authentic.
  void forget_acknowledged() { messages_.forget_acknowledged(); }
  // The first answer. The time since the flight left, if it left only once (Karn's rule); further
  // timeouts come from that unless set_rtt() has been called.
  std::optional<Duration> measure_rtt(Instant now);
  // The peer has it: no timeout repeats it any more.
  void stop() { timer_.stop(); }
  // From now on it is sent again only for on_repetition(), the first time at once.
  void stop_but_answer();

  // ---- time

  enum class Expiry : std::uint8_t {
    not_due,
    held,      // nothing leaves
    repeated,  // it is sent again
    given_up,  // and isn't sent again, unless it is resumed
  };
  Expiry on_timeout(Instant now);
  [[nodiscard]] bool is_due(Instant now) const { return deadline() && now >= *deadline(); }
  [[nodiscard]] std::optional<Instant> deadline() const { return timer_.deadline(); }
  // Of one that was given up: the peer has been heard of. True: it is sent again, until `give_up`.
  [[nodiscard]] bool resume(Instant now, Instant give_up);

  // The path's RTT as the caller has measured it.
  void set_rtt(Duration rtt);
  // The first timeout of a flight that begins now.
  [[nodiscard]] Duration initial_timeout() const { return timer_.initial(); }
  // How long an ACK of what the peer sends may wait for more of it (RFC 9147 section 7.1).
  [[nodiscard]] Duration ack_delay() const { return timer_.ack_delay(); }

 private:
  void repeat(Instant now);
  void repeat_and_wait_as_before(Instant now);

  OutgoingFlight messages_;
  RetransmissionTimer timer_;
  Instant sent_ = Instant::min();  // the last time that it began to leave
  Instant give_up_ = Instant::max();
  // No ACK has it repeated before then.
  Instant no_ack_answer_until_ = Instant::min();
  std::optional<PathId> path_;
  bool is_sent_once_ = false;  // and not answered
  bool is_rtt_given_ = false;  // by the caller: no measurement here counts
  bool is_held_ = false;
  bool is_given_up_ = false;
};

}  // namespace sluice::dtls::flight
