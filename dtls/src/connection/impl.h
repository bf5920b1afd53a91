// The connection behind its facade.
#pragma once

#include <optional>
#include <vector>

#include <sluice/dtls/connection.h>
#include <sluice/dtls/listener.h>

#include "connection/counters.h"
#include "connection/delivery.h"
#include "connection/input.h"
#include "connection/phase.h"
#include "crypto/warm_list.h"
#include "message/alert.h"

namespace sluice::dtls {

// Nearly all of its life it is open and silent, and so it is made to be small then: what only a
// handshake, a question or a record under way needs lies elsewhere and goes.
class Connection::Impl {
 public:
  Impl(ConfigPtr config, Environment& environment, Role role, PathId path);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  Result<void> start_client(const std::optional<ResumableSession>& session, Instant now);
  Result<Pending> accept(Admission::Impl& admission, Instant now);

  // Inputs, as in Connection.
  Result<Pending> handle_datagram(MutableBytes datagram, PathId path, Instant now);
  Result<Pending> handle_timeout(Instant now);
  Result<Pending> answer(QuestionId question, const Answer& answer, Instant now);
  Result<Pending> set_peer_fingerprints(std::span<const Fingerprint> announced, Instant now);
  Result<Pending> update_keys(KeyUpdateRequest request, Instant now);
  Result<Pending> close(Instant now);
  void set_path(PathId path) { path_ = path; }
  void set_path_mtu(std::size_t mtu);
  void set_path_rtt(Duration rtt);

  SendResult seal(Bytes application_data, MutableBytes out);
  [[nodiscard]] std::size_t sealed_size(std::size_t application_data) const;

  // Outputs.
  std::optional<Transmit> poll_transmit(MutableBytes out);
  std::optional<MutableBytes> poll_data();
  std::optional<Event> poll_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] ConnectionNumber number() const { return number_; }
  [[nodiscard]] PathId path() const { return path_; }
  [[nodiscard]] Statistics statistics() const { return counters_.statistics(); }
  // Null until the peer is accepted, and after the end.
  [[nodiscard]] std::optional<handshake::SessionView> session() const;
  [[nodiscard]] bool ended() const { return std::holds_alternative<Ended>(phase_); }
  // The handshake is complete, and the peer accepted.
  [[nodiscard]] bool is_open() const {
    return std::holds_alternative<connection::Established12>(phase_) ||
           std::holds_alternative<connection::Established13>(phase_);
  }
  [[nodiscard]] crypto::Library& library() const { return *library_; }

 private:
  using Handshaking = connection::Handshaking;
  using Established12 = connection::Established12;
  using Established13 = connection::Established13;
  using Established = connection::Established;
  using AwaitingAcceptance = connection::AwaitingAcceptance;
  using Ended = connection::Ended;

  [[nodiscard]] Handshaking* handshaking();
  [[nodiscard]] const Handshaking* handshaking() const;
  // Null once the peer is accepted.
  [[nodiscard]] connection::PeerGate* gate();
  // Null unless the handshake is complete; of one version or the other.
  [[nodiscard]] Established12* established12();
  [[nodiscard]] Established13* established13();
  template <class Version>
  [[nodiscard]] Version* established_as();
  // After a DTLS 1.3 handshake; null when there are none.
  [[nodiscard]] connection::PostHandshake13* messages_under_way();

  // Each input begins and ends with these.
  [[nodiscard]] const Ended* begin_input(Instant now);
  void set_time(Instant now);
  Result<Pending> end_input(const Result<void>& outcome, bool record_opened = false);
  [[nodiscard]] Result<Pending> after_end(const Ended& ended) const;
  void end(Ended ended);

  // What it lets go of, and makes again (impl_memory.cc).
  // Outputs and messages after the handshake, when all has been said.
  void forget_what_is_done();
  // Of DTLS 1.3, from now on under way.
  connection::PostHandshake13& post_handshake(Established13& complete);
  // The ciphers, if it has gone cold. Until they have been used it's the first to lose them again.
  Result<void> warm_up();
  // They have been used.
  void stay_warm();
  void cool();

