// Is this the peer that was meant? Holds the question open until somebody answers it.
#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <sluice/dtls/event.h>
#include <sluice/dtls/fingerprint.h>

namespace sluice::dtls::connection {

class PeerGate {
 public:
  static constexpr QuestionId kQuestion{1};  // one handshake shows one chain

  // The fingerprints that the peer has announced; the certificate may have come already. Has no
  // effect once the peer is accepted. Errors: peer_rejected.
  Result<void> announce(std::span<const Fingerprint> fingerprints, crypto::Library& library);
  // The peer's certificates have come. Returns the question to be asked, if nothing answers it yet.
  // Errors: peer_rejected.
  Result<std::optional<PeerCertificateReceived>> on_chain(std::vector<Buffer> chain,
                                                          crypto::Library& library);
  // The question is open, and `answer` one that fits it.
  [[nodiscard]] bool takes(const Answer& answer) const {
    return std::holds_alternative<Asked>(state_) && (std::holds_alternative<AcceptPeer>(answer) ||
                                                     std::holds_alternative<RejectPeer>(answer));
  }
  // Errors: peer_rejected.
  Result<void> answer(const Answer& answer);
  // The handshake asked the peer for no certificate, or a PSK took its place.
  void accept_without_certificate() { state_ = Accepted{}; }

  [[nodiscard]] bool accepted() const { return std::holds_alternative<Accepted>(state_); }

 private:
  struct NothingKnown {};
  struct Announced {
    std::vector<Fingerprint> fingerprints;
  };
  struct Asked {
    Buffer certificate;
  };
  struct Accepted {};

  Result<void> judge(std::span<const Fingerprint> fingerprints, Bytes certificate,
                     crypto::Library& library);

  std::variant<NothingKnown, Announced, Asked, Accepted> state_;
};

}  // namespace sluice::dtls::connection
