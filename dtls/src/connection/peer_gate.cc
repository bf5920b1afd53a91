#include "connection/peer_gate.h"

#include "crypto/fingerprint.h"

namespace sluice::dtls::connection {

Result<void> PeerGate::judge(std::span<const Fingerprint> fingerprints, Bytes certificate,
                             crypto::Library& library) {
  const auto match = crypto::matches(library, fingerprints, certificate);
  if (!match) return forward_error(match);
  // RFC 8122 section 6.2: the connection must not be used and is ended immediately.
  if (!*match) {
    return tl::unexpected(
        Error{Errc::peer_rejected, Alert::bad_certificate, 0, "fingerprint mismatch"});
  }
  state_ = Accepted{};
  return {};
}

Result<void> PeerGate::announce(std::span<const Fingerprint> fingerprints,
                                crypto::Library& library) {
  if (accepted()) return {};
  if (const auto* asked = std::get_if<Asked>(&state_)) {
    return judge(fingerprints, asked->certificate, library);
  }
  state_ = Announced{{fingerprints.begin(), fingerprints.end()}};
  return {};
}

Result<std::optional<PeerCertificateReceived>> PeerGate::on_chain(std::vector<Buffer> chain,
                                                                  crypto::Library& library) {
  if (const auto* announced = std::get_if<Announced>(&state_)) {
    return judge(announced->fingerprints, chain.front(), library).map([] {
      return std::optional<PeerCertificateReceived>();
    });
  }
  state_ = Asked{chain.front()};
  return PeerCertificateReceived{kQuestion, std::move(chain)};
}

bool PeerGate::takes(QuestionId question, const Answer& answer) const {
  const bool is_open = question == kQuestion             ? std::holds_alternative<Asked>(state_)
                       : question == kConnectionQuestion ? asks_about_connection()
                                                         : false;
  return is_open &&
         (std::holds_alternative<AcceptPeer>(answer) || std::holds_alternative<RejectPeer>(answer));
}

Result<void> PeerGate::answer(QuestionId question, const Answer& answer) {
  if (const auto* reject = std::get_if<RejectPeer>(&answer)) {
    return tl::unexpected(Error{Errc::peer_rejected, reject->alert});
  }
  if (question == kQuestion) {
    state_ = Accepted{};
  } else {
    connection_ = Verdict::accepted;
  }
  return {};
}

Result<void> PeerGate::on_end() {
  if (has_fingerprints()) {
    return tl::unexpected(
        Error{Errc::peer_rejected, Alert::bad_certificate, 0, "no certificate to the fingerprint"});
  }
  if (std::holds_alternative<NothingKnown>(state_)) state_ = Accepted{};
  return {};
}

}  // namespace sluice::dtls::connection