  // Incoming records (impl_records.cc).
  Result<void> replay_future_records(connection::Input& input);
  Result<void> handle_records(MutableBytes datagram, connection::Input& input);
  Result<void> on_record(const record::Record& record, const connection::Input& input);
  void on_future_record(const record::FutureRecord& record);
  Result<void> on_handshake(const record::Record& record, Instant now);
  // Whether it was processed or kept, so that its record may be acknowledged.
  Result<bool> on_handshake_fragment(Handshaking& phase, const message::HandshakeFragment& fragment,
                                     wire::Epoch epoch, Instant now);
  // What the peer asks for another handshake with.
  [[nodiscard]] wire::HandshakeType renegotiation_request() const;
  [[nodiscard]] bool is_overtaken_by_message12(Handshaking& phase) const;
  Result<void> on_post_handshake12(Established12& phase, const record::Record& record, Instant now);
  Result<void> on_post_handshake12_fragment(Established12& phase,
                                            const message::HandshakeFragment& fragment,
                                            Instant now);
  Result<void> on_ack(const record::Record& record, Instant now);
  void on_plaintext_ack(const std::optional<message::RecordNumbers>& numbers, Instant now);
  void use_ack(Handshaking& phase, const message::RecordNumbers& numbers, Instant now);
  Result<void> on_change_cipher_spec(const record::Record& record, Instant now);
  Result<void> on_alert(const record::Record& record);
  [[nodiscard]] bool speaks13();
  Result<void> on_application_data(const record::Record& record);
  void consider_ack(Handshaking& phase, Instant now);
  [[nodiscard]] static bool is_answered13(const Handshaking& phase);
  Result<void> deliver_messages(Handshaking& phase, Instant now);
  // Whether the handshake is complete and `phase` gone.
  Result<bool> after_step(Handshaking& phase, Instant now);
  void discard(Discard reason);

  // Questions and the peer (impl_questions.cc).
  // `answer` is to the handshake's open question.
  Result<void> go_on_with(const Answer& answer, Handshaking& phase, Instant now);
  Result<void> judge_peer(Handshaking& phase);
  [[nodiscard]] std::string name_to_verify() const;
  Result<void> verify_chain(std::span<const Buffer> chain);
  // At the end, where the peer may have shown none.
  Result<void> judge_without_certificate(Handshaking& phase);
  void open_if_accepted();

  // Steps of the handshake.
  void send_new_flight(Handshaking& phase, Instant now);
  void send_flight_again(Handshaking& phase, Instant now);
  void answer_stale(Handshaking& phase, Instant now);
  Result<void> complete(Handshaking& phase, Instant now);
  Result<Established> establish(Handshaking& phase, Instant now);
  // Tells of sessions that may be resumed, once the peer is accepted.
  void report_sessions();

  // Half of what one key bears has been sealed: time for the next (RFC 9147 section 4.5.3).
  [[nodiscard]] bool key_update_is_due() const;
  Result<void> update_due_keys(Instant now);
  void queue_alert(message::AlertLevel level, Alert alert);
  [[nodiscard]] wire::Epoch alert_epoch();
  // Null when there is none that is or was to be sent.
  [[nodiscard]] flight::OutgoingFlight* present_flight();
  [[nodiscard]] flight::OutgoingFlight* unsent_flight();
  [[nodiscard]] connection::Acknowledgements* acknowledgements();
  [[nodiscard]] bool ack_is_due();
  void observe_datagram(Direction direction, PathId path, Bytes datagram) const;
  // The next datagram's size.
  std::optional<std::size_t> write_datagram(MutableBytes out);
  std::optional<std::size_t> write_ack(MutableBytes out);
  [[nodiscard]] std::size_t flight_mtu() const;

  // What records on their way need: its place among those with ciphers, and data to be polled.
  struct InUse final : crypto::WarmList::Member {
    explicit InUse(Impl& its_owner) : owner(&its_owner) {}
    void cool() override { owner->cool(); }
    Impl* owner;
    connection::Delivery data;
  };
  InUse& in_use();

  // Outputs that wait to be polled, application data excepted.
  struct QueuedAlert {
    message::AlertMessage message;
    wire::Epoch epoch;
  };
  struct Outputs {
    std::optional<QueuedAlert> alert;
    std::vector<Event> events;  // at most one of each kind
    // What InUse::data points into besides the caller's datagram.
    std::vector<Buffer> delivered_unaccepted;
    std::vector<Buffer> replayed;

    [[nodiscard]] bool empty() const {
      return !alert && events.empty() && delivered_unaccepted.empty() && replayed.empty();
    }
  };
  Outputs& outputs();
  [[nodiscard]] bool has_alert() const { return outputs_ != nullptr && outputs_->alert; }
  [[nodiscard]] bool has_event() const { return outputs_ != nullptr && !outputs_->events.empty(); }

  static constexpr Instant kNoTimeout = Instant::max();

  ConfigPtr config_;
  crypto::Library* library_;
  ConnectionNumber number_;
  record::RecordLayer records_;
  [[no_unique_address]] connection::Phase phase_;  // what is behind begins in its padding
  Role role_;
  std::uint16_t mtu_;
  PathId path_;
  connection::Counters counters_;
  std::unique_ptr<Outputs> outputs_;  // null: none
  std::unique_ptr<InUse> in_use_;     // null: cold, or no records yet
  Instant reported_timeout_ = kNoTimeout;
};

}  // namespace sluice::dtls
