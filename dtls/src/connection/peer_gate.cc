#include "connection/peer_gate.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/fingerprint.h"

namespace sluice::dtls::connection {
namespace {

// Both fingerprints, which are public.
ErrorDetail mismatch_detail(std::span<const Fingerprint> announced, Bytes certificate,
                            crypto::Library& library) {
  if (announced.empty()) return "fingerprint mismatch: none was announced";
  const Fingerprint& expected = std::ranges::max(announced, {}, &Fingerprint::hash);
  const auto received = crypto::fingerprint_of(library, certificate, expected.hash);
  if (!received) return "fingerprint mismatch";
  std::string text("fingerprint mismatch: the certificate has ");
  text.append(received->to_sdp()).append(", announced was ").append(expected.to_sdp());
  const auto others = std::ranges::count(announced, expected.hash, &Fingerprint::hash) - 1;
  if (others > 0) text.append(", and ").append(std::to_string(others)).append(" more");
  return ErrorDetail(std::move(text));
}

tl::unexpected<Error> no_certificate() {
  return tl::unexpected(Error{Errc::peer_rejected, Alert::bad_certificate, 0,
                              "fingerprints were announced, but the peer has no certificate"});
}

}  // namespace

Result<void> PeerGate::judge(std::span<const Fingerprint> fingerprints, Buffer certificate,
                             crypto::Library& library, const std::optional<crypto::Sha256>& known) {
  if (certificate.empty()) return no_certificate();
  const auto match = crypto::find_match(library, fingerprints, certificate, known);
  if (!match) return forward_error(match);
  // RFC 8122 section 6.2: the connection must not be used and is ended immediately.
  if (*match == nullptr) {
    return tl::unexpected(Error{Errc::peer_rejected, Alert::bad_certificate, 0,
                                mismatch_detail(fingerprints, certificate, library)});
  }
  state_ = Accepted{std::move(certificate), **match};
  return {};
}

Result<void> PeerGate::announce(std::span<const Fingerprint> fingerprints,
                                crypto::Library& library) {
  if (auto* known = std::get_if<Accepted>(&state_)) {
    return judge(fingerprints, std::move(known->certificate), library);
  }
  if (auto* asked = std::get_if<Asked>(&state_)) {
    return judge(fingerprints, std::move(asked->certificate), library);
  }
  state_ = Announced{{fingerprints.begin(), fingerprints.end()}};
  return {};
}

Result<std::optional<PeerCertificateReceived>> PeerGate::on_chain(
    std::vector<Buffer> chain, const std::optional<crypto::Sha256>& known,
    crypto::Library& library) {
  if (auto* announced = std::get_if<Announced>(&state_)) {
    // judge() replaces the state.
    const auto fingerprints = std::move(announced->fingerprints);
    return judge(fingerprints, std::move(chain.front()), library, known).map([] {
      return std::optional<PeerCertificateReceived>();
    });
  }
  state_ = Asked{chain.front()};
  return PeerCertificateReceived{QuestionOf<PeerAnswer>(kQuestion), std::move(chain), {}};
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
    accept(std::move(std::get<Asked>(state_).certificate));
  } else {
    connection_ = Verdict::accepted;
  }
  return {};
}

Bytes PeerGate::certificate() const {
  if (const auto* asked = std::get_if<Asked>(&state_)) return asked->certificate;
  if (const auto* known = std::get_if<Accepted>(&state_)) return known->certificate;
  return {};
}

const Fingerprint* PeerGate::match() const {
  const auto* known = std::get_if<Accepted>(&state_);
  return known != nullptr && known->match ? &*known->match : nullptr;
}

Result<void> PeerGate::on_end() {
  if (has_fingerprints()) return no_certificate();
  if (std::holds_alternative<NothingKnown>(state_)) accept({});
  return {};
}

}  // namespace sluice::dtls::connection
