// One DTLS association between the engine and the runner.
#pragma once

#include <sluice/dtls/connection.h>
#include <sluice/dtls/resumption_store.h>

#include <string>
#include <vector>

#include "bogo/flags.h"
#include "bogo/link.h"
#include "bogo/virtual_clock.h"

namespace sluice::bogo {

// What went wrong, in words that the runner finds in its ErrorMap.
using Outcome = tl::expected<void, std::string>;

class Association {
 public:
  // All references must outlive it.
  Association(dtls::Connection connection, const Flags& flags, Link& link, VirtualClock& clock,
              dtls::ResumptionStore& store, const std::optional<dtls::ResumableSession>& offered,
              const std::vector<dtls::Identity>& identities)
      : connection_(std::move(connection)),
        flags_(flags),
        link_(link),
        clock_(clock),
        store_(store),
        offered_(offered),
        identities_(identities) {}

  // Handshake, what the flags ask for, then an echo until one side closes.
  Outcome run();

  // What a client's next one resumes; empty without one.
  [[nodiscard]] const std::optional<dtls::ResumableSession>& session() const { return session_; }
  // Empty when the handshake has not been completed.
  [[nodiscard]] std::optional<dtls::ProtocolVersion> version() const { return version_; }

 private:
  Outcome handle(Packet& packet);
  Outcome handle(const AdvanceClock& order);
  Outcome handle(const SetMtu& order);
  Outcome handle(const ExpectTimeout& order);
  Outcome handle(const SetInitialTimeout& order);

  // The runner does nothing more, so the handshake runs out of time.
  Outcome run_out_of_time();

  // Takes all outputs after an input.
  Outcome settle(const dtls::Result<dtls::Pending>& input);
  Outcome take_events();
  Outcome judge(const dtls::PeerCertificateReceived& peer);
  Outcome show_identity(const dtls::IdentityRequested& wanted);
  void take_datagrams();
  // Notes what only the datagrams tell.
  void look_at(dtls::Bytes datagram);

  Outcome on_connected();
  [[nodiscard]] Outcome check(const dtls::ConnectionInfo& info) const;
  // That a client has got a ticket, if the flags say so.
  [[nodiscard]] Outcome check_ticket() const;
  [[nodiscard]] Outcome check_renewal() const;
  Outcome send_keying_material();
  // What is to be done before the application reads, if the flags say so.
  Outcome prepare_read();
  Outcome update_keys(bool wanted);
  Outcome send(dtls::Bytes data);
  Outcome echo(dtls::Buffer data);

  dtls::Connection connection_;
  const Flags& flags_;
  Link& link_;
  VirtualClock& clock_;
  dtls::ResumptionStore& store_;
  const std::optional<dtls::ResumableSession>& offered_;
  const std::vector<dtls::Identity>& identities_;
  std::optional<dtls::ResumableSession> session_;
  std::optional<dtls::ProtocolVersion> version_;
  std::optional<dtls::SessionRequested> asked_;
  bool has_session_id_ = false;  // a server's session
  bool was_retried_ = false;     // by a HelloRetryRequest
  bool newly_connected_ = false;
  bool closed_ = false;
};

}  // namespace sluice::bogo
