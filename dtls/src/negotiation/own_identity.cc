#include "negotiation/own_identity.h"

#include <algorithm>
#include <iterator>

#include "negotiation/context.h"

namespace sluice::dtls::handshake {
namespace {

using message::CertificateCriteria;

// Of an identity whose certificate has the name; no sum of other criteria is as high.
constexpr int kNameRank = 4;

// A peer's list of signature schemes, which may be long. It is searched once for each scheme of
// ours, not once for each identity.
class SearchedSchemes {
 public:
  explicit SearchedSchemes(wire::CodeList<SignatureScheme> list) : list_(list) {}

  bool contain(SignatureScheme scheme) {
    const auto known = std::ranges::find(answers_, scheme, &Answer::scheme);
    if (known != answers_.end()) return known->is_listed;
    answers_.push_back({scheme, list_.contains(scheme)});
    return answers_.back().is_listed;
  }

 private:
  struct Answer {
    SignatureScheme scheme;
    bool is_listed;
  };

  wire::CodeList<SignatureScheme> list_;
  std::vector<Answer> answers_;
};

// Rates how well an identity, which the peer's signature schemes allow, meets the peer's other
// criteria.
int rank(const crypto::Credentials& credentials, std::string_view host,
         const CertificateCriteria& criteria, SearchedSchemes& of_chain) {
  constexpr int kAuthority = 2;
  constexpr int kChain = 1;
  const bool is_for = !host.empty() && credentials.is_for(host);
  const bool is_issued =
      !criteria.authorities.empty() && credentials.is_issued_by(criteria.authorities);
  const bool is_taken =
      std::ranges::all_of(credentials.chain_schemes(),
                          [&](SignatureScheme scheme) { return of_chain.contain(scheme); });
  return (is_for ? kNameRank : 0) + (is_issued ? kAuthority : 0) + (is_taken ? kChain : 0);
}

std::optional<SignatureScheme> choose_scheme(std::span<const SignatureScheme> own,
                                             SearchedSchemes& peers, SchemeFits fits,
                                             crypto::KeyType type) {
  for (const SignatureScheme scheme : own) {
    if (fits(scheme, type) && peers.contain(scheme)) return scheme;
  }
  return std::nullopt;
}

// The best identity with this type of certificate.
std::optional<OwnIdentity> choose_of_type(CertificateType type, const Context& context,
                                          std::string_view host,
                                          const CertificateCriteria& criteria, SchemeFits fits,
                                          const std::function<bool(crypto::KeyType)>& takes_key) {
  const auto identities = context.identities();
  SearchedSchemes schemes(criteria.schemes);
  SearchedSchemes of_chain(criteria.schemes_of_chain());
  // A single certificate, as WebRTC has, needs no comparison of names, and a raw public key has
  // none.
  const bool is_ranked = identities.size() > 1 && type == CertificateType::x509;
  std::optional<OwnIdentity> best;
  int best_rank = -1;
  for (const Identity& identity : identities) {
    const crypto::Credentials& credentials = identity.credentials();
    if (credentials.contents(type).empty() || !takes_key(credentials.type())) continue;
    const auto scheme =
        choose_scheme(context.config.signature_schemes, schemes, fits, credentials.type());
    if (!scheme) continue;
    const int own_rank = is_ranked ? rank(credentials, host, criteria, of_chain) : 0;
    if (own_rank <= best_rank) continue;
    best_rank = own_rank;
    // The caller knew the name when it answered IdentityRequested.
    const bool is_by_name = !host.empty() && (context.own.given || own_rank >= kNameRank);
    best.emplace(identity, *scheme, type, is_by_name);
  }
  return best;
}

}  // namespace

std::optional<OwnIdentity> choose_identity(const Context& context, std::string_view host,
                                           const CertificateCriteria& criteria, SchemeFits fits,
                                           const std::function<bool(crypto::KeyType)>& takes_key) {
  for (const CertificateType type : context.config.own_certificate_types) {
    if (!criteria.types.has(type)) continue;
    if (auto own = choose_of_type(type, context, host, criteria, fits, takes_key)) return own;
  }
  return std::nullopt;
}

std::optional<OwnIdentity> choose_identity(const Context& context, std::string_view host,
                                           const CertificateCriteria& criteria, SchemeFits fits) {
  return choose_identity(context, host, criteria, fits, [](crypto::KeyType) { return true; });
}

const std::vector<Buffer>& own_chain(const Context& context) {
  static const std::vector<Buffer> kNone;
  const auto& chosen = context.own.chosen;
  return chosen ? chosen->identity.credentials().contents(chosen->type) : kNone;
}

void ask_for_identity(Context& context, const CertificateCriteria& criteria) {
  IdentityRequested question{};
  question.server_name = context.terms.server_name;
  question.signature_schemes.assign(criteria.schemes.begin(), criteria.schemes.end());
  for (const Bytes name : criteria.authorities) {
    question.authorities.emplace_back(name.begin(), name.end());
  }
  std::ranges::copy_if(context.config.own_certificate_types,
                       std::back_inserter(question.certificate_types),
                       [&](CertificateType type) { return criteria.types.has(type); });
  context.ask(std::move(question));
}

void take_identity(Context& context, const Answer& answer) {
  context.own.asked = true;
  if (const auto* use = std::get_if<UseIdentity>(&answer)) context.own.given = use->identity;
}

Result<std::optional<Buffer>> sign(Context& context, Bytes content) {
  const Identity& identity = context.own.chosen->identity;
  const SignatureScheme scheme = context.own.chosen->scheme;
  if (identity.credentials().has_key()) {
    return identity.credentials().sign(context.library, scheme, content).map([](Buffer signature) {
      return std::optional(std::move(signature));
    });
  }
  const Bytes certificate =
      identity.certificate().empty() ? identity.public_key() : identity.certificate();
  context.ask(SignatureRequested{{},
                                 Buffer(certificate.begin(), certificate.end()),
                                 scheme,
                                 Buffer(content.begin(), content.end())});
  context.transport.hold_flight();
  return std::nullopt;
}

Result<Buffer> signature_of(Context& context, const Answer& answer) {
  context.transport.release_flight();
  if (const auto* signature = std::get_if<Signature>(&answer)) return signature->value;
  return fatal(Errc::signing_failed, Alert::internal_error);
}

}  // namespace sluice::dtls::handshake
