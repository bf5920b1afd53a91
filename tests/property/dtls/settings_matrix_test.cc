// Every combination of the settings that decide whether a peer is accepted: each either verifies
// what was asked for, or is refused, by Config::make(), by the call, or by the handshake. What is
// right is computed from the settings alone, by the rules that config.h and RFC 8122 state.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <sstream>

#include "support/authority.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::CertificateType;
using dtls::ConfigOptions;
using dtls::Errc;
using dtls::PeerAuthentication;
using dtls::ProtocolVersion;
using dtls::Role;

enum class Store { none, right, wrong };
// The types of certificate that the judge accepts.
enum class Types { x509, raw, both };
// Fingerprints of the peer's certificate, or of another; before the first message, or when nothing
// moves any more.
enum class Announced { never, right_before, wrong_before, right_after, wrong_after };
// A session that began under the same settings, or under `require` without a store.
enum class Session { none, same_settings, other_settings };

struct Settings {
  ProtocolVersion version;
  Role judge;  // the side whose settings these are
  PeerAuthentication authentication;
  Store store;
  Types types;
  bool asks;  // ask_about_verified_peer
  bool peer_has_certificate;
  bool peer_is_raw;  // it sends the raw public key of its certificate
  bool psk;
  Announced announced;
  bool accepts;  // the caller answers PeerCertificateReceived with AcceptPeer
  Session session;
};

// What becomes of the judge.
enum class Outcome {
  refused_by_make,
  refused_by_call,  // fatal: invalid_config
  missing_certificate,
  no_common_type,  // of certificate
  untrusted_certificate,
  peer_rejected,
  waits_for_acceptance,
  by_fingerprint,  // from here on it is connected
  by_chain,
  by_answer,
  by_psk,
  anonymous,  // as the settings allow
};

constexpr std::string_view kNames[] = {
    "refused by Config::make()",   "refused by the call",
    "missing certificate",         "no common type of certificate",
    "untrusted certificate",       "peer rejected",
    "waits for acceptance",        "connected by fingerprint",
    "connected by chain",          "connected by the caller's answer",
    "connected by pre-shared key", "connected anonymously"};
std::string_view name_of(Outcome outcome) { return kNames[static_cast<std::size_t>(outcome)]; }

std::ostream& operator<<(std::ostream& out, const Settings& s) {
  constexpr std::string_view kAuthentications[] = {"require", "none", "request",
                                                   "require_and_verify", "verify_if_given"};
  constexpr std::string_view kStores[] = {"no store", "right store", "wrong store"};
  constexpr std::string_view kTypes[] = {"X.509", "raw public keys", "both types"};
  constexpr std::string_view kAnnounced[] = {"no fingerprint", "right before", "wrong before",
                                             "right after", "wrong after"};
  constexpr std::string_view kSessions[] = {"no session", "session of the same settings",
                                            "session of other settings"};
  return out << version_name(s.version) << (s.judge == Role::client ? " client, " : " server, ")
             << kAuthentications[static_cast<std::size_t>(s.authentication)] << ", "
             << kStores[static_cast<std::size_t>(s.store)] << ", "
             << kTypes[static_cast<std::size_t>(s.types)] << (s.asks ? ", asking" : "")
             << (s.peer_has_certificate ? ", peer with" : ", peer without")
             << (s.peer_is_raw ? " raw public key, " : " certificate, ")
             << (s.psk ? "PSK, " : "no PSK, ") << kAnnounced[static_cast<std::size_t>(s.announced)]
             << (s.accepts ? ", accepting, " : ", not accepting, ")
             << kSessions[static_cast<std::size_t>(s.session)];
}

// ---- what is right

bool verifies(const Settings& s) {
  return s.authentication == PeerAuthentication::require_and_verify ||
         s.authentication == PeerAuthentication::verify_if_given;
}
// In DTLS 1.2 the suites with certificates come first, where both sides have any.
bool is_by_psk(const Settings& s) {
  return s.psk && (s.version == ProtocolVersion::dtls13 || !s.peer_has_certificate);
}
bool is_right(Announced announced) {
  return announced == Announced::right_before || announced == Announced::right_after;
}
bool is_before(Announced announced) {
  return announced == Announced::right_before || announced == Announced::wrong_before;
}

