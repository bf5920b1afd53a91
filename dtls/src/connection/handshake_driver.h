// Runs a handshake: processes its records, orders its messages, answers retransmissions, asks its
// questions and checks the peer's identity.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "connection/acknowledgements.h"
#include "connection/established.h"
#include "connection/held_alert.h"
#include "connection/open_question.h"
#include "connection/shared.h"
#include "flight/reassembler.h"
#include "handshake/handshake.h"
#include "message/alert.h"

namespace sluice::dtls::connection {

// Owns the memory of the handshake, which is freed when the handshake ends.
class HandshakeDriver {
 public:
  enum class Progress : std::uint8_t { running, complete };

  // `ids`: the source of this side's connection IDs; null: random ones.
  HandshakeDriver(const Shared& shared, ConnectionNumber number, KeyLog* key_log,
                  ConnectionIdSource* ids);

  // ---- inputs. After an Error only outputs may be used. When the handshake is complete, call
  // finish().

  // Sets the time of the next input.
  void set_time(Instant now) { context_.now = now; }
  Result<void> start_client(const std::optional<ResumableSession>& session, Instant now);
  // Starts a server from the complete ClientHello `hello` of record `record`, whose cookie a
  // Listener has verified. `retry` describes the HelloRetryRequest that the Listener sent in DTLS
  // 1.3.
  Result<Progress> start_server(MutableBytes hello, wire::SequenceNumber record,
                                const std::optional<handshake::server13::StatelessRetry>& retry,
                                Instant now);
  // Continues with this driver's Config what `waiting` has received before ConfigRequested was
  // answered. Errors also: no_common_version, if the Config leads to another version than that of
  // the Listener that has admitted the client.
  Result<Progress> continue_from(HandshakeDriver&& waiting, Instant now);
  Result<Progress> on_handshake(const record::Record& record, Instant now);
  Result<Progress> on_change_cipher_spec(Instant now);
  // Processes an authentic ACK, whose record has this epoch.
  void on_ack(const message::RecordNumbers& numbers, wire::Epoch epoch, Instant now);
  // A plaintext ACK is not authenticated, so it causes no immediate retransmission. False: no
  // plaintext ACK is possible here.
  [[nodiscard]] bool on_plaintext_ack(const message::RecordNumbers& numbers, Instant now);
  // An alert that ends the connection ends the handshake after HeldAlert::kPatience, unless the
  // peer continues with it. False: the alert is ignored, because a peer that fails would send no
  // such alert now.
  [[nodiscard]] bool on_plaintext_alert(const message::AlertMessage& alert, Instant now);
  Result<void> on_timeout(Instant now);
  [[nodiscard]] bool takes(QuestionId question, const Answer& answer) const {
    return question_.takes(question, answer);
  }
  Result<Progress> answer(const Answer& answer, Instant now);
  void set_path_rtt(Duration rtt) {
    path_rtt_ = rtt;
    context_.transport.flight.set_rtt(rtt);
  }

  // ---- state

  [[nodiscard]] PeerGate& gate() { return gate_; }
  [[nodiscard]] UnacceptedData& unaccepted_data() { return unaccepted_data_; }
  [[nodiscard]] record::FutureRecords& future_records() { return future_records_; }
  [[nodiscard]] bool speaks13() const { return context_.speaks13(); }
  [[nodiscard]] WaitingFor waiting_for() const;

  // ---- outputs

  [[nodiscard]] flight::ReliableFlight& flight() { return context_.transport.flight; }
  [[nodiscard]] const flight::ReliableFlight& flight() const { return context_.transport.flight; }
  [[nodiscard]] Acknowledgements& acknowledgements() { return acknowledgements_; }
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // Ends a complete handshake. The object must not be used afterwards.
  Result<std::unique_ptr<AwaitingAcceptance>> finish(Instant now);

 private:
  // Whether the fragment was processed or stored. Only then may its record be acknowledged.
  Result<bool> on_fragment(const message::HandshakeFragment& fragment, wire::Epoch epoch,
                           Instant now);
  Result<Progress> deliver_messages(Instant now);
  // The next message of the peer is encrypted, so plaintext can only repeat earlier ones.
  [[nodiscard]] bool ignores_plaintext() const {
    return machine_.expected_epoch() != wire::kPlaintextEpoch;
  }
  // The caller has a question to answer, so the peer cannot show that it goes on.
  [[nodiscard]] bool waits_for_caller() const {
    return question_.waiting_for() != WaitingFor::nothing;
  }
  // The peer continues, so an alert that is held was forged.
  void refute_held_alert();
  // For an Error: why the handshake may not have come to an end.
  [[nodiscard]] ErrorDetail why_unfinished() const;
  // Called after each message and each answer.
  Result<Progress> after_step(Instant now);
  Result<void> judge_chain();
  // Takes up the state after a Listener's HelloRetryRequest, if there was one.
  Result<void> begin_machine();
  // Whether the ClientHello waits for the answer to ConfigRequested; asks it once.
  bool waits_for_config(const flight::IncomingMessage& hello);
  // Whether a message that follows the peer's Finished has arrived already.
  [[nodiscard]] bool is_overtaken() const;
  // RFC 9147 section 7.2: any part of the answer to a flight acknowledges the whole flight.
  [[nodiscard]] bool is_flight_answered13() const;
  void begin_flight(Instant now);
  void on_repetition(Instant now);
  void use_ack(const message::RecordNumbers& numbers, wire::Epoch epoch, Instant now);
  void schedule_ack(Instant now);
  Result<Established> establish(Instant now);

  // A server's answer to ConfigRequested.
  enum class ConfigChoice : std::uint8_t { open, asked, made };

  Shared shared_;
  handshake::Context context_;
  handshake::Handshake machine_ = handshake::Handshake::server();
  OpenQuestion question_;
  PeerGate gate_;
  flight::Reassembler reassembler_;
  Acknowledgements acknowledgements_;  // in DTLS 1.3
  record::FutureRecords future_records_;
  UnacceptedData unaccepted_data_;
  HeldAlert held_alert_;
  ConfigChoice config_choice_ = ConfigChoice::open;
  // Of the Listener that has admitted the client.
  bool is_admitted_ = false;
  std::optional<handshake::server13::StatelessRetry> retry_;
  std::optional<Duration> path_rtt_;
  std::optional<Instant> give_up_;   // set when the peer or this side begins
  wire::MessageSeq answered_seq_{};  // our flight answers the peer's messages before this one
  std::optional<wire::HandshakeType> last_message_;  // of the peer
  bool is_change_cipher_spec_seen_ = false;
};

}  // namespace sluice::dtls::connection
