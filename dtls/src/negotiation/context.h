// What the states of a handshake share and act on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <sluice/dtls/config.h>
#include <sluice/dtls/event.h>

#include "flight/outgoing_flight.h"
#include "negotiation/fatal.h"
#include "negotiation/own_identity.h"
#include "negotiation/question.h"
#include "negotiation/secret_log.h"
#include "negotiation/transcript.h"
#include "record/record_layer.h"

namespace sluice::dtls::handshake {

// The peer's.
constexpr Role other(Role role) { return role == Role::client ? Role::server : Role::client; }

// What a DTLS 1.2 session is, or is to be, resumed by.
struct Resumption12 {
  std::optional<ResumableSession> resumed = {};  // the session that goes on
  Buffer session_id = {};                        // that the ServerHello says
  bool ticket_follows = false;                   // it has announced a NewSessionTicket
  // A client's, of that message; empty: none.
  Buffer ticket = {};
  Duration ticket_lifetime = {};
};

// What a HelloHook has made of our ClientHello.
struct EditedHello {
  std::vector<CipherSuite> cipher_suites;
  std::vector<wire::ExtensionType> extensions;
};

// Lives as long as the handshake; the engine around it sends the flight, restarts timers and judges
// the peer's certificate after each message.
class Context {
 public:
  Context(const ConfigOptions& config_options, crypto::Library& crypto_library,
          record::RecordLayer& record_layer, KeyLog* key_log = nullptr)
      : config(config_options),
        library(crypto_library),
        records(record_layer),
        secret_log(key_log) {}

  const ConfigOptions& config;
  crypto::Library& library;
  record::RecordLayer& records;
  SecretLog secret_log;
  Transcript transcript;
  flight::OutgoingFlight flight;
  // Empty until the hellos have settled it.
  std::optional<ProtocolVersion> version;
  // For who watches.
  ConnectionNumber connection{};
  // Null where the Config alone decides what our ClientHello says.
  std::unique_ptr<EditedHello> edited_hello;
  // When the present input happened.
  Instant now{};
  // That the client asks for; empty: none.
  std::string server_name;
  // What this side proves itself with, once that is chosen.
  std::optional<OwnIdentity> own;
  // The answer to IdentityRequested.
  bool asked_for_identity = false;
  std::optional<Identity> given_identity;
  // The peer's certificates (DER) once they have come.
  std::vector<Buffer> peer_chain;
  // The first of them, if the session may be resumed.
  Buffer peer_certificate;
  bool is_peer_authenticated_by_psk = false;
  Resumption12 resumption12;
  // To be told once the peer is accepted (DTLS 1.2).
  std::vector<Event> session_events;
  // By which name its chain was verified, now or when the session began.
  std::optional<std::string> verified_name;

  [[nodiscard]] bool speaks13() const { return version == ProtocolVersion::dtls13; }

  // A question, for the engine around it to pose.
  void ask(Question question) { question_ = std::move(question); }
  std::optional<Question> take_question() { return std::exchange(question_, std::nullopt); }

  // What there is to choose from.
  [[nodiscard]] std::span<const Identity> identities() const {
    if (given_identity) return {&*given_identity, 1};
    return config.identities;
  }
  [[nodiscard]] bool must_ask_for_identity() const {
    return config.ask_for_identity && !asked_for_identity;
  }

  void keep_peer_chain(std::span<const Bytes> chain) {
    for (const Bytes entry : chain) peer_chain.emplace_back(entry.begin(), entry.end());
    if (config.resumption != Resumption::none) peer_certificate = peer_chain.front();
  }

  // What was sent so far has been answered.
  void begin_flight() {
    flight.clear();
    flight_begun_ = true;
  }
  // Whether a flight was begun since the last call.
  bool take_flight_begun() { return !is_flight_held_ && std::exchange(flight_begun_, false); }

  // While it is held none of the flight leaves: its rest isn't known yet.
  void hold_flight() { is_flight_held_ = true; }
  void release_flight() { is_flight_held_ = false; }
  [[nodiscard]] bool is_flight_held() const { return is_flight_held_; }

  [[nodiscard]] wire::MessageSeq next_seq() const { return next_seq_; }
  // Messages before this one were sent elsewhere; none has been sent here.
  void start_at(wire::MessageSeq seq) { next_seq_ = seq; }

  // Appends a message to the flight and to the transcript.
  template <class Encode>
  Result<void> send(wire::HandshakeType type, wire::Epoch epoch, Encode&& encode) {
    const Bytes encoding = flight.add_message(type, next_seq_, epoch, std::forward<Encode>(encode));
    next_seq_ = wire::next(next_seq_);
    return transcript.add(encoding);
  }

 private:
  std::optional<Question> question_;
  wire::MessageSeq next_seq_{0};
  bool flight_begun_ = false;
  bool is_flight_held_ = false;
};

}  // namespace sluice::dtls::handshake
