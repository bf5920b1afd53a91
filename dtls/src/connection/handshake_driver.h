// Runs a handshake: takes its records, puts its messages in order, answers retransmissions, poses
// its questions and judges the peer.
#pragma once

#include <optional>

#include "connection/acknowledgements.h"
#include "connection/established.h"
#include "connection/open_question.h"
#include "connection/shared.h"
#include "flight/reassembler.h"
#include "handshake/handshake.h"

namespace sluice::dtls::connection {

// The handshake's memory goes with it when it ends.
class HandshakeDriver {
 public:
  enum class Progress : std::uint8_t { running, complete };

  HandshakeDriver(const Shared& shared, ConnectionNumber number, KeyLog* key_log);

  // ---- inputs. After an Error nothing but outputs may be used; when it is complete, finish().

  // When the input happens that comes next.
  void set_time(Instant now) { context_.now = now; }
  Result<void> start_client(const std::optional<ResumableSession>& session, Instant now);
  // A server's beginning, as if `hello`, a whole message, had come in record `record`, after what a
  // Listener has exchanged: in DTLS 1.3 `retry`.
  Result<Progress> start_server(MutableBytes hello, wire::SequenceNumber record,
                                const std::optional<handshake::server13::StatelessRetry>& retry,
                                Instant now);
  Result<Progress> on_handshake(const record::Record& record, Instant now);
  Result<Progress> on_change_cipher_spec(Instant now);
  // An authentic ACK.
  void on_ack(const message::RecordNumbers& numbers, Instant now);
  // Anybody can have sent it: what it names isn't repeated at once, but at the next timeout. False:
  // there can be none.
  [[nodiscard]] bool on_plaintext_ack(const message::RecordNumbers& numbers, Instant now);
  Result<void> on_timeout(Instant now);
  [[nodiscard]] bool takes(QuestionId question, const Answer& answer) const {
    return question_.takes(question, answer);
  }
  Result<Progress> answer(const Answer& answer, Instant now);
  void set_path_rtt(Duration rtt) { context_.transport.flight.set_rtt(rtt); }

  // ---- what it keeps

  [[nodiscard]] PeerGate& gate() { return gate_; }
  [[nodiscard]] UnacceptedData& unaccepted_data() { return unaccepted_data_; }
  [[nodiscard]] record::FutureRecords& future_records() { return future_records_; }
  [[nodiscard]] bool speaks13() const { return context_.speaks13(); }

  // ---- outputs

  [[nodiscard]] flight::ReliableFlight& flight() { return context_.transport.flight; }
  [[nodiscard]] Acknowledgements& acknowledgements() { return acknowledgements_; }
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // Of a complete handshake, which is used up.
  Result<AwaitingAcceptance> finish(Instant now);

 private:
  // Whether it was processed or kept, so that its record may be acknowledged.
  Result<bool> on_fragment(const message::HandshakeFragment& fragment, wire::Epoch epoch,
                           Instant now);
  Result<Progress> deliver_messages(Instant now);
  // After each message and each answer.
  Result<Progress> after_step(Instant now);
  Result<void> judge_chain();
  Result<void> judge_without_certificate();
  // A message behind the peer's Finished is here already.
  [[nodiscard]] bool is_overtaken() const;
  // RFC 9147 section 7.2: any part of the answer to a flight acknowledges the whole flight.
  [[nodiscard]] bool is_flight_answered13() const;
  void begin_flight(Instant now);
  void on_repetition(Instant now);
  void use_ack(const message::RecordNumbers& numbers, Instant now);
  void schedule_ack(Instant now);
  Result<Established> establish(Instant now);

  Shared shared_;
  handshake::Context context_;
  handshake::Handshake machine_ = handshake::Handshake::server();
  OpenQuestion question_;
  PeerGate gate_;
  flight::Reassembler reassembler_;
  Acknowledgements acknowledgements_;  // of DTLS 1.3
  record::FutureRecords future_records_;
  UnacceptedData unaccepted_data_;
  std::optional<Instant> give_up_;   // set once the peer or this side has begun
  wire::MessageSeq answered_seq_{};  // our flight answers the peer's messages before this one
  bool is_change_cipher_spec_seen_ = false;
};

}  // namespace sluice::dtls::connection
