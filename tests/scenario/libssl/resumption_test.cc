// Resumption with OpenSSL's libssl in DTLS 1.2: session IDs and tickets, in both roles.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "scenario/libssl/exchange.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {
namespace {

using dtls::CipherSuite;
using dtls::Resumption;
using dtls::Role;

struct Kind {
  const char* name;
  bool tickets;  // of the server, whoever that is
  bool psk;
};
constexpr Kind kKinds[] = {{"SessionId", false, false},
                           {"Ticket", true, false},
                           {"SessionIdOfPsk", false, true},
                           {"TicketOfPsk", true, true}};

using ResumptionChoice = std::tuple<Role, Kind>;

class LibsslResumption : public testing::TestWithParam<ResumptionChoice> {
 protected:
  LibsslResumption() : context_(libssl_options()) {
    const auto& [role, kind] = GetParam();
    ours_.resumption = kind.tickets ? Resumption::tickets : Resumption::store;
    if (kind.tickets) ours_.ticket_keys = std::make_shared<dtls::TicketKeys>();
    if (!kind.psk) return;
    ours_.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("sensor 7"), counted(16)))};
    ours_.cipher_suites = {CipherSuite::psk_with_aes_128_gcm_sha256};
  }

  static LibsslOptions libssl_options() {
    const auto& [role, kind] = GetParam();
    LibsslOptions options{.is_server = role == Role::client, .tickets = kind.tickets};
    if (kind.psk) {
      options.cipher = "PSK-AES128-GCM-SHA256";
      options.psk_identity = "sensor 7";
      options.psk = counted(16);
    }
    return options;
  }

  struct Meeting {
    Peer ours;
    std::unique_ptr<LibsslPeer> theirs;
  };
  // One handshake, which is to be a resumed one or not.
  void meet(const std::optional<dtls::ResumableSession>& session, SSL_SESSION* their_session,
            bool resumed, std::optional<Meeting>& meeting) {
    const Role role = std::get<Role>(GetParam());
    const auto config = make_config(ours_);
    meeting.emplace(role == Role::client ? make_client(config, {}, session) : make_server(config),
                    std::make_unique<LibsslPeer>(context_));
    auto& [ours, theirs] = *meeting;
    ours.store = store_;
    if (their_session != nullptr) {
      ASSERT_EQ(SSL_set_session(theirs->ssl(), their_session), 1);
    }
    exchange(ours, *theirs);
    ASSERT_TRUE(theirs->connected()) << theirs->error();
    ASSERT_TRUE(ours.connected) << (ours.error ? to_string(*ours.error) : "still waiting");
    EXPECT_EQ(ours.connected->resumed, resumed);
    EXPECT_EQ(SSL_session_reused(theirs->ssl()), resumed ? 1 : 0);
    expect_same_exports(ours, *theirs);
    expect_data_both_ways(ours, *theirs);
    // libssl forgets the session of a connection that wasn't shut down.
    SSL_set_shutdown(theirs->ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }

  // What its client may offer next time.
  struct Offered {
    std::optional<dtls::ResumableSession> ours;
    std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> theirs{nullptr, SSL_SESSION_free};
  };
  static Offered offered_after(const Meeting& meeting) {
    Offered offered;
    if (std::get<Role>(GetParam()) == Role::client) {
      EXPECT_EQ(meeting.ours.sessions.size(), 1U);
      offered.ours = meeting.ours.sessions.at(0);
    } else {
      offered.theirs.reset(SSL_get1_session(meeting.theirs->ssl()));
    }
    return offered;
  }

  LibsslContext context_;
  dtls::ConfigOptions ours_ = options_for(dtls::ProtocolVersion::dtls12);
  std::shared_ptr<dtls::ResumptionStore> store_ = std::make_shared<dtls::ResumptionStore>();
};

TEST_P(LibsslResumption, ResumesAgainAndAgain) {
  std::optional<Meeting> first;
  ASSERT_NO_FATAL_FAILURE(meet({}, nullptr, false, first));
  Offered offered = offered_after(*first);
  for (int i = 0; i < 2; ++i) {
    std::optional<Meeting> next;
    ASSERT_NO_FATAL_FAILURE(meet(offered.ours, offered.theirs.get(), true, next));
    EXPECT_EQ(next->ours.peer_chain, first->ours.peer_chain);
    if (offered.ours) offered = offered_after(*next);
  }
}

// A server that has forgotten everything.
TEST_P(LibsslResumption, AnUnknownSessionMeansAFullHandshake) {
  std::optional<Meeting> first;
  ASSERT_NO_FATAL_FAILURE(meet({}, nullptr, false, first));
  const Offered offered = offered_after(*first);
  if (offered.ours) context_ = LibsslContext(libssl_options());
  store_ = std::make_shared<dtls::ResumptionStore>();
  if (ours_.ticket_keys) ours_.ticket_keys = std::make_shared<dtls::TicketKeys>();
  std::optional<Meeting> next;
  ASSERT_NO_FATAL_FAILURE(meet(offered.ours, offered.theirs.get(), false, next));
}

std::string resumption_name_of(const testing::TestParamInfo<ResumptionChoice>& choice) {
  const auto& [role, kind] = choice.param;
  return std::string(role == Role::client ? "Client" : "Server") + kind.name;
}

INSTANTIATE_TEST_SUITE_P(All, LibsslResumption,
                         testing::Combine(testing::Values(Role::client, Role::server),
                                          testing::ValuesIn(kKinds)),
                         resumption_name_of);

}  // namespace
}  // namespace sluice::test
