// The data and operations that the states of a handshake share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/dtls/config.h>
#include <sluice/dtls/event.h>

#include "message/max_fragment_length.h"
#include "negotiation/fatal.h"
#include "negotiation/own_identity.h"
#include "negotiation/peer.h"
#include "negotiation/question.h"
#include "negotiation/secret_log.h"
#include "negotiation/transcript.h"
#include "negotiation/transport.h"

namespace sluice::dtls::handshake {

// The peer's role.
constexpr Role other(Role role) { return role == Role::client ? Role::server : Role::client; }

// How a DTLS 1.2 handshake resumes a session, and how its own session can be resumed later.
struct Resumption12 {
  std::optional<ResumableSession> resumed = {};  // the session that this handshake resumes
  Buffer session_id = {};                        // of the ServerHello
  bool ticket_follows = false;                   // the ServerHello announced a NewSessionTicket
  // A client keeps the NewSessionTicket here; empty: none came.
  Buffer ticket = {};
  Duration ticket_lifetime = {};
  // SessionReceived or SessionToStore, which the caller gets once it has accepted the peer.
  std::vector<Event> events = {};
};

// What the client asks for and a session keeps: a session with other terms is not resumed.
struct SessionTerms {
  std::string server_name = {};  // in the client's extension; empty: the client sends none
  message::MaxFragmentLength max_fragment_length = {};
};

// Our ClientHello as a HelloHook has changed it.
struct EditedHello {
  std::vector<CipherSuite> cipher_suites;
  std::vector<wire::ExtensionType> extensions;
};
struct HelloHookState {
  ConnectionNumber connection{};  // passed to the hook
  // Null where the Config alone decides what our ClientHello contains.
  std::unique_ptr<EditedHello> edited = {};
};

// Lives as long as the handshake. After each message the connection around it sends the flight,
// restarts timers, asks questions and judges the peer's certificate.
class Context {
 public:
  Context(const ConfigOptions& config_options, crypto::Library& crypto_library,
          record::RecordLayer& record_layer, KeyLog* key_log = nullptr)
      : config(config_options),
        library(crypto_library),
        transport(record_layer, config_options.timers),
        secret_log(key_log) {}

  const ConfigOptions& config;
  crypto::Library& library;
  Transport transport;
  Transcript transcript;
  SecretLog secret_log;
  Instant now{};                           // the time of the present input
  std::optional<ProtocolVersion> version;  // empty until the ServerHello has chosen it
  SessionTerms terms;
  OwnIdentityState own;
  Peer peer;
  Resumption12 resumption12;
  HelloHookState hello_hook;

  // Called when the handshake begins. Only sessions that are resumed need a policy.
  Result<void> set_policy(Role role) {
    if (!keeps_session()) return {};
    return policy_of(library, config, role).map([&](const PolicyId& id) { peer.policy = id; });
  }

  // Called when the peer has shown that it knows this PSK.
  Result<void> set_psk_identity(Bytes identity, Bytes key) {
    if (!keeps_session()) {
      peer.identity = PeerIdentity::of_psk(identity);
      return {};
    }
    return PeerIdentity::of_psk(library, identity, key).map([&](PeerIdentity known) {
      peer.identity = std::move(known);
    });
  }

  [[nodiscard]] bool speaks13() const { return version == ProtocolVersion::dtls13; }

  // The connection poses the question when the present step has ended.
  void ask(Question question) { question_ = std::move(question); }
  std::optional<Question> take_question() { return std::exchange(question_, std::nullopt); }

  // The identities to choose from: the answer to IdentityRequested, or the Config's.
  [[nodiscard]] std::span<const Identity> identities() const {
    if (own.given) return {&*own.given, 1};
    return config.identities;
  }
  [[nodiscard]] bool must_ask_for_identity() const { return config.ask_for_identity && !own.asked; }

  // Appends a message to the flight and to the transcript. Errors: excessive_message when something
  // does not fit.
  template <class Encode>
  Result<void> send(wire::HandshakeType type, wire::Epoch epoch, Encode&& encode) {
    const auto encoding = transport.add_message(type, epoch, std::forward<Encode>(encode));
    if (!encoding) return forward_error(encoding);
    return transcript.add(*encoding);
  }

 private:
  // Whether the session may be resumed later, or is a resumed one.
  [[nodiscard]] bool keeps_session() const { return config.resumption != Resumption::none; }

  std::optional<Question> question_;
};

}  // namespace sluice::dtls::handshake