// Whether the settings say how to check a peer, and nothing that has no effect. No trust store
// verifies a raw public key.
bool is_sound(const Settings& s) {
  if (verifies(s) != (s.store != Store::none)) return false;
  return !verifies(s) || s.types == Types::x509 || (s.types == Types::both && s.asks);
}
bool has_common_type(const Settings& s) {
  return s.types == Types::both || s.peer_is_raw == (s.types == Types::raw);
}
bool is_by_chain(const Settings& s) { return verifies(s) && !s.peer_is_raw; }
// Whether the caller is asked, unless fingerprints decide.
bool is_asked(const Settings& s) { return !is_by_chain(s) || s.asks; }

Outcome outcome_with_certificate(const Settings& s) {
  if (!has_common_type(s)) return Outcome::no_common_type;
  if (is_by_chain(s) && s.store == Store::wrong) return Outcome::untrusted_certificate;
  if (s.announced != Announced::never) {
    if (!is_right(s.announced)) return Outcome::peer_rejected;
    // A later fingerprint confirms what has connected already.
    const bool connected_before = !is_before(s.announced) && (!is_asked(s) || s.accepts);
    if (!connected_before) return Outcome::by_fingerprint;
  }
  if (is_asked(s) && !s.accepts) return Outcome::waits_for_acceptance;
  return is_by_chain(s) ? Outcome::by_chain : Outcome::by_answer;
}

Outcome right_outcome(const Settings& s) {
  if (!is_sound(s)) return Outcome::refused_by_make;
  const bool requests = s.judge == Role::client || s.authentication != PeerAuthentication::none;
  if (s.announced != Announced::never && !requests) return Outcome::refused_by_call;
  if (is_by_psk(s)) {
    return s.announced == Announced::never ? Outcome::by_psk : Outcome::peer_rejected;
  }
  if (s.peer_has_certificate && requests) return outcome_with_certificate(s);
  if (s.authentication == PeerAuthentication::require ||
      s.authentication == PeerAuthentication::require_and_verify) {
    return Outcome::missing_certificate;
  }
  return s.announced == Announced::never ? Outcome::anonymous : Outcome::peer_rejected;
}

bool is_connected(Outcome outcome) { return outcome >= Outcome::by_fingerprint; }

// A client takes the modes without verification as one.
bool is_same_policy(const Settings& a, const Settings& b) {
  if (verifies(a) != verifies(b) || a.store != b.store) return false;
  return a.judge == Role::client || a.authentication == b.authentication;
}

// ---- what happens

const Authority& authority(bool right) {
  static const Authority kRight("right");
  static const Authority kWrong("wrong");
  return right ? kRight : kWrong;
}
const dtls::Identity& peer_certificate() {
  static const auto kIdentity = authority(true).issue({.alternative = "DNS:peer.example"});
  return kIdentity;
}
const dtls::PreSharedKey& psk() {
  static const auto kKey = must(dtls::PreSharedKey::make(bytes_of("device 1"), counted(32)));
  return kKey;
}

ConfigOptions common_options(const Settings& s) {
  static const auto kKeys = std::make_shared<dtls::TicketKeys>();
  ConfigOptions options = options_for(s.version);
  options.resumption = Resumption::tickets;
  options.ticket_keys = kKeys;
  if (s.psk) options.pre_shared_keys = {psk()};
  return options;
}

dtls::Bytes shown_by_peer(const Settings& s) {
  return s.peer_is_raw ? peer_certificate().public_key() : peer_certificate().certificate();
}

dtls::Result<dtls::ConfigPtr> judge_config(const Settings& s) {
  ConfigOptions options = common_options(s);
  if (s.types == Types::raw) options.peer_certificate_types = {CertificateType::raw_public_key};
  if (s.types == Types::both) {
    options.peer_certificate_types.push_back(CertificateType::raw_public_key);
  }
  options.ask_about_verified_peer = s.asks;
  options.peer_authentication = s.authentication;
  if (s.store != Store::none) options.trust_store = authority(s.store == Store::right).store();
  if (verifies(s) && s.judge == Role::client) options.peer_name = "peer.example";
  return dtls::Config::make(std::move(options));
}

// The other side accepts anyone.
dtls::ConfigPtr peer_config(const Settings& s) {
  ConfigOptions options = common_options(s);
  options.identities.clear();
  if (s.peer_has_certificate) options.identities = {peer_certificate()};
  if (s.peer_is_raw) options.own_certificate_types = {CertificateType::raw_public_key};
  if (s.judge == Role::client) options.peer_authentication = PeerAuthentication::none;
  return make_config(options);
}

struct Met {
  Peer judge;
  Peer peer;
};

