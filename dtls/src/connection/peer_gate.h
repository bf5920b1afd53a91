// Decides whether the peer is accepted, and keeps the questions about it.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <sluice/dtls/event.h>
#include <sluice/dtls/fingerprint.h>

#include "crypto/hash.h"

namespace sluice::dtls::connection {

class PeerGate {
 public:
  static constexpr QuestionId kQuestion{1};  // a handshake has one chain, so one question
  static constexpr QuestionId kConnectionQuestion{16};

  // Sets the expected fingerprints, before or after the certificate arrives, also where the peer is
  // accepted already. Errors: peer_rejected.
  Result<void> announce(std::span<const Fingerprint> fingerprints, crypto::Library& library);
  // The peer's certificates have arrived. Returns the question to ask, unless fingerprints decide.
  // `known`: the SHA-256 of the peer's own, if it was computed before. Errors: peer_rejected.
  Result<std::optional<PeerCertificateReceived>> on_chain(
      std::vector<Buffer> chain, const std::optional<crypto::Sha256>& known,
      crypto::Library& library);
  // Whether the question is open and `answer` fits it.
  [[nodiscard]] bool takes(QuestionId question, const Answer& answer) const;
  // Errors: peer_rejected.
  Result<void> answer(QuestionId question, const Answer& answer);
  // Accepts the peer because its chain was verified.
  void accept(Buffer certificate) { state_ = Accepted{std::move(certificate), {}}; }
  // The handshake is complete. A peer without a certificate, whom the Config allows to have none or
  // whom a PSK has authenticated, is accepted if no fingerprints were set. Errors: peer_rejected.
  Result<void> on_end();

  [[nodiscard]] bool has_fingerprints() const { return std::holds_alternative<Announced>(state_); }
  // The peer's own certificate (DER); empty if none has come.
  [[nodiscard]] Bytes certificate() const;
  // Of an accepted peer, which no further fingerprints can judge then.
  Buffer take_certificate() { return std::move(std::get<Accepted>(state_).certificate); }
  // The fingerprint by which the certificate was accepted last, valid until the state changes;
  // null: none.
  [[nodiscard]] const Fingerprint* match() const;
  [[nodiscard]] bool accepted() const { return std::holds_alternative<Accepted>(state_); }

  // Opens the question whether the caller accepts the connection, after the peer is accepted.
  QuestionId ask_about_connection() {
    connection_ = Verdict::asked;
    return kConnectionQuestion;
  }
  [[nodiscard]] bool asks_about_connection() const { return connection_ == Verdict::asked; }
  [[nodiscard]] bool connection_accepted() const { return connection_ == Verdict::accepted; }

 private:
  struct NothingKnown {};
  struct Announced {
    std::vector<Fingerprint> fingerprints;
  };
  struct Asked {
    Buffer certificate;
  };
  struct Accepted {
    Buffer certificate;
    std::optional<Fingerprint> match;
  };

  Result<void> judge(std::span<const Fingerprint> fingerprints, Buffer certificate,
                     crypto::Library& library, const std::optional<crypto::Sha256>& known = {});

  enum class Verdict : std::uint8_t { none, asked, accepted };

  std::variant<NothingKnown, Announced, Asked, Accepted> state_;
  Verdict connection_ = Verdict::none;
};

}  // namespace sluice::dtls::connection
