#include "connection/peer_gate.h"

#include "crypto/fingerprint.h"

namespace sluice::dtls::connection {

Result<void> PeerGate::judge(std::span<const Fingerprint> fingerprints, Bytes certificate,
                             crypto::Library& library) {
  const auto match = crypto::matches(library, fingerprints, certificate);
  if (!match) return tl::unexpected(match.error());
  // RFC 8122 section 6.2: the connection must not be used, and is torn down at once.
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

Result<void> PeerGate::answer(const Answer& answer) {
  if (const auto* reject = std::get_if<RejectPeer>(&answer)) {
    return tl::unexpected(Error{Errc::peer_rejected, reject->alert});
  }
  state_ = Accepted{};
  return {};
}

}  // namespace sluice::dtls::connection