Met meet(const Settings& s, const dtls::ConfigPtr& config,
         const std::optional<ResumableSession>& session) {
  const dtls::ConfigPtr other = peer_config(s);
  const bool is_client = s.judge == Role::client;
  Met met{is_client ? make_client(config, {}, session) : make_server(config),
          is_client ? make_server(other) : make_client(other, {}, session)};
  met.judge.accepts_peer = s.accepts;
  const auto announce = [&] {
    const auto expected = is_right(s.announced) ? shown_by_peer(s) : rsa_identity().certificate();
    const auto fingerprint =
        must(dtls::Fingerprint::of(expected, dtls::HashAlgorithm::sha256, environment()));
    met.judge.settle(met.judge.connection().set_peer_fingerprints(std::span(&fingerprint, 1), {}),
                     {});
  };
  Peer& client = is_client ? met.judge : met.peer;
  Peer& server = is_client ? met.peer : met.judge;
  if (s.announced != Announced::never && is_before(s.announced)) announce();
  exchange(client, server);
  // A plaintext alert ends the judge's handshake a little later.
  if (met.peer.error) expire_until_error(met.judge);
  if (s.announced != Announced::never && !is_before(s.announced) && !met.judge.error) announce();
  exchange(client, server);
  return met;
}

// A session of these settings, from a handshake in which the caller accepts the peer; empty where
// no peer is accepted.
const std::optional<ResumableSession>& session_of(Settings s) {
  static std::map<std::string, std::optional<ResumableSession>> sessions;
  s.announced = Announced::never;
  s.accepts = true;
  s.session = Session::none;
  std::ostringstream name;
  name << s;
  const auto [known, is_new] = sessions.try_emplace(name.str());
  if (is_new && is_connected(right_outcome(s))) {
    const Met met = meet(s, must(judge_config(s)), {});
    const Peer& client = s.judge == Role::client ? met.judge : met.peer;
    if (!client.sessions.empty()) known->second = client.sessions.front();
  }
  return known->second;
}

Settings other_settings(Settings s) {
  s.authentication = PeerAuthentication::require;
  s.store = Store::none;
  return s;
}

Outcome outcome_of_error(const dtls::Error& error) {
  switch (error.code) {
    case Errc::invalid_config:
      return Outcome::refused_by_call;
    case Errc::missing_certificate:
      return Outcome::missing_certificate;
    case Errc::unsupported_certificate:
    case Errc::alert_received:
      EXPECT_EQ(error.alert, dtls::Alert::unsupported_certificate);
      return Outcome::no_common_type;
    case Errc::untrusted_certificate:
      return Outcome::untrusted_certificate;
    case Errc::peer_rejected:
      return Outcome::peer_rejected;
    default:
      ADD_FAILURE() << to_string(error);
      return Outcome::peer_rejected;
  }
}

// What the connection says itself, by the evidence that it has.
Outcome outcome_of(const Settings& s, const Peer& judge) {
  if (judge.error) return outcome_of_error(*judge.error);
  const dtls::Connection& connection = judge.connection();
  if (!connection.connected()) {
    EXPECT_EQ(connection.waiting_for(), dtls::WaitingFor::peer_acceptance);
    EXPECT_FALSE(judge.connected);
    EXPECT_FALSE(connection.srtp_keys());
    EXPECT_FALSE(connection.info());
    return Outcome::waits_for_acceptance;
  }
  const dtls::PeerInfo peer = connection.info().value().peer;
  if (peer.credential == dtls::PeerCredential::psk) {
    EXPECT_EQ(peer.psk_identity, copy_of(psk().identity()));
    return Outcome::by_psk;
  }
  if (peer.credential == dtls::PeerCredential::none) return Outcome::anonymous;
  EXPECT_EQ(peer.credential, s.peer_is_raw ? dtls::PeerCredential::raw_public_key
                                           : dtls::PeerCredential::certificate);
  const auto fingerprint =
      must(dtls::Fingerprint::of(shown_by_peer(s), dtls::HashAlgorithm::sha256, environment()));
  EXPECT_EQ(peer.certificate_fingerprint, fingerprint.value);
  EXPECT_TRUE(peer.signature_scheme);
  // Fingerprints that were there first, or that came while a question was open, have decided.
  const bool is_accepted_before = s.accepts || (peer.verified_name && !s.asks);
  const bool fingerprint_decides =
      is_right(s.announced) && (is_before(s.announced) || !is_accepted_before);
  if (fingerprint_decides) return Outcome::by_fingerprint;
  return peer.verified_name ? Outcome::by_chain : Outcome::by_answer;
}

