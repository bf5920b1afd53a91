// One flight until the peer has received it: when it is retransmitted, and when that ends (RFC 6347
// section 4.2.4, RFC 9147 sections 5.8 and 7.2).
#pragma once

#include <optional>
#include <span>
#include <utility>

#include <sluice/dtls/path.h>

#include "flight/outgoing_flight.h"
#include "flight/retransmission_timer.h"

namespace sluice::dtls::flight {

// A handshake has one flight at a time. After a DTLS 1.3 handshake each message is a separate
// flight (RFC 9147 section 5.8.4), and several may be in progress.
class ReliableFlight {
 public:
  explicit ReliableFlight(const RetransmissionTimers& settings)
      : ReliableFlight(settings, settings.initial) {}
  ReliableFlight(const RetransmissionTimers& settings, Duration initial_timeout)
      : timer_(settings, initial_timeout) {}

  // ---- the messages

  // See OutgoingFlight.
  template <class Encode>
  Result<Bytes> add_message(wire::HandshakeType type, wire::MessageSeq seq, wire::Epoch epoch,
                            Encode&& encode) {
    return messages_.add_message(type, seq, epoch, std::forward<Encode>(encode));
  }
  void add_change_cipher_spec() { messages_.add_change_cipher_spec(); }
  template <class Visit>
  void for_each_message(Visit&& visit) const {
    messages_.for_each_message(std::forward<Visit>(visit));
  }
  void mark_written() { messages_.mark_written(); }
  // Drops the messages. The timer continues until begin() or stop().
  void clear() { messages_.clear(); }
  [[nodiscard]] bool empty() const { return messages_.empty(); }
  // The epoch of the first message. The flight must not be empty.
  [[nodiscard]] wire::Epoch first_epoch() const { return messages_.first_epoch(); }

  // A held flight is incomplete, so none of it is sent.
  void hold() { is_held_ = true; }
  void release() { is_held_ = false; }
  [[nodiscard]] bool is_held() const { return is_held_; }

  // ---- sending

  // Starts to send the flight, which is complete now. The first timeout at or after `give_up` ends
  // the retransmissions.
  void begin(Instant now, Instant give_up = Instant::max());
  void set_give_up(Instant give_up) { give_up_ = give_up; }
  // Whether a part of the flight is still to be written.
  [[nodiscard]] bool has_more() const { return !is_held_ && messages_.has_more(); }
  // Whether the whole flight has been written at least once.
  [[nodiscard]] bool has_left() const { return messages_.has_left(); }
  // See OutgoingFlight.
  [[nodiscard]] bool has_fragments() const { return messages_.has_fragments(); }
  // Writes one datagram of at most `mtu` bytes. After four timeouts without a new acknowledgement
  // the limit is 548 bytes, because the path may drop larger datagrams.
  OutgoingFlight::Written write_datagram(record::RecordLayer& records, MutableBytes out,
                                         std::size_t mtu);
  // The largest datagram while the flight is under way, on a path with this MTU.
  [[nodiscard]] std::size_t mtu(std::size_t of_path) const;

  // The path of the flight; empty: the connection's path at the time of sending.
  void set_path(PathId path) { path_ = path; }
  [[nodiscard]] std::optional<PathId> path() const { return path_; }

  // ---- input from the peer; true: the flight is retransmitted

  // The peer retransmitted the flight that this one answers, so it lacks a part of this one. A
  // flight is not retransmitted again within half a timeout, because the peer's retransmission may
  // have crossed this flight or have several datagrams.
  // The timer runs on, so that a lost answer is retransmitted no later than without the repetition.
  [[nodiscard]] bool on_repetition(Instant now);
  // A running timer starts again with its present timeout.
  void restart_timer(Instant now);
  // RFC 9147 section 7.2: the rest of a partly acknowledged flight SHOULD be retransmitted, but not
  // for each of many ACKs. `epoch` is that of the ACK's own record. If it is encrypted, the peer
  // has received the plaintext messages, on which the keys depend.
  [[nodiscard]] bool on_ack(std::span<const message::RecordNumber> numbers, wire::Epoch epoch,
                            Instant now);
  [[nodiscard]] bool fully_acknowledged() const { return messages_.fully_acknowledged(); }
  // Discards all acknowledgements, because they were not authentic.
  void forget_acknowledged() { messages_.forget_acknowledged(); }
  // The first answer has arrived. Returns the time since the flight was sent, if it was sent only
  // once (Karn's rule). Later timeouts depend on that time unless set_rtt() was called.
  std::optional<Duration> measure_rtt(Instant now);
  // The peer has received the flight: timeouts no longer retransmit it.
  void stop() { timer_.stop(); }
  // Timeouts no longer retransmit the flight, but on_repetition() does, the first time without
  // delay.
  void stop_but_answer();

  // ---- time

  enum class Expiry : std::uint8_t {
    not_due,
    held,      // nothing is sent
    repeated,  // the flight is retransmitted
    given_up,  // no more retransmissions, unless resume() is called
  };
  // Retransmits at each timeout what is not acknowledged, and after kTimeoutsToForget timeouts
  // without a new acknowledgement everything. A peer may have dropped what it acknowledged.
  Expiry on_timeout(Instant now);
  [[nodiscard]] bool is_due(Instant now) const { return deadline() && now >= *deadline(); }
  [[nodiscard]] std::optional<Instant> deadline() const;
  [[nodiscard]] bool is_given_up() const { return is_given_up_; }
  // Whether the flight was retransmitted since begin().
  [[nodiscard]] bool is_repeated() const { return is_repeated_; }
  // A record from the peer arrived after this flight was given up. True: the flight is
  // retransmitted, until `give_up`.
  [[nodiscard]] bool resume(Instant now, Instant give_up);

  // The caller has changed the MTU of the path: what is sent again is cut anew.
  void recut() { messages_.recut(); }
  // Sets the RTT of the path, measured by the caller.
  void set_rtt(Duration rtt);
  // The first timeout of a new flight.
  [[nodiscard]] Duration initial_timeout() const { return timer_.initial(); }
  // The longest delay of an ACK for a partly received flight of the peer (RFC 9147 section 7.1).
  [[nodiscard]] Duration ack_delay() const { return timer_.ack_delay(); }

  static constexpr unsigned kTimeoutsToForget = 3;

 private:
  void repeat(Instant now);

  OutgoingFlight messages_;
  RetransmissionTimer timer_;
  Instant sent_ = Instant::min();  // the start of the last transmission
  Instant give_up_ = Instant::max();
  // Before this time no ACK causes a retransmission.
  Instant no_ack_answer_until_ = Instant::min();
  std::optional<PathId> path_;
  unsigned idle_timeouts_ = 0;  // since begin(), or since the last new acknowledgement
  bool is_sent_once_ = false;   // and is unanswered
  bool is_repeated_ = false;    // since begin()
  bool is_rtt_given_ = false;   // set_rtt() was called: measurements here are ignored
  bool is_held_ = false;
  bool is_given_up_ = false;
};

}  // namespace sluice::dtls::flight