class Matrix {
 public:
  void check(const Settings& s) {
    if (is_superfluous(s)) return;
    const Outcome right = right_outcome(s);
    std::ostringstream name;
    name << s;
    SCOPED_TRACE(name.str());
    const auto config = judge_config(s);
    ASSERT_EQ(config.has_value(), right != Outcome::refused_by_make);
    ++outcomes_[right];
    if (!config) {
      EXPECT_EQ(config.error().code, Errc::invalid_config);
      EXPECT_TRUE(config.error().detail.starts_with("trust_store:") ||
                  config.error().detail.starts_with("peer_certificate_types:"))
          << config.error().detail.view();
      return;
    }
    std::optional<ResumableSession> session;
    bool is_same = false;
    if (s.session != Session::none) {
      const Settings first = s.session == Session::same_settings ? s : other_settings(s);
      session = session_of(first);
      is_same = is_same_policy(s, first);
    }
    const Met met = meet(s, *config, session);
    EXPECT_EQ(name_of(outcome_of(s, met.judge)), name_of(right));
    if (!met.judge.connected) return;
    EXPECT_EQ(met.judge.connected->resumed, session && is_same);
    if (met.judge.connected->resumed) ++resumed_;
  }

  void print() const {
    std::size_t all = 0;
    for (const auto& [outcome, count] : outcomes_) all += count;
    std::cout << "settings that decide about peers: " << all << " combinations, " << resumed_
              << " resumed\n";
    for (const auto& [outcome, count] : outcomes_) {
      std::cout << "  " << name_of(outcome) << ": " << count << '\n';
    }
    testing::Test::RecordProperty("combinations", static_cast<int>(all));
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      EXPECT_TRUE(outcomes_.contains(static_cast<Outcome>(i))) << kNames[i] << ": none";
    }
  }

 private:
  // Such a peer does not exist, or the combination is another one's double.
  static bool is_superfluous(const Settings& s) {
    const bool peer_can_be_server = s.peer_has_certificate || s.psk;
    if (s.judge == Role::client && !peer_can_be_server) return true;
    if (s.peer_is_raw && !s.peer_has_certificate) return true;
    // A PSK is chosen before any type of certificate.
    const bool has_raw = s.types != Types::x509 || s.peer_is_raw;
    if (s.psk && has_raw) return true;
    // check_role() refuses a server that accepts raw public keys and requests none.
    if (has_raw && s.judge == Role::server && s.authentication == PeerAuthentication::none) {
      return true;
    }
    if (s.asks && (!verifies(s) || s.types != Types::both)) return true;
    // Nothing is asked.
    if (s.accepts && (!is_asked(s) || is_by_psk(s))) return true;
    // A Config that is refused needs to be tried only once.
    return !is_sound(s) &&
           (s.announced != Announced::never || s.accepts || s.session != Session::none);
  }

  std::map<Outcome, std::size_t> outcomes_;
  std::size_t resumed_ = 0;
};

template <class Value, class Visit>
void for_each_value(Value last, Visit&& visit) {
  for (int i = 0; i <= static_cast<int>(last); ++i) visit(static_cast<Value>(i));
}

void check_with_types(Matrix& matrix, Settings s) {
  for_each_value(Types::both, [&](Types types) {
    s.types = types;
    for (const bool asks : {false, true}) {
      s.asks = asks;
      for_each_value(Announced::wrong_after, [&](Announced announced) {
        s.announced = announced;
        for_each_value(Session::other_settings, [&](Session session) {
          s.session = session;
          matrix.check(s);
        });
      });
    }
  });
}

TEST(Settings, EachCombinationVerifiesWhatWasAskedForOrIsRefused) {
  Matrix matrix;
  Settings s{};
  for (const auto version : {ProtocolVersion::dtls12, ProtocolVersion::dtls13}) {
    for (const Role judge : kRoles) {
      for (const auto& [has_certificate, is_raw] :
           {std::pair{false, false}, std::pair{true, false}, std::pair{true, true}}) {
        for (const bool psk : {false, true}) {
          for (const bool accepts : {false, true}) {
            s.version = version;
            s.judge = judge;
            s.peer_has_certificate = has_certificate;
            s.peer_is_raw = is_raw;
            s.psk = psk;
            s.accepts = accepts;
            for_each_value(PeerAuthentication::verify_if_given, [&](PeerAuthentication value) {
              s.authentication = value;
              for_each_value(Store::wrong, [&](Store store) {
                s.store = store;
                check_with_types(matrix, s);
              });
            });
          }
        }
      }
    }
  }
  matrix.print();
}

}  // namespace
}  // namespace sluice::test
